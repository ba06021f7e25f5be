//! The SQL session of a connection.

use std::sync::OnceLock;

use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::SqlSession;

use super::error::{SqlState, error};

/// The SQL session of a connection. There is none before the client has told its database.
#[derive(Debug, Default)]
pub(super) struct Session(OnceLock<SqlSession>);

impl Session {
    pub(super) fn open(&self, session: SqlSession) {
        let _ = self.0.set(session);
    }

    pub(super) fn get(&self) -> PgWireResult<&SqlSession> {
        self.0.get().ok_or_else(|| error(SqlState::Internal, "the connection has not been opened"))
    }
}
