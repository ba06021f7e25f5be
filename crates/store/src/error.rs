use std::io;
use std::path::PathBuf;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a data directory could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was being done.
        action: &'static str,
        /// To which file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has the directory open.
    #[error("{} is in use by another skillscope process; stop that one first", path.display())]
    InUse {
        /// The data directory.
        path: PathBuf,
    },
    /// A folder with other things in it.
    #[error("{} is not a skillscope data directory: it holds other files; name a new or an empty folder", path.display())]
    NotADataDirectory {
        /// The folder.
        path: PathBuf,
    },
    /// A directory written by a later version.
    #[error("{} has format version {found}, and this skillscope reads up to {supported}; use a newer skillscope", path.display())]
    NewerFormat {
        /// The data directory.
        path: PathBuf,
        /// Its version.
        found: String,
        /// The newest version that is understood.
        supported: u32,
    },
    /// A file of segments could not be written.
    #[error("cannot write {}: {source}", path.display())]
    Unwritten {
        /// The file.
        path: PathBuf,
        /// What the writer said.
        source: skillscope_segment::Error,
    },
    /// A batch that is not one of valid segments.
    #[error(transparent)]
    Segment(#[from] skillscope_segment::Error),
    /// An operation on a batch failed.
    #[error("a batch of segments could not be cut: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
}

impl Error {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }
}
