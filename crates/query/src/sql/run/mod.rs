//! What a statement runs in: threads, memory and a place on the list of those that run; and how it is ended.

mod interruption;
mod memory;
mod rows;
mod running_queries;
mod workers;

pub(super) use interruption::{Interruption, interruptible};
pub(super) use memory::{SqlMemory, StatementMemory};
pub use rows::SqlRows;
pub(super) use running_queries::{ListedQuery, QueryPhase, RunningQueries};
pub use workers::SqlTask;
pub(super) use workers::Workers;
