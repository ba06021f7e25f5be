//! Functions that stand where tables do.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Ident, Statement, TableAlias, TableFactor, VisitMut, VisitorMut};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::expression::last_name;

/// Functions whose rows are those of a table of the catalog.
const TABLES: [(&str, &str); 9] = [
    ("pg_available_extension_versions", "pg_available_extension_versions"),
    ("pg_available_extensions", "pg_available_extensions"),
    ("pg_lock_status", "pg_locks"),
    ("pg_prepared_statement", "pg_prepared_statements"),
    ("pg_prepared_xact", "pg_prepared_xacts"),
    ("pg_show_all_settings", "pg_settings"),
    ("pg_stat_get_activity", "pg_stat_activity"),
    ("pg_timezone_abbrevs", "pg_timezone_abbrevs"),
    ("pg_timezone_names", "pg_timezone_names"),
];

/// Functions that give one value, which is a row of its own.
const VALUES: [&str; 11] = [
    "current_database",
    "current_schema",
    "current_schemas",
    "current_setting",
    "inet_server_addr",
    "pg_backend_pid",
    "pg_is_in_recovery",
    "string_to_array",
    "to_regclass",
    "txid_current",
    "version",
];

pub(super) fn rewrite(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut FunctionTables);
}

struct FunctionTables;

impl VisitorMut for FunctionTables {
    type Break = ();

    fn post_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<()> {
        let (name, alias) = match table {
            TableFactor::Table { name, args: Some(_), with_ordinality: false, alias, .. }
            | TableFactor::Function { name, with_ordinality: false, alias, .. } => (last_name(name), alias),
            _ => return ControlFlow::Continue(()),
        };
        let Some(name) = name else { return ControlFlow::Continue(()) };
        if let Some((_, of)) = TABLES.iter().find(|(function, _)| *function == name) {
            let alias = alias.take().unwrap_or_else(|| named(&name));
            let of = format!("pg_catalog.{of}");
            replace(table, &of, alias);
        } else if VALUES.contains(&name.as_str()) {
            let alias = alias.take().unwrap_or_else(|| named(&name));
            let column = alias.columns.first().map_or_else(|| alias.name.clone(), |column| column.name.clone());
            let of = format!("(SELECT {table} AS {column})");
            replace(table, &of, TableAlias { columns: Vec::new(), ..alias });
        }
        ControlFlow::Continue(())
    }
}

fn named(name: &str) -> TableAlias {
    TableAlias { explicit: true, name: Ident::new(name), columns: Vec::new(), at: None }
}

/// Puts what `text` says in the place of a table.
fn replace(table: &mut TableFactor, text: &str, alias: TableAlias) {
    let query = format!("SELECT 1 FROM {text} AS {alias}", alias = alias.name);
    let parsed = Parser::new(&PostgreSqlDialect {}).try_with_sql(&query).and_then(|mut parser| parser.parse_select());
    if let Ok(select) = parsed
        && let Some(found) = select.from.into_iter().next()
    {
        *table = found.relation;
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn functions_are_tables() {
        for (text, expected) in [
            (
                "SELECT name FROM pg_show_all_settings()",
                "SELECT name FROM pg_catalog.pg_settings AS pg_show_all_settings",
            ),
            (
                "SELECT s[1] FROM string_to_array('a,b', ',') s",
                "SELECT s[1] FROM (SELECT string_to_array('a,b', ',') AS s) AS s",
            ),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
