//! The rule that puts bounded calls in the place of all others.

use arrow::datatypes::DataType;
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{BinaryExpr, Expr, ExprSchemable, LogicalPlan, Operator, WindowFunctionDefinition};
use datafusion::optimizer::analyzer::AnalyzerRule;
use datafusion::optimizer::optimizer::ApplyOrder;
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};

use super::arithmetic::{negation, operation};
use super::function::bounded;
use super::sum::checked_sum;

/// Replaces every call of a function by one whose result is bounded, and operators that do not notice where they go
/// wrong by functions that do. It comes as soon as the types of all parts are known; and once more at the end, since
/// other rules bring functions of their own.
#[derive(Debug)]
pub(in crate::sql) struct BoundedCalls;

impl AnalyzerRule for BoundedCalls {
    fn name(&self) -> &str {
        "bounded_calls"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let in_plan = |node: LogicalPlan| {
            let schema = known_columns(&node);
            with_expressions(node, |expression| match bound_operator(expression, &schema)? {
                bound if bound.transformed => Ok(bound),
                as_before => bound_calls(as_before.data),
            })
        };
        plan.transform_up_with_subqueries(in_plan).map(|bounded| bounded.data)
    }
}

impl OptimizerRule for BoundedCalls {
    fn name(&self) -> &str {
        "bounded_calls"
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        Some(ApplyOrder::BottomUp)
    }

    fn rewrite(&self, plan: LogicalPlan, _config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        let columns = known_columns(&plan);
        with_expressions(plan, |expression| match check_sums(expression, &columns)? {
            checked if checked.transformed => Ok(checked),
            as_before => bound_calls(as_before.data),
        })
    }
}

/// The columns that the expressions of a node can name.
pub(in crate::sql) fn known_columns(node: &LogicalPlan) -> DFSchema {
    let mut columns = merge_schema(&node.inputs());
    if node.inputs().is_empty() {
        columns.merge(node.schema());
    }
    columns
}

/// The same node with other expressions of the same names.
pub(in crate::sql) fn with_expressions(
    node: LogicalPlan,
    bound: impl Fn(Expr) -> Result<Transformed<Expr>>,
) -> Result<Transformed<LogicalPlan>> {
    let names = NamePreserver::new(&node);
    let bounded = node.map_expressions(|expression| {
        let name = names.save(&expression);
        let bounded = expression.transform_up(&bound)?;
        Ok(if bounded.transformed { bounded.update_data(|expression| name.restore(expression)) } else { bounded })
    })?;
    if bounded.transformed { bounded.map_data(LogicalPlan::recompute_schema) } else { Ok(bounded) }
}

/// The same call, bounded.
pub(super) fn bound_calls(expression: Expr) -> Result<Transformed<Expr>> {
    Ok(match expression {
        Expr::ScalarFunction(call) => match bounded(&call.func) {
            Some(function) => Transformed::yes(Expr::ScalarFunction(ScalarFunction::new_udf(function, call.args))),
            None => Transformed::no(Expr::ScalarFunction(call)),
        },
        other => Transformed::no(other),
    })
}

/// The same operator as a function that notices where it goes wrong.
fn bound_operator(expression: Expr, columns: &DFSchema) -> Result<Transformed<Expr>> {
    let is_integer = |operand: &Expr| operand.get_type(columns).is_ok_and(|data_type| data_type.is_integer());
    Ok(match expression {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) if is_text(&left, columns) => {
            Transformed::yes(bound_calls(operation(Operator::StringConcat, *left, *right))?.data)
        }
        Expr::BinaryExpr(BinaryExpr {
            left,
            op: op @ (Operator::Plus | Operator::Minus | Operator::Multiply),
            right,
        }) if is_integer(&left) && same_type(&left, &right, columns) => Transformed::yes(operation(op, *left, *right)),
        Expr::Negative(operand) if is_integer(&operand) => Transformed::yes(negation(*operand)),
        other => Transformed::no(other),
    })
}

/// The same sum, checked. Running totals know DataFusion's sum, so that this comes after them.
fn check_sums(expression: Expr, columns: &DFSchema) -> Result<Transformed<Expr>> {
    match expression {
        Expr::AggregateFunction(mut call) if !call.params.distinct => {
            let returned = Expr::AggregateFunction(call.clone()).get_type(columns)?;
            let checked = checked_sum(&call.func, &returned);
            let is_sum = checked.is_some();
            call.func = checked.unwrap_or(call.func);
            Ok(Transformed::new_transformed(Expr::AggregateFunction(call), is_sum))
        }
        Expr::WindowFunction(mut call) if !call.params.distinct => {
            let returned = Expr::WindowFunction(call.clone()).get_type(columns)?;
            let checked = match &call.fun {
                WindowFunctionDefinition::AggregateUDF(function) => checked_sum(function, &returned),
                WindowFunctionDefinition::WindowUDF(_) => None,
            };
            let is_sum = checked.is_some();
            call.fun = checked.map_or(call.fun, WindowFunctionDefinition::AggregateUDF);
            Ok(Transformed::new_transformed(Expr::WindowFunction(call), is_sum))
        }
        other => Ok(Transformed::no(other)),
    }
}

fn is_text(operand: &Expr, columns: &DFSchema) -> bool {
    let is_text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    operand.get_type(columns).is_ok_and(|data_type| is_text(&data_type))
}

fn same_type(left: &Expr, right: &Expr, columns: &DFSchema) -> bool {
    matches!((left.get_type(columns), right.get_type(columns)), (Ok(left), Ok(right)) if left == right)
}
