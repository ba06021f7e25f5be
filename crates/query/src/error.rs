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
    /// A query that needs more memory than queries may have.
    #[error("the query needs more memory than SQL may use here: {}", .0.strip_backtrace())]
    OutOfMemory(DataFusionError),
    /// A file that the answer needs cannot be read now.
    #[error("a file of the archive cannot be read now: {}", .0.strip_backtrace())]
    Archive(DataFusionError),
    /// A plan of our own failed.
    #[error("the report could not be computed: {0}")]
    Report(#[source] DataFusionError),
}

impl Error {
    /// What a failed statement is: the one who wrote it can mend it, unless memory ran out.
    pub(crate) fn of_sql(error: DataFusionError) -> Self {
        match error.find_root() {
            DataFusionError::ResourcesExhausted(_) => Self::OutOfMemory(error),
            root if is_of_disk(root) => Self::Archive(error),
            _ => Self::Sql(error),
        }
    }

    /// What a failed report is: nobody who asked for it can mend it.
    pub(crate) fn of_report(error: DataFusionError) -> Self {
        if is_of_disk(error.find_root()) { Self::Archive(error) } else { Self::Report(error) }
    }
}

fn is_of_disk(root: &DataFusionError) -> bool {
    matches!(root, DataFusionError::External(_) | DataFusionError::IoError(_) | DataFusionError::ParquetError(_))
}
