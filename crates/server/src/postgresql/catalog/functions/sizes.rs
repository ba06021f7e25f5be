//! How large something is, and how often it was used. Tables here are not files of PostgreSQL: these are 0.

use super::call::{Answer, CatalogFunction, Returns};

pub(super) const ALL: &[CatalogFunction] = &[
    CatalogFunction::new(
        &[
            "pg_database_size",
            "pg_indexes_size",
            "pg_relation_size",
            "pg_table_size",
            "pg_tablespace_size",
            "pg_total_relation_size",
            "pg_stat_get_analyze_count",
            "pg_stat_get_autoanalyze_count",
            "pg_stat_get_autovacuum_count",
            "pg_stat_get_blocks_fetched",
            "pg_stat_get_blocks_hit",
            "pg_stat_get_dead_tuples",
            "pg_stat_get_live_tuples",
            "pg_stat_get_numscans",
            "pg_stat_get_tuples_deleted",
            "pg_stat_get_tuples_fetched",
            "pg_stat_get_tuples_inserted",
            "pg_stat_get_tuples_returned",
            "pg_stat_get_tuples_updated",
            "pg_stat_get_vacuum_count",
        ],
        1..=2,
        Returns::Large,
        |_, _| Ok(Some(Answer::Number(0))),
    ),
    CatalogFunction::new(&["pg_size_pretty"], 1..=1, Returns::Text, |_, row| {
        Ok(row.number(0).and_then(|bytes| Answer::text(pretty(bytes))))
    }),
    CatalogFunction::new(&["pg_relation_filenode", "pg_relation_filepath"], 1..=1, Returns::Text, |_, _| Ok(None)),
    CatalogFunction::new(&["pg_tablespace_location"], 1..=1, Returns::Text, |_, _| Ok(Answer::text(""))),
];

/// Bytes as PostgreSQL tells them: in the largest unit of which there are fewer than ten of the next one, rounded.
fn pretty(bytes: i64) -> String {
    const UNITS: [&str; 6] = ["bytes", "kB", "MB", "GB", "TB", "PB"];
    let (mut amount, mut unit) = (i128::from(bytes), 0);
    if amount.abs() >= 10 * 1024 {
        // One binary digit more than what is told, to round by.
        amount >>= 9;
        unit = 1;
        while amount.abs() >= 20 * 1024 - 1 && unit + 1 < UNITS.len() {
            amount >>= 10;
            unit += 1;
        }
        amount = if amount >= 0 { (amount + 1) / 2 } else { (amount - 1) / 2 };
    }
    format!("{amount} {}", UNITS.get(unit).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::pretty;

    #[test]
    fn bytes_are_told_as_postgresql_does() {
        // PostgreSQL 15's own answers.
        for (bytes, expected) in [
            (0, "0 bytes"),
            (10_239, "10239 bytes"),
            (10_240, "10 kB"),
            (10_752, "11 kB"),
            (10_485_247, "10239 kB"),
            (10_485_760, "10 MB"),
            (123_456_789, "118 MB"),
            (-20_000, "-20 kB"),
        ] {
            assert_eq!(pretty(bytes), expected, "{bytes}");
        }
    }
}
