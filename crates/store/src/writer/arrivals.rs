//! The latest end of the rows that arrive, which tells what time it is elsewhere.

use std::sync::atomic::{AtomicI64, Ordering};

use crate::rows::run::Cut;

/// An end later than this, in milliseconds after the clock's now, is none that has come.
pub(crate) const AHEAD_MS: i64 = 300_000;

/// The latest end time, not ahead of the clock, of the rows that have arrived since it was last taken.
#[derive(Debug)]
pub(crate) struct Arrivals(AtomicI64);

impl Default for Arrivals {
    fn default() -> Self {
        Self(AtomicI64::new(i64::MIN))
    }
}

impl Arrivals {
    /// Notes rows that are stored now.
    pub(crate) fn note(&self, cuts: &[Cut], now: i64) {
        let ends = cuts.iter().flat_map(|cut| [*cut.run.end_times.start(), *cut.run.end_times.end()]);
        let latest = ends.filter(|end| *end <= now.saturating_add(AHEAD_MS)).max();
        self.0.fetch_max(latest.unwrap_or(i64::MIN), Ordering::Relaxed);
    }

    /// The latest end time since the last call.
    pub(crate) fn take(&self) -> Option<i64> {
        Some(self.0.swap(i64::MIN, Ordering::Relaxed)).filter(|end| *end != i64::MIN)
    }
}
