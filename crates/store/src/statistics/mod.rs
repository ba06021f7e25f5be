//! What a store counts of its own work, as plain numbers: the crate does not know who asks for them, or in which form
//! they are told.

mod counts;
mod histogram;

pub use counts::{IngestionCounts, JobCounts, JournalCounts, StoreCounts};
pub(crate) use counts::{IngestionStatistics, Statistics};
pub use histogram::{Buckets, Distribution, Histogram};
