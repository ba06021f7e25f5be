//! The options of `generate`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::instant::instant;
use super::record_kind::RecordKind;

#[derive(Debug, Subcommand)]
pub(crate) enum GenerateCommand {
    /// Closed segments, as NDJSON, a JSON array, Arrow or Parquet.
    Segments(GenerateArguments),
    /// The events of the same conversations, as NDJSON in order of time.
    Events(GenerateArguments),
    /// The same conversations as an export of message history, one page a line.
    History(GenerateArguments),
}

impl GenerateCommand {
    pub(crate) fn into_parts(self) -> (RecordKind, GenerateArguments) {
        match self {
            Self::Segments(arguments) => (RecordKind::Segments, arguments),
            Self::Events(arguments) => (RecordKind::Events, arguments),
            Self::History(arguments) => (RecordKind::History, arguments),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArguments {
    /// The number of closed segments.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) rows: u64,
    /// The number of skills, which are numbered from 1.
    #[arg(long, value_name = "K", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) skills: u32,
    /// The number of accounts, which are called account-1, account-2 …
    #[arg(long, value_name = "A", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) accounts: u32,
    /// Every segment ends within this many hours before --end.
    #[arg(long, value_name = "H", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) hours: u32,
    /// Every segment ends before this instant (RFC 3339, or milliseconds since the epoch).
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(crate) end: i64,
    /// The seed of the random numbers: the same options and seed give the same workload.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The file to write. Its name tells the format; - writes NDJSON to standard output.
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
}
