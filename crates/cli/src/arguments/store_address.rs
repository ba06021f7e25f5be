//! The options that say where a command finds its data: `--data-dir` and `--url`.

use std::path::PathBuf;

use clap::Args;

use super::client::ClientArguments;

/// The data directory that a command opens itself.
#[derive(Debug, Args)]
pub(crate) struct DataDirectory {
    /// The data directory.
    #[arg(long, value_name = "DIR", default_value = "./skillscope-data")]
    pub(crate) data_dir: PathBuf,
}

/// Where a command finds its data: in a data directory, or at a running server.
#[derive(Debug, Args)]
pub(crate) struct StoreAddress {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
    /// Use the running server at this URL instead of a directory, such as http://127.0.0.1:8080.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,
    #[command(flatten)]
    pub(crate) client: ClientArguments,
}
