//! `\d`, `\dt`, `\dv`, `\df` and `\accounts`: what there is.

use anyhow::{Result, bail};

use super::source::Source;
use super::state::State;
use crate::output;

/// The functions that are there beside DataFusion's, or in the place of them.
const FUNCTIONS: [(&str, &str); 12] = [
    (
        "skill_report(account, now, timeframe [, interval [, skill_ids [, user_type]]])",
        "the report of the endpoint, as rows",
    ),
    (
        "report_segments(account, now, timeframe [, interval [, interval_start [, skill_id [, metric [, user_type]]]]])",
        "the segments that a figure of the report counts",
    ),
    ("kill_query(id)", "ends a statement of system.queries; true where there was one"),
    (
        "percentile_cont(fraction) within group (order by value)",
        "a percentile, between two values where it falls there",
    ),
    ("age(time [, time])", "years, months and days between two times, or since midnight"),
    ("date_part(field, time), extract(field from time)", "a field of a time or of a span"),
    ("date_trunc(unit, time)", "the beginning of the unit that a time is in"),
    ("timezone(zone, time), time at time zone zone", "the clock of a zone at a time, or the time that the clock shows"),
    ("to_char(value, pattern)", "a time, a span or a number by a pattern of PostgreSQL"),
    ("to_date(text, pattern)", "the date that a text shows"),
    ("to_number(text, pattern)", "the number that a text shows"),
    ("to_timestamp(text, pattern)", "the time that a text shows, or that seconds are"),
];

/// The number of those, from the first, that there are only over a store.
const OF_STORE: usize = 3;

/// Lists tables and views, or the columns of one.
pub(super) fn describe(state: &mut State, name: &str) -> Result<()> {
    if name.is_empty() {
        return state.run(
            "select table_schema, table_name, lower(table_type) as kind from information_schema.tables \
             where table_schema <> 'information_schema' order by 1, 2",
        );
    }
    let (schema, table) = parted(name);
    let (schema, name) = (quoted(schema), quoted(table));
    let question =
        format!("select 1 from information_schema.tables where table_schema = '{schema}' and table_name = '{name}'");
    let known = state.runtime.block_on(state.source.all(&question))?;
    if known.iter().all(|batch| batch.num_rows() == 0) {
        bail!("there is no table {schema}.{table}; \\d tells which there are");
    }
    state.run(&format!(
        "select column_name, data_type, is_nullable from information_schema.columns \
         where table_schema = '{schema}' and table_name = '{name}' order by ordinal_position"
    ))
}

/// Lists the tables of a kind.
pub(super) fn tables(state: &mut State, pattern: &str, kind: &str) -> Result<()> {
    let matching = match pattern.split_once('.') {
        _ if pattern.is_empty() => "table_schema <> 'information_schema'".to_owned(),
        Some((schema, table)) => format!("table_schema like '{}' and table_name like '{}'", like(schema), like(table)),
        None => format!("table_schema <> 'information_schema' and table_name like '{}'", like(pattern)),
    };
    // The one table of an archive is kept as a view.
    let of_kind = match (&state.source, kind) {
        (Source::Archive(_), "VIEW") => "false".to_owned(),
        (Source::Archive(_), _) => "true".to_owned(),
        _ => format!("table_type = '{kind}'"),
    };
    state.run(&format!(
        "select table_schema, table_name from information_schema.tables \
         where {of_kind} and {matching} order by 1, 2"
    ))
}

/// Lists the functions of ours, or all whose names match.
pub(super) fn functions(state: &mut State, pattern: &str) -> Result<()> {
    if !pattern.is_empty() {
        return state.run(&format!(
            "select distinct routine_name as name, coalesce(syntax_example, '') as call, \
             split_part(btrim(coalesce(description, ''), E' \\n'), E'\\n', 1) as meaning \
             from information_schema.routines where routine_name like '{}' order by 1, 2",
            like(pattern)
        ));
    }
    let first = if matches!(state.source, Source::Archive(_)) { OF_STORE } else { 0 };
    let ours = FUNCTIONS.iter().skip(first);
    let rows = ours.map(|(call, meaning)| format!("('{}', '{}')", quoted(call), quoted(meaning)));
    let rows: Vec<String> = rows.collect();
    state.run(&format!("select * from (values {}) functions(call, meaning)", rows.join(", ")))?;
    if state.is_interactive {
        output::print("\\df NAME finds others, too: \\df *date*");
    }
    Ok(())
}

/// Lists the accounts: how far their data go, and what has come.
pub(super) fn accounts(state: &mut State) -> Result<()> {
    if matches!(state.source, Source::Archive(_)) {
        bail!("an archive does not know when its segments came; \\accounts asks a data directory or a server");
    }
    state.run("select * from system.accounts order by account_id")
}

/// Schema and name of a table.
fn parted(name: &str) -> (&str, &str) {
    name.split_once('.').unwrap_or(("public", name))
}

fn quoted(text: &str) -> String {
    text.replace('\'', "''")
}

/// The pattern of LIKE for one with `*` and `?`.
fn like(pattern: &str) -> String {
    let mut like = String::new();
    for letter in pattern.chars() {
        match letter {
            '*' => like.push('%'),
            '?' => like.push('_'),
            '%' | '_' | '\\' => like.extend(['\\', letter]),
            '\'' => like.push_str("''"),
            other => like.extend(other.to_lowercase()),
        }
    }
    like
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_are_any_text() {
        assert_eq!(like("*metrics_b?"), "%metrics\\_b_");
        assert_eq!(like("it's%"), "it''s\\%");
        assert_eq!(like("Segments"), "segments");
    }
}
