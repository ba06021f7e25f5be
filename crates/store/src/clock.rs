//! The clock of a store, which tests can move.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Where "now" comes from.
#[derive(Debug, Clone)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// Always the same instant, in milliseconds since the epoch: past days are looked at as if they were live.
    Fixed(i64),
    /// An instant that its owner moves on, in milliseconds since the epoch.
    Simulated(Arc<AtomicI64>),
    /// What the clock says, and how much time has passed whatever it says: a clock that somebody sets.
    #[cfg(test)]
    Set {
        /// What it says.
        says: Arc<AtomicI64>,
        /// The time that has passed.
        passed: Arc<AtomicI64>,
    },
}

impl Clock {
    /// Milliseconds since the epoch, UTC.
    pub fn now(&self) -> i64 {
        match self {
            Self::Fixed(now) => *now,
            Self::Simulated(now) => now.load(Ordering::Relaxed),
            #[cfg(test)]
            Self::Set { says, .. } => says.load(Ordering::Relaxed),
            Self::System => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
            }
        }
    }

    /// Milliseconds on a clock that nobody can set, to measure how long something lasts: it goes on evenly from what
    /// the machine's clock said when it was first asked.
    pub(crate) fn steady(&self) -> i64 {
        static START: OnceLock<(Instant, i64)> = OnceLock::new();
        match self {
            Self::Fixed(now) => *now,
            Self::Simulated(now) => now.load(Ordering::Relaxed),
            #[cfg(test)]
            Self::Set { passed, .. } => passed.load(Ordering::Relaxed),
            Self::System => {
                let (start, said) = START.get_or_init(|| (Instant::now(), Self::System.now()));
                said.saturating_add(i64::try_from(start.elapsed().as_millis()).unwrap_or(i64::MAX))
            }
        }
    }

    /// The longest step of [`steady`](Self::steady) from one look to the next, in milliseconds, that is taken for time
    /// that has passed. In a longer one the machine slept, or its steady clock was moved, too.
    pub(crate) fn longest_step(&self) -> i64 {
        match self {
            Self::System => 600_000,
            #[cfg(test)]
            Self::Set { .. } => 600_000,
            Self::Fixed(_) | Self::Simulated(_) => i64::MAX,
        }
    }
}
