//! PostgreSQL's patterns, by which times and numbers are written and read.
//!
//! ```text
//! field.rs ─▶ time_pattern.rs ─┬─▶ written.rs  a time as text
//!                              └─▶ read.rs     a text as a time
//! number_pattern.rs            numbers, both ways
//! ```

mod field;
mod number_pattern;
mod read;
mod time_pattern;
mod written;

pub(super) use number_pattern::NumberPattern;
pub(super) use time_pattern::TimePattern;
pub(super) use written::Moment;
