//! The same report at many instants of the past, computed from an archive of segments. Each report is the body that the
//! endpoint would have answered at that instant.
//!
//! ```text
//! archive/ ─▶ stretches.rs ─▶ plan_runner.rs ─▶ timeline.rs ─▶ sliding_windows.rs ─▶ output/
//! the files    how much of     a plan, run       counts by      a report for          NDJSON or Parquet,
//! to read      them at a time  here or on a      skill and      each instant          with checkpoints
//!                              cluster           slice
//! ```
//!
//! Instants share the work. Time is cut into slices at every instant at which a report, or an interval of one, begins
//! or ends. One plan counts the segments of each skill and slice, and a report is the sum of the slices in its window,
//! which slides forward from instant to instant. So each row is read once. Only the slices of one timeframe, and of the
//! stretch of time that is being read, are in memory.
//!
//! The other way round, `comparison/` takes answers that another endpoint gave at instants of the past, and compares
//! them with the reports that are computed here in the same way.
//!
//! This crate does not know HTTP.

mod archive;
mod comparison;
mod error;
mod instants;
mod output;
mod plan_runner;
mod playback;
mod question;
mod replay;
mod report_writer;
mod skill_index;
mod sliding_windows;
mod sql;
mod stretches;
#[cfg(test)]
mod tests;
mod timeline;

pub use archive::{Archive, Location, SkippedFile};
pub use comparison::{
    Comparison, Explanation, Finding, Findings, Part, QuestionFindings, RecordedFile, Recordings, Suspect, Told,
    Unexplained, UnreadableLine, Variation, Verdict,
};
pub use error::{Error, Result};
pub use instants::Instants;
pub use plan_runner::PlanRunner;
pub use playback::Playback;
pub use question::Question;
pub use replay::{Replay, Summary};
pub use report_writer::Progress;
pub use sql::{ArchiveRows, ArchiveSql};
