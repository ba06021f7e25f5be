//! The names of tables, columns and functions, for completion.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::{AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;

use super::lexer::{Kind, Lexer, is_of_word};
use super::state::State;

/// What can be named in a statement.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// The columns of each table, by the name that a statement gives it.
    tables: BTreeMap<String, BTreeSet<String>>,
    functions: BTreeSet<String>,
}

/// Functions that are no routines of `information_schema`.
const TABLE_FUNCTIONS: [&str; 3] = ["skill_report", "report_segments", "generate_series"];

/// Words that a table's name may stand before, and that are no alias of it.
const AFTER_TABLES: [&str; 19] = [
    "as",
    "cross",
    "except",
    "fetch",
    "full",
    "group",
    "having",
    "inner",
    "intersect",
    "join",
    "left",
    "limit",
    "natural",
    "offset",
    "on",
    "order",
    "right",
    "union",
    "where",
];

impl Catalog {
    /// Reads the names. The console works without them if they cannot be read.
    pub(super) fn read(state: &State) -> Self {
        let all = |text: &str| state.runtime.block_on(state.source.all(text)).unwrap_or_default();
        let columns = "select case table_schema when 'public' then table_name else table_schema || '.' || table_name end, \
                       column_name from information_schema.columns where table_schema <> 'information_schema'";
        let tables = "select table_schema || '.' || table_name from information_schema.tables \
                      where table_schema = 'information_schema'";
        let mut catalog = Self::default();
        for batch in all(columns) {
            for (table, column) in texts(&batch, 0).into_iter().zip(texts(&batch, 1)) {
                catalog.tables.entry(table).or_default().insert(column);
            }
        }
        for batch in all(tables) {
            catalog.tables.extend(texts(&batch, 0).into_iter().map(|table| (table, BTreeSet::new())));
        }
        for batch in all("select distinct routine_name from information_schema.routines") {
            catalog.functions.extend(texts(&batch, 0));
        }
        catalog.functions.extend(TABLE_FUNCTIONS.map(str::to_owned));
        catalog
    }

    /// The names of tables, and of columns that are not said to be of any.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().chain(self.tables.values().flatten()).map(String::as_str)
    }

    pub(super) fn functions(&self) -> impl Iterator<Item = &str> {
        self.functions.iter().map(String::as_str)
    }

    /// The columns of the table that has this name in `statement`: its own, or one that the statement gives it. Where the
    /// statement has not come so far, the table may be any.
    pub(super) fn columns(&self, name: &str, statement: &str) -> BTreeSet<&str> {
        let table = aliases(statement).into_iter().rev().find(|(alias, _)| alias == name).map(|(_, table)| table);
        match self.tables.get(table.as_deref().unwrap_or(name)) {
            Some(columns) => columns.iter().map(String::as_str).collect(),
            None => self.tables.values().flatten().map(String::as_str).collect(),
        }
    }
}

/// The names that a statement gives to tables, in lower case.
fn aliases(statement: &str) -> Vec<(String, String)> {
    let mut words = Vec::new();
    for (kind, part) in Lexer::default().take(statement) {
        match kind {
            Kind::Code => words.extend(words_of(part)),
            Kind::Quoted => words.push(part.trim_matches('"').to_owned()),
            Kind::Comment | Kind::End | Kind::Command => {}
        }
    }
    let mut aliases = Vec::new();
    let mut follows_table = false;
    for (place, word) in words.iter().enumerate() {
        let is_place =
            |before: Option<&String>| before.is_some_and(|before| matches!(before.as_str(), "from" | "join"));
        let before = place.checked_sub(1).and_then(|before| words.get(before));
        let is_listed = follows_table && before.is_some_and(|before| before == ",");
        if is_place(before) || is_listed {
            let mut next = words.get(place + 1);
            if next.is_some_and(|next| next == "as") {
                next = words.get(place + 2);
            }
            if let Some(alias) = next.filter(|next| is_name(next)) {
                aliases.push((alias.clone(), word.clone()));
            }
            follows_table = true;
        } else if word != "," && AFTER_TABLES.contains(&word.as_str()) && word != "as" {
            follows_table = false;
        }
    }
    aliases
}

fn is_name(word: &str) -> bool {
    word.chars().next().is_some_and(is_of_word) && !AFTER_TABLES.contains(&word)
}

/// The words of code, with the parts of a name together, and signs by themselves.
fn words_of(code: &str) -> Vec<String> {
    let is_part = |letter: char| is_of_word(letter) || letter == '.';
    let mut words = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length =
            if is_part(first) { rest.find(|letter| !is_part(letter)).unwrap_or(rest.len()) } else { first.len_utf8() };
        let (word, after) = rest.split_at(length);
        words.push(word.to_lowercase());
        rest = after.trim_start();
    }
    words
}

/// The texts of a column.
fn texts(batch: &RecordBatch, column: usize) -> Vec<String> {
    let texts = batch.columns().get(column).and_then(|column| cast(column, &DataType::Utf8).ok());
    let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
    texts.map_or_else(Vec::new, |texts| texts.as_string::<i32>().iter().map(text).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_known_by_the_names_that_a_statement_gives_them() {
        let of = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(alias, table)| ((*alias).to_owned(), (*table).to_owned())).collect()
        };
        for (text, expected) in [
            ("select s. from segments s where", of(&[("s", "segments")])),
            (
                "SELECT * FROM Segments AS S JOIN metrics_by_hour m ON",
                of(&[("s", "segments"), ("m", "metrics_by_hour")]),
            ),
            ("select * from segments where s.", of(&[])),
            (
                "select * from segments a, system.queries q where a.x = 'from z y'",
                of(&[("a", "segments"), ("q", "system.queries")]),
            ),
            ("select * from segments, segments b group by", of(&[("b", "segments")])),
            ("select a, b from (select * from segments s) t", of(&[("s", "segments")])),
        ] {
            let found: Vec<_> = aliases(text).into_iter().filter(|(_, table)| table != "(").collect();
            assert_eq!(found, expected, "{text}");
        }
    }
}
