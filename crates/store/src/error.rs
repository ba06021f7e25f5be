//! The errors of this crate.

use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use parquet::errors::ParquetError;

/// The result of this crate's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a data directory could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file operation failed.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// The operation, as a verb.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Another process has the directory open.
    #[error("{} is in use by {}", path.display(), user(url.as_deref()))]
    InUse {
        /// The data directory.
        path: PathBuf,
        /// Where that process listens for HTTP, if it does.
        url: Option<String>,
    },
    /// A folder with other things in it.
    #[error("{} is not a skillscope data directory: it holds other files; name a new or an empty folder", path.display())]
    NotADataDirectory {
        /// The folder.
        path: PathBuf,
    },
    /// There is no data directory there.
    #[error("there is no skillscope data directory at {}", path.display())]
    NoDataDirectory {
        /// The path.
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
    /// A directory written by a version before the first that is read.
    #[error(
        "{} has format version {found}, from before there was a journal; import the files under its archive/ into a new \
         data directory",
        path.display()
    )]
    OlderFormat {
        /// The data directory.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// A file whose bytes have changed since they were written.
    #[error(
        "{} is corrupt: its bytes {}do not have the checksum that they were written with",
        path.display(),
        bytes.as_ref().map(|bytes| format!("from {} up to {} ", bytes.start, bytes.end)).unwrap_or_default()
    )]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// The bytes from the first block that differs to the last; `None` where that is not known.
        bytes: Option<Range<u64>>,
    },
    /// None of the files on the list is there.
    #[error(
        "there is nothing in {}, and {files} files should be there; is a disk not mounted? (Without them, start with a \
         new data directory.)",
        path.display()
    )]
    ArchiveIsEmpty {
        /// The archive's folder.
        path: PathBuf,
        /// How many files are on the list.
        files: usize,
    },
    /// A file that does not match its line in the list of files.
    #[error("{} does not hold the rows that the list of files says", path.display())]
    Mismatch {
        /// The file.
        path: PathBuf,
    },
    /// A file of a copy's list is gone: its rows are in another file by now.
    #[error("{} was moved or removed while the directory was being read; try again", path.display())]
    Moved {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot have a second name.
    #[error(
        "{} cannot be linked into a copy of this moment: {source}; make a copy with `skillscope backup`, and use that",
        path.display()
    )]
    NoLinks {
        /// The file.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// A folder that should be empty.
    #[error("{} is not empty; name a new or an empty folder", path.display())]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// A backup whose end is missing, or that is none.
    #[error("the backup cannot be unpacked: {0}")]
    Backup(io::Error),
    /// Writing together with others failed for all of them.
    #[error(transparent)]
    Shared(Arc<Error>),
    /// The thread that made this write together with others panicked.
    #[error("the write was interrupted; the log says why")]
    Interrupted,
    /// A batch that is not one of valid segments.
    #[error(transparent)]
    Segment(#[from] skillscope_segment::Error),
    /// An operation on a batch failed.
    #[error("a batch of segments could not be processed: {0}")]
    Arrow(#[from] arrow::error::ArrowError),
    /// A table or a view that is not kept.
    #[error(transparent)]
    Relation(#[from] crate::relations::RelationError),
    /// The state of a conversation could not be written or read.
    #[error("the state of a conversation could not be processed: {0}")]
    Conversation(#[from] postcard::Error),
    /// A Parquet file could not be written or read.
    #[error("a Parquet file could not be processed: {0}")]
    Parquet(#[source] ParquetError),
}

/// Who has a directory open, and what to do about it.
fn user(url: Option<&str>) -> String {
    match url {
        Some(url) => {
            // What stands after it is for programs.
            let url = url.split('#').next().unwrap_or_default();
            format!("the server at {url}; use it with --url {url} where a command has that, or stop it first")
        }
        None => "another skillscope process, which answers no requests (a server that is still starting, an import or \
                 a console); wait for it, or stop that one first"
            .to_owned(),
    }
}

impl From<ParquetError> for Error {
    /// An error of this crate comes back as it was, also from below the Parquet reader.
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(source) => match source.downcast::<Self>() {
                Ok(own) => *own,
                Err(source) => Self::Parquet(ParquetError::External(source)),
            },
            other => Self::Parquet(other),
        }
    }
}

impl Error {
    pub(crate) fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { action, path, source }
    }

    /// Whether a file that was read has changed since it was written, or is gone.
    pub(crate) fn is_of_lost_file(&self) -> bool {
        match self {
            Self::Corrupt { .. } => true,
            Self::Io { source, .. } => source.kind() == io::ErrorKind::NotFound,
            _ => false,
        }
    }

    /// Whether a file has changed since it was written, or is gone, as opposed to a disk that cannot be read.
    pub(crate) fn is_of_file_content(&self) -> bool {
        match self {
            Self::Parquet(ParquetError::External(source)) => !source.is::<io::Error>(),
            Self::Parquet(_) | Self::Arrow(_) | Self::Segment(_) => true,
            other => other.is_of_lost_file(),
        }
    }

    /// Whether it was the disk that would not be written to, and not the input or a read that failed.
    pub(crate) fn is_of_refused_write(&self) -> bool {
        const READS: [&str; 4] = ["read", "open", "list", "find"];
        match self {
            Self::Io { action, .. } => self.is_of_full_disk() || !READS.contains(action),
            Self::Shared(error) => error.is_of_refused_write(),
            _ => false,
        }
    }

    /// Whether nothing at all can be written where it was tried: there is no room, or the file system is read-only.
    pub(crate) fn is_of_full_disk(&self) -> bool {
        let is_read_only = |error: &io::Error| error.kind() == io::ErrorKind::ReadOnlyFilesystem;
        self.is_storage_full() || matches!(self, Self::Io { source, .. } if is_read_only(source))
    }

    /// Whether there was no room for a write: on the disk, in the quota, or within the largest file that the process
    /// may write.
    pub fn is_storage_full(&self) -> bool {
        use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
        match self {
            Self::Io { source, .. } => matches!(source.kind(), StorageFull | QuotaExceeded | FileTooLarge),
            Self::Shared(error) => error.is_storage_full(),
            _ => false,
        }
    }
}
