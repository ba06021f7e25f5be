//! What is counted or summed of segments, as an expression of a plan and as SQL.

use arrow::datatypes::DataType;
use datafusion::error::Result;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{Expr, ExprFunctionExt, lit};
use skillscope_segment::{Outcome, column};

use super::expression::{segment, word};

/// A count or a sum over segments. Measures of disjoint sets of segments add up.
#[derive(Debug, Clone, Copy)]
pub(super) enum Measure {
    /// The number of segments.
    Segments,
    /// The number of segments with this outcome.
    WithOutcome(Outcome),
    /// The number of segments for which this column of flags is true.
    WithFlag(&'static str),
    /// The number of segments that have a value in this column.
    WithValue(&'static str),
    /// The sum of the values of this column. It has 64 bits, and wraps around: it holds unless a million segments of
    /// one skill and interval waited for two hundred years each.
    Sum(&'static str),
}

impl Measure {
    /// What makes a segment one of those that are counted or summed; `None` where all of them are.
    pub(super) fn condition(self) -> Option<Expr> {
        match self {
            Self::Segments => None,
            Self::WithOutcome(outcome) => Some(segment(column::OUTCOME).eq(word(DataType::Int8, outcome.as_str()))),
            Self::WithFlag(flag) => Some(segment(flag)),
            Self::WithValue(name) | Self::Sum(name) => Some(segment(name).is_not_null()),
        }
    }

    /// The measure as an aggregate of built-in functions, with the types that the table's columns have.
    pub(super) fn expression(self) -> Result<Expr> {
        match self {
            Self::Segments | Self::WithOutcome(_) | Self::WithFlag(_) => match self.condition() {
                Some(condition) => count(lit(1)).filter(condition).build(),
                None => Ok(count(lit(1))),
            },
            Self::WithValue(name) => Ok(count(segment(name))),
            Self::Sum(name) => Ok(sum(segment(name))),
        }
    }

    /// The measure in SQL, never null.
    pub(super) fn sql(self) -> String {
        match self {
            Self::Segments => "count(*)".to_owned(),
            Self::WithOutcome(outcome) => {
                format!("count(*) filter (where {} = '{}')", column::OUTCOME, outcome.as_str())
            }
            Self::WithFlag(flag) => format!("count(*) filter (where {flag})"),
            Self::WithValue(name) => format!("count({name})"),
            Self::Sum(name) => format!("coalesce(sum({name}), 0)"),
        }
    }
}

/// The mean of a column's values, rounded half up; 0 where no segment has a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoundedMean(pub(super) &'static str);

impl RoundedMean {
    /// What makes a segment one of those whose values are averaged.
    pub(super) fn condition(self) -> Option<Expr> {
        Measure::WithValue(self.0).condition()
    }

    /// The mean in SQL.
    pub(super) fn sql(self) -> String {
        let name = self.0;
        format!("coalesce((2 * sum({name}) + count({name})) / nullif(2 * count({name}), 0), 0)")
    }
}
