//! Streams over HTTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts streams and their events. An event costs a stream two atomic additions at most.
#[derive(Debug, Default)]
pub(crate) struct StreamStatistics {
    open: AtomicU64,
    sent: AtomicU64,
    skipped: AtomicU64,
}

/// A stream that is open, until this is dropped.
#[derive(Debug)]
pub(crate) struct OpenStream(Arc<StreamStatistics>);

impl StreamStatistics {
    /// A stream has begun.
    pub(crate) fn open(self: &Arc<Self>) -> OpenStream {
        self.open.fetch_add(1, Ordering::Relaxed);
        OpenStream(Arc::clone(self))
    }

    /// The streams that are open.
    pub(crate) fn number(&self) -> u64 {
        self.open.load(Ordering::Relaxed)
    }

    /// The events that were sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// The events that were not, since the next ones came before the client could take them.
    pub(crate) fn skipped(&self) -> u64 {
        self.skipped.load(Ordering::Relaxed)
    }
}

impl OpenStream {
    /// Counts an event that is sent, and those that were skipped before it.
    pub(crate) fn send(&self, skipped: u64) {
        self.0.sent.fetch_add(1, Ordering::Relaxed);
        if skipped > 0 {
            self.0.skipped.fetch_add(skipped, Ordering::Relaxed);
        }
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}
