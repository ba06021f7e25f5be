//! The options of `check`.

use clap::Args;

use super::store_address::DataDirectory;

#[derive(Debug, Args)]
#[command(mut_arg("data_dir", |option| {
    option.help("The data directory. If a server has it open, all files of this moment are verified where they are, with a copy of the journal that the server writes")
}))]
pub(crate) struct CheckArguments {
    #[command(flatten)]
    pub(crate) directory: DataDirectory,
}
