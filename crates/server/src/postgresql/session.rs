//! The SQL session of a connection.

use std::sync::{Arc, OnceLock};

use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::SqlSession;

use super::cancels::CancelEntry;
use super::catalog::Database;
use super::error::{SqlState, error};
use super::settings::Settings;

/// The SQL session of a connection. There is none before the client has told its database.
#[derive(Debug, Default)]
pub(super) struct Session {
    open: OnceLock<Open>,
    pub(super) settings: Settings,
}

#[derive(Debug)]
struct Open {
    session: SqlSession,
    _catalog: Arc<Database>,
    _entry: CancelEntry,
}

impl Session {
    /// Opens the session. `catalog` is the one of its database, and `entry` keeps it among those whose statements can
    /// be cancelled.
    pub(super) fn open(&self, session: SqlSession, catalog: Arc<Database>, entry: CancelEntry) {
        let _ = self.open.set(Open { session, _catalog: catalog, _entry: entry });
    }

    pub(super) fn get(&self) -> PgWireResult<&SqlSession> {
        let open = self.open.get().ok_or_else(|| error(SqlState::Internal, "the connection has not been opened"))?;
        Ok(&open.session)
    }
}
