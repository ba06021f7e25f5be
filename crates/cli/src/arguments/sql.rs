//! The options of `sql`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use skillscope_replay::Location;
use skillscope_segment::AccountId;

use super::sql_limits::SqlLimitArguments;
use super::store_address::StoreAddress;

#[derive(Debug, Args)]
#[command(mut_arg("data_dir", |option| {
    option.help("The data directory to read; nothing in it is changed. If a server has it open, that server is asked")
}))]
pub(crate) struct SqlArguments {
    /// Run these statements and exit; without it they are read from the terminal, or from standard input.
    #[arg(short, long, value_name = "STATEMENTS", allow_hyphen_values = true)]
    pub(crate) command: Option<String>,
    /// Run the statements and commands of this file and exit; - is standard input.
    #[arg(short, long, value_name = "FILE", conflicts_with = "command")]
    pub(crate) file: Vec<PathBuf>,
    /// Let :NAME, :'NAME' and :"NAME" stand for a value in statements.
    #[arg(short = 'v', long = "set", value_name = "NAME=VALUE")]
    pub(crate) variables: Vec<Variable>,
    #[command(flatten)]
    pub(crate) store: StoreAddress,
    /// Ask an archive instead: a folder or s3://bucket/prefix with Parquet files of segments, or a data directory.
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX", value_parser = Location::from_str, conflicts_with = "url")]
    pub(crate) archive: Option<Location>,
    /// Send statements over --archive to the Ballista cluster with this scheduler.
    #[arg(long, value_name = "df://HOST:PORT", requires = "archive")]
    pub(crate) ballista: Option<String>,
    /// Show the rows of this account only.
    #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
    pub(crate) account: Option<AccountId>,
    /// The format of answers.
    #[arg(long, value_name = "FORMAT", default_value = "table")]
    pub(crate) format: OutputFormat,
    /// Write answers to this file, in the format that its name tells. Each answer replaces the one before.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// How many rows a table shows, or all.
    #[arg(long, value_name = "N", default_value = "1000")]
    pub(crate) max_rows: MaxRows,
    #[command(flatten)]
    pub(crate) limits: SqlLimitArguments,
}

/// The format of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutputFormat {
    Table,
    Box,
    Markdown,
    Csv,
    Json,
    Ndjson,
    Parquet,
}

impl OutputFormat {
    /// The names of all formats.
    pub(crate) fn names() -> String {
        let names = Self::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        names.map(|name| name.get_name().to_owned()).collect::<Vec<_>>().join(", ")
    }
}

/// A value that stands for a name in statements.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) name: String,
    pub(crate) value: String,
}

impl FromStr for Variable {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, value) = text.split_once('=').ok_or("it is NAME=VALUE")?;
        Ok(Self { name: name.to_owned(), value: value.to_owned() })
    }
}

/// How many rows a table shows; `None` for all.
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
