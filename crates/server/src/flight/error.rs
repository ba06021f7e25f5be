//! Errors as gRPC statuses.

use skillscope_query::{Error, ErrorKind};
use tonic::{Code, Status};

use crate::caller::Refused;

/// The status of a caller that is refused.
pub(super) fn refused(refused: Refused) -> Status {
    match refused {
        Refused::NoAccount { rule, .. } => Status::invalid_argument(format!("the header account: {rule}")),
        Refused::NotText | Refused::NoDatabase => Status::invalid_argument(refused.to_string()),
        Refused::NoToken
        | Refused::UnknownToken
        | Refused::NotSigned { .. }
        | Refused::SignedAtAnotherTime { .. }
        | Refused::SignedTooEarly
        | Refused::TokenEnded => Status::unauthenticated(refused.to_string()),
        Refused::OutOfScope { .. } | Refused::NotPermitted(_) => Status::permission_denied(refused.to_string()),
    }
}

/// The status of a statement that failed.
pub(super) fn status(error: Error) -> Status {
    let code = match error.kind() {
        ErrorKind::Parameter
        | ErrorKind::Syntax
        | ErrorKind::UnknownTable
        | ErrorKind::UnknownColumn
        | ErrorKind::Value
        | ErrorKind::Statement
        | ErrorKind::WrongKind
        | ErrorKind::ReadOnly => Code::InvalidArgument,
        ErrorKind::NotPermitted => Code::PermissionDenied,
        ErrorKind::NameTaken => Code::AlreadyExists,
        ErrorKind::OutOfMemory | ErrorKind::TooManyQueries | ErrorKind::TooMuch => Code::ResourceExhausted,
        ErrorKind::TimeLimit => Code::DeadlineExceeded,
        ErrorKind::Killed => Code::Cancelled,
        ErrorKind::Archive | ErrorKind::NotStored => Code::Unavailable,
        ErrorKind::Internal => Code::Internal,
    };
    Status::new(code, error.public_text())
}
