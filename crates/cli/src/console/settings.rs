//! The settings of a console, which options give first and commands change.

use std::path::PathBuf;

use crate::arguments::{OutputFormat, SqlArguments};

/// The way in which answers are written.
pub(super) struct Settings {
    pub(super) format: OutputFormat,
    /// The file to write to; `None` for standard output.
    pub(super) file: Option<PathBuf>,
    /// How many rows a table shows; `None` for all.
    pub(super) max_rows: Option<usize>,
    /// Whether a table has a line for each value, instead of one for each row.
    pub(super) is_expanded: bool,
    /// Whether the time of each statement is printed.
    pub(super) has_timing: bool,
}

impl Settings {
    pub(super) fn new(arguments: &SqlArguments) -> Self {
        Self {
            format: arguments.format,
            file: arguments.out.clone(),
            max_rows: arguments.max_rows.0,
            is_expanded: false,
            has_timing: false,
        }
    }

    /// The format that the name of the file tells, or else the chosen one.
    pub(super) fn format_of_output(&self) -> OutputFormat {
        let extension = self.file.as_deref().and_then(|file| file.extension()?.to_str());
        match extension {
            Some("csv") => OutputFormat::Csv,
            Some("json") => OutputFormat::Json,
            Some("ndjson" | "jsonl") => OutputFormat::Ndjson,
            Some("parquet") => OutputFormat::Parquet,
            _ => self.format,
        }
    }
}
