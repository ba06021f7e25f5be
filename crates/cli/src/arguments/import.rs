//! The options of `import`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use skillscope_query::table_name;
use skillscope_segment::{AccountId, Format, TableFormat, TimeZone};
use skillscope_store::{RelationName, StoreOptions};

use super::archive_access::ArchiveAccess;
use super::dead_letters::DeadLetters;
use super::event_wait::EventWait;
use super::record_kind::RecordKind;
use super::store_address::StoreAddress;

#[derive(Debug, Subcommand)]
pub(crate) enum ImportCommand {
    /// Closed segments: NDJSON, JSON arrays, Arrow streams or Parquet, plain or compressed with gzip or zstd.
    Segments(ImportArguments),
    /// Conversation events, as NDJSON: a segment is stored when it closes, and the next import or server continues the
    /// conversations that are open.
    Events(ImportEventsArguments),
    /// A small table beside the segments, such as the names of skills: CSV, Parquet or Arrow. It takes the place of the
    /// one of its name.
    Table(ImportTableArguments),
    /// Exports of message history, as pages of JSON or records alone: the segments that have ended are stored, and open
    /// conversations are followed from there on.
    History(ImportArguments),
}

/// An import of records.
#[derive(Debug)]
pub(crate) enum ImportRecords {
    Segments(ImportArguments),
    Events(ImportEventsArguments),
    History(ImportArguments),
}

impl ImportRecords {
    pub(crate) fn kind(&self) -> RecordKind {
        match self {
            Self::Segments(_) => RecordKind::Segments,
            Self::Events(_) => RecordKind::Events,
            Self::History(_) => RecordKind::History,
        }
    }

    /// Sets the options of a store that only events have.
    pub(crate) fn set(&self, options: &mut StoreOptions) {
        if let Self::Events(events) = self {
            options.event_wait_ms = events.event_wait.milliseconds();
            events.dead_letters.set(options);
        }
    }

    /// The options that every import has.
    pub(crate) fn arguments(&self) -> &ImportArguments {
        match self {
            Self::Segments(arguments) | Self::History(arguments) => arguments,
            Self::Events(events) => &events.import,
        }
    }
}

#[derive(Debug, Args)]
#[command(mut_arg("data_dir", |option| option.help("The data directory to load into; it is made if there is none. A server that has it open takes the records")))]
pub(crate) struct ImportArguments {
    /// The files; - reads standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) store: StoreAddress,
    /// The account of records that carry none. Records of another account are rejected.
    #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
    pub(crate) account: Option<AccountId>,
    /// The format of files whose names do not tell it.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<FormatName>,
    /// The time zone of times that name none, as Europe/Berlin or +02:00. Without it, text of such a time is rejected,
    /// and timestamps of Arrow and Parquet are in UTC.
    #[arg(long, value_name = "ZONE", value_parser = TimeZone::parse)]
    pub(crate) time_zone: Option<TimeZone>,
    /// Exit with 1 if any record was rejected.
    #[arg(long)]
    pub(crate) strict: bool,
    #[command(flatten)]
    pub(crate) archive_access: ArchiveAccess,
}

#[derive(Debug, Args)]
#[command(mut_arg("data_dir", |option| option.help("The data directory to keep the table in; it is made if there is none. A server that has it open takes the table")))]
pub(crate) struct ImportTableArguments {
    /// The table's name. Capitals count as small letters, as in SQL.
    #[arg(value_name = "NAME", value_parser = table_name)]
    pub(crate) name: RelationName,
    /// The file; - reads standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreAddress,
    /// The account whose table it is. Without it, all accounts see the table.
    #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
    pub(crate) account: Option<AccountId>,
    /// The format of a file whose name does not tell it.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<TableFormatName>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum TableFormatName {
    Csv,
    Arrow,
    Parquet,
}

impl From<TableFormatName> for TableFormat {
    fn from(name: TableFormatName) -> Self {
        match name {
            TableFormatName::Csv => Self::Csv,
            TableFormatName::Arrow => Self::Arrow,
            TableFormatName::Parquet => Self::Parquet,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ImportEventsArguments {
    #[command(flatten)]
    import: ImportArguments,
    #[command(flatten)]
    event_wait: EventWait,
    #[command(flatten)]
    dead_letters: DeadLetters,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum FormatName {
    Ndjson,
    Json,
    Arrow,
    Parquet,
}

impl From<FormatName> for Format {
    fn from(name: FormatName) -> Self {
        match name {
            FormatName::Ndjson => Self::Ndjson,
            FormatName::Json => Self::Json,
            FormatName::Arrow => Self::Arrow,
            FormatName::Parquet => Self::Parquet,
        }
    }
}
