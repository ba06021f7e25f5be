use std::io;
use std::time::Duration;

use datafusion::error::DataFusionError;

/// The result of this crate's functions.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a question could not be answered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A parameter of a report request that is missing, given twice, or has a value that it cannot have.
    #[error("{parameter}{}: {rule}", value.as_ref().map(|value| format!("={value}")).unwrap_or_default())]
    Parameter {
        /// The parameter's name.
        parameter: &'static str,
        /// The value given; `None` where the parameter is missing.
        value: Option<String>,
        /// What is allowed.
        rule: String,
    },
    /// A statement that cannot be planned or run as it is written.
    #[error("{}", .0.strip_backtrace())]
    Sql(DataFusionError),
    /// A statement that does anything but read.
    #[error("only statements that read are allowed here")]
    ReadOnly,
    /// A statement that needs more memory, or more disk space to spill to, than statements may have.
    #[error(
        "the statement needs more memory, or disk space to spill to, than SQL may use here; ask for less at a time"
    )]
    OutOfMemory,
    /// A statement that took longer than statements may.
    #[error("the statement took longer than {} s, and was ended; ask for less at a time", limit.as_secs_f64())]
    TimeLimit {
        /// How long it may take.
        limit: Duration,
    },
    /// A statement that had to wait too long for others.
    #[error("{running} statements run already, which is as many as may run at a time; try again when one has ended")]
    TooManyQueries {
        /// How many may run at a time.
        running: usize,
    },
    /// A statement that was ended on request.
    #[error("the statement was ended on request")]
    Killed,
    /// What statements need to run could not be set up.
    #[error("what SQL needs to run could not be set up")]
    Start(#[source] io::Error),
    /// A file that the answer needs cannot be read now.
    #[error("a file of the archive cannot be read now: {}", .0.strip_backtrace())]
    Archive(DataFusionError),
    /// A plan of our own failed.
    #[error("the report could not be computed: {0}")]
    Report(#[source] DataFusionError),
}

impl Error {
    /// What a failed statement is: the one who wrote it can mend it, unless memory ran out. (What DataFusion says of that
    /// names other statements' operators.)
    pub(crate) fn of_sql(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(cause) => {
                tracing::info!(cause, "a statement needed too much memory");
                Self::OutOfMemory
            }
            DataFusionError::External(external) if external.is::<Self>() => Self::ReadOnly,
            // It has no kind of its own.
            root if root.to_string().contains("max_temp_directory_size") => Self::OutOfMemory,
            root if is_of_disk(root) => Self::Archive(error),
            _ => Self::Sql(error),
        }
    }

    /// What it is that a statement panicked: functions on text do where their result is too long for a column.
    pub(crate) fn of_join(error: &tokio::task::JoinError) -> Self {
        if error.is_cancelled() {
            return Self::Killed;
        }
        let text = "the statement cannot be run; it may ask for text of gigabytes";
        Self::Sql(DataFusionError::Execution(text.to_owned()))
    }

    /// What a failed report is: nobody who asked for it can mend it.
    pub(crate) fn of_report(error: DataFusionError) -> Self {
        if is_of_disk(error.find_root()) { Self::Archive(error) } else { Self::Report(error) }
    }
}

fn is_of_disk(root: &DataFusionError) -> bool {
    matches!(root, DataFusionError::External(_) | DataFusionError::IoError(_) | DataFusionError::ParquetError(_))
}
