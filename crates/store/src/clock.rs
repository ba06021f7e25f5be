//! The clock of a store, which tests can move.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where "now" comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Always the same instant, in milliseconds since the epoch: past days are looked at as if they were live.
    Fixed(i64),
    /// An instant that its owner moves on, in milliseconds since the epoch.
    Simulated(Arc<AtomicI64>),
}

impl Clock {
    /// Milliseconds since the epoch, UTC.
    pub fn now(&self) -> i64 {
        match self {
            Self::Fixed(now) => *now,
            Self::Simulated(now) => now.load(Ordering::Relaxed),
            Self::System => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
            }
        }
    }
}
