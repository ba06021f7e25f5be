//! From a batch of segments or events to the commit that makes them durable.

pub(crate) mod append;
pub(crate) mod appended;
mod candidates;
mod contradictions;
mod dead_letters;
mod events;
mod group_commit;
mod history;
pub(crate) mod ingestion;
mod resumes;
