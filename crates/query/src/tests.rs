//! The report against the contract's examples and against a plain loop over rows; the plan against what it promises.

mod analysts;
mod breach;
mod comments;
mod contract;
mod damage;
mod definitions;
mod figures;
mod hostile;
mod logic;
mod metrics;
mod now;
mod open_conversations;
mod oracle;
mod parameters;
mod plan;
mod random;
mod sessions;
mod sql;
mod statistics;
mod text;
mod totals;
mod world;
