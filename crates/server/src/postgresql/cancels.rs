//! Requests to cancel a statement, which come over connections of their own.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion_postgres::pgwire::messages::startup::SecretKey;
use parking_lot::Mutex;
use skillscope_query::SqlSession;

/// The connections whose statements can be cancelled, by the number that each client was told at its start.
#[derive(Debug, Default)]
pub(super) struct Cancels(Mutex<HashMap<i32, (SecretKey, SqlSession)>>);

impl Cancels {
    /// A number that no connection has. It is a random one: numbers in a row would tell how many others have come.
    pub(super) fn new_number(&self) -> i32 {
        let sessions = self.0.lock();
        loop {
            let number = rand::random_range(1..=i32::MAX);
            if !sessions.contains_key(&number) {
                return number;
            }
        }
    }

    pub(super) fn enter(self: &Arc<Self>, pid: i32, key: SecretKey, session: SqlSession) -> CancelEntry {
        self.0.lock().insert(pid, (key, session));
        CancelEntry { pid, cancels: Arc::clone(self) }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    /// Ends what the connection with this number runs, if the key is its own.
    pub(super) fn cancel(&self, pid: i32, key: &[u8]) {
        let sessions = self.0.lock();
        if let Some((_, session)) = sessions.get(&pid).filter(|(known, _)| known.to_bytes() == key) {
            session.kill_running();
        }
    }
}

/// Keeps a connection among those that can be cancelled, until it is dropped.
#[derive(Debug)]
pub(super) struct CancelEntry {
    pid: i32,
    cancels: Arc<Cancels>,
}

impl Drop for CancelEntry {
    fn drop(&mut self) {
        self.cancels.0.lock().remove(&self.pid);
    }
}
