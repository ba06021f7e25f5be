//! What is due, decided over plain data: no disk, no locks, no clock of its own.

pub(crate) mod compaction;
pub(crate) mod eviction;
pub(crate) mod retention;
pub(crate) mod runs;
pub(crate) mod sealing;
