//! The same report at many instants of the past, from archives: the bodies that the endpoint would have answered with.
//!
//! ```text
//! archive/ ─▶ stretches.rs ─▶ engine.rs ─▶ cells.rs ─▶ windows.rs ─▶ output/
//! what there   how much of    the plan,    counts of   a report      NDJSON or Parquet,
//! is to read   it at a time   run here     skill and   for each      with checkpoints
//!                             or there     slice       instant
//! ```
//!
//! Instants share the work: time is cut into slices at every instant at which a report, or an interval of one, begins or
//! ends, and one plan counts the segments of each skill and slice. Reports are sums of slices, over windows that slide. So
//! each row is read once, and what is in memory is the slices of one timeframe and of the stretch that is being read.
//!
//! This crate does not know HTTP.

mod archive;
mod cells;
mod engine;
mod error;
mod instants;
mod output;
mod playback;
mod question;
mod replay;
mod sql;
mod stretches;
#[cfg(test)]
mod tests;
mod windows;

pub use archive::{Archive, Location, SkippedFile};
pub use engine::Engine;
pub use error::{Error, Result};
pub use instants::Instants;
pub use playback::Playback;
pub use question::Question;
pub use replay::{Progress, Replay, Summary};
pub use sql::{ArchiveRows, ArchiveSql};
