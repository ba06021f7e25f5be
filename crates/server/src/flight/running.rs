//! The answers that are being sent, to be ended on request.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use skillscope_query::SqlSession;

use crate::access::Holder;
use crate::caller::Caller;

/// The answers that are being sent. Each is known by the number in its ticket.
#[derive(Debug, Clone, Default)]
pub(super) struct Running(Arc<Answers>);

#[derive(Debug, Default)]
struct Answers {
    next: AtomicU64,
    answers: Mutex<HashMap<u64, RunningAnswer>>,
}

#[derive(Debug)]
struct RunningAnswer {
    ticket: u64,
    holder: Holder,
    session: SqlSession,
}

/// Takes an answer off the list once it is dropped.
#[derive(Debug)]
pub(super) struct Listed {
    running: Running,
    number: u64,
}

impl Running {
    /// A number for a new ticket.
    pub(super) fn number(&self) -> u64 {
        self.0.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Lists the answer to the ticket of this number, which is the one statement of its session.
    pub(super) fn enter(&self, ticket: u64, caller: &Caller, session: SqlSession) -> Listed {
        let number = self.number();
        self.0.answers.lock().insert(number, RunningAnswer { ticket, holder: caller.holder(), session });
        Listed { running: self.clone(), number }
    }

    /// Ends the answers to the ticket of this number that were given to the same caller. False where no statement runs
    /// for any: an answer is on the list a moment before its statement runs.
    pub(super) fn end(&self, ticket: u64, caller: &Caller) -> bool {
        let holder = caller.holder();
        let answers = self.0.answers.lock();
        let of_ticket = answers.values().filter(|answer| answer.ticket == ticket && answer.holder == holder);
        of_ticket.filter(|answer| answer.session.kill_running()).count() > 0
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        self.running.0.answers.lock().remove(&self.number);
    }
}
