//! Keeping closed segments: on disk as Parquet, in memory as Arrow record batches cut by time.
//!
//! A [`Store`] owns one data directory. What it accepts is written under `archive/` before [`Store::append`] returns,
//! and is in every [`Snapshot`] taken afterwards; [`ingest`] does so with a whole input. A snapshot is a consistent, immutable view: for each account, one
//! [`Partition`] for every hour of `end_time`, with the range of values in it.
//!
//! This crate does not know SQL, reports or HTTP.

mod archive;
mod directory;
mod error;
mod ingestion;
mod keys;
mod partition;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;

pub use error::{Error, Result};
pub use ingestion::{Ingested, RejectedRecord, ingest};
pub use partition::Partition;
pub use snapshot::Snapshot;
pub use store::{Appended, RefusedRow, Store};
