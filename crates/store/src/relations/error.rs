//! Why a table or a view is not kept.

use super::{MAX_VIEW_BYTES, RelationKind, RelationName};

/// Why a table or a view is not kept, removed or renamed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RelationError {
    /// Something of the name is there.
    #[error("relation \"{name}\" already exists")]
    Exists {
        /// Its name.
        name: RelationName,
    },
    /// There is nothing of the name.
    #[error("{kind} \"{name}\" does not exist")]
    Missing {
        /// What was asked for.
        kind: RelationKind,
        /// Its name.
        name: RelationName,
    },
    /// What is there is of the other kind.
    #[error("\"{name}\" is not a {wanted}; it is a {kind}, which goes with DROP {}", kind.word())]
    WrongKind {
        /// Its name.
        name: RelationName,
        /// What it is.
        kind: RelationKind,
        /// What was asked for.
        wanted: RelationKind,
    },
    /// A name that no table or view of people can have.
    #[error("{reason}")]
    Name {
        /// What is wrong with it, and what is allowed.
        reason: String,
    },
    /// The text of a view that is too long.
    #[error("the text of the view has {bytes} bytes; at most {MAX_VIEW_BYTES} are kept")]
    LongView {
        /// Its length.
        bytes: usize,
    },
    /// There are as many as may be.
    #[error("there are {most} tables and views {of} already, which are the most; drop one first")]
    TooMany {
        /// How many there may be.
        most: usize,
        /// Of whom.
        of: &'static str,
    },
    /// Those of everybody would take too much memory. How much others have is not told.
    #[error("there is no room for it: the tables and views of everybody may take {most} bytes of memory together")]
    NoRoom {
        /// What they may take.
        most: u64,
    },
    /// All together would take too much memory.
    #[error("the tables {of} would take {bytes} bytes of memory together, and {most} are the most; drop one first")]
    TooLarge {
        /// What they would take.
        bytes: u64,
        /// What they may take.
        most: u64,
        /// Of whom.
        of: &'static str,
    },
}
