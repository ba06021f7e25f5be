//! The options of `check`.

use clap::Args;

use super::store_address::DataDirectory;

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
}
