//! The kinds of errors.

use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;

use skillscope_store::RelationError;

use super::datafusion_text::names_unknown_table;

/// The kind of an [`Error`](crate::Error), from which each protocol chooses a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// A parameter of a report request is not as the contract has it.
    Parameter,
    /// The statement is not SQL.
    Syntax,
    /// The statement names a table that there is not.
    UnknownTable,
    /// The statement names a column that there is not.
    UnknownColumn,
    /// The statement computes with a value that is not as it should be.
    Value,
    /// The statement is wrong in another way.
    Statement,
    /// The statement does anything but read.
    ReadOnly,
    /// The statement would change what its client may not change.
    NotPermitted,
    /// The statement makes something whose name is taken.
    NameTaken,
    /// The statement names a table where a view is meant, or the other way round.
    WrongKind,
    /// There is no room for another table or view.
    TooMuch,
    /// The disk did not take a change.
    NotStored,
    /// The statement needs more memory or disk space than it may have.
    OutOfMemory,
    /// The statement took longer than it may.
    TimeLimit,
    /// Too many other statements run.
    TooManyQueries,
    /// The statement was ended on request.
    Killed,
    /// A file that the answer needs cannot be read now.
    Archive,
    /// A defect, or a failure of the machine.
    Internal,
}

impl ErrorKind {
    /// The kind of an error about a table or view that was added.
    pub(super) fn of_relation(cause: &RelationError) -> Self {
        match cause {
            RelationError::Exists { .. } => Self::NameTaken,
            RelationError::Missing { .. } => Self::UnknownTable,
            RelationError::WrongKind { .. } => Self::WrongKind,
            RelationError::TooMany { .. } | RelationError::TooLarge { .. } | RelationError::NoRoom { .. } => {
                Self::TooMuch
            }
            _ => Self::Statement,
        }
    }

    /// The kind of a DataFusion error.
    pub(super) fn of_statement(cause: &DataFusionError) -> Self {
        match cause.find_root() {
            DataFusionError::SQL(..) => Self::Syntax,
            DataFusionError::SchemaError(error, _) if matches!(error.as_ref(), SchemaError::FieldNotFound { .. }) => {
                Self::UnknownColumn
            }
            root if names_unknown_table(root) => Self::UnknownTable,
            DataFusionError::ArrowError(..) | DataFusionError::Execution(_) => Self::Value,
            _ => Self::Statement,
        }
    }
}
