//! The SQL session of a connection.

use std::sync::{Arc, OnceLock};

use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::SqlSession;

use super::block::Block;
use super::cancels::CancelEntry;
use super::cursors::Cursors;
use super::error::{SqlState, error};
use super::settings::Values;

/// The SQL session of a connection. There is none before the client has told its database.
#[derive(Debug, Default)]
pub(super) struct Session {
    open: OnceLock<Open>,
    pub(super) settings: Values,
    pub(super) block: Block,
    pub(super) cursors: Arc<Cursors>,
}

#[derive(Debug)]
struct Open {
    session: SqlSession,
    _entry: CancelEntry,
}

impl Session {
    /// Opens the session. `entry` keeps it among those whose statements can be cancelled.
    pub(super) fn open(&self, session: SqlSession, entry: CancelEntry) {
        let _ = self.open.set(Open { session, _entry: entry });
    }

    pub(super) fn get(&self) -> PgWireResult<&SqlSession> {
        let open = self.open.get().ok_or_else(|| error(SqlState::Internal, "the connection has not been opened"))?;
        Ok(&open.session)
    }

    /// A question has been answered. What functions have set for the time of a transaction goes where there is none.
    pub(super) fn settle(&self) {
        if !self.block.is_open() {
            self.settings.end_local();
        }
    }

    /// The transaction has ended, and what was left of it is committed or goes back.
    pub(super) fn end_transaction(&self, is_committed: bool) {
        self.block.end(&self.settings, is_committed);
        self.cursors.end(is_committed);
    }
}
