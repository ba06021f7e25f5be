//! `ORDER BY ALL`, which orders by all columns of a query, from left to right. Where the text tells how many there are,
//! they are written as their numbers. Where it does not, a sign stands for them until the query is planned.

use datafusion::common::ScalarValue;
use datafusion::common::tree_node::{Transformed, TransformedResult};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr as PlannedExpr, LogicalPlan};
use datafusion::sql::sqlparser::ast::{Expr, OrderByExpr, OrderByKind, Query, SelectItem, SetExpr, Value};

/// Stands for all columns. Begins with a sign that nobody can see.
const ALL: &str = "\u{2063}all";

/// Writes what a query is ordered by.
pub(super) fn rewrite(query: &mut Query) {
    let Some(order_by) = &mut query.order_by else { return };
    let OrderByKind::All(options) = order_by.kind else { return };
    let keys = match columns(&query.body) {
        Some(columns) => (1..=columns).map(|number| Value::Number(number.to_string(), false)).collect(),
        None => vec![Value::SingleQuotedString(ALL.to_owned())],
    };
    let key = |value: Value| OrderByExpr { expr: Expr::Value(value.with_empty_span()), options, with_fill: None };
    order_by.kind = OrderByKind::Expressions(keys.into_iter().map(key).collect());
}

/// The number of columns of a selection, where each item of its list is one.
fn columns(body: &SetExpr) -> Option<usize> {
    let SetExpr::Select(select) = body else { return None };
    let is_one = |item: &SelectItem| matches!(item, SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. });
    select.projection.iter().all(is_one).then_some(select.projection.len())
}

/// The same plan with all columns in the place of the sign for them.
pub(in crate::sql) fn with_all_columns(plan: LogicalPlan) -> Result<LogicalPlan> {
    let ordered = |node: LogicalPlan| {
        let LogicalPlan::Sort(mut sort) = node else { return Ok(Transformed::no(node)) };
        let [key] = sort.expr.as_slice() else { return Ok(Transformed::no(LogicalPlan::Sort(sort))) };
        if !is_all(&key.expr) {
            return Ok(Transformed::no(LogicalPlan::Sort(sort)));
        }
        let (asc, nulls_first) = (key.asc, key.nulls_first);
        let columns = sort.input.schema().columns().into_iter();
        sort.expr = columns.map(|column| PlannedExpr::Column(column).sort(asc, nulls_first)).collect();
        Ok(Transformed::yes(LogicalPlan::Sort(sort)))
    };
    plan.transform_down_with_subqueries(ordered).data()
}

fn is_all(key: &PlannedExpr) -> bool {
    let PlannedExpr::Literal(ScalarValue::Utf8(text) | ScalarValue::Utf8View(text), _) = key else { return false };
    text.as_deref() == Some(ALL)
}
