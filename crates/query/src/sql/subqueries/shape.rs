//! How many rows a subquery can have, as far as its plan tells.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::{Distinct, Expr, FetchType, Filter, LogicalPlan, SkipType};

/// What is known of the rows of a subquery.
#[derive(Debug)]
pub(super) enum Shape {
    /// It has none.
    Empty,
    /// It has exactly one: it is an aggregate without groups.
    OneRow,
    /// It has one row where a condition on an aggregate without groups holds, and otherwise none.
    Having {
        /// The aggregate.
        aggregate: Arc<LogicalPlan>,
        /// The condition.
        condition: Expr,
    },
    /// It has the rows of a plan but the first few.
    Beyond {
        /// The plan.
        rows: Arc<LogicalPlan>,
        /// How many are passed over.
        skipped: usize,
    },
    /// It has any number of rows.
    Any,
}

impl Shape {
    /// The shape of a subquery whose rows are counted.
    pub(super) fn of(plan: &LogicalPlan) -> Result<Self> {
        Ok(match plan {
            LogicalPlan::Projection(node) => Self::of(&node.input)?,
            LogicalPlan::SubqueryAlias(node) => Self::of(&node.input)?,
            LogicalPlan::Sort(node) if node.fetch.is_none() => Self::of(&node.input)?,
            LogicalPlan::Distinct(Distinct::All(input)) => Self::of(input)?,
            LogicalPlan::Aggregate(node) if node.group_expr.is_empty() => Self::OneRow,
            LogicalPlan::Filter(node) if is_having(node)? => {
                Self::Having { aggregate: Arc::clone(&node.input), condition: node.predicate.clone() }
            }
            LogicalPlan::Limit(node) => match (node.get_skip_type()?, node.get_fetch_type()?) {
                (_, FetchType::Literal(Some(0))) => Self::Empty,
                (SkipType::Literal(0), FetchType::Literal(_)) => Self::of(&node.input)?,
                (SkipType::Literal(skipped), FetchType::Literal(_)) => {
                    Self::Beyond { rows: Arc::clone(&node.input), skipped }
                }
                _ => Self::Any,
            },
            _ => Self::Any,
        })
    }
}

/// Whether a filter is on the one row of an aggregate. A filter that alone names columns of the query around it is a
/// condition of a join like any other.
fn is_having(filter: &Filter) -> Result<bool> {
    let is_of_one = matches!(Shape::of(&filter.input)?, Shape::OneRow);
    Ok(is_of_one && !(filter.predicate.contains_outer() && filter.input.all_out_ref_exprs().is_empty()))
}

/// A subquery of the shape [`Shape::Having`] without its condition.
pub(super) fn without_having(plan: &LogicalPlan) -> Result<LogicalPlan> {
    let without = plan.clone().transform_down(|node| {
        Ok(match node {
            LogicalPlan::Filter(filter) if is_having(&filter)? => {
                Transformed::new(filter.input.as_ref().clone(), true, TreeNodeRecursion::Stop)
            }
            other => Transformed::no(other),
        })
    });
    without.data()
}

/// The rows of a subquery, whatever their order and columns, without a limit that leaves at least one.
pub(super) fn rows_of(plan: &LogicalPlan) -> Result<&LogicalPlan> {
    Ok(match plan {
        LogicalPlan::Sort(node) if node.fetch.is_none() => rows_of(&node.input)?,
        LogicalPlan::Limit(node) => match (node.get_skip_type()?, node.get_fetch_type()?) {
            (SkipType::Literal(0), FetchType::Literal(None | Some(1..))) => rows_of(&node.input)?,
            _ => plan,
        },
        other => other,
    })
}
