//! Counts and sums by difference of running totals, instead of by a scan of rows.
//!
//! ```text
//! SQL or request → logical plan → rule.rs ─ has the shape ─▶ node.rs → parts.rs → exec.rs → counting.rs
//!                                         └ any other ─▶ scan
//! ```
//!
//! The shape: counts and sums of the metrics, grouped by any of account, skill, user type and bin of the end time, over
//! ranges of end times and any conditions on the account, the skill and the user type alone.

mod answer_columns;
mod bin_window;
mod bins;
mod conditions;
mod counting;
mod exec;
mod group;
mod node;
mod parts;
mod rule;
mod tally_metric;

use bins::Bins;
use conditions::Conditions;
use tally_metric::TallyMetric;

pub(crate) use node::{plan_totals, totals_query_planner};
pub(crate) use rule::AnswerFromTotals;

/// What is asked of the totals.
#[derive(Debug)]
struct TotalsQuery {
    conditions: Conditions,
    keys: Vec<Key>,
    /// The width and place of the bins; one for all times where none are asked for.
    bins: Bins,
    metrics: Vec<TallyMetric>,
}

/// A column to group by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Account,
    Skill,
    UserType,
    Bin,
}

impl TotalsQuery {
    fn is_by(&self, key: Key) -> bool {
        self.keys.contains(&key)
    }
}
