//! Counts and sums as differences of running totals: no rows are scanned.
//!
//! ```text
//! SQL or request → logical plan → rule.rs ─ has the shape ─▶ node.rs → parts.rs → exec.rs → counting.rs
//!                                         └ any other ─▶ scan
//! ```
//!
//! Only aggregations of one shape are answered so: counts and sums that tallies know; grouped by any of account, skill,
//! user type and bin of the end time; with conditions each of which is a range of end times, or is on the account, the
//! skill or the user type alone.

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

/// A question that totals answer.
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
