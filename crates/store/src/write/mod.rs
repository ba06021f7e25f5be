//! From a batch of segments or events to one commit that makes them durable.

pub(crate) mod appended;
pub(crate) mod candidates;
pub(crate) mod dead_letters;
pub(crate) mod events;
pub(crate) mod group_commit;
pub(crate) mod ingestion;
pub(crate) mod resumes;
