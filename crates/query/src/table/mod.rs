//! The table `segments`: closed segments of one moment, in memory and in the archive, pruned by what filters rule out.

mod archive_scan;
mod leaf_plan;
mod memory_scan;
mod pruning;
mod segments;

pub(crate) use leaf_plan::leaf_plan;
pub(crate) use segments::SegmentsTable;
