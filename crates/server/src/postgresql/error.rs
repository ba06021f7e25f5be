use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError};
use skillscope_query::Error;

/// PostgreSQL's codes for what went wrong.
#[derive(Debug, Clone, Copy)]
pub(super) enum SqlState {
    SyntaxError,
    UndefinedTable,
    UndefinedColumn,
    Statement,
    Value,
    FeatureNotSupported,
    UnknownDatabase,
    FailedTransaction,
    ReadOnly,
    OutOfMemory,
    TooManyQueries,
    Cancelled,
    Disk,
    Internal,
}

impl SqlState {
    fn code(self) -> &'static str {
        match self {
            Self::SyntaxError => "42601",
            Self::UndefinedTable => "42P01",
            Self::UndefinedColumn => "42703",
            Self::Statement => "42000",
            Self::Value => "22000",
            Self::FeatureNotSupported => "0A000",
            Self::UnknownDatabase => "3D000",
            Self::FailedTransaction => "25P02",
            Self::ReadOnly => "25006",
            Self::OutOfMemory => "53200",
            Self::TooManyQueries => "53300",
            Self::Cancelled => "57014",
            Self::Disk => "58030",
            Self::Internal => "XX000",
        }
    }
}

/// An error of one statement; the connection goes on.
pub(super) fn error(state: SqlState, message: impl Into<String>) -> PgWireError {
    of("ERROR", state, message.into())
}

/// An error that ends the connection.
pub(super) fn fatal(state: SqlState, message: impl Into<String>) -> PgWireError {
    of("FATAL", state, message.into())
}

fn of(severity: &str, state: SqlState, message: String) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new(severity.to_owned(), state.code().to_owned(), message)))
}

/// What went wrong with a statement, in PostgreSQL's codes.
pub(super) fn failed(failure: Error) -> PgWireError {
    let state = match &failure {
        Error::Sql(cause) => state_of(cause),
        Error::Parameter { .. } => SqlState::Value,
        Error::ReadOnly => SqlState::ReadOnly,
        Error::OutOfMemory => SqlState::OutOfMemory,
        Error::TooManyQueries { .. } => SqlState::TooManyQueries,
        Error::TimeLimit { .. } | Error::Killed => SqlState::Cancelled,
        Error::Archive(_) => {
            tracing::error!(error = %failure, "the disk failed a query");
            return error(SqlState::Disk, "a file of the archive cannot be read now; the server's log says which");
        }
        _ => {
            tracing::error!(error = %failure, "a statement failed");
            return error(SqlState::Internal, "the statement could not be answered; the server's log says why");
        }
    };
    error(state, failure.to_string())
}

fn state_of(cause: &datafusion::error::DataFusionError) -> SqlState {
    use datafusion::common::SchemaError;
    use datafusion::error::DataFusionError as Cause;

    match cause.find_root() {
        Cause::SQL(..) => SqlState::SyntaxError,
        Cause::SchemaError(error, _) if matches!(error.as_ref(), SchemaError::FieldNotFound { .. }) => {
            SqlState::UndefinedColumn
        }
        Cause::Plan(text) if text.contains("table '") && text.contains("not found") => SqlState::UndefinedTable,
        Cause::ArrowError(..) | Cause::Execution(_) => SqlState::Value,
        _ => SqlState::Statement,
    }
}
