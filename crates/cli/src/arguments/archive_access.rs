//! The option that says who may read the archive.

use clap::Args;

/// Whether others than the owner of a data directory may read a part of it.
#[derive(Debug, Args)]
pub(crate) struct ArchiveAccess {
    /// Let the owner's group read archive/, for other tools. All else is kept to the owner of the directory.
    #[arg(long)]
    pub(crate) archive_group_readable: bool,
}
