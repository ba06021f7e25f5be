//! Which statements a session lists and may end.

use crate::Scope;

use super::running_queries::RunningQuery;

/// Which statements a session lists and may end.
#[derive(Debug, Clone)]
pub(in crate::sql) struct StatementReach {
    /// The number of the session.
    session: u64,
    scope: Scope,
    is_everybodys: bool,
    only_reads: bool,
}

impl StatementReach {
    /// An account reaches the statements of its own sessions, and none of an operator's. An operator reaches all.
    pub(in crate::sql) fn new(session: u64, scope: Scope) -> Self {
        Self { session, is_everybodys: scope == Scope::All, scope, only_reads: false }
    }

    /// The same for a session that reaches only statements of sessions that see the same as itself.
    pub(in crate::sql) fn own(self) -> Self {
        Self { is_everybodys: false, ..self }
    }

    /// The same for a session that ends none, and does nothing else that changes something.
    pub(in crate::sql) fn only_reading(self) -> Self {
        Self { only_reads: true, ..self }
    }

    /// Whether the session's statements do nothing but read.
    pub(in crate::sql) fn only_reads(&self) -> bool {
        self.only_reads
    }

    pub(super) fn lists(&self, query: &RunningQuery) -> bool {
        self.is_everybodys || query.scope == self.scope
    }

    /// A session ends no statement of its own: one that ended itself would not tell which others it had ended.
    pub(super) fn ends(&self, query: &RunningQuery) -> bool {
        self.lists(query) && query.session != self.session
    }
}
