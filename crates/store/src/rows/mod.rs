//! Rows in memory: sorted runs, the partitions that they make up, and the keys by which each row counts once.

pub(crate) mod arrival_times;
pub(crate) mod keys;
pub(crate) mod partition;
pub(crate) mod run;
