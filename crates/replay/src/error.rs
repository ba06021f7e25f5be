//! The errors of this crate.

use std::io;
use std::path::{Path, PathBuf};

use datafusion::error::DataFusionError;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why reports could not be replayed or compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A request that makes no sense, and why.
    #[error("{0}")]
    Usage(String),
    /// A parameter of the report, or a plan for it.
    #[error(transparent)]
    Query(skillscope_query::Error),
    /// A data directory that cannot be read.
    #[error(transparent)]
    Store(#[from] skillscope_store::Error),
    /// A folder, a bucket or a file that cannot be read.
    #[error("cannot read {location}: {}", told(cause))]
    Read {
        /// The archive, or the file.
        location: String,
        /// Why.
        cause: object_store::Error,
    },
    /// An archive without Parquet files.
    #[error("{location} has no Parquet files, not even in folders below it")]
    NoFiles {
        /// The archive, or the file.
        location: String,
    },
    /// A file that is not Parquet, or is damaged.
    #[error("{file} cannot be read as Parquet: {problem}; --keep-going leaves such files out")]
    Corrupt {
        /// The file.
        file: String,
        /// The problem.
        problem: String,
    },
    /// Rows that reports cannot count, such as those of an outcome that nobody knows.
    #[error("{file} has {rows} rows that no report can count, with {problem}; --keep-going leaves such rows out")]
    Unusable {
        /// The file.
        file: String,
        /// The number of its rows that cannot be counted.
        rows: u64,
        /// What they have, or lack.
        problem: String,
    },
    /// A file that has changed since the archive was listed.
    #[error("{file} has changed since the replay began; replay over an archive that nobody writes to")]
    Changed {
        /// The file.
        file: String,
    },
    /// An archive that the cluster does not see.
    #[error(
        "the cluster does not see the archive as it is seen here; it has to be under the same name on all of its machines"
    )]
    Unseen,
    /// A file on the list of a data directory that is damaged or gone.
    #[error("{file} of the data directory is damaged or gone; --keep-going leaves such files out")]
    Lost {
        /// The file.
        file: String,
    },
    /// A file that lacks a column which reports need.
    #[error("{file} has no column {column}, which reports need (as {expected}); it has {found}")]
    ColumnMissing {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
        /// The type that it needs, in words.
        expected: &'static str,
        /// The columns of the file.
        found: String,
    },
    /// A column of a type that cannot be converted.
    #[error("{file}: the column {column} is {found}; it has to be {expected}")]
    ColumnType {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
        /// Its type.
        found: String,
        /// The type that it needs, in words.
        expected: &'static str,
    },
    /// An archive without any account to report on.
    #[error("{location} has no segments, and so no accounts; name one to have its empty reports")]
    NoAccounts {
        /// The archive, or the file.
        location: String,
    },
    /// A failure of a plan in this process.
    #[error("the archive could not be evaluated: {}", .0.strip_backtrace())]
    Plan(DataFusionError),
    /// A failure of a plan on the cluster.
    #[error("the cluster at {url} did not answer: {}", cause.strip_backtrace())]
    Cluster {
        /// The URL of its scheduler.
        url: String,
        /// Why.
        cause: DataFusionError,
    },
    /// An output that cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An output that another replay is writing.
    #[error("another replay is writing {}", path.display())]
    Busy {
        /// The output.
        path: PathBuf,
    },
    /// A line that has no recorded answer, and why.
    #[error("{problem}")]
    Recording {
        /// The problem.
        problem: String,
    },
    /// A file of recorded answers that cannot be read.
    #[error("cannot read {file}: {source}")]
    RecordedFile {
        /// The file.
        file: String,
        /// Why.
        source: io::Error,
    },
    /// Work that stopped because other work failed.
    #[error("the replay was broken off")]
    BrokenOff,
}

impl Error {
    /// Whether the cause may be a file that cannot be decoded.
    pub(crate) fn may_be_of_corrupt_file(&self) -> bool {
        let cause = match self {
            Self::Plan(cause) | Self::Cluster { cause, .. } => cause,
            _ => return false,
        };
        let is_of_decoder = matches!(
            cause.find_root(),
            DataFusionError::ParquetError(_) | DataFusionError::ArrowError(..) | DataFusionError::External(_)
        );
        // A cluster reports errors as text only.
        is_of_decoder || cause.to_string().to_lowercase().contains("parquet")
    }

    pub(crate) fn recording(problem: impl Into<String>) -> Self {
        Self::Recording { problem: problem.into() }
    }

    pub(crate) fn output(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Output { path, source }
    }
}

/// An error of an object store, in words for people. Most failures of a service have no variant of their own.
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

/// The text of the innermost cause. The outer causes repeat it with details of requests.
fn deepest(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

/// The text of an element of the XML document that S3 sends with an error.
fn element<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(content, _)| content)
}
