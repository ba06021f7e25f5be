//! What a store has done since it was opened.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use skillscope_segment::Impossible;

use super::histogram::{Distribution, Histogram};

/// What a store counts. Every part of the store that counts something holds the same one.
#[derive(Debug)]
pub(crate) struct Statistics {
    pub(crate) segments: IngestionStatistics,
    pub(crate) events: IngestionStatistics,
    pub(crate) sealing: JobStatistics,
    pub(crate) compaction: JobStatistics,
    /// Segments that commits have stored.
    pub(crate) stored: AtomicU64,
    pub(crate) commit_failures: AtomicU64,
    pub(crate) commit_times: Histogram,
    pub(crate) commit_sizes: Histogram,
    pub(crate) sync_times: Arc<Histogram>,
    pub(crate) gaps_given_up: AtomicU64,
    pub(crate) files_lost: AtomicU64,
    pub(crate) files_expired: AtomicU64,
    /// The latest time of an event that is not ahead of the clock, in milliseconds since the epoch.
    newest_event: AtomicI64,
}

/// What became of records that were sent.
#[derive(Debug, Default)]
pub(crate) struct IngestionStatistics {
    accepted: AtomicU64,
    duplicates: AtomicU64,
    rejected: AtomicU64,
}

/// What became of a job of maintenance.
#[derive(Debug)]
pub(crate) struct JobStatistics {
    times: Histogram,
    failures: AtomicU64,
}

/// A job that is under way. Unless it is told to be [done](Self::done), it has failed, also where it panicked.
pub(crate) struct Job<'s> {
    statistics: &'s JobStatistics,
    start: Instant,
    is_done: bool,
}

impl Default for Statistics {
    fn default() -> Self {
        Self {
            segments: IngestionStatistics::default(),
            events: IngestionStatistics::default(),
            sealing: JobStatistics::new(),
            compaction: JobStatistics::new(),
            stored: AtomicU64::new(0),
            commit_failures: AtomicU64::new(0),
            commit_times: Histogram::of_seconds(),
            commit_sizes: Histogram::of_bytes(),
            sync_times: Arc::new(Histogram::of_seconds()),
            gaps_given_up: AtomicU64::new(0),
            files_lost: AtomicU64::new(0),
            files_expired: AtomicU64::new(0),
            newest_event: AtomicI64::new(i64::MIN),
        }
    }
}

impl Statistics {
    /// Notes the time of an event that was taken in.
    pub(crate) fn note_event(&self, time: i64) {
        self.newest_event.fetch_max(time, Ordering::Relaxed);
    }

    /// What was counted so far. Dead letters are counted elsewhere.
    pub(crate) fn read(&self, dead_letters: BTreeMap<Impossible, u64>) -> StoreCounts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        StoreCounts {
            segments: self.segments.read(),
            events: self.events.read(),
            stored_segments: of(&self.stored),
            newest_event: Some(self.newest_event.load(Ordering::Relaxed)).filter(|time| *time != i64::MIN),
            gaps_given_up: of(&self.gaps_given_up),
            dead_letters,
            journal: JournalCounts {
                failures: of(&self.commit_failures),
                commit_seconds: self.commit_times.read(),
                commit_bytes: self.commit_sizes.read(),
                sync_seconds: self.sync_times.read(),
            },
            sealing: self.sealing.read(),
            compaction: self.compaction.read(),
            files_lost: of(&self.files_lost),
            files_expired: of(&self.files_expired),
        }
    }
}

impl IngestionStatistics {
    /// Adds what has become of some records.
    pub(crate) fn add(&self, records: IngestionCounts) {
        self.accepted.fetch_add(records.accepted, Ordering::Relaxed);
        self.duplicates.fetch_add(records.duplicates, Ordering::Relaxed);
        self.rejected.fetch_add(records.rejected, Ordering::Relaxed);
    }

    fn read(&self) -> IngestionCounts {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        IngestionCounts { accepted: of(&self.accepted), duplicates: of(&self.duplicates), rejected: of(&self.rejected) }
    }
}

impl JobStatistics {
    fn new() -> Self {
        Self { times: Histogram::of_seconds(), failures: AtomicU64::new(0) }
    }

    pub(crate) fn begin(&self) -> Job<'_> {
        Job { statistics: self, start: Instant::now(), is_done: false }
    }

    fn read(&self) -> JobCounts {
        JobCounts { seconds: self.times.read(), failures: self.failures.load(Ordering::Relaxed) }
    }
}

impl Job<'_> {
    pub(crate) fn done(mut self) {
        self.statistics.times.add_since(self.start);
        self.is_done = true;
    }
}

impl Drop for Job<'_> {
    fn drop(&mut self) {
        if !self.is_done {
            self.statistics.failures.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a store has done since it was opened.
#[derive(Debug, Clone)]
pub struct StoreCounts {
    /// Records of closed segments that were sent.
    pub segments: IngestionCounts,
    /// Conversation events that were sent.
    pub events: IngestionCounts,
    /// Segments that were stored, whether they came closed or events closed them.
    pub stored_segments: u64,
    /// The latest time of an event that is not ahead of the clock, in milliseconds since the epoch; `None` before there
    /// is one.
    pub newest_event: Option<i64>,
    /// Gaps in conversations that were not waited for any longer.
    pub gaps_given_up: u64,
    /// Events that could have no effect, by reason.
    pub dead_letters: BTreeMap<Impossible, u64>,
    /// Commits.
    pub journal: JournalCounts,
    /// Hours that were written to files.
    pub sealing: JobCounts,
    /// Files that were merged.
    pub compaction: JobCounts,
    /// Files that were given up because they are corrupt or gone.
    pub files_lost: u64,
    /// Files that left the archive because their segments are too old.
    pub files_expired: u64,
}

/// What became of records that were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct IngestionCounts {
    /// Records that are stored, and were not before.
    pub accepted: u64,
    /// Records that were stored already.
    pub duplicates: u64,
    /// Records that were not taken.
    pub rejected: u64,
}

impl IngestionCounts {
    /// What was added since it was `before`.
    pub(crate) fn since(self, before: Self) -> Self {
        Self {
            accepted: self.accepted.saturating_sub(before.accepted),
            duplicates: self.duplicates.saturating_sub(before.duplicates),
            rejected: self.rejected.saturating_sub(before.rejected),
        }
    }
}

/// The commits of the journal.
#[derive(Debug, Clone)]
pub struct JournalCounts {
    /// Commits that failed.
    pub failures: u64,
    /// How long each of the others took, in seconds.
    pub commit_seconds: Distribution,
    /// The rows and conversations of each, in bytes.
    pub commit_bytes: Distribution,
    /// How long each sync of the journal took, in seconds. A commit has one or more.
    pub sync_seconds: Distribution,
}

/// A job of maintenance.
#[derive(Debug, Clone)]
pub struct JobCounts {
    /// How long it took each time, in seconds.
    pub seconds: Distribution,
    /// How often it failed; it is tried again.
    pub failures: u64,
}
