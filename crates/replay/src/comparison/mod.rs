//! Recorded answers of another endpoint, compared with the reports that we compute for the same account, instant and
//! parameters.
//!
//! ```text
//! recordings.rs ─▶ pass.rs ─────────▶ difference.rs ─┬▶ findings.rs       what differs, by how much, since when
//! lines of files    our reports at     of one report   └▶ evidence.rs ─▶ suspects.rs ─▶ verdict.rs
//!                   their instants                        what differs    segments that   those that explain
//!                                                         in each cell    may be why      the most
//! ```
//!
//! `placement.rs` says where a segment counts, `prediction.rs` what would differ if it counted elsewhere, and `score.rs`
//! how well that is what differs.
//!
//! A line is read by `recorded_answer.rs`, its body by `recorded_report.rs` and its numbers by `told.rs`. Recordings
//! are grouped by their question, and a group is compared in the order of time, as a replay.

mod difference;
mod evidence;
mod findings;
mod pass;
mod placement;
mod prediction;
mod recorded_answer;
mod recorded_report;
mod recordings;
mod score;
mod suspects;
mod told;
mod verdict;

pub use difference::Part;
pub use findings::{Finding, Findings, QuestionFindings};
pub use pass::Comparison;
pub use placement::Variation;
pub use recordings::{RecordedFile, Recordings, UnreadableLine};
pub use suspects::Suspect;
pub use told::Told;
pub use verdict::{Explanation, Unexplained, Verdict};
