//! The commands of the console, which begin with a backslash.

use std::path::PathBuf;

use anyhow::{Result, bail};
use clap::ValueEnum;

use super::state::State;
use crate::arguments::{MaxRows, OutputFormat};
use crate::output;

/// The text that `\?` shows.
const HELP: &str = "\\d            tables and views
\\d NAME       columns of one
\\x            a line for each value, or a line for each row again
\\timing       tell how long each statement takes, or stop telling
\\format NAME  table, csv, json, ndjson or parquet
\\maxrows N    how many rows a table shows; all for every one
\\o FILE       write answers to a file, in the format that its name tells; \\o alone to the terminal again
\\q            leave
Statements end with a semicolon and may take several lines. Ctrl-C ends the one that runs.";

/// The names of the commands.
pub(super) const NAMES: [&str; 8] = ["\\?", "\\d", "\\format", "\\maxrows", "\\o", "\\q", "\\timing", "\\x"];

/// Runs a command. `text` is the line without its backslash.
pub(super) fn run(state: &mut State, text: &str) -> Result<()> {
    let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let argument = argument.trim().trim_end_matches(';').trim_end();
    let settings = &mut state.settings;
    match (name.trim_end_matches(';'), argument) {
        ("d", "") => return describe_all(state),
        ("d", table) => return describe(state, table),
        ("x", "") => {
            settings.is_expanded = !settings.is_expanded;
            output::print(if settings.is_expanded { "a line for each value" } else { "a line for each row" });
        }
        ("timing", "") => {
            settings.has_timing = !settings.has_timing;
            output::print(if settings.has_timing { "timing is on" } else { "timing is off" });
        }
        ("format", name) => match OutputFormat::from_str(name, true) {
            Ok(format) => settings.format = format,
            Err(_) => bail!("\\format is one of table, csv, json, ndjson, parquet"),
        },
        ("maxrows", number) => settings.max_rows = number.parse::<MaxRows>().map_err(anyhow::Error::msg)?.0,
        ("o", "") => settings.file = None,
        ("o", file) => settings.file = Some(PathBuf::from(file)),
        ("?" | "h" | "help", "") => output::print(HELP),
        (other, _) => bail!("there is no command \\{other}; \\? tells which there are"),
    }
    Ok(())
}

fn describe_all(state: &mut State) -> Result<()> {
    state.run(
        "select table_schema, table_name, lower(table_type) as kind from information_schema.tables \
         where table_schema <> 'information_schema' order by 1, 2",
    )
}

fn describe(state: &mut State, table: &str) -> Result<()> {
    let (schema, table) = table.split_once('.').unwrap_or(("public", table));
    let quoted = |text: &str| text.replace('\'', "''");
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
