//! The options of `backup`.

use std::path::PathBuf;

use clap::Args;

use super::store_address::StoreAddress;

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// The folder to copy to. It must be empty or not exist.
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    #[command(flatten)]
    pub(crate) store: StoreAddress,
}
