//! Why tokens cannot be made, kept or taken back.

use std::io;
use std::path::{Path, PathBuf};

/// Why tokens cannot be made, kept or taken back.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The name is not one that a token can have.
    #[error(
        "{name:?} cannot be the name of a token: it is 1 to {most} characters without a colon or control characters, and no space at either end"
    )]
    Name {
        /// What was given.
        name: String,
        /// The most characters.
        most: usize,
    },
    /// Another token has the name.
    #[error("there is a token {0:?} already; revoke it first, or take another name")]
    NameTaken(String),
    /// No token has the name.
    #[error("there is no token {0:?}; `skillscope token list` shows them")]
    UnknownName(String),
    /// The token would open nothing.
    #[error("a token needs at least one scope: report, ingest, sql or admin")]
    NoScope,
    /// The token would never have been good.
    #[error("a token expires later than now")]
    ExpiresBeforeNow,
    /// The system has no random numbers.
    #[error("the system gives no random numbers: {0}")]
    NoRandomNumbers(String),
    /// The file of tokens is not one that this program writes.
    #[error("{} cannot be read as a file of tokens: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The server that has the directory open could not be asked.
    #[error("the server that has {} open could not be asked: {reason}", path.display())]
    Control {
        /// The data directory.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
}

impl AccessError {
    pub(super) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { action, path, source }
    }
}
