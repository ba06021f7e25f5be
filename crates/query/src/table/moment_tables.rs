//! The tables with the rows of a store, all of one moment.

use std::sync::Arc;

use skillscope_store::{Moment, Store};

use super::open_conversations::OpenConversationsTable;
use super::segments::SegmentsTable;
use crate::Scope;

/// What a statement reads: a segment is in `segments` once it has closed, and in `open_conversations` before, at any
/// moment in one of the two.
#[derive(Debug)]
pub(crate) struct MomentTables {
    pub(crate) segments: SegmentsTable,
    pub(crate) open: OpenConversationsTable,
}

impl MomentTables {
    /// The rows in `scope` that the store has now.
    pub(crate) fn now(store: Arc<Store>, scope: Scope) -> Self {
        let Moment { snapshot, open } = store.moment();
        let open = OpenConversationsTable::new(open, scope.clone());
        Self { segments: SegmentsTable::of(store, snapshot, scope), open }
    }

    /// The same tables without rows.
    pub(crate) fn empty(store: Arc<Store>, scope: Scope) -> Self {
        let open = OpenConversationsTable::new(Arc::default(), scope.clone());
        Self { segments: SegmentsTable::of(store, Arc::default(), scope), open }
    }

    /// The same rows, with plain text instead of dictionaries.
    pub(crate) fn with_text(self) -> Self {
        Self { segments: self.segments.with_text(), ..self }
    }

    /// The same rows of `segments`, which are always scanned.
    #[cfg(test)]
    pub(crate) fn without_totals(self) -> Self {
        Self { segments: self.segments.without_totals(), ..self }
    }
}
