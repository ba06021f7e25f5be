//! Large constants, where each row of an answer would have its own copy.

use datafusion::common::plan_err;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::lengths::bytes_of_scalar;

/// The most bytes of the constants in a row.
const MAX_BYTES: u64 = 16 << 10;

/// A rule that changes nothing: it refuses plans whose rows have large constants in them. What is only compared with
/// rows, or an argument of a function, may be larger.
#[derive(Debug)]
pub(in crate::sql) struct Constants;

impl OptimizerRule for Constants {
    fn name(&self) -> &str {
        "constants"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        // There, a constant is a row of its own.
        if !matches!(plan, LogicalPlan::Values(_)) {
            let mut in_row = 0;
            plan.apply_expressions(|expression| {
                add_constants(expression, &mut in_row)?;
                Ok(TreeNodeRecursion::Continue)
            })?;
        }
        Ok(Transformed::no(plan))
    }
}

fn add_constants(expression: &Expr, in_row: &mut u64) -> Result<()> {
    if let Expr::Literal(value, _) = expression {
        *in_row = in_row.saturating_add(bytes_of_scalar(value));
        if *in_row > MAX_BYTES {
            return plan_err!("a row would have constants of {in_row} bytes in it; at most {MAX_BYTES} are allowed");
        }
        return Ok(());
    }
    let takes_constants = match expression {
        Expr::ScalarFunction(_) | Expr::Like(_) | Expr::SimilarTo(_) | Expr::InList(_) | Expr::Between(_) => true,
        Expr::BinaryExpr(_) => true,
        // One of them is taken.
        Expr::Case(_) => {
            let mut largest = *in_row;
            expression.apply_children(|child| {
                let mut with_child = *in_row;
                add_constants(child, &mut with_child)?;
                largest = largest.max(with_child);
                Ok(TreeNodeRecursion::Continue)
            })?;
            *in_row = largest;
            return Ok(());
        }
        _ => false,
    };
    expression.apply_children(|child| {
        if !(takes_constants && matches!(child, Expr::Literal(..))) {
            add_constants(child, in_row)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(())
}
