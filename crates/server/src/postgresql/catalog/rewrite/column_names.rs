//! Columns that a question about the catalog gives no name: PostgreSQL calls a call by its function.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Ident, Query, SelectItem, SetExpr, Statement, VisitMut, VisitorMut};

use super::expression::column_name;

pub(super) fn rewrite(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut ColumnNames);
}

struct ColumnNames;

impl VisitorMut for ColumnNames {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        name_columns(&mut query.body);
        ControlFlow::Continue(())
    }
}

fn name_columns(body: &mut SetExpr) {
    match body {
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                if let SelectItem::UnnamedExpr(expression) = item
                    && is_call(expression)
                {
                    let alias = Ident::with_quote('"', column_name(expression));
                    *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias };
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            name_columns(left);
            name_columns(right);
        }
        _ => {}
    }
}

fn is_call(expression: &Expr) -> bool {
    match expression {
        Expr::Function(_) | Expr::Case { .. } => true,
        Expr::Cast { expr, .. } | Expr::Nested(expr) => is_call(expr),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn calls_are_called_by_their_functions() {
        for (text, expected) in [
            ("SELECT pg_catalog.version()", "SELECT version() AS \"version\""),
            ("SELECT current_schema", "SELECT current_schema() AS \"current_schema\""),
            (
                "SELECT count(*), max(oid)::int FROM pg_class",
                "SELECT count(*) AS \"count\", max(oid)::INT AS \"max\" FROM pg_catalog.pg_class",
            ),
            ("SELECT count(*) FROM segments", "SELECT count(*) FROM segments"),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
