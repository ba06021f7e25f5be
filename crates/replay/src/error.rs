use std::io;
use std::path::{Path, PathBuf};

use datafusion::error::DataFusionError;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why reports could not be replayed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Something was asked for that cannot be.
    #[error("{0}")]
    Usage(String),
    /// A parameter of the report, or a plan for it.
    #[error(transparent)]
    Query(skillscope_query::Error),
    /// A data directory cannot be read.
    #[error(transparent)]
    Store(#[from] skillscope_store::Error),
    /// A folder, a bucket or a file cannot be read.
    #[error("cannot read {location}: {}", told(cause))]
    Read {
        /// Where.
        location: String,
        /// Why.
        cause: object_store::Error,
    },
    /// There is nothing to read.
    #[error("{location} has no Parquet files, not even in folders below it")]
    NoFiles {
        /// Where.
        location: String,
    },
    /// A file is no Parquet file, or is damaged.
    #[error("{file} cannot be read as Parquet: {problem}; --keep-going leaves such files out")]
    Corrupt {
        /// Which.
        file: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A file is not what it was when the archive was listed.
    #[error("{file} has changed since the replay began; replay over an archive that nobody writes to")]
    Changed {
        /// Which.
        file: String,
    },
    /// A cluster does not see the archive.
    #[error(
        "the cluster does not see the archive as it is seen here; it has to be under the same name on all of its machines"
    )]
    Unseen,
    /// A file that a data directory has on its list is damaged or gone.
    #[error("{file} of the data directory is damaged or gone; --keep-going leaves such files out")]
    Lost {
        /// Which.
        file: String,
    },
    /// A column that reports need is missing in a file.
    #[error("{file} has no column {column}, which reports need (as {expected}); it has {found}")]
    ColumnMissing {
        /// Which.
        file: String,
        /// The column.
        column: &'static str,
        /// What it would be.
        expected: &'static str,
        /// The columns that there are.
        found: String,
    },
    /// A column has a type that cannot be read as what it means.
    #[error("{file}: the column {column} is {found}; it has to be {expected}")]
    ColumnType {
        /// Which.
        file: String,
        /// The column.
        column: &'static str,
        /// What it is.
        found: String,
        /// What it has to be.
        expected: &'static str,
    },
    /// There is no account to report on.
    #[error("{location} has no segments, and so no accounts; name one to have its empty reports")]
    NoAccounts {
        /// Where.
        location: String,
    },
    /// What runs plans failed.
    #[error("the archive could not be evaluated: {}", .0.strip_backtrace())]
    Plan(DataFusionError),
    /// A cluster failed.
    #[error("the cluster at {url} did not answer: {}", cause.strip_backtrace())]
    Cluster {
        /// Its scheduler.
        url: String,
        /// Why.
        cause: DataFusionError,
    },
    /// The output cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Output {
        /// What was being written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Two replays to one output.
    #[error("another replay is writing {}", path.display())]
    Busy {
        /// The output.
        path: PathBuf,
    },
    /// Work was given up because other work failed.
    #[error("the replay was broken off")]
    BrokenOff,
}

impl Error {
    /// Whether a file that cannot be decoded may be why.
    pub(crate) fn may_be_of_corrupt_file(&self) -> bool {
        let cause = match self {
            Self::Plan(cause) | Self::Cluster { cause, .. } => cause,
            _ => return false,
        };
        let is_of_decoder = matches!(
            cause.find_root(),
            DataFusionError::ParquetError(_) | DataFusionError::ArrowError(..) | DataFusionError::External(_)
        );
        // A cluster gives text alone.
        is_of_decoder || cause.to_string().to_lowercase().contains("parquet")
    }

    pub(crate) fn output(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Output { path, source }
    }
}

/// What an object store says, in words for people. (It has no kind of its own for most failures of a service.)
fn told(error: &object_store::Error) -> String {
    let text = deepest(error);
    let (code, message) = (element(&text, "Code"), element(&text, "Message"));
    let said = match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        _ => text.lines().next().unwrap_or_default().to_owned(),
    };
    if matches!(error, object_store::Error::NotFound { .. }) || code == Some("NoSuchBucket") {
        return "there is no such folder or bucket".to_owned();
    }
    let is_refused = text.contains("403 Forbidden") || text.contains("401 Unauthorized");
    let is_kind =
        matches!(error, object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. });
    if is_refused || is_kind {
        return format!("permission is denied; look at the credentials and at what they allow ({said})");
    }
    said
}

/// The innermost cause: the outer ones repeat it with details of requests.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// The text of an element of the document with which S3 answers errors.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}
