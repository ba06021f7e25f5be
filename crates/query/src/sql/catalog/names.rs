//! The names by which every statement finds the tables.

pub(in crate::sql) const CATALOG: &str = "skillscope";
pub(in crate::sql) const PUBLIC: &str = "public";
pub(super) const SEGMENTS: &str = "segments";
pub(super) const OPEN_CONVERSATIONS: &str = "open_conversations";
