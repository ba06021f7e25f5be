//! What operators see, in the forms that Prometheus reads.
//!
//! ```text
//! counted where it happens           read when somebody asks        told
//! store, query: their own counts ──┐
//! connections, http/: statistics ──┼─▶ families/, a file a subject ─▶ exposition.rs ─▶ http/metrics.rs
//! /proc: the process               ┘     name, help, unit, labels
//! ```
//!
//! A metric is defined once, beside what reads it. Labels have few values, none of which comes from outside: routes as
//! they are described, statuses, doors. No account, token or statement is one.

mod definition;
mod exposition;
mod families;

pub(crate) use exposition::TextFormat;
pub(crate) use families::{Budgets, gather};
