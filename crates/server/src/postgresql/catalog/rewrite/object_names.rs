//! Casts to the types that are numbers of objects and show as their names: `'segments'::regclass`.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DataType, Expr, Ident, Select, SelectItem, SetExpr, Statement, Value, VisitMut, VisitorMut,
};

use super::super::functions::{NAME_OF_OBJECT, NUMBER_OF_OBJECT};
use super::super::relations::CatalogRelation;
use super::expression::{call, cast, column_name, text};
use super::relations::reads_catalog;

/// The types.
const KINDS: [&str; 11] = [
    "regclass",
    "regcollation",
    "regconfig",
    "regdictionary",
    "regnamespace",
    "regoper",
    "regoperator",
    "regproc",
    "regprocedure",
    "regrole",
    "regtype",
];

pub(super) fn rewrite(statement: &mut Statement) {
    let reads_catalog = reads_catalog(statement);
    if let Statement::Query(query) = statement {
        show(&mut query.body, reads_catalog);
    }
    let _ = VisitMut::visit(statement, &mut Casts);
}

/// What the client is shown of an object is its name. Columns of the catalog may be numbers of functions.
fn show(body: &mut SetExpr, reads_catalog: bool) {
    let shown = |expression: &Expr| shown(expression).or_else(|| function(expression).filter(|_| reads_catalog));
    match body {
        SetExpr::Select(select) => {
            for item in &mut select.projection {
                match item {
                    SelectItem::UnnamedExpr(expression) => {
                        if let Some(name) = shown(expression) {
                            let alias = Ident::with_quote('"', column_name(expression));
                            *item = SelectItem::ExprWithAlias { expr: name, alias };
                        }
                    }
                    SelectItem::ExprWithAlias { expr, .. } => {
                        if let Some(name) = shown(expr) {
                            *expr = name;
                        }
                    }
                    _ => {}
                }
            }
        }
        SetExpr::SetOperation { left, right, .. } => {
            show(left, reads_catalog);
            show(right, reads_catalog);
        }
        SetExpr::Query(query) => show(&mut query.body, reads_catalog),
        _ => {}
    }
}

/// The name of the object that an expression is a number of.
fn shown(expression: &Expr) -> Option<Expr> {
    let (kind, object) = object(expression)?;
    Some(call(NAME_OF_OBJECT, vec![text(kind), object]))
}

/// The name of the function that a column of the catalog is the number of.
fn function(expression: &Expr) -> Option<Expr> {
    let column = match expression {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(names) => names.last()?,
        _ => return None,
    };
    let is_function = CatalogRelation::functions().contains(column.value.to_lowercase().as_str());
    is_function.then(|| call(NAME_OF_OBJECT, vec![text("regproc"), expression.clone()]))
}

/// The same where the name is asked for as text.
fn shown_as_text(expression: &Expr) -> Option<Expr> {
    match expression {
        Expr::Cast { expr, data_type, .. } if is_text(data_type) => shown(expr),
        _ => None,
    }
}

/// The kind of object that an expression is cast to, and what is cast.
fn object(expression: &Expr) -> Option<(&'static str, Expr)> {
    match expression {
        Expr::Nested(inner) => object(inner),
        Expr::Cast { expr, data_type, .. } => Some((kind(data_type)?, typed(expr.as_ref().clone()))),
        _ => None,
    }
}

/// A parameter may have any type, so that it is a text.
fn typed(expression: Expr) -> Expr {
    let is_parameter = matches!(&expression, Expr::Value(value) if matches!(value.value, Value::Placeholder(_)));
    if is_parameter { cast(expression, DataType::Text) } else { expression }
}

fn kind(data_type: &DataType) -> Option<&'static str> {
    let name = data_type.to_string().to_lowercase();
    let name = name.strip_prefix("pg_catalog.").unwrap_or(&name);
    KINDS.into_iter().find(|kind| *kind == name)
}

fn is_text(data_type: &DataType) -> bool {
    let name = data_type.to_string().to_lowercase();
    let name = name.split('(').next().unwrap_or_default();
    ["text", "varchar", "character varying", "name", "pg_catalog.text", "pg_catalog.name", "pg_catalog.varchar"]
        .contains(&name)
}

struct Casts;

impl VisitorMut for Casts {
    type Break = ();

    /// PostgreSQL calls the name of an object by what it is the name of.
    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expression) = item
                && let Some(name) = shown_as_text(expression)
            {
                let alias = Ident::with_quote('"', column_name(expression));
                *item = SelectItem::ExprWithAlias { expr: name, alias };
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if let Some(name) = shown_as_text(expression) {
            *expression = name;
        } else if let Some((kind, number)) = object(expression) {
            *expression = call(NUMBER_OF_OBJECT, vec![text(kind), number]);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn an_object_is_compared_by_its_number_and_shown_by_its_name() {
        for (text, expected) in [
            (
                "SELECT 1 FROM t WHERE a = 'segments'::regclass",
                "SELECT 1 FROM t WHERE a = pg_object_number('regclass', 'segments')",
            ),
            ("SELECT a::regtype FROM t", "SELECT pg_object_name('regtype', a) AS \"a\" FROM t"),
            (
                "SELECT oid, t.typsend FROM pg_catalog.pg_type t WHERE typsend <> 0",
                "SELECT oid, pg_object_name('regproc', t.typsend) AS \"typsend\" FROM pg_catalog.pg_type t WHERE typsend <> 0",
            ),
            ("SELECT typsend FROM t", "SELECT typsend FROM t"),
            ("SELECT a::regtype::text FROM t", "SELECT pg_object_name('regtype', a) AS \"a\" FROM t"),
            ("SELECT 1 FROM t WHERE a::regtype::text = $1", "SELECT 1 FROM t WHERE pg_object_name('regtype', a) = $1"),
            (
                "SELECT 1 FROM t WHERE a = CAST($1 AS pg_catalog.regclass)",
                "SELECT 1 FROM t WHERE a = pg_object_number('regclass', CAST($1 AS TEXT))",
            ),
            (
                "SELECT 1 FROM t WHERE a = 'x'::regclass::oid",
                "SELECT 1 FROM t WHERE a = pg_object_number('regclass', 'x')::oid",
            ),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
