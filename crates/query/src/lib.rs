//! Questions about closed segments, answered by DataFusion.
//!
//! A [`ReportRequest`] is compiled to a logical plan of built-in functions, run over the `segments` table, and put
//! together as a [`Report`], which writes itself as the contract's JSON. Analysts' SQL runs over the same table
//! ([`Engine::sql`]). The table reads a snapshot of the store, and only the hours that a query can touch.
//!
//! This crate does not know sockets or wire formats.

mod assembly;
mod clock;
mod engine;
mod error;
mod metrics;
mod plan;
mod report;
mod report_json;
mod request;
mod scan;
mod sql;
mod table;
#[cfg(test)]
mod tests;

pub use clock::Clock;
pub use engine::{Engine, ReportPlan};
pub use error::{Error, Result};
pub use metrics::Metrics;
pub use report::{Breakdown, Interval, Report};
pub use request::{ReportRequest, UserTypeFilter};
pub use sql::SqlQuery;
