//! Expressions that grow while they are moved.

use std::collections::HashMap;

use datafusion::common::plan_err;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};

/// The most parts of a condition once it has been moved below the query that computes what it names.
const MAX_PARTS: usize = 50_000;

/// Refuses a plan in which a condition becomes too large where it is moved below a projection: it has the projection's
/// expressions then in the place of their names. Queries in one another, each of which adds the column of the inner one
/// to itself, would double it level by level.
pub(super) fn check_inlined_parts(plan: &LogicalPlan) -> Result<()> {
    let LogicalPlan::Filter(filter) = plan else { return Ok(()) };
    let LogicalPlan::Projection(projection) = filter.input.as_ref() else { return Ok(()) };
    let columns = projection.schema.fields().iter().map(|field| field.name().as_str());
    let parts: HashMap<&str, usize> = columns.zip(projection.expr.iter().map(parts)).collect();
    let mut inlined = 0_usize;
    filter.predicate.apply(|part| {
        let of_column = match part {
            Expr::Column(column) => parts.get(column.name.as_str()).copied().unwrap_or(1),
            _ => 1,
        };
        inlined = inlined.saturating_add(of_column);
        Ok(if inlined > MAX_PARTS { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    if inlined > MAX_PARTS {
        return plan_err!(
            "a condition has more than {MAX_PARTS} parts, with what the columns that it names are computed from"
        );
    }
    Ok(())
}

fn parts(expression: &Expr) -> usize {
    let mut parts = 0;
    // Nothing fails here.
    let _ = expression.apply(|_| {
        parts += 1;
        Ok(TreeNodeRecursion::Continue)
    });
    parts
}
