//! Parquet files, where rows stay for good: their bytes, the handle to one of them, and their keys and totals in
//! memory.

mod bounded;
pub(crate) mod file;
pub(crate) mod keys;
pub(crate) mod parquet;
pub(crate) mod placing;
pub(crate) mod reading;
pub(crate) mod totals;
