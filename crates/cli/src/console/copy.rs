//! `\copy`: the rows of a query or a table, in a file.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::arguments::words;
use super::lexer::{Kind, Lexer};
use super::state::State;
use crate::arguments::OutputFormat;

/// What is copied where.
#[derive(Debug, PartialEq)]
struct Copy {
    statement: String,
    /// `None` for standard output.
    file: Option<PathBuf>,
    /// `None` where the file's name tells.
    format: Option<OutputFormat>,
}

/// Writes rows to a file.
pub(super) fn copy(state: &mut State, text: &str) -> Result<()> {
    let Copy { statement, file, format } = Copy::read(text)?;
    let before = state.settings.clone();
    state.settings.file = file;
    // CSV, where neither a word nor the file's name tells.
    let named = state.settings.named_format();
    state.settings.format = format.or(named).unwrap_or(OutputFormat::Csv);
    state.settings.has_named_format = false;
    let done = state.run(&statement);
    state.settings = before;
    done
}

impl Copy {
    fn read(text: &str) -> Result<Self> {
        let (what, rest) = parted(text)?;
        let Some((direction, rest)) = rest.trim_start().split_once(char::is_whitespace) else {
            bail!("\\copy takes (QUERY) to FILE, or TABLE to FILE");
        };
        match direction.to_ascii_lowercase().as_str() {
            "to" => {}
            "from" => bail!("\\copy writes files alone; skillscope import brings segments in"),
            other => bail!("after what is copied stands to, and not {other}"),
        }
        let mut words = words(rest)?.into_iter();
        let Some(file) = words.next() else { bail!("\\copy says no file to write to") };
        let mut format = None;
        for word in words.flat_map(|word| word.split(['(', ')', ',']).map(str::to_owned).collect::<Vec<_>>()) {
            match word.to_ascii_lowercase().as_str() {
                // The first line of CSV has names anyway.
                "" | "with" | "format" | "header" | "true" | "on" => {}
                name => match OutputFormat::from_str(name, true) {
                    Ok(named) => format = Some(named),
                    Err(_) => bail!("{word} is no format; it is one of {}", OutputFormat::names()),
                },
            }
        }
        let file = (!matches!(file.to_ascii_lowercase().as_str(), "stdout" | "pstdout")).then(|| PathBuf::from(file));
        Ok(Self { statement: what, file, format })
    }
}

/// The statement that gives the rows, and the rest of the text.
fn parted(text: &str) -> Result<(String, &str)> {
    let text = text.trim_start();
    if !text.starts_with('(') {
        let Some((table, rest)) = text.split_once(char::is_whitespace) else {
            bail!("\\copy takes (QUERY) to FILE, or TABLE to FILE");
        };
        return Ok((format!("select * from {table}"), rest));
    }
    let (mut depth, mut place) = (0_usize, 0_usize);
    for (kind, part) in Lexer::default().take(text) {
        if kind == Kind::Code {
            for (at, letter) in part.char_indices() {
                match letter {
                    '(' => depth += 1,
                    ')' if depth == 1 => {
                        let (whole, rest) = text.split_at_checked(place + at + 1).unwrap_or((text, ""));
                        let query = whole.get(1..whole.len() - 1).unwrap_or_default();
                        return Ok((query.trim().to_owned(), rest));
                    }
                    ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
        }
        place += part.len();
    }
    bail!("a parenthesis is missing after the query");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_copied_where_is_read() {
        let of = |statement: &str, file: Option<&str>, format| Copy {
            statement: statement.to_owned(),
            file: file.map(PathBuf::from),
            format,
        };
        for (text, expected) in [
            ("segments to x.csv", of("select * from segments", Some("x.csv"), None)),
            (
                "(select ')' as a, (1)) TO 'a b.out' csv",
                of("select ')' as a, (1)", Some("a b.out"), Some(OutputFormat::Csv)),
            ),
            (
                "segments to stdout with (format json, header)",
                of("select * from segments", None, Some(OutputFormat::Json)),
            ),
            ("segments to 'x' with csv header", of("select * from segments", Some("x"), Some(OutputFormat::Csv))),
        ] {
            assert_eq!(Copy::read(text).unwrap(), expected, "{text}");
        }
        for wrong in
            ["", "segments", "segments to", "segments from x", "(select 1 to x", "segments to x xml", "segments at x"]
        {
            assert!(Copy::read(wrong).is_err(), "{wrong}");
        }
    }
}
