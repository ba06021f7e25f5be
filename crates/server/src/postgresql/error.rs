//! Errors, with PostgreSQL's codes.

use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError};
use skillscope_query::{Error, ErrorKind};

use super::incoming::Unreadable;
use super::kept::Refusal;
use super::layout::Malformed;
use super::settings::Unsettable;
use super::startup_packet::Unacceptable;
use crate::caller::{ALL_ACCOUNTS, Refused};

/// The codes of PostgreSQL that the server uses.
#[derive(Debug, Clone, Copy)]
pub(super) enum SqlState {
    SyntaxError,
    UndefinedTable,
    UndefinedColumn,
    DuplicateTable,
    WrongObjectType,
    Statement,
    Value,
    NotText,
    BinaryValue,
    TextValue,
    TimeOutOfRange,
    UnknownSetting,
    SettingValue,
    FeatureNotSupported,
    Protocol,
    UnknownDatabase,
    NotAuthorized,
    WrongPassword,
    NotPermitted,
    FailedTransaction,
    NoTransaction,
    InTransaction,
    UnknownSavepoint,
    UnknownCursor,
    DuplicateCursor,
    UnknownStatement,
    DuplicateStatement,
    NotInState,
    IdleInTransaction,
    IdleSession,
    DivisionByZero,
    Unchangeable,
    ReadOnly,
    OutOfMemory,
    TooManyQueries,
    TooMuch,
    Cancelled,
    Shutdown,
    Disk,
    Internal,
}

impl SqlState {
    fn code(self) -> &'static str {
        match self {
            Self::SyntaxError => "42601",
            Self::UndefinedTable => "42P01",
            Self::UndefinedColumn => "42703",
            Self::DuplicateTable => "42P07",
            Self::WrongObjectType => "42809",
            Self::Statement => "42000",
            Self::Value => "22000",
            Self::NotText => "22021",
            Self::BinaryValue => "22P03",
            Self::TextValue => "22P02",
            Self::TimeOutOfRange => "22008",
            Self::UnknownSetting => "42704",
            Self::SettingValue => "22023",
            Self::FeatureNotSupported => "0A000",
            Self::Protocol => "08P01",
            Self::UnknownDatabase => "3D000",
            Self::NotAuthorized => "28000",
            Self::WrongPassword => "28P01",
            Self::NotPermitted => "42501",
            Self::FailedTransaction => "25P02",
            Self::NoTransaction => "25P01",
            Self::InTransaction => "25001",
            Self::UnknownSavepoint => "3B001",
            Self::UnknownCursor => "34000",
            Self::DuplicateCursor => "42P03",
            Self::UnknownStatement => "26000",
            Self::DuplicateStatement => "42P05",
            Self::NotInState => "55000",
            Self::IdleInTransaction => "25P03",
            Self::IdleSession => "57P05",
            Self::DivisionByZero => "22012",
            Self::Unchangeable => "55P02",
            Self::ReadOnly => "25006",
            Self::OutOfMemory => "53200",
            Self::TooManyQueries => "53300",
            Self::TooMuch => "54000",
            Self::Cancelled => "57014",
            Self::Shutdown => "57P01",
            Self::Disk => "58030",
            Self::Internal => "XX000",
        }
    }
}

/// An error of one statement. The connection goes on.
pub(super) fn error(state: SqlState, message: impl Into<String>) -> PgWireError {
    of("ERROR", state, message.into())
}

/// The same with what to do about it.
pub(super) fn hinted(state: SqlState, message: impl Into<String>, hint: &str) -> PgWireError {
    let mut info = ErrorInfo::new("ERROR".to_owned(), state.code().to_owned(), message.into());
    info.hint = Some(hint.to_owned());
    PgWireError::UserError(Box::new(info))
}

/// An error that ends the connection.
pub(super) fn fatal(state: SqlState, message: impl Into<String>) -> PgWireError {
    of("FATAL", state, message.into())
}

fn of(severity: &str, state: SqlState, message: String) -> PgWireError {
    PgWireError::UserError(Box::new(ErrorInfo::new(severity.to_owned(), state.code().to_owned(), message)))
}

/// The server stops.
pub(super) fn shut_down() -> PgWireError {
    fatal(SqlState::Shutdown, "terminating connection due to administrator command")
}

/// A caller that is refused, which ends the connection.
pub(super) fn refused(refused: Refused) -> PgWireError {
    match refused {
        Refused::NoAccount { named, .. } => fatal(
            SqlState::UnknownDatabase,
            format!("there is no database \"{named}\": it is an account, or {ALL_ACCOUNTS} for all of them"),
        ),
        Refused::NoDatabase => fatal(SqlState::UnknownDatabase, refused.to_string()),
        Refused::TokenEnded => fatal(SqlState::Shutdown, format!("terminating connection: {refused}")),
        Refused::OutOfScope { .. } | Refused::NotPermitted(_) => fatal(SqlState::NotPermitted, refused.to_string()),
        other => fatal(SqlState::NotAuthorized, other.to_string()),
    }
}

/// A client that has not proved that it has a token, which ends the connection. Whether there is a token of this name
/// does not show.
pub(super) fn wrong_password(user: &str) -> PgWireError {
    let reason = "the user is the name of a token, and the password the token; it may be wrong, revoked or expired";
    fatal(SqlState::WrongPassword, format!("password authentication failed for user \"{user}\": {reason}"))
}

/// A packet at the start that is refused, which ends the connection.
pub(super) fn unacceptable(packet: Unacceptable) -> PgWireError {
    let state = match packet {
        Unacceptable::Version { .. } => SqlState::FeatureNotSupported,
        Unacceptable::NotText => SqlState::NotText,
        Unacceptable::Layout | Unacceptable::Twice(_) => SqlState::Protocol,
    };
    fatal(state, packet.to_string())
}

/// A start-up packet whose settings are refused, which ends the connection.
pub(super) fn not_started(wrong: &Unsettable) -> PgWireError {
    fatal(wrong.state(), wrong.to_string())
}

/// A setting that is not set. The connection goes on.
pub(super) fn unsettable(wrong: Unsettable) -> PgWireError {
    match wrong.hint() {
        Some(hint) => hinted(wrong.state(), wrong.to_string(), hint),
        None => error(wrong.state(), wrong.to_string()),
    }
}

impl Unsettable {
    fn state(&self) -> SqlState {
        match self {
            Self::Unknown(_) => SqlState::UnknownSetting,
            Self::Value { .. } | Self::NoBoolean(_) | Self::Range { .. } | Self::Role(_) => SqlState::SettingValue,
            Self::Preset { .. } => SqlState::Unchangeable,
            Self::TooMuch => SqlState::TooMuch,
            Self::Option(_) | Self::NoValue(_) => SqlState::SyntaxError,
        }
    }
}

/// A connection of which nothing more can be read.
pub(super) fn unreadable(unreadable: Unreadable) -> PgWireError {
    let state = match unreadable {
        Unreadable::Io(error) => return PgWireError::IoError(error),
        Unreadable::Full(_) => SqlState::OutOfMemory,
        Unreadable::Length { length, .. } if length >= 4 => SqlState::TooMuch,
        Unreadable::StartUpLength(_) | Unreadable::Kind(_) | Unreadable::Length { .. } | Unreadable::Slow => {
            SqlState::Protocol
        }
    };
    fatal(state, unreadable.to_string())
}

/// A message whose body is not what its kind says. The connection goes on.
pub(super) fn malformed(malformed: Malformed) -> PgWireError {
    let state = if malformed == Malformed::NotText { SqlState::NotText } else { SqlState::Protocol };
    error(state, malformed.to_string())
}

/// A client that wants to leave too much on the server. The connection goes on.
pub(super) fn not_kept(refusal: Refusal) -> PgWireError {
    let state = if matches!(refusal, Refusal::Full(_)) { SqlState::OutOfMemory } else { SqlState::TooMuch };
    error(state, refusal.to_string())
}

/// A session that cannot be opened, which ends the connection.
pub(super) fn not_let_in(failure: Error) -> PgWireError {
    fatal(state(&failure), failure.public_text())
}

/// A statement that failed. The connection goes on.
pub(super) fn failed(failure: Error) -> PgWireError {
    match state(&failure) {
        // Tools show it as their users know it.
        state @ SqlState::DivisionByZero => error(state, "division by zero"),
        state => error(state, failure.public_text()),
    }
}

fn state(failure: &Error) -> SqlState {
    match failure.kind() {
        ErrorKind::Value if failure.public_text().to_lowercase().contains("divide by zero") => SqlState::DivisionByZero,
        ErrorKind::Syntax => SqlState::SyntaxError,
        ErrorKind::UnknownTable => SqlState::UndefinedTable,
        ErrorKind::UnknownColumn => SqlState::UndefinedColumn,
        ErrorKind::NameTaken => SqlState::DuplicateTable,
        ErrorKind::WrongKind => SqlState::WrongObjectType,
        ErrorKind::NotPermitted => SqlState::NotPermitted,
        ErrorKind::TooMuch => SqlState::TooMuch,
        ErrorKind::Statement => SqlState::Statement,
        ErrorKind::Parameter | ErrorKind::Value => SqlState::Value,
        ErrorKind::ReadOnly => SqlState::ReadOnly,
        ErrorKind::OutOfMemory => SqlState::OutOfMemory,
        ErrorKind::TooManyQueries => SqlState::TooManyQueries,
        ErrorKind::TimeLimit | ErrorKind::Killed => SqlState::Cancelled,
        ErrorKind::Archive | ErrorKind::NotStored => SqlState::Disk,
        ErrorKind::Internal => SqlState::Internal,
    }
}
