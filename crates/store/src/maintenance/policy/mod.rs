//! The pickers: pure functions over plain data that decide which work is due. They know no disk, no locks and no clock.

pub(crate) mod compaction;
pub(crate) mod eviction;
pub(crate) mod pressure;
pub(crate) mod retention;
pub(crate) mod runs;
pub(crate) mod sealing;
