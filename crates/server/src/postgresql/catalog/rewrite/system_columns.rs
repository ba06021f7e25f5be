//! Columns that every table of PostgreSQL has and no `*` shows. Tools keep `xmin` to see whether a row has changed.

use std::collections::HashMap;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, Select, SelectItem, Statement, TableFactor, Value, Visit, VisitMut, Visitor, VisitorMut,
};

use super::super::relations::CatalogRelation;
use super::expression::{arguments, last_name, text};
use super::relations::of_catalog;

/// The columns, and what is in all of them.
const COLUMNS: [(&str, &str); 5] = [("cmax", "0"), ("cmin", "0"), ("ctid", "(0,1)"), ("xmax", "0"), ("xmin", "1")];

/// The column that says in which table a row is.
const TABLE: &str = "tableoid";

/// The function that says how old a row is.
const AGE: &str = "age";

pub(super) fn rewrite(statement: &mut Statement) {
    let mut columns = SystemColumns::default();
    let _ = Visit::visit(&*statement, &mut columns);
    let _ = VisitMut::visit(statement, &mut columns);
}

/// The column that an expression is, with its value.
fn system_column(expression: &Expr) -> Option<(&'static str, &'static str)> {
    let name = match expression {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(names) => names.last()?,
        Expr::Nested(inner) => return system_column(inner),
        Expr::Cast { expr, .. } => return system_column(expr),
        _ => return None,
    };
    COLUMNS.into_iter().find(|(known, _)| name.value.eq_ignore_ascii_case(known))
}

/// Whether a call asks how old a row is.
fn is_age(function: &Function) -> bool {
    let of_column = || arguments(function).first().is_some_and(|argument| system_column(argument).is_some());
    last_name(&function.name).is_some_and(|name| name == AGE) && of_column()
}

#[derive(Default)]
struct SystemColumns {
    /// The numbers of the catalog's tables by the names that the statement gives them.
    tables: HashMap<String, i32>,
}

impl SystemColumns {
    /// What PostgreSQL calls the column of an answer that has such an expression.
    fn name(&self, expression: &Expr) -> Option<&'static str> {
        match expression {
            Expr::Function(function) if is_age(function) => Some(AGE),
            _ => system_column(expression).map(|(name, _)| name).or(self.table(expression).map(|_| TABLE)),
        }
    }

    /// The number of the table that an expression asks for.
    fn table(&self, expression: &Expr) -> Option<i32> {
        let Expr::CompoundIdentifier(names) = expression else { return None };
        let [.., table, column] = names.as_slice() else { return None };
        let is_asked = column.value.eq_ignore_ascii_case(TABLE);
        self.tables.get(&table.value.to_lowercase()).copied().filter(|_| is_asked)
    }
}

impl Visitor for SystemColumns {
    type Break = ();

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<()> {
        if let TableFactor::Table { name, alias, args: None, .. } = table
            && let Some((_, of)) = of_catalog(name)
            && let Some(relation) = CatalogRelation::named(&of)
        {
            let named = alias.as_ref().map_or(of, |alias| alias.name.value.to_lowercase());
            self.tables.insert(named, relation.number);
        }
        ControlFlow::Continue(())
    }
}

impl VisitorMut for SystemColumns {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        for item in &mut select.projection {
            if let SelectItem::UnnamedExpr(expression) = item
                && let Some(name) = self.name(expression)
            {
                *item = SelectItem::ExprWithAlias { expr: expression.clone(), alias: name.into() };
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        match expression {
            Expr::Function(function) if is_age(function) => {
                *expression = Expr::value(Value::Number("1".to_owned(), false));
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                if let Some(number) = self.table(expression) {
                    *expression = Expr::value(Value::Number(number.to_string(), false));
                } else if let Some((_, value)) = system_column(expression) {
                    *expression = text(value);
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn columns_of_every_table_are_constants() {
        for (text, expected) in [
            ("SELECT c.oid, c.xmin FROM pg_class AS c", "SELECT c.oid, '1' AS xmin FROM pg_catalog.pg_class AS c"),
            ("SELECT age(xmin) FROM pg_class", "SELECT 1 AS age FROM pg_catalog.pg_class"),
            ("SELECT l.tableoid FROM pg_language l", "SELECT 2612 AS tableoid FROM pg_catalog.pg_language l"),
            ("SELECT xmin FROM t", "SELECT xmin FROM t"),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
