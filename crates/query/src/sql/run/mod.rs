//! What a statement runs in: threads, memory, turns and a place on the list of those that run; and how it is ended.

mod allowance;
mod inlined_parts;
mod interruptible_rules;
mod interruption;
mod memory;
mod once;
mod outbox;
mod planners;
mod rows;
mod running_queries;
mod statement_reach;
mod statistics;
mod turns;
mod workers;

pub(super) use interruptible_rules::UnlessEnded;
pub(super) use interruption::{Interruption, interruptible};
pub(super) use memory::{SqlMemory, StatementMemory};
pub(super) use outbox::Outbox;
pub(super) use planners::Planners;
pub use rows::SqlRows;
pub(super) use running_queries::{ListedQuery, QueryPhase, RunningQueries, RunningQuery};
pub(super) use statement_reach::StatementReach;
pub(super) use statistics::{Counted, DoorStatistics, StatementStatistics};
pub use statistics::{DoorCounts, StatementOutcome};
pub(super) use turns::{Turn, Turns};
pub use workers::SqlTask;
pub(super) use workers::Workers;
