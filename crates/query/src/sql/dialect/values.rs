//! Subqueries without tables, such as `(select 1)`, which are no more than the value that they select.

use std::mem;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, GroupByExpr, Query, Select, SelectItem, SetExpr, Value, visit_expressions,
};

/// Puts the value in the place of such a subquery.
pub(super) fn rewrite(expression: &mut Expr) {
    let Expr::Subquery(query) = expression else { return };
    if value_of(query).is_none() {
        return;
    }
    if let SetExpr::Select(select) = query.body.as_mut()
        && let Some(SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }) =
            select.projection.first_mut()
    {
        let value = mem::replace(value, Expr::Value(Value::Null.with_empty_span()));
        *expression = Expr::Nested(Box::new(value));
    }
}

/// The value that a subquery selects, if it does nothing else.
pub(in crate::sql) fn value_of(query: &Query) -> Option<&Expr> {
    let value = selected(query)?;
    // An aggregate would be one of the query around it. Whatever else has a name may be one.
    let calls = visit_expressions(value, |part| match part {
        Expr::Function(_) | Expr::Wildcard(_) | Expr::QualifiedWildcard(..) => ControlFlow::Break(()),
        Expr::Subquery(inner) if selected(inner).is_none() => ControlFlow::Break(()),
        Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    calls.is_continue().then_some(value)
}

/// What a query selects that has one column, and no other parts.
fn selected(query: &Query) -> Option<&Expr> {
    let Query { with: None, body, order_by: None, limit_clause: None, fetch: None, .. } = query else { return None };
    let SetExpr::Select(select) = body.as_ref() else { return None };
    let Select { distinct: None, from, selection: None, group_by, having: None, qualify: None, .. } = select.as_ref()
    else {
        return None;
    };
    let has_keys =
        !matches!(group_by, GroupByExpr::Expressions(keys, modifiers) if keys.is_empty() && modifiers.is_empty());
    match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(value) | SelectItem::ExprWithAlias { expr: value, .. }]
            if from.is_empty() && !has_keys =>
        {
            Some(value)
        }
        _ => None,
    }
}
