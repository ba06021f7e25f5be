//! How long a client may say nothing, where it has set that itself.

use std::future::pending;
use std::time::Duration;

use datafusion_postgres::pgwire::api::ClientInfo;
use datafusion_postgres::pgwire::error::PgWireError;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;

use super::client::{Client, Stream};
use super::error::{SqlState, fatal};
use super::settings::Values;

/// How long a client may say nothing, and what it is told then.
#[derive(Debug, Clone, Copy)]
pub(super) struct IdleLimit {
    limit: Duration,
    is_in_transaction: bool,
}

impl IdleLimit {
    /// The limit of a client that says nothing from now on. There is none where it has set none.
    pub(super) fn of<S: Stream>(client: &Client<S>, settings: &Values) -> Option<Self> {
        let is_in_transaction = client.transaction_status() != TransactionStatus::Idle;
        let name = if is_in_transaction { "idle_in_transaction_session_timeout" } else { "idle_session_timeout" };
        let limit = settings.value(name).parse().ok().filter(|limit| *limit > 0).map(Duration::from_millis)?;
        Some(Self { limit, is_in_transaction })
    }
}

/// Waits until a client has said nothing for too long.
pub(super) async fn over(limit: Option<IdleLimit>) -> PgWireError {
    let Some(IdleLimit { limit, is_in_transaction }) = limit else { return pending().await };
    tokio::time::sleep(limit).await;
    match is_in_transaction {
        true => fatal(SqlState::IdleInTransaction, "terminating connection due to idle-in-transaction timeout"),
        false => fatal(SqlState::IdleSession, "terminating connection due to idle-session timeout"),
    }
}
