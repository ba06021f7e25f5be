//! Questions about closed segments, answered by DataFusion.
//!
//! A [`ReportRequest`] is compiled to a logical plan of built-in functions, run over the `segments` table, and put
//! together as a [`Report`], which writes itself as the contract's JSON. Analysts' SQL runs over the same table
//! ([`SqlSession::run`]). The table reads a snapshot of the store, in memory and in the archive, and only the hours that a
//! query can touch.
//!
//! This crate does not know sockets or wire formats.

mod engine;
mod error;
mod report;
mod scope;
mod sql;
mod table;
#[cfg(test)]
mod tests;
mod totals;

pub use engine::{Engine, ReportPlan};
pub use error::{Error, ErrorKind, Result};
pub use report::{
    Breakdown, CellRequest, CellRow, CellRows, Interval, Metrics, Report, ReportParameters, ReportRequest,
    UserTypeFilter, stored_segments, unarchived_segments,
};
pub use scope::Scope;
pub use skillscope_store::Clock;
pub use sql::{SqlDescription, SqlLimits, SqlRows, SqlSession, SqlTask};
