//! Errors, with PostgreSQL's codes.

use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError};
use skillscope_query::{Error, ErrorKind};

use crate::caller::{ALL_ACCOUNTS, Refused};

/// The codes of PostgreSQL that the server uses.
#[derive(Debug, Clone, Copy)]
pub(super) enum SqlState {
    SyntaxError,
    UndefinedTable,
    UndefinedColumn,
    Statement,
    Value,
    FeatureNotSupported,
    UnknownDatabase,
    NotAuthorized,
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
            Self::NotAuthorized => "28000",
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

/// An error of one statement. The connection goes on.
pub(super) fn error(state: SqlState, message: impl Into<String>) -> PgWireError {
    of("ERROR", state, message.into())
}

/// An error that ends the connection.
fn fatal(state: SqlState, message: impl Into<String>) -> PgWireError {
    of("FATAL", state, message.into())
}

fn of(severity: &str, state: SqlState, message: String) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new(severity.to_owned(), state.code().to_owned(), message)))
}

/// A caller that is refused, which ends the connection.
pub(super) fn refused(refused: Refused) -> PgWireError {
    match refused {
        Refused::NoAccount { named, .. } => fatal(
            SqlState::UnknownDatabase,
            format!("there is no database \"{named}\": it is an account, or {ALL_ACCOUNTS} for all of them"),
        ),
        other => fatal(SqlState::NotAuthorized, other.to_string()),
    }
}

/// A statement that failed. The connection goes on.
pub(super) fn failed(failure: Error) -> PgWireError {
    let state = match failure.kind() {
        ErrorKind::Syntax => SqlState::SyntaxError,
        ErrorKind::UnknownTable => SqlState::UndefinedTable,
        ErrorKind::UnknownColumn => SqlState::UndefinedColumn,
        ErrorKind::Statement => SqlState::Statement,
        ErrorKind::Parameter | ErrorKind::Value => SqlState::Value,
        ErrorKind::ReadOnly => SqlState::ReadOnly,
        ErrorKind::OutOfMemory => SqlState::OutOfMemory,
        ErrorKind::TooManyQueries => SqlState::TooManyQueries,
        ErrorKind::TimeLimit | ErrorKind::Killed => SqlState::Cancelled,
        ErrorKind::Archive => SqlState::Disk,
        ErrorKind::Internal => SqlState::Internal,
    };
    error(state, failure.public_text())
}
