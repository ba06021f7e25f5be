//! Requests to cancel a statement, which come over connections of their own.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::cancel::CancelHandler;
use datafusion_postgres::pgwire::messages::cancel::CancelRequest;
use datafusion_postgres::pgwire::messages::startup::SecretKey;
use parking_lot::Mutex;
use skillscope_query::SqlSession;

/// The connections whose statements can be cancelled, by the number that each client was told at its start.
#[derive(Debug, Default)]
pub(super) struct Cancels(Mutex<HashMap<i32, (SecretKey, SqlSession)>>);

impl Cancels {
    pub(super) fn enter(self: &Arc<Self>, pid: i32, key: SecretKey, session: SqlSession) -> CancelEntry {
        self.0.lock().insert(pid, (key, session));
        CancelEntry { pid, cancels: Arc::clone(self) }
    }
}

#[async_trait]
impl CancelHandler for Cancels {
    async fn on_cancel_request(&self, request: CancelRequest) {
        let sessions = self.0.lock();
        if let Some((_, session)) =
            sessions.get(&request.pid).filter(|(key, _)| key.to_bytes() == request.secret_key.to_bytes())
        {
            session.kill_running();
        }
    }
}

/// Keeps a connection among those that can be cancelled, until it is dropped.
pub(super) struct CancelEntry {
    pid: i32,
    cancels: Arc<Cancels>,
}

impl Drop for CancelEntry {
    fn drop(&mut self) {
        self.cancels.0.lock().remove(&self.pid);
    }
}
