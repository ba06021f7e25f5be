//! The options of `compare`.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use skillscope_replay::Location;
use skillscope_segment::AccountId;

use super::store_address::DataDirectory;

#[derive(Debug, Args)]
#[command(mut_arg("data_dir", |option| {
    option.help("The data directory to compute our reports from; nothing in it is changed. A server may have it open")
}))]
pub(crate) struct CompareArguments {
    /// Files with recorded answers, a JSON object a line: now, query (or url), account (if no url has it) and report.
    /// Compressed ones are read, too; - reads standard input.
    #[arg(long, required = true, num_args = 1.., value_name = "FILE.ndjson")]
    pub(crate) recorded: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// Compute our reports from this archive instead: a folder or s3://bucket/prefix with Parquet files of segments, or
    /// a data directory.
    #[arg(long, value_name = "DIR|s3://BUCKET/PREFIX", value_parser = Location::from_str)]
    pub(crate) archive: Option<Location>,
    /// The account of answers that name none.
    #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
    pub(crate) account: Option<AccountId>,
    /// Name the conversations that may be why numbers differ, those that explain the most at first.
    #[arg(long)]
    pub(crate) explain: bool,
    /// How many rows each table shows.
    #[arg(long, value_name = "N", default_value = "20")]
    pub(crate) limit: usize,
}
