//! What a session may do: read whatever it sees.

use super::call::{Answer, CatalogFunction, Returns};

/// What everybody may do with what they see.
const ALLOWED: [&str; 8] = ["select", "usage", "connect", "execute", "temp", "temporary", "member", "set"];

pub(super) const ALL: &[CatalogFunction] = &[
    CatalogFunction::new(
        &[
            "has_any_column_privilege",
            "has_column_privilege",
            "has_database_privilege",
            "has_foreign_data_wrapper_privilege",
            "has_function_privilege",
            "has_language_privilege",
            "has_parameter_privilege",
            "has_schema_privilege",
            "has_sequence_privilege",
            "has_server_privilege",
            "has_table_privilege",
            "has_tablespace_privilege",
            "has_type_privilege",
            "pg_has_role",
        ],
        2..=4,
        Returns::Flag,
        |_, row| Ok(row.last_text().map(|wanted| Answer::Flag(is_allowed(wanted)))),
    ),
    CatalogFunction::new(&["row_security_active"], 1..=1, Returns::Flag, |_, _| Ok(Some(Answer::Flag(false)))),
];

/// Whether one of several privileges, with commas between them, is had.
fn is_allowed(wanted: &str) -> bool {
    wanted.split(',').any(|one| ALLOWED.contains(&one.trim().to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn what_is_seen_is_read_and_not_written() {
        assert!(is_allowed("SELECT") && is_allowed("insert, select") && is_allowed("USAGE"));
        assert!(!is_allowed("INSERT") && !is_allowed("insert,UPDATE") && !is_allowed("select with grant option"));
    }
}
