//! What a store holds at a moment, in numbers.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::maintenance::{compaction, sealing};
use crate::rows::partition::Partition;
use crate::snapshot::Snapshot;
use crate::store::Store;
use crate::writer::arrivals::AHEAD_MS;

/// The writer is waited for so long. Writes hold it for milliseconds, but for the journal to be written anew.
const PATIENCE: Duration = Duration::from_millis(500);

/// What a store holds at a moment.
#[derive(Debug, Clone)]
pub struct Holdings {
    /// Accounts that have segments.
    pub accounts: u64,
    /// Hours of accounts whose segments are in memory.
    pub partitions: u64,
    /// Segments in memory.
    pub segments_in_memory: u64,
    /// Segments that are read from files.
    pub segments_on_disk: u64,
    /// Segments that no file has yet.
    pub unsealed_segments: u64,
    /// Files whose segments are in memory, too.
    pub resident_files: u64,
    /// Files whose segments are read from disk.
    pub other_files: u64,
    /// The length of all files, in bytes.
    pub archive_bytes: u64,
    /// The length of the journal, in bytes; `None` where it cannot be told now.
    pub journal_bytes: Option<u64>,
    /// Files that were set aside.
    pub quarantined_files: u64,
    /// How far sealing is behind.
    pub sealing: SealingDue,
    /// How far merging files is behind.
    pub compaction: CompactionDue,
    /// Memory by what it is for.
    pub memory: MemoryInUse,
    /// The conversations that are followed.
    pub conversations: ConversationNumbers,
    /// The latest end of a segment that is not ahead of the clock, in milliseconds since the epoch; `None` where there
    /// is no segment.
    pub newest_segment: Option<i64>,
    /// The instant of all this, in milliseconds since the epoch, by the clock of readers.
    pub now: i64,
}

/// How far sealing is behind.
#[derive(Debug, Clone, Copy)]
pub struct SealingDue {
    /// Hours of accounts that should have been sealed by now.
    pub hours: u64,
    /// Memory that their segments take, in bytes.
    pub bytes: u64,
    /// How long the first of them has been due.
    pub longest: Duration,
}

/// How far merging files is behind.
#[derive(Debug, Clone, Copy)]
pub struct CompactionDue {
    /// Files that should be merged now.
    pub files: u64,
    /// Their length, in bytes.
    pub bytes: u64,
}

/// Memory of a store by what it is for, and its limits, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct MemoryInUse {
    /// Segments.
    pub rows: u64,
    /// Running totals of these.
    pub totals: u64,
    /// The keys of these, by which each counts once.
    pub keys: u64,
    /// The limit of the three together.
    pub hot_limit: u64,
    /// Running totals of files.
    pub archived_totals: u64,
    /// The limit of those that are of older files than the hot hours.
    pub archived_totals_limit: u64,
    /// Keys that were read from files.
    pub archived_keys: u64,
}

/// The conversations that are followed.
#[derive(Debug, Clone, Copy)]
pub struct ConversationNumbers {
    /// Conversations that are open.
    pub open: u64,
    /// Events that wait for earlier ones of their conversations.
    pub waiting_events: u64,
}

/// What the writer told last: who only wants to see is not held up by a write that takes long.
#[derive(Debug, Default)]
pub(crate) struct LastTold {
    open: AtomicUsize,
    waiting: AtomicUsize,
    key_bytes: AtomicUsize,
}

impl Store {
    /// What is held now, in numbers. This walks over all hours and files, and holds up nobody.
    pub fn holdings(&self) -> Holdings {
        let (shared, snapshot) = (self.shared(), self.snapshot());
        let (options, directory) = (shared.options(), shared.directory());
        let now = options.hot_clock.now();
        let behind = sealing::behind(&snapshot, options);
        let (files, bytes) = compaction::due(&snapshot, options);
        let (conversations, keys) = self.ask_writer();
        let partitions = || snapshot.all_partitions();
        let of_partitions =
            |number: fn(&Partition) -> usize| partitions().map(|partition| number(partition) as u64).sum();
        let totals: u64 = of_partitions(Partition::totals_bytes);
        let rows_and_totals: u64 = of_partitions(Partition::bytes);
        let of_files = Files::of(&snapshot);
        Holdings {
            accounts: snapshot.accounts().count() as u64,
            partitions: partitions().count() as u64,
            segments_in_memory: of_partitions(Partition::rows),
            segments_on_disk: of_files.rows_on_disk,
            unsealed_segments: of_partitions(Partition::unsealed_rows),
            resident_files: of_files.resident,
            other_files: of_files.others,
            archive_bytes: of_files.bytes,
            journal_bytes: directory.journal_bytes().ok(),
            quarantined_files: directory.quarantined(),
            sealing: SealingDue {
                hours: behind.hours as u64,
                bytes: behind.bytes as u64,
                longest: Duration::from_millis(u64::try_from(behind.longest_ms).unwrap_or(0)),
            },
            compaction: CompactionDue { files, bytes },
            memory: MemoryInUse {
                rows: rows_and_totals.saturating_sub(totals),
                totals,
                keys,
                hot_limit: options.hot_bytes,
                archived_totals: self.totals_of_files().bytes(),
                archived_totals_limit: options.totals_bytes,
                archived_keys: self.appends().archived_keys_bytes() as u64,
            },
            conversations,
            newest_segment: newest(&snapshot, now.saturating_add(AHEAD_MS)),
            now,
        }
    }

    /// The numbers of conversations, and the memory of keys.
    fn ask_writer(&self) -> (ConversationNumbers, u64) {
        let last = self.last_told();
        if let Some(writer) = self.shared().writer_within(PATIENCE) {
            last.open.store(writer.segmenter().open_conversations(), Ordering::Relaxed);
            last.waiting.store(writer.segmenter().waiting_events(), Ordering::Relaxed);
            last.key_bytes.store(writer.keys().bytes(), Ordering::Relaxed);
        }
        let told = |number: &AtomicUsize| number.load(Ordering::Relaxed) as u64;
        let conversations = ConversationNumbers { open: told(&last.open), waiting_events: told(&last.waiting) };
        (conversations, told(&last.key_bytes))
    }
}

/// The files of a snapshot.
#[derive(Default)]
struct Files {
    resident: u64,
    others: u64,
    rows_on_disk: u64,
    bytes: u64,
}

impl Files {
    fn of(snapshot: &Snapshot) -> Self {
        let mut all = Self::default();
        for account in snapshot.accounts() {
            let (files, archived) = (snapshot.files(account).count() as u64, snapshot.archived(account).count() as u64);
            all.others += archived;
            all.resident += files.saturating_sub(archived);
            all.rows_on_disk += snapshot.archived(account).map(|file| file.rows()).sum::<u64>();
            all.bytes += snapshot.files(account).map(|file| file.bytes()).sum::<u64>();
        }
        all
    }
}

/// The latest end of a segment that is not after `latest`, as far as hours and files as wholes tell.
fn newest(snapshot: &Snapshot, latest: i64) -> Option<i64> {
    let in_memory = snapshot.all_partitions().map(|partition| *partition.end_times().end());
    let in_files = snapshot.all_files().map(|file| *file.end_times().end());
    in_memory.chain(in_files).filter(|end| *end <= latest).max()
}
