//! Whether a request is under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// What a connection's socket, bodies and requests tell each other. One task has them all.
#[derive(Debug, Default)]
pub(super) struct Phase {
    requests: AtomicU64,
    is_under_way: AtomicBool,
    has_unread_body: AtomicBool,
    has_heard: AtomicBool,
    is_stuck: AtomicBool,
}

/// As long as this is there, a request is under way.
pub(super) struct UnderWay(Arc<Phase>);

impl Phase {
    /// Notes that the head of a request is complete.
    pub(super) fn begin_request(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.is_under_way.store(true, Ordering::Relaxed);
        self.has_unread_body.store(false, Ordering::Relaxed);
    }

    /// To be dropped with the request's answer.
    pub(super) fn under_way(self: &Arc<Self>) -> UnderWay {
        UnderWay(Arc::clone(self))
    }

    pub(super) fn is_under_way(&self) -> bool {
        self.is_under_way.load(Ordering::Relaxed)
    }

    /// The number of requests so far.
    pub(super) fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Notes that a byte has come.
    pub(super) fn hear(&self) {
        self.has_heard.store(true, Ordering::Relaxed);
    }

    /// Whether a byte has ever come.
    pub(super) fn has_heard(&self) -> bool {
        self.has_heard.load(Ordering::Relaxed)
    }

    /// Notes whether something that was written waits for its reader; the answer is whether something did before.
    pub(super) fn note_stuck(&self, is_stuck: bool) -> bool {
        self.is_stuck.swap(is_stuck, Ordering::Relaxed)
    }

    /// Whether something that was written waits for its reader.
    pub(super) fn is_stuck(&self) -> bool {
        self.is_stuck.load(Ordering::Relaxed)
    }

    pub(super) fn leave_body_unread(&self) {
        self.has_unread_body.store(true, Ordering::Relaxed);
    }

    /// Whether the body of the last request was not read to its end.
    pub(super) fn has_unread_body(&self) -> bool {
        self.has_unread_body.load(Ordering::Relaxed)
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.is_under_way.store(false, Ordering::Relaxed);
    }
}
