//! Why a question could not be answered, and how it is told.

mod datafusion_text;
mod kind;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use datafusion::error::DataFusionError;
use datafusion::parquet::errors::ParquetError;
use tokio::task::JoinError;

use datafusion_text::is_spill_limit;
pub use kind::ErrorKind;

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
    /// A statement that asks for a change that there is not here.
    #[error("{0}")]
    Refused(&'static str),
    /// A change of what others see, by a client that may not make it.
    #[error("views and tables are made and dropped by those who have the scope admin")]
    NotAdministrator,
    /// A change of what skillscope has of its own.
    #[error("\"{name}\" is skillscope's own, and always there")]
    Ours {
        /// Its name.
        name: String,
    },
    /// A view of one session, where a session is over with its first statement.
    #[error(
        "a temporary view is gone with its session, and here each statement is one; connect with PostgreSQL's protocol"
    )]
    NoTemporaryViews,
    /// A view or table for all accounts, of which an account can only have one of its own instead.
    #[error("\"{name}\" is for all accounts, and is changed in a session of all accounts alone")]
    OfAllAccounts {
        /// Its name.
        name: String,
    },
    /// A view or table that is not kept or dropped.
    #[error(transparent)]
    Relation(#[from] skillscope_store::RelationError),
    /// A view or table that could not be written.
    #[error("the disk did not take the change: {0}")]
    NotStored(#[source] skillscope_store::Error),
    /// A statement that needs more memory, or more disk space to spill to, than statements may have.
    #[error(
        "the statement needs more memory, or disk space to spill to, than SQL may use here; ask for less at a time, or \
         raise --sql-memory or --sql-spill"
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
    /// A statement that cannot be planned as long as others are that have ended.
    #[error("{most} statements that have ended are still being planned; try again when one of them is done")]
    StillPlanning {
        /// How many may be.
        most: usize,
    },
    /// A statement whose rows nobody took.
    #[error(
        "nobody took the statement's rows for {} s, and it was ended; --sql-stall-limit says how long they wait",
        limit.as_secs_f64()
    )]
    Stalled {
        /// How long rows wait.
        limit: Duration,
    },
    /// A statement that was ended because the rows of too many wait for clients that take none.
    #[error("the rows of more than {most} statements wait for clients that take none, and this one was ended")]
    Crowded {
        /// How many may be.
        most: usize,
    },
    /// A statement that was ended on request.
    #[error("the statement was ended on request")]
    Killed,
    /// The threads, memory or disk space of statements could not be set up.
    #[error("what SQL needs to run could not be set up")]
    Start(#[source] io::Error),
    /// A statement that panicked for another reason than one that it can do something about.
    #[error("the statement met a defect of the engine, and was ended: {0}")]
    Defect(String),
    /// A file that the answer needs cannot be read now.
    #[error("a file of the archive cannot be read now: {}", .0.strip_backtrace())]
    Archive(DataFusionError),
    /// A plan of our own failed.
    #[error("the report could not be computed: {0}")]
    Report(#[source] DataFusionError),
}

impl Error {
    /// The kind, from which each protocol chooses a code.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Parameter { .. } => ErrorKind::Parameter,
            Self::Sql(cause) => ErrorKind::of_statement(cause),
            Self::ReadOnly | Self::Refused(_) => ErrorKind::ReadOnly,
            Self::NotAdministrator | Self::Ours { .. } | Self::OfAllAccounts { .. } => ErrorKind::NotPermitted,
            Self::NoTemporaryViews => ErrorKind::Statement,
            Self::Relation(cause) => ErrorKind::of_relation(cause),
            Self::NotStored(_) => ErrorKind::NotStored,
            Self::OutOfMemory => ErrorKind::OutOfMemory,
            Self::TimeLimit { .. } | Self::Stalled { .. } => ErrorKind::TimeLimit,
            Self::TooManyQueries { .. } | Self::StillPlanning { .. } | Self::Crowded { .. } => {
                ErrorKind::TooManyQueries
            }
            Self::Killed => ErrorKind::Killed,
            Self::Archive(_) => ErrorKind::Archive,
            Self::Defect(_) | Self::Start(_) | Self::Report(_) => ErrorKind::Internal,
        }
    }

    /// The text for clients. A cause that only the operator can mend is logged, and left out of it.
    pub fn public_text(&self) -> String {
        match self.kind() {
            ErrorKind::Archive => {
                tracing::error!(error = %self, "the disk failed a query");
                "a file of the archive cannot be read now; the server's log says which".to_owned()
            }
            ErrorKind::NotStored => {
                tracing::error!(error = %self, "a view or table could not be changed on the disk");
                "the disk did not take the change; the server's log says why".to_owned()
            }
            ErrorKind::Internal => {
                tracing::error!(error = %self, "a request failed");
                "the request could not be answered; the server's log says why".to_owned()
            }
            _ => self.to_string(),
        }
    }

    /// The error of a view or table that is not kept, dropped or renamed.
    pub(crate) fn of_relations(error: skillscope_store::Error) -> Self {
        match error {
            skillscope_store::Error::Relation(cause) => Self::Relation(cause),
            other => Self::NotStored(other),
        }
    }

    /// The error of a failed statement. Its author can mend it, unless memory ran out: DataFusion's text on that names
    /// the operators of other statements, and is only logged.
    pub(crate) fn of_sql(error: DataFusionError) -> Self {
        if let Some(panic) = panic_in(&error) {
            return Self::of_join(panic);
        }
        match error.find_root() {
            DataFusionError::ResourcesExhausted(cause) => {
                tracing::info!(?cause, "a statement needed too much memory");
                Self::OutOfMemory
            }
            DataFusionError::External(external) if external.is::<Self>() => Self::ReadOnly,
            root if is_spill_limit(root) => Self::OutOfMemory,
            root if is_of_disk(root) => Self::Archive(error),
            _ => Self::Sql(without_contexts(error)),
        }
    }

    /// The error of a statement that was ended, or panicked. What makes text or lists panics where the result is too
    /// long for the 32-bit offsets of a column, which are said to overflow; anything else is a defect.
    pub(crate) fn of_join(error: &JoinError) -> Self {
        if error.is_cancelled() {
            return Self::Killed;
        }
        // The text of a panic is part of its error's.
        let panic = error.to_string();
        if panic.contains("overflow") {
            let text = "the statement asks for text or lists of gigabytes, and a column of a batch holds two at most; \
                        ask for less at a time";
            return Self::Sql(DataFusionError::Execution(text.to_owned()));
        }
        Self::Defect(panic)
    }

    /// The error of a failed report. Clients cannot mend it.
    pub(crate) fn of_report(error: DataFusionError) -> Self {
        if is_of_disk(error.find_root()) { Self::Archive(error) } else { Self::Report(error) }
    }
}

/// The panic of a part of a plan that ran as a task of its own. Several parts may have waited for the task, and share
/// its error.
fn panic_in(error: &DataFusionError) -> Option<&JoinError> {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        let shared = || error.downcast_ref::<Arc<JoinError>>().map(Arc::as_ref);
        if let Some(panic) = error.downcast_ref().or_else(shared) {
            return Some(panic);
        }
        cause = error.source();
    }
    None
}

/// The error without the names of the planner's steps around it, which say nothing to the author of a statement.
fn without_contexts(error: DataFusionError) -> DataFusionError {
    match error {
        DataFusionError::Context(_, cause) => without_contexts(*cause),
        other => other,
    }
}

fn is_of_disk(root: &DataFusionError) -> bool {
    match root {
        DataFusionError::IoError(_) | DataFusionError::ParquetError(_) => true,
        DataFusionError::External(error) => {
            let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error.as_ref());
            let is_of_disk = |error: &(dyn std::error::Error + 'static)| {
                error.is::<skillscope_store::Error>() || error.is::<io::Error>() || error.is::<ParquetError>()
            };
            while let Some(error) = cause {
                if is_of_disk(error) {
                    return true;
                }
                cause = error.source();
            }
            false
        }
        _ => false,
    }
}
