//! Keeps closed segments: in a journal first, in memory while they are hot, as Parquet in the archive for good.
//!
//! A [`Store`] owns one data directory. Segments are durable when [`Store::append`] returns, and are in every
//! [`Snapshot`] taken afterwards; [`Store::ingest`] appends a whole input. [`Store::append_events`] follows
//! conversations, whose open states are as durable as the segments that they leave behind. A snapshot is a consistent,
//! immutable view: for each account, one [`Partition`] for every hour of `end_time` in memory, and an [`ArchiveFile`]
//! for each file whose rows are not. [`Store::maintain`], or a thread of [`Maintenance`], seals, merges, evicts and
//! expires segments when it is time.
//!
//! [`Store::put_relation`] keeps small tables and views that somebody adds beside the segments.
//!
//! All access to files goes through a [`Disk`], so that tests can put a failing one below the store.
//!
//! This crate does not know SQL, reports or HTTP.

mod archive;
mod backup;
mod calendar;
mod check;
mod clock;
mod counting_sink;
mod disk;
mod error;
mod feeds;
mod holdings;
mod journal;
mod linked_copy;
mod maintenance;
mod moment;
mod open;
mod options;
mod recovery;
mod relations;
mod rows;
mod shared;
mod snapshot;
mod statistics;
mod store;
#[cfg(test)]
mod tests;
mod time;
mod totals;
mod write;
mod writer;

pub use archive::file::{ArchiveFile, FileState};
pub use archive::reading::OpenArchiveFile;
pub use backup::{Backup, unpack_backup};
pub use check::{Checked, check};
pub use clock::Clock;
pub use disk::{Disk, DiskFile, InPlaceFile, LocalDisk};
pub use error::{Error, Result};
pub use feeds::Feed;
pub use holdings::{CompactionDue, ConversationNumbers, Holdings, MemoryInUse, SealingDue};
pub use linked_copy::LinkedCopy;
pub use maintenance::retention::Expiring;
pub use maintenance::thread::Maintenance;
pub use moment::Moment;
pub use open::{OpenAccount, OpenConversations, OpenCounts, OpenSkill, WaitTimes};
pub use options::{Retention, RetentionError, StoreOptions, memory_bytes, memory_share};
pub use relations::{IfThere, MAX_VIEW_BYTES, Relation, RelationError, RelationKind, RelationName, RelationSet};
pub use rows::arrival_times::ArrivalTimes;
pub use rows::partition::Partition;
pub use snapshot::Snapshot;
pub use statistics::{Buckets, Distribution, Histogram, IngestionCounts, JobCounts, JournalCounts, StoreCounts};
pub use store::{Recovery, Store};
pub use totals::{Counted, Cursor, RowClass, Series, Stop, Tally, TallyByUserType, Totals};
pub use write::appended::{Appended, RefusedRow};
pub use write::ingestion::{Ingested, RecordSink, Records, RejectedRecord, ingest};
