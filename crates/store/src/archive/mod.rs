//! Parquet files, where rows stay for good: their bytes, the handle to one of them, and what of them is kept in memory.

pub(crate) mod file;
pub(crate) mod keys;
pub(crate) mod loss;
pub(crate) mod parquet;
pub(crate) mod totals;
