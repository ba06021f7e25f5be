//! A table or a view.

use std::fmt::{self, Display, Formatter};
use std::sync::Arc;

use bytes::Bytes;
use skillscope_segment::{AccountId, SmallTable};

use super::{RelationError, RelationName};
use crate::error::Result;
use crate::journal::value::{framed, unframed};

/// The most bytes of the text of a view.
pub const MAX_VIEW_BYTES: usize = 64 << 10;

/// What somebody adds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RelationKind {
    /// Rows.
    Table,
    /// A query.
    View,
}

impl RelationKind {
    /// The word that SQL has for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Table => "TABLE",
            Self::View => "VIEW",
        }
    }
}

impl Display for RelationKind {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Table => "table",
            Self::View => "view",
        })
    }
}

#[derive(Debug, Clone)]
enum Content {
    Table(SmallTable),
    View(Arc<str>),
}

/// A table or a view that somebody added, for one account or for all.
#[derive(Debug, Clone)]
pub struct Relation {
    owner: Option<AccountId>,
    name: RelationName,
    content: Content,
}

impl Relation {
    /// A table for an account; `None` is for all accounts.
    pub fn table(owner: Option<AccountId>, name: RelationName, rows: SmallTable) -> Self {
        Self { owner, name, content: Content::Table(rows) }
    }

    /// A view with the text of its query, for an account; `None` is for all accounts.
    ///
    /// # Errors
    /// [`RelationError::LongView`].
    pub fn view(owner: Option<AccountId>, name: RelationName, query: &str) -> Result<Self, RelationError> {
        if query.len() > MAX_VIEW_BYTES {
            return Err(RelationError::LongView { bytes: query.len() });
        }
        Ok(Self { owner, name, content: Content::View(Arc::from(query)) })
    }

    /// Whose it is; `None` where it is for all accounts.
    pub fn owner(&self) -> Option<&AccountId> {
        self.owner.as_ref()
    }

    /// Its name.
    pub fn name(&self) -> &RelationName {
        &self.name
    }

    /// What it is.
    pub fn kind(&self) -> RelationKind {
        match &self.content {
            Content::Table(_) => RelationKind::Table,
            Content::View(_) => RelationKind::View,
        }
    }

    /// Its rows, if it is a table.
    pub fn rows(&self) -> Option<&SmallTable> {
        match &self.content {
            Content::Table(rows) => Some(rows),
            Content::View(_) => None,
        }
    }

    /// The text of its query, if it is a view.
    pub fn query(&self) -> Option<&str> {
        match &self.content {
            Content::Table(_) => None,
            Content::View(query) => Some(query),
        }
    }

    /// The memory that it takes.
    pub(super) fn bytes(&self) -> u64 {
        match &self.content {
            Content::Table(rows) => rows.bytes() as u64,
            Content::View(query) => query.len() as u64,
        }
    }

    /// The same under another name.
    pub(super) fn named(&self, name: RelationName) -> Self {
        Self { name, ..self.clone() }
    }

    /// Checks that it is of a kind.
    ///
    /// # Errors
    /// [`RelationError::WrongKind`].
    pub fn check_kind(&self, wanted: RelationKind) -> Result<(), RelationError> {
        let kind = self.kind();
        if kind == wanted { Ok(()) } else { Err(RelationError::WrongKind { name: self.name.clone(), kind, wanted }) }
    }

    /// The bytes of its file.
    pub(crate) fn encoded(&self) -> Result<Vec<u8>> {
        let name = frame_name(self.kind(), self.owner(), &self.name);
        Ok(match &self.content {
            Content::Table(rows) => framed(&name, &rows.to_arrow()?),
            Content::View(query) => framed(&name, query.as_bytes()),
        })
    }

    /// The table or view that [`encoded`](Self::encoded) wrote; `None` where the bytes have changed since.
    pub(super) fn decoded(owner: Option<AccountId>, name: RelationName, bytes: &[u8]) -> Option<Self> {
        if let Some(rows) = unframed(&frame_name(RelationKind::Table, owner.as_ref(), &name), bytes) {
            let rows = SmallTable::from_arrow(Bytes::copy_from_slice(rows)).ok()?;
            return Some(Self::table(owner, name, rows));
        }
        let query = unframed(&frame_name(RelationKind::View, owner.as_ref(), &name), bytes)?;
        Self::view(owner, name, std::str::from_utf8(query).ok()?).ok()
    }
}

/// The name that a frame carries, so that no file can be taken for another one.
fn frame_name(kind: RelationKind, owner: Option<&AccountId>, name: &RelationName) -> String {
    match owner {
        Some(account) => format!("{kind} {name} of account {account}"),
        None => format!("{kind} {name} for all"),
    }
}
