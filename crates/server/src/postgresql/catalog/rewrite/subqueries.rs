//! Subqueries of questions about the catalog, in forms that DataFusion plans.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DataType, Expr, FunctionArgumentClause, FunctionArguments, LimitClause, OrderByExpr, OrderByKind, Query,
    SelectItem, SetExpr, Statement, TableFactor, Value, VisitMut, VisitorMut, visit_expressions,
};

use super::expression::{arguments, call, is_aggregated, last_name, null, text, texts, truth};

pub(super) fn rewrite(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut Subqueries);
}

struct Subqueries;

impl VisitorMut for Subqueries {
    type Break = ();

    /// `x = ANY(ARRAY(SELECT …))` is `x = ANY(SELECT …)`.
    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let (Expr::AnyOp { right, .. } | Expr::AllOp { right, .. }) = expression else {
            return ControlFlow::Continue(());
        };
        if let Some(mut query) = several(right) {
            if query.with.as_ref().is_some_and(|with| with.recursive) {
                // The roles that a role is a member of, step by step: of none.
                *expression = truth(matches!(expression, Expr::AllOp { .. }));
                return ControlFlow::Continue(());
            }
            query.limit_clause = query.limit_clause.take().or_else(every_row);
            **right = Expr::Subquery(query);
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        // DataFusion does not order by what a subquery finds.
        if let Some(order) = &mut query.order_by
            && let OrderByKind::Expressions(keys) = &mut order.kind
        {
            keys.retain(|key| !has_query(&key.expr));
            if keys.is_empty() {
                query.order_by = None;
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        match expression {
            // What types are based on, step by step. None is based on one that is based on another.
            Expr::Subquery(query) if query.with.as_ref().is_some_and(|with| with.recursive) => {
                *expression = null(&DataType::Integer(None));
            }
            Expr::Subquery(query) => cut(query),
            Expr::AnyOp { right, .. } | Expr::AllOp { right, .. } => {
                if let Expr::Subquery(query) = right.as_mut()
                    && query.limit_clause == every_row()
                {
                    query.limit_clause = None;
                }
            }
            Expr::Function(function) => {
                let replaced = match (last_name(&function.name).as_deref(), &function.args) {
                    (Some("array"), FunctionArguments::Subquery(query)) => array(query),
                    (Some("generate_subscripts"), _) => subscripts(&arguments(function)),
                    (Some("regexp_split_to_table"), _) => split(&arguments(function)),
                    _ => None,
                };
                if let Some(replaced) = replaced {
                    *expression = replaced;
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

/// The subquery that finds what a value is compared with.
fn several(right: &Expr) -> Option<Box<Query>> {
    match right {
        Expr::Subquery(query) => Some(query.clone()),
        Expr::Function(function) if last_name(&function.name).is_some_and(|name| name == "array") => {
            match &function.args {
                FunctionArguments::Subquery(query) => Some(query.clone()),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Marks a subquery that finds more than one value, for as long as it is looked at.
fn every_row() -> Option<LimitClause> {
    Some(LimitClause::LimitOffset { limit: None, offset: None, limit_by: Vec::new() })
}

fn has_query(expression: &Expr) -> bool {
    visit_expressions(expression, |part| match part {
        Expr::Subquery(_) | Expr::InSubquery { .. } | Expr::Exists { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

/// A subquery that finds one value by the number of an object may say nothing that makes sure of it.
fn cut(query: &mut Query) {
    let SetExpr::Select(select) = query.body.as_ref() else { return };
    let is_computed = select.from.is_empty() || select.projection.iter().any(is_aggregated);
    if query.limit_clause.is_none() && query.fetch.is_none() && !is_computed {
        let one = Expr::Value(Value::Number("1".to_owned(), false).with_empty_span());
        query.limit_clause = Some(LimitClause::LimitOffset { limit: Some(one), offset: None, limit_by: Vec::new() });
    }
}

/// `ARRAY(SELECT x FROM t ORDER BY y)` is `(SELECT array_agg(x ORDER BY y) FROM t)`.
fn array(query: &Query) -> Option<Expr> {
    let mut query = query.clone();
    let SetExpr::Select(select) = query.body.as_mut() else { return None };
    // The elements of a list of options, of which none is ever set.
    if let [only] = select.from.as_slice()
        && is_list(&only.relation)
    {
        return Some(null(&texts()));
    }
    let [SelectItem::UnnamedExpr(element) | SelectItem::ExprWithAlias { expr: element, .. }] =
        select.projection.as_slice()
    else {
        return None;
    };
    let Expr::Function(mut aggregate) = call("array_agg", vec![element.clone()]) else { return None };
    if let (Some(order), FunctionArguments::List(list)) = (query.order_by.take(), &mut aggregate.args)
        && let OrderByKind::Expressions(mut keys) = order.kind
    {
        // A number is that of the only column. It counts once, and is not what a subquery finds, so that a statement grows
        // no further than its text.
        let is_number =
            |key: &OrderByExpr| matches!(&key.expr, Expr::Value(value) if matches!(value.value, Value::Number(..)));
        let mut is_first = !has_query(element);
        keys.retain(|key| !is_number(key) || std::mem::take(&mut is_first));
        for key in keys.iter_mut().filter(|key| is_number(key)) {
            key.expr = element.clone();
        }
        if !keys.is_empty() {
            list.clauses = vec![FunctionArgumentClause::OrderBy(keys)];
        }
    }
    select.projection = vec![SelectItem::UnnamedExpr(Expr::Function(aggregate))];
    Some(Expr::Subquery(Box::new(query)))
}

/// Whether a table is the elements of a list.
fn is_list(table: &TableFactor) -> bool {
    match table {
        TableFactor::UNNEST { .. } => true,
        TableFactor::Table { name, args: Some(_), .. } | TableFactor::Function { name, .. } => {
            last_name(name).is_some_and(|name| name == "unnest")
        }
        _ => false,
    }
}

/// `generate_subscripts(x, 1)` has a row for each element of `x`.
fn subscripts(arguments: &[&Expr]) -> Option<Expr> {
    let list = (*arguments.first()?).clone();
    let one = Expr::Value(Value::Number("1".to_owned(), false).with_empty_span());
    let length = call("array_length", vec![list]);
    Some(call("unnest", vec![call("generate_series", vec![one, length])]))
}

/// `regexp_split_to_table(x, '…')` has a row for each part of `x`.
fn split(arguments: &[&Expr]) -> Option<Expr> {
    let [whole, pattern, ..] = arguments else { return None };
    let separator = "\u{1}";
    let replaced = call("regexp_replace", vec![(*whole).clone(), (*pattern).clone(), text(separator), text("g")]);
    Some(call("unnest", vec![call("string_to_array", vec![replaced, text(separator)])]))
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn subqueries_have_one_row_and_arrays_are_aggregates() {
        for (text, expected) in [
            (
                "SELECT (SELECT rngtypid FROM pg_range WHERE rngmultitypid = t.oid) AS x FROM pg_type t",
                "SELECT (SELECT rngtypid FROM pg_catalog.pg_range WHERE rngmultitypid = t.oid LIMIT 1) AS x \
                 FROM pg_catalog.pg_type t",
            ),
            (
                "SELECT ARRAY(SELECT rolname FROM pg_roles ORDER BY 1) AS x FROM pg_class",
                "SELECT (SELECT array_agg(rolname ORDER BY rolname) AS \"array_agg\" FROM pg_catalog.pg_roles) AS x \
                 FROM pg_catalog.pg_class",
            ),
            (
                "SELECT ARRAY(SELECT ARRAY(SELECT 1 ORDER BY 1, 1) ORDER BY 1, 1) AS x FROM pg_class",
                "SELECT (SELECT array_agg((SELECT array_agg(1 ORDER BY 1) AS \"array_agg\")) AS \"array_agg\") AS x \
                 FROM pg_catalog.pg_class",
            ),
            (
                "SELECT 1 AS x FROM pg_class WHERE oid = ANY (SELECT attrelid FROM pg_attribute)",
                "SELECT 1 AS x FROM pg_catalog.pg_class WHERE oid = ANY(SELECT attrelid FROM pg_catalog.pg_attribute)",
            ),
            (
                "SELECT generate_subscripts(proargtypes, 1) AS n FROM pg_proc",
                "SELECT unnest(generate_series(1, array_length(proargtypes))) AS n FROM pg_catalog.pg_proc",
            ),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
