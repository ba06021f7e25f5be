use std::path::PathBuf;

use anyhow::Result;
use tokio::runtime::Handle;

use super::answer::answer;
use super::source::Source;
use crate::arguments::{OutputFormat, SqlConsoleArguments};

/// What a console remembers from one statement to the next.
pub(super) struct State {
    pub(super) source: Source,
    pub(super) settings: Settings,
    pub(super) runtime: Handle,
}

/// How answers are written.
pub(super) struct Settings {
    pub(super) format: OutputFormat,
    /// Where to; standard output where there is none.
    pub(super) file: Option<PathBuf>,
    /// How many rows a table shows; `None` for all.
    pub(super) max_rows: Option<usize>,
    pub(super) is_expanded: bool,
    pub(super) has_timing: bool,
}

impl State {
    pub(super) fn new(arguments: &SqlConsoleArguments, source: Source, runtime: Handle) -> Result<Self> {
        let settings = Settings {
            format: arguments.format,
            file: arguments.out.clone(),
            max_rows: arguments.max_rows.0,
            is_expanded: false,
            has_timing: false,
        };
        Ok(Self { source, settings, runtime })
    }

    /// Runs a statement and writes its rows.
    pub(super) fn run(&mut self, text: &str) -> Result<()> {
        self.runtime.block_on(answer(&self.source, &self.settings, text))
    }
}

impl Settings {
    /// The format that a file's name tells, or the one that was asked for.
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
