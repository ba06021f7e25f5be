//! Bounds for what a statement computes: functions whose results outgrow their arguments, types, constants, numbers.
//!
//! ```text
//! rule.rs  every call in a plan is replaced by one that is bounded
//!     │
//!     ├─▶ function.rs   the call ─▶ growth.rs, lengths.rs  how large its result becomes, before there is one
//!     │                     └─────▶ charge.rs              its memory counts as the statement's as long as it is there
//!     ├─▶ arithmetic.rs, sum.rs  + - * and sum of integers, which fail where the result is out of range
//!     └─▶ types.rs, constants.rs
//!
//! guard/  what goes into operators that copy rows many times: large values are refused, memory that nobody counts is
//!         counted, and rows are passed on a few at a time
//! ```

mod arithmetic;
mod charge;
mod constants;
mod function;
mod growth;
mod guard;
mod lengths;
mod rule;
mod sum;
mod types;

pub(super) use charge::ChargedMemory;
pub(super) use constants::Constants;
pub(super) use function::bounded;
pub(super) use growth::{adds_up, is_multiplying};
pub(super) use guard::guarded;
pub(super) use lengths::bytes_of_batch;
pub(super) use rule::{BoundedCalls, known_columns, with_expressions};
pub(super) use types::check_types;
