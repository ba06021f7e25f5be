//! Whether the disk takes writes.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;

/// Whether the disk takes writes, as far as the last ones tell. It is so again once a trial has succeeded.
#[derive(Debug)]
pub(crate) struct DiskHealth(AtomicBool);

impl DiskHealth {
    pub(crate) fn new(takes_writes: bool) -> Self {
        Self(AtomicBool::new(takes_writes))
    }

    pub(crate) fn takes_writes(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Notes a write that failed.
    pub(crate) fn note_failure(&self, error: &Error) {
        if self.0.swap(false, Ordering::Relaxed) {
            tracing::error!(%error, "the disk refuses writes; it is tried every few seconds until it takes them");
        }
    }

    /// Notes that a trial succeeded.
    pub(crate) fn note_success(&self) {
        if !self.0.swap(true, Ordering::Relaxed) {
            tracing::info!("the disk takes writes again");
        }
    }
}
