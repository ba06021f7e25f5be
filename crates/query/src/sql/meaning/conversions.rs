//! Casts and comparisons that lose something, or say something else.

use arrow::datatypes::DataType;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::common::{DFSchema, plan_err};
use datafusion::error::Result;
use datafusion::functions::math::round;
use datafusion::logical_expr::expr::{InList, ScalarFunction};
use datafusion::logical_expr::{Between, BinaryExpr, Cast, Expr, ExprSchemable, LogicalPlan, Sort, TryCast, cast};
use datafusion::optimizer::analyzer::AnalyzerRule;

use crate::sql::bounds::{known_columns, with_expressions};
use crate::sql::functions::{span_order, to_text};

/// Rounds numbers that become whole, compares intervals by how long they are, and writes numbers, times and intervals
/// as PostgreSQL does. It comes as soon as the types of all parts are known.
#[derive(Debug)]
pub(in crate::sql) struct Conversions;

impl AnalyzerRule for Conversions {
    fn name(&self) -> &str {
        "conversions"
    }

    fn analyze(&self, plan: LogicalPlan, _config: &ConfigOptions) -> Result<LogicalPlan> {
        let in_plan = |node: LogicalPlan| {
            let columns = known_columns(&node);
            let node = with_expressions(node, |expression| converted(expression, &columns))?;
            Ok(match node.data {
                LogicalPlan::Sort(sort) => Transformed::yes(LogicalPlan::Sort(in_order(sort, &columns))),
                data => Transformed { data, ..node },
            })
        };
        plan.transform_up_with_subqueries(in_plan).map(|converted| converted.data)
    }
}

/// The same sort, with intervals in the order of their lengths.
fn in_order(mut sort: Sort, columns: &DFSchema) -> Sort {
    for key in &mut sort.expr {
        if is_interval(&key.expr, columns) {
            key.expr = span_order(key.expr.clone());
        }
    }
    sort
}

fn converted(expression: Expr, columns: &DFSchema) -> Result<Transformed<Expr>> {
    match expression {
        Expr::Cast(Cast { expr, field }) => Ok(match before_cast(&expr, field.data_type(), columns) {
            Some(before) => Transformed::yes(Expr::Cast(Cast { expr: Box::new(before), field })),
            None => Transformed::no(Expr::Cast(Cast { expr, field })),
        }),
        Expr::TryCast(TryCast { expr, field }) => Ok(match before_cast(&expr, field.data_type(), columns) {
            Some(before) => Transformed::yes(Expr::TryCast(TryCast { expr: Box::new(before), field })),
            None => Transformed::no(Expr::TryCast(TryCast { expr, field })),
        }),
        Expr::BinaryExpr(BinaryExpr { left, op, right })
            if op.supports_propagation() && is_interval(&left, columns) && is_interval(&right, columns) =>
        {
            let (left, right) = (Box::new(span_order(*left)), Box::new(span_order(*right)));
            Ok(Transformed::yes(Expr::BinaryExpr(BinaryExpr { left, op, right })))
        }
        Expr::Between(Between { expr, negated, low, high }) if is_interval(&expr, columns) => {
            let ordered = |operand: Box<Expr>| Box::new(span_order(*operand));
            let between = Between { expr: ordered(expr), negated, low: ordered(low), high: ordered(high) };
            Ok(Transformed::yes(Expr::Between(between)))
        }
        Expr::InList(InList { expr, list, negated }) if is_interval(&expr, columns) => {
            let list = list.into_iter().map(span_order).collect();
            Ok(Transformed::yes(Expr::InList(InList { expr: Box::new(span_order(*expr)), list, negated })))
        }
        Expr::AggregateFunction(call)
            if matches!(call.func.name(), "min" | "max")
                && call.params.args.iter().any(|of| is_interval(of, columns)) =>
        {
            not_compared(call.func.name())
        }
        Expr::ScalarFunction(call)
            if matches!(call.func.name(), "greatest" | "least")
                && call.args.iter().any(|of| is_interval(of, columns)) =>
        {
            not_compared(call.func.name())
        }
        other => Ok(Transformed::no(other)),
    }
}

fn not_compared(function: &str) -> Result<Transformed<Expr>> {
    plan_err!(
        "{function} of intervals has any number of days before any number of hours; write {function}(extract(epoch from …))"
    )
}

fn is_interval(operand: &Expr, columns: &DFSchema) -> bool {
    operand.get_type(columns).is_ok_and(|data_type| matches!(data_type, DataType::Interval(_)))
}

/// What is cast instead of the operand.
fn before_cast(operand: &Expr, target: &DataType, columns: &DFSchema) -> Option<Expr> {
    let source = operand.get_type(columns).ok()?;
    if target.is_integer() && (source.is_floating() || source.is_decimal()) {
        return Some(Expr::ScalarFunction(ScalarFunction::new_udf(round(), vec![operand.clone()])));
    }
    let is_written = matches!(
        source,
        DataType::Float32 | DataType::Float64 | DataType::Interval(_) | DataType::Duration(_) | DataType::Timestamp(..)
    );
    match target {
        DataType::Utf8 if is_written => Some(to_text(operand.clone())),
        DataType::Utf8View | DataType::LargeUtf8 if is_written => Some(cast(to_text(operand.clone()), DataType::Utf8)),
        _ => None,
    }
}
