//! The commands and options. Their documentation is what `--help` prints.

#![allow(rustdoc::bare_urls, reason = "help is read in a terminal")]

mod replay;

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::error::ErrorKind;
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use skillscope_query::{Scope, SqlLimits};
use skillscope_replay::Location;
use skillscope_segment::{AccountId, Format, parse_instant};
use skillscope_store::StoreOptions;

use crate::configuration;
pub(crate) use replay::ReplayArguments;

/// Reports and SQL over the closed skill segments of a messaging contact centre.
#[derive(Debug, Parser)]
#[command(name = "skillscope", version, max_term_width = 100)]
pub(crate) struct Arguments {
    /// Take options from this TOML file; the command line and the environment win over it.
    #[arg(long, global = true, value_name = "FILE.toml", display_order = 900)]
    pub(crate) config: Option<PathBuf>,
    /// What to log on standard error: error, warn, info, debug or trace, also by module.
    #[arg(long, global = true, value_name = "FILTER", default_value = "info", display_order = 901)]
    pub(crate) log: String,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The scope of a command with an option `--account`.
pub(crate) fn scope(account: Option<&AccountId>) -> Scope {
    account.cloned().map_or(Scope::All, Scope::Account)
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve reports, ingestion and SQL over HTTP.
    Serve(ServeArguments),
    /// Load files into a data directory or a running server.
    Import {
        #[command(subcommand)]
        what: ImportWhat,
    },
    /// Make a reproducible workload.
    Generate {
        #[command(subcommand)]
        what: GenerateWhat,
    },
    /// Ask questions in SQL: in a console, or one statement with -c.
    Sql(SqlConsoleArguments),
    /// Write the reports of many instants of the past, from an archive; or play its segments into a server.
    Replay(ReplayArguments),
    /// Copy a data directory, also while a server has it open.
    Backup(BackupArguments),
    /// Verify a data directory that no server has open; exit with 1 if anything is wrong with it.
    Check(CheckArguments),
}

#[derive(Debug, Subcommand)]
pub(crate) enum ImportWhat {
    /// Closed segments: NDJSON, JSON arrays, Arrow streams or Parquet, plain or compressed with gzip or zstd.
    Segments(ImportArguments),
    /// Conversation events, as NDJSON: segments are stored as they close, and open conversations are followed on by the
    /// next import or server.
    Events(ImportEventsArguments),
    /// Exports of message history, as pages of JSON: the segments that have ended.
    History(ImportArguments),
}

impl ImportWhat {
    /// What can be said of every import.
    pub(crate) fn arguments(&self) -> &ImportArguments {
        match self {
            Self::Segments(arguments) | Self::History(arguments) => arguments,
            Self::Events(events) => &events.import,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum GenerateWhat {
    /// Closed segments, as NDJSON, a JSON array, Arrow or Parquet.
    Segments(GenerateArguments),
    /// The events of the same conversations, as NDJSON in order of time.
    Events(GenerateArguments),
    /// The same conversations as an export of message history, one page a line.
    History(GenerateArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ImportEventsArguments {
    #[command(flatten)]
    pub(crate) import: ImportArguments,
    /// How long an event waits for those before it in its conversation, in event time; a server at --url has its own.
    #[arg(long, value_name = "SECONDS", default_value_t = EVENT_WAIT_SECONDS)]
    event_wait: u32,
}

impl ImportEventsArguments {
    /// How long an event waits, in milliseconds.
    pub(crate) fn wait_ms(&self) -> i64 {
        i64::from(self.event_wait) * 1000
    }
}

const EVENT_WAIT_SECONDS: u32 = StoreOptions::EVENT_WAIT_MS as u32 / 1000;

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The data directory; it is made where there is none.
    #[arg(long, value_name = "DIR", default_value = "./skillscope-data")]
    pub(crate) data_dir: PathBuf,
    /// Where to listen for HTTP; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    pub(crate) listen: String,
    /// Fix the clock at this instant (RFC 3339, or milliseconds since the epoch), to look at past days as if live.
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(crate) now: Option<i64>,
    /// Serve a small sample account `demo` from a temporary directory, and print a curl line that works.
    #[arg(long)]
    pub(crate) demo: bool,
    /// Allow an address that other machines can reach, although nothing asks them who they are.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Let pages of this origin read answers in a browser, such as https://wall.example; * lets every page. Repeatable.
    #[arg(long, value_name = "ORIGIN", value_delimiter = ',')]
    pub(crate) cors_origin: Vec<String>,
    /// The hours before now whose segments are in memory; older ones are read from the archive.
    #[arg(long, value_name = "HOURS", default_value_t = StoreOptions::HOT_HOURS)]
    pub(crate) hot_hours: u32,
    /// Memory for segments, in bytes; beyond it, the oldest are read from the archive [default: half of the machine's]
    #[arg(long, value_name = "BYTES")]
    pub(crate) hot_bytes: Option<u64>,
    /// How long an hour that is over waits for late segments before it is written to the archive.
    #[arg(long, value_name = "SECONDS", default_value_t = StoreOptions::SEAL_GRACE_MS as u32 / 1000)]
    pub(crate) seal_grace: u32,
    /// Remove segments that ended longer ago than this, such as 400d or 36h; ACCOUNT=AGE for one account, where AGE may
    /// be forever. Repeatable. Without it everything is kept.
    #[arg(long, value_name = "[ACCOUNT=]AGE", value_delimiter = ',')]
    pub(crate) retain: Vec<String>,
    /// How long a conversation event waits for those before it in its conversation, in event time.
    #[arg(long, value_name = "SECONDS", default_value_t = EVENT_WAIT_SECONDS)]
    pub(crate) event_wait: u32,
    /// The largest request body, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = 64 << 20)]
    pub(crate) max_body_bytes: usize,
    /// Where to listen for the PostgreSQL protocol, such as 127.0.0.1:5433; without it nothing does.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) pg_listen: Option<String>,
    /// Where to listen for Arrow Flight SQL, such as 127.0.0.1:5434; without it nothing does.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) flight_listen: Option<String>,
    #[command(flatten)]
    pub(crate) sql: SqlArguments,
    /// The most rows in one answer of POST /v1/sql.
    #[arg(long, value_name = "ROWS", default_value_t = 1_000_000)]
    pub(crate) sql_rows: u64,
}

/// What SQL may use; reports have threads and memory of their own.
#[derive(Debug, Args)]
pub(crate) struct SqlArguments {
    /// Memory that all SQL statements together may use, in bytes; beyond it they spill to disk [default: a quarter of the
    /// machine's]
    #[arg(long, value_name = "BYTES")]
    sql_memory: Option<usize>,
    /// Disk space that SQL statements may spill to, in bytes.
    #[arg(long, value_name = "BYTES", default_value_t = SqlLimits::SPILL_BYTES)]
    sql_spill: u64,
    /// Where they spill to [default: the system's folder for temporary files]
    #[arg(long, value_name = "DIR")]
    sql_spill_dir: Option<PathBuf>,
    /// How long a SQL statement may take.
    #[arg(long, value_name = "SECONDS", default_value_t = SqlLimits::SECONDS, value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    sql_time_limit: u64,
    /// How many SQL statements run at a time; one more waits a few seconds for its turn.
    #[arg(long, value_name = "NUMBER", default_value_t = SqlLimits::RUNNING as u64, value_parser = clap::value_parser!(u64).range(1..=1024))]
    sql_queries: u64,
}

impl SqlArguments {
    pub(crate) fn limits(&self) -> SqlLimits {
        let defaults = SqlLimits::default();
        SqlLimits {
            memory_bytes: self.sql_memory.unwrap_or(defaults.memory_bytes),
            spill_folder: self.sql_spill_dir.clone(),
            spill_bytes: self.sql_spill,
            time: Duration::from_secs(self.sql_time_limit),
            running: usize::try_from(self.sql_queries).unwrap_or(usize::MAX),
            ..defaults
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct SqlConsoleArguments {
    /// Run these statements and leave; without it they are read from the terminal, or from standard input.
    #[arg(short, long, value_name = "STATEMENTS", allow_hyphen_values = true)]
    pub(crate) command: Option<String>,
    /// The data directory to read; nothing in it is changed. Where a server has it open, that is asked.
    #[arg(long, value_name = "DIR", default_value = "./skillscope-data")]
    pub(crate) data_dir: PathBuf,
    /// Ask the server at this URL instead, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// Ask an archive instead: a folder or s3://bucket/prefix with Parquet files of segments, or a data directory.
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX", value_parser = Location::from_str, conflicts_with = "url")]
    pub(crate) archive: Option<Location>,
    /// Send statements over --archive to the Ballista cluster with this scheduler.
    #[arg(long, value_name = "df://HOST:PORT", requires = "archive")]
    pub(crate) ballista: Option<String>,
    /// See this account alone.
    #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
    pub(crate) account: Option<AccountId>,
    /// How to write answers.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: OutputFormat,
    /// The file to write answers to, in the format that its name tells; the next answer takes its place.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How many rows a table shows; all for every one.
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(crate) max_rows: MaxRows,
    #[command(flatten)]
    pub(crate) sql: SqlArguments,
}

/// How answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Table,
    Csv,
    Json,
    Ndjson,
    Parquet,
}

/// How many rows are shown; `None` for all.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MaxRows(pub(crate) Option<usize>);

impl FromStr for MaxRows {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "all" => Ok(Self(None)),
            number => number.parse().map(|rows| Self(Some(rows))).map_err(|_| "it is a number of rows, or all"),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The files; - reads standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// The data directory to load into; it is made where there is none.
    #[arg(long, value_name = "DIR", default_value = "./skillscope-data")]
    pub(crate) data_dir: PathBuf,
    /// Load into the server at this URL instead, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    /// The account of records that carry none; records of another account are rejected.
    #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
    pub(crate) account: Option<AccountId>,
    /// The files' format, where their names do not tell.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<FormatName>,
    /// Exit with 1 if any record was rejected.
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// The folder to copy to, which must be empty or not be there.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// The data directory to copy.
    #[arg(long, value_name = "DIR", default_value = "./skillscope-data")]
    pub(crate) data_dir: PathBuf,
    /// Copy the data of the server at this URL instead, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// The data directory to verify.
    #[arg(long, value_name = "DIR", default_value = "./skillscope-data")]
    pub(crate) data_dir: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct GenerateArguments {
    /// Closed segments in all.
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) rows: u64,
    /// Skills, numbered from 1.
    #[arg(long, value_name = "K", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) skills: u32,
    /// Accounts, called account-1, account-2 …
    #[arg(long, value_name = "A", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) accounts: u32,
    /// The hours before the end in which every segment ends.
    #[arg(long, value_name = "H", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub(crate) hours: u32,
    /// The instant before which every segment ends (RFC 3339, or milliseconds since the epoch).
    #[arg(long, value_name = "INSTANT", value_parser = instant)]
    pub(crate) end: i64,
    /// Chooses one of the many workloads with the other options.
    #[arg(long, value_name = "S", default_value_t = 1)]
    pub(crate) seed: u64,
    /// The file to write, in the format that its name tells; - writes NDJSON to standard output.
    #[arg(long, value_name = "PATH")]
    pub(crate) out: PathBuf,
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

/// An instant at which there can be segments.
fn instant(text: &str) -> Result<i64, String> {
    const END_OF_2199: &str = "2200-01-01T00:00:00Z";
    let end = parse_instant(END_OF_2199).map_err(|error| error.to_string())?;
    let instant = parse_instant(text).map_err(|error| error.to_string())?;
    if (0..=end).contains(&instant) { Ok(instant) } else { Err("it is outside the years 1970 to 2199".to_owned()) }
}

/// The arguments of this process, with what the environment and the configuration file say; ends the process with exit
/// code 2 where they are wrong.
pub(crate) fn parse() -> Arguments {
    let command = configuration::with_environment(Arguments::command());
    let command = match configuration::file(std::env::args_os()) {
        None => command,
        Some(path) => match configuration::with_file(command, &path) {
            Ok(command) => command,
            Err(error) => Arguments::command().error(ErrorKind::InvalidValue, format!("{error:#}")).exit(),
        },
    };
    let matches = command.get_matches();
    Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
}
