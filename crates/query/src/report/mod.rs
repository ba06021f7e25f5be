//! The report: from a request to its answer as JSON or rows.
//!
//! ```text
//! request.rs ─▶ plan.rs ─▶ session.rs  planned and run ─▶ assembly.rs ─▶ answer.rs ─┬▶ json.rs
//!                 metrics.rs                                                        └▶ rows.rs
//! ```
//!
//! `cost.rs` says beforehand how large it is about to be. `cells.rs` asks the same plan for slices of time, from which
//! reports at many instants can be added up. `figure.rs` asks for the segments that one figure counts, and
//! `counted_segments.rs` for single segments with what each counts as.

mod answer;
mod assembly;
mod cells;
mod columns;
mod cost;
mod counted_segments;
mod expression;
mod figure;
mod json;
mod measure;
mod metrics;
mod plan;
mod request;
mod rows;
mod session;

pub use answer::{Breakdown, Interval, Report};
pub(crate) use assembly::assemble;
pub use cells::{CellRequest, CellRow, CellRows, KnownAt};
pub(crate) use cost::report_cells;
pub use counted_segments::{CountedSegment, CountedSegments};
pub(crate) use figure::Figure;
pub(crate) use metrics::MetricColumn;
pub use metrics::{Metric, Metrics};
#[cfg(test)]
pub(crate) use plan::ReportPlans;
pub use request::{ReportParameters, ReportRequest, UserTypeFilter};
pub(crate) use session::ReportSession;
