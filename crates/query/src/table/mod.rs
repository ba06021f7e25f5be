//! The table `segments`: closed segments of one moment, in memory and in the archive, pruned by what filters rule out.

mod archive_scan;
mod leaf_plan;
mod memory_rows;
mod memory_scan;
mod pruning;
mod segments;
mod text_rows;

pub(crate) use leaf_plan::{leaf_plan, leaf_properties};
pub(crate) use segments::SegmentsTable;
pub use segments::{stored_segments, stored_segments_as_text, unarchived_segments};
