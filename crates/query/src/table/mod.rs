//! The tables `segments` and `open_conversations`, of one moment. Closed segments are in memory and in the archive, pruned
//! by what filters rule out; open conversations are in memory, and only those skills are visited that filters let through.

mod archive_scan;
mod leaf_plan;
mod memory_rows;
mod memory_scan;
mod moment_tables;
mod open_columns;
mod open_conversations;
mod open_scan;
mod pruning;
mod segments;
mod text_rows;
mod wanted_accounts;

pub(crate) use leaf_plan::{leaf_plan, leaf_properties};
pub(crate) use moment_tables::MomentTables;
pub(crate) use open_columns::open_comments;
pub(crate) use open_conversations::OpenConversationsTable;
pub(crate) use segments::SegmentsTable;
pub use segments::{stored_segments, stored_segments_as_text, unarchived_segments};
