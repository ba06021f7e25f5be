//! Lists of numbers of objects: `array_agg(oid)` is one.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{Expr, Statement, VisitMut, VisitorMut};

use super::super::functions::OBJECT_LIST;
use super::super::relations::CatalogRelation;
use super::expression::{arguments, call, last_name};

pub(super) fn rewrite(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut ObjectLists);
}

struct ObjectLists;

impl VisitorMut for ObjectLists {
    type Break = ();

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        if is_list(expression) {
            *expression = call(OBJECT_LIST, vec![expression.clone()]);
        }
        ControlFlow::Continue(())
    }
}

/// Whether an expression is an aggregate of a column of the catalog that has numbers of objects.
fn is_list(expression: &Expr) -> bool {
    let Expr::Function(function) = expression else { return false };
    if last_name(&function.name).is_none_or(|name| name != "array_agg") {
        return false;
    }
    let column = match arguments(function).as_slice() {
        [Expr::Identifier(name)] => name.value.to_lowercase(),
        [Expr::CompoundIdentifier(names)] => match names.last() {
            Some(name) => name.value.to_lowercase(),
            None => return false,
        },
        _ => return false,
    };
    CatalogRelation::objects().contains(column.as_str())
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn aggregates_of_numbers_of_objects_are_lists_of_them() {
        for (text, expected) in [
            (
                "SELECT array_agg(a.atttypid ORDER BY a.attnum) AS x FROM pg_attribute a",
                "SELECT pg_object_list(array_agg(a.atttypid ORDER BY a.attnum)) AS x FROM pg_catalog.pg_attribute a",
            ),
            (
                "SELECT array_agg(attnum) AS x FROM pg_attribute",
                "SELECT array_agg(attnum) AS x FROM pg_catalog.pg_attribute",
            ),
            ("SELECT array_agg(oid) AS x FROM t", "SELECT array_agg(oid) AS x FROM t"),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
