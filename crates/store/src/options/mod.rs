//! How a store keeps its segments.

mod memory;
mod retention;

use std::ops::RangeInclusive;
use std::sync::Arc;

pub use memory::{memory_bytes, memory_share};
pub use retention::{Retention, RetentionError};

use crate::calendar::{HOUR_MS, hour_of};
use crate::clock::Clock;
use crate::disk::{Disk, LocalDisk};

/// How a store keeps its segments.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// The disk that the data directory is on.
    pub disk: Arc<dyn Disk>,
    /// The clock of sealing and retention.
    pub clock: Clock,
    /// The clock of readers: the hot hours end at its "now".
    pub hot_clock: Clock,
    /// The hours before now whose rows are in memory.
    pub hot_hours: u32,
    /// Memory for rows, in bytes. Beyond it, rows of the account that takes most of it are read from disk.
    pub hot_bytes: u64,
    /// Memory for running totals of files older than the hot hours, in bytes. Totals of the hot hours do not count.
    pub totals_bytes: u64,
    /// How long an hour that is over waits for late rows before it is written to the archive, in milliseconds. Rows
    /// that come even later are written within a minute, or within this time where it is shorter.
    pub seal_grace_ms: i64,
    /// How long an event waits for missing earlier events of its conversation, in milliseconds of event time.
    pub event_wait_ms: i64,
    /// How long segments are kept.
    pub retention: Retention,
    /// The files of events without effect have at most so many bytes together; what comes beyond is only counted.
    pub dead_letter_bytes: u64,
    /// The files of events without effect of more days ago are removed.
    pub dead_letter_days: u32,
    /// Whether the group of the directory's owner may read the archive. All else is kept to the owner. `None` leaves
    /// the permissions of what is there as they are.
    pub archive_group_readable: Option<bool>,
}

impl Default for StoreOptions {
    /// The last 26 hours in [a share](Self::HOT_PERCENT) of the memory, and another for totals of older hours. Hours are
    /// sealed ten minutes after their end, and kept forever.
    fn default() -> Self {
        Self {
            disk: Arc::new(LocalDisk),
            clock: Clock::System,
            hot_clock: Clock::System,
            hot_hours: Self::HOT_HOURS,
            hot_bytes: memory_share(Self::HOT_PERCENT),
            totals_bytes: memory_share(Self::TOTALS_PERCENT),
            seal_grace_ms: Self::SEAL_GRACE_MS,
            event_wait_ms: Self::EVENT_WAIT_MS,
            retention: Retention::default(),
            dead_letter_bytes: Self::DEAD_LETTER_BYTES,
            dead_letter_days: Self::DEAD_LETTER_DAYS,
            archive_group_readable: Some(false),
        }
    }
}

impl StoreOptions {
    /// The default of [`hot_hours`](Self::hot_hours).
    pub const HOT_HOURS: u32 = 26;

    /// The default of [`hot_bytes`](Self::hot_bytes), in hundredths of [the memory](memory_bytes).
    pub const HOT_PERCENT: u64 = 36;

    /// The default of [`totals_bytes`](Self::totals_bytes), in hundredths of [the memory](memory_bytes).
    pub const TOTALS_PERCENT: u64 = 5;

    /// The default of [`seal_grace_ms`](Self::seal_grace_ms).
    pub const SEAL_GRACE_MS: i64 = 600_000;

    /// The default of [`event_wait_ms`](Self::event_wait_ms).
    pub const EVENT_WAIT_MS: i64 = 60_000;

    /// The default of [`dead_letter_bytes`](Self::dead_letter_bytes): a million events or more.
    pub const DEAD_LETTER_BYTES: u64 = 256 << 20;

    /// The default of [`dead_letter_days`](Self::dead_letter_days).
    pub const DEAD_LETTER_DAYS: u32 = 30;

    /// How long rows that come after their hour was sealed are collected at most.
    const LATE_WAIT_MS: i64 = 60_000;

    pub(crate) fn late_wait_ms(&self) -> i64 {
        self.seal_grace_ms.min(Self::LATE_WAIT_MS)
    }

    /// The times at which hours begin whose rows belong in memory.
    pub(crate) fn hot(&self) -> RangeInclusive<i64> {
        self.hot_since()..=self.hot_clock.now()
    }

    /// Whether the rows of an hour belong in memory.
    pub(crate) fn is_hot(&self, hour: i64) -> bool {
        self.hot().contains(&hour)
    }

    /// The first of the hours whose rows belong in memory.
    pub(crate) fn hot_since(&self) -> i64 {
        hour_of(self.hot_clock.now().saturating_sub(i64::from(self.hot_hours) * HOUR_MS))
    }
}
