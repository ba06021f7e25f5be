//! Which subqueries DataFusion can make joins of by itself.

use datafusion::common::Result;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator};

/// Whether DataFusion cannot make a join of a subquery. One that only `exists` may have a `LIMIT`.
pub(super) fn is_difficult(subquery: &LogicalPlan, exists: bool) -> Result<bool> {
    let mut is_difficult = false;
    each_step(subquery, |node| is_difficult |= is_difficult_step(node, exists))?;
    Ok(is_difficult)
}

/// Whether any step of a plan refers to the query around it. Subqueries in it refer to it in their turn.
pub(super) fn refers_outside(plan: &LogicalPlan) -> bool {
    !plan.all_out_ref_exprs().is_empty()
}

fn is_difficult_step(node: &LogicalPlan, exists: bool) -> bool {
    match node {
        LogicalPlan::Filter(filter) => {
            let is_above_aggregate = matches!(filter.input.as_ref(), LogicalPlan::Aggregate(_));
            is_above_aggregate && refers_outside(&filter.input)
        }
        LogicalPlan::Limit(_) => !exists && refers_outside(node),
        LogicalPlan::Sort(_) | LogicalPlan::Union(_) => refers_outside(node),
        LogicalPlan::Subquery(_) => false,
        LogicalPlan::Aggregate(aggregate) if !aggregate.aggr_expr.is_empty() => {
            node.contains_outer_reference() || compares_otherwise(&aggregate.input)
        }
        _ => node.contains_outer_reference(),
    }
}

/// Whether rows below an aggregation are chosen by a comparison with the query around it other than that a column is
/// equal to something of it.
fn compares_otherwise(input: &LogicalPlan) -> bool {
    let mut otherwise = false;
    let visited = each_step(input, |node| {
        if let LogicalPlan::Filter(filter) = node {
            let conditions = split_conjunction(&filter.predicate).into_iter();
            otherwise |=
                conditions.filter(|condition| condition.contains_outer()).any(|condition| !is_equality(condition));
        }
    });
    otherwise || visited.is_err()
}

fn is_equality(condition: &Expr) -> bool {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return false };
    let is_column = |side: &Expr| match side {
        Expr::Column(_) => true,
        Expr::Cast(cast) => matches!(cast.expr.as_ref(), Expr::Column(_)),
        _ => false,
    };
    (is_column(left) && !right.any_column_refs()) || (is_column(right) && !left.any_column_refs())
}

/// Visits the steps of a plan, but for those of subqueries in its expressions.
fn each_step(plan: &LogicalPlan, mut visit: impl FnMut(&LogicalPlan)) -> Result<()> {
    plan.apply(|node| {
        visit(node);
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}
