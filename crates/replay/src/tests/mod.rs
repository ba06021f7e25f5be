//! Tests of replays.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::expect_used,
    reason = "a test may panic"
)]

mod as_known;
mod comparison;
mod equality;
mod failures;
mod folders;
mod outputs;
mod sql;
mod unusable;
mod world;
