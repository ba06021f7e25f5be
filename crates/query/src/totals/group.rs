//! The rows of an answer that are counted together.

use std::ops::Range;
use std::sync::Arc;

use skillscope_segment::AccountId;
use skillscope_store::Totals;

/// Rows that may be counted together: the rows of an account, or of all accounts where the answer is not grouped by
/// account.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) account: Option<AccountId>,
    pub(super) parts: Vec<Arc<Totals>>,
    /// The skills that pass the conditions, in ascending order.
    pub(super) skills: Vec<i64>,
}

/// Skills of a group, by their places.
pub(super) type Share = (usize, Range<usize>);
