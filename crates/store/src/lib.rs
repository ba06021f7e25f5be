//! Keeping closed segments: in a journal first, in memory while they are hot, as Parquet in the archive for good.
//!
//! A [`Store`] owns one data directory. What it accepts is durable before [`Store::append`] returns, and is in every
//! [`Snapshot`] taken afterwards; [`ingest`] does so with a whole input. [`Store::append_events`] follows conversations, whose
//! open states are as durable as the segments that they leave behind. A snapshot is a consistent, immutable view: for
//! each account, one [`Partition`] for every hour of `end_time` in memory, and the [`ArchiveFile`]s of the others.
//! [`Store::maintain`], or a thread of [`Maintenance`], seals, merges, evicts and expires what is due.
//!
//! All files are reached through a [`Disk`], so that tests can put a failing one below the store.
//!
//! This crate does not know SQL, reports or HTTP.

mod admission;
mod archive_file;
mod archived_keys;
mod archived_totals;
mod backup;
mod check;
mod clock;
mod compaction;
mod conversation_record;
mod dead_letters;
mod directory;
mod disk;
mod error;
mod events;
mod eviction;
mod expiry;
mod file_list;
mod file_record;
mod group_commit;
mod ingestion;
mod journal;
mod journal_contents;
mod journal_entry;
mod keys;
mod maintenance;
mod memory_file;
mod options;
mod overlay_disk;
mod parquet_file;
mod partition;
mod past;
mod recovery;
mod retention;
mod run;
mod sealing;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod totals;

pub use admission::{Appended, RefusedRow};
pub use archive_file::{ArchiveFile, FileState};
pub use backup::{Backup, unpack_backup};
pub use check::{Checked, check};
pub use clock::Clock;
pub use disk::{Disk, DiskFile, InPlaceFile, LocalDisk};
pub use error::{Error, Result};
pub use ingestion::{Ingested, RejectedRecord, ingest, ingest_events, ingest_history};
pub use maintenance::Maintenance;
pub use options::{StoreOptions, memory_bytes};
pub use partition::Partition;
pub use retention::{Retention, RetentionError};
pub use snapshot::Snapshot;
pub use store::Store;
pub use totals::{Counted, Cursor, RowClass, Series, Stop, Tally, TallyByUserType, Totals};
