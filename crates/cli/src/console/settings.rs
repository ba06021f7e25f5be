//! The settings of a console, which options give first and commands change.

use std::path::PathBuf;

use crate::arguments::{OutputFormat, SqlArguments};

/// The way in which answers are written.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    pub(super) format: OutputFormat,
    /// The file to write to; `None` for standard output.
    pub(super) file: Option<PathBuf>,
    /// Whether the name of the file tells its format, where it does.
    pub(super) has_named_format: bool,
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
            has_named_format: true,
            max_rows: arguments.max_rows.0,
            is_expanded: false,
            has_timing: false,
        }
    }

    /// The format that the name of the file tells, or else the chosen one.
    pub(super) fn format_of_output(&self) -> OutputFormat {
        self.named_format().filter(|_| self.has_named_format).unwrap_or(self.format)
    }

    /// The format that the name of the file tells.
    pub(super) fn named_format(&self) -> Option<OutputFormat> {
        match self.file.as_deref()?.extension()?.to_str()? {
            "csv" => Some(OutputFormat::Csv),
            "json" => Some(OutputFormat::Json),
            "md" => Some(OutputFormat::Markdown),
            "ndjson" | "jsonl" => Some(OutputFormat::Ndjson),
            "parquet" => Some(OutputFormat::Parquet),
            _ => None,
        }
    }
}
