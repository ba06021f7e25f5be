//! Parameters of what is left out of a statement: the client binds values for them all the same.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    BinaryOperator, DataType, Expr, Select, SetExpr, Statement, Value, Visit, Visitor,
};

use super::expression::{cast, truth};

/// Parameters by their names, as a statement has them: with the type that it gives them, or as text.
#[derive(Debug, Default)]
pub(super) struct Parameters(BTreeMap<String, Expr>);

impl Parameters {
    pub(super) fn of(statement: &Statement) -> Self {
        let mut found = Self::default();
        let _ = Visit::visit(statement, &mut found);
        found
    }

    /// Lets a statement that was rewritten have all of these. Those that it has lost become part of a condition that is
    /// always true.
    pub(super) fn keep(self, statement: &mut Statement) {
        let left = Self::of(statement);
        let lost: Vec<Expr> =
            self.0.into_iter().filter(|(name, _)| !left.0.contains_key(name)).map(|found| found.1).collect();
        if let Statement::Query(query) = statement
            && let Some(select) = first_select(&mut query.body)
        {
            for parameter in lost {
                let always = or(Expr::IsNull(Box::new(parameter)), truth(true));
                let before = select.selection.take();
                select.selection = Some(before.map_or_else(|| always.clone(), |before| and(before, always.clone())));
            }
        }
    }
}

impl Visitor for Parameters {
    type Break = ();

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<()> {
        if let Expr::Cast { expr, .. } = expression
            && let Some(name) = name(expr)
        {
            self.0.insert(name, expression.clone());
        } else if let Some(name) = name(expression) {
            self.0.entry(name).or_insert_with(|| cast(expression.clone(), DataType::Text));
        }
        ControlFlow::Continue(())
    }
}

fn name(expression: &Expr) -> Option<String> {
    match expression {
        Expr::Value(value) => match &value.value {
            Value::Placeholder(name) => Some(name.clone()),
            _ => None,
        },
        _ => None,
    }
}

fn first_select(body: &mut SetExpr) -> Option<&mut Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(query) => first_select(&mut query.body),
        SetExpr::SetOperation { left, .. } => first_select(left),
        _ => None,
    }
}

fn and(left: Expr, right: Expr) -> Expr {
    let nested = |side| Box::new(Expr::Nested(Box::new(side)));
    Expr::BinaryOp { left: nested(left), op: BinaryOperator::And, right: nested(right) }
}

fn or(left: Expr, right: Expr) -> Expr {
    Expr::BinaryOp { left: Box::new(left), op: BinaryOperator::Or, right: Box::new(right) }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn what_is_left_out_keeps_its_parameters() {
        for (text, expected) in [
            (
                "SELECT relname, (SELECT $1::VARCHAR || seqstart FROM pg_sequence WHERE seqrelid = $2) AS x FROM pg_class \
                 WHERE relkind = $3",
                "SELECT relname, CAST(NULL AS TEXT) AS x FROM pg_catalog.pg_class WHERE ((relkind = $3) AND ($1::VARCHAR IS \
                 NULL OR true)) AND (CAST($2 AS TEXT) IS NULL OR true)",
            ),
            ("SELECT relname FROM pg_class WHERE oid = $1", "SELECT relname FROM pg_catalog.pg_class WHERE oid = $1"),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
