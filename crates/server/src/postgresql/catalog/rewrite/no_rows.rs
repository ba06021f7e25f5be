//! Selections from tables that never have a row, such as those of indexes and keys, of which there are none here. They
//! are made selections that select nothing, and what would be hard to plan of them is left out: tools ask about keys in
//! the most intricate ways.

use std::collections::HashSet;
use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    DataType, Expr, FunctionArguments, GroupByExpr, Ident, JoinConstraint, JoinOperator, Query, Select, SelectItem,
    SetExpr, SetOperator, Statement, TableAlias, TableFactor, TableWithJoins, Value, VisitMut, VisitorMut,
    visit_expressions,
};
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::super::schema::is_always_empty;
use super::expression::{column_name, data_type, is_aggregated, null, texts, truth};
use super::relations::of_catalog;

/// The views of `information_schema` that have rows.
const WITH_ROWS: [&str; 11] = [
    "character_sets",
    "columns",
    "df_settings",
    "information_schema_catalog_name",
    "parameters",
    "role_table_grants",
    "routines",
    "schemata",
    "table_privileges",
    "tables",
    "views",
];

pub(super) fn rewrite(statement: &mut Statement) {
    let _ = VisitMut::visit(statement, &mut NoRows::default());
}

/// Inner queries are visited before those around them.
#[derive(Default)]
struct NoRows {
    /// The names of queries of the statement that have no rows.
    named: HashSet<String>,
}

impl VisitorMut for NoRows {
    type Break = ();

    fn post_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        let tables = query.with.iter().flat_map(|with| &with.cte_tables);
        let empty = tables.filter(|table| selects_nothing(&table.query.body));
        self.named.extend(empty.map(|table| table.alias.name.value.to_lowercase()));
        self.empty(&mut query.body);
        if selects_nothing(&query.body) {
            query.order_by = None;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expression: &mut Expr) -> ControlFlow<()> {
        let replaced = match expression {
            Expr::Subquery(query) if selects_nothing(&query.body) => Some(null(&first_type(&query.body))),
            Expr::Exists { subquery, negated } if selects_nothing(&subquery.body) => Some(truth(*negated)),
            Expr::InSubquery { subquery, negated, .. } if selects_nothing(&subquery.body) => Some(truth(*negated)),
            Expr::Function(function) => match &function.args {
                FunctionArguments::Subquery(query) if selects_nothing(&query.body) => Some(null(&texts())),
                _ => None,
            },
            _ => None,
        };
        if let Some(replaced) = replaced {
            *expression = replaced;
        }
        ControlFlow::Continue(())
    }
}

impl NoRows {
    fn empty(&self, body: &mut SetExpr) {
        match body {
            SetExpr::Select(select) if self.has_none(select) => empty(select),
            SetExpr::SetOperation { left, right, .. } => {
                self.empty(left);
                self.empty(right);
            }
            _ => {}
        }
    }

    /// Whether a selection is sure to have no rows. One that only counts has one.
    fn has_none(&self, select: &Select) -> bool {
        let groups = !matches!(&select.group_by, GroupByExpr::Expressions(keys, _) if keys.is_empty());
        let counts = !groups && (select.having.is_some() || select.projection.iter().any(is_aggregated));
        !counts && select.from.iter().any(|table| self.is_of_none(table))
    }

    fn is_of_none(&self, table: &TableWithJoins) -> bool {
        let (mut needs_first, mut found) = (true, false);
        for join in &table.joins {
            match &join.join_operator {
                JoinOperator::Join(_) | JoinOperator::Inner(_) | JoinOperator::CrossJoin(_) => {
                    found = found || self.is_none(&join.relation);
                }
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => {}
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => {
                    (needs_first, found) = (false, self.is_none(&join.relation));
                }
                _ => (needs_first, found) = (false, false),
            }
        }
        found || (needs_first && self.is_none(&table.relation))
    }

    fn is_none(&self, table: &TableFactor) -> bool {
        match table {
            TableFactor::Table { name, args: None, .. } => match of_catalog(name) {
                Some((schema, name)) if schema == "pg_catalog" => is_always_empty(&name),
                Some((_, name)) => !WITH_ROWS.contains(&name.as_str()),
                None => self.named.contains(&name.to_string().to_lowercase()),
            },
            TableFactor::Derived { subquery, .. } => selects_nothing(&subquery.body),
            TableFactor::NestedJoin { table_with_joins, .. } => self.is_of_none(table_with_joins),
            _ => false,
        }
    }
}

/// Whether a query has been made one that selects nothing.
fn selects_nothing(body: &SetExpr) -> bool {
    match body {
        SetExpr::Select(select) => select.selection == Some(truth(false)),
        SetExpr::Query(query) => selects_nothing(&query.body),
        SetExpr::SetOperation { left, right, op, .. } => match op {
            SetOperator::Union => selects_nothing(left) && selects_nothing(right),
            SetOperator::Except | SetOperator::Minus => selects_nothing(left),
            SetOperator::Intersect => selects_nothing(left) || selects_nothing(right),
        },
        _ => false,
    }
}

/// The type of the value that a query finds.
fn first_type(body: &SetExpr) -> DataType {
    let first = match body {
        SetExpr::Select(select) => select.projection.first(),
        _ => None,
    };
    match first {
        Some(SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. }) => {
            data_type(expression)
        }
        _ => DataType::Text,
    }
}

/// Makes a selection one that selects nothing.
fn empty(select: &mut Select) {
    select.from.iter_mut().for_each(simplify);
    for item in &mut select.projection {
        match item {
            SelectItem::UnnamedExpr(expression) if !is_plain(expression) => {
                let alias = Ident::with_quote('"', column_name(expression));
                *item = SelectItem::ExprWithAlias { expr: null(&data_type(expression)), alias };
            }
            SelectItem::ExprWithAlias { expr, .. } if !is_plain(expr) => *expr = null(&data_type(expr)),
            _ => {}
        }
    }
    select.selection = Some(truth(false));
    select.group_by = GroupByExpr::Expressions(Vec::new(), Vec::new());
    select.having = None;
    select.distinct = None;
    select.sort_by = Vec::new();
    select.named_window = Vec::new();
}

/// Whether an expression is a column, a constant, or a cast of one.
fn is_plain(expression: &Expr) -> bool {
    match expression {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
        Expr::Value(value) => !matches!(value.value, Value::Null | Value::Placeholder(_)),
        Expr::Cast { expr, .. } => matches!(expr.as_ref(), Expr::Value(_)) || is_plain(expr),
        Expr::Nested(inner) => is_plain(inner),
        _ => false,
    }
}

/// Puts columns of nulls in the place of tables that are computed row by row, and leaves out conditions that are.
fn simplify(table: &mut TableWithJoins) {
    with_nulls(&mut table.relation);
    for join in &mut table.joins {
        with_nulls(&mut join.relation);
        if let JoinOperator::Join(JoinConstraint::On(condition))
        | JoinOperator::Inner(JoinConstraint::On(condition))
        | JoinOperator::Left(JoinConstraint::On(condition))
        | JoinOperator::LeftOuter(JoinConstraint::On(condition)) = &mut join.join_operator
            && is_hard(condition)
        {
            *condition = truth(true);
        }
    }
}

fn with_nulls(table: &mut TableFactor) {
    let (alias, columns) = match table {
        TableFactor::Table { args, with_ordinality, alias, .. } if args.is_some() || *with_ordinality => {
            (alias.take(), Vec::new())
        }
        TableFactor::Function { alias, .. }
        | TableFactor::UNNEST { alias, .. }
        | TableFactor::TableFunction { alias, .. } => (alias.take(), Vec::new()),
        TableFactor::Derived { lateral: true, subquery, alias, .. } => (alias.take(), columns_of(&subquery.body)),
        TableFactor::NestedJoin { table_with_joins, .. } => return simplify(table_with_joins),
        _ => return,
    };
    let Some(alias) = alias else { return };
    let mut columns = if alias.columns.is_empty() {
        columns
    } else {
        alias.columns.iter().map(|column| column.name.clone()).collect()
    };
    if columns.is_empty() {
        columns.push(alias.name.clone());
    }
    let nulls = columns.into_iter().map(|name| format!("CAST(NULL AS INTEGER) AS {name}")).collect::<Vec<_>>();
    let text = format!("SELECT {} WHERE false", nulls.join(", "));
    let query = Parser::new(&PostgreSqlDialect {}).try_with_sql(&text).and_then(|mut parser| parser.parse_query());
    if let Ok(subquery) = query {
        let alias = TableAlias { columns: Vec::new(), ..alias };
        *table = TableFactor::Derived { lateral: false, subquery, alias: Some(alias), sample: None };
    }
}

/// The names of the columns of a query, as far as they are written.
fn columns_of(body: &SetExpr) -> Vec<Ident> {
    let SetExpr::Select(select) = body else { return Vec::new() };
    let name = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expression) => Some(Ident::with_quote('"', column_name(expression))),
        SelectItem::ExprWithAlias { alias, .. } => Some(alias.clone()),
        _ => None,
    };
    select.projection.iter().filter_map(name).collect()
}

/// Whether a condition has a part that is computed of rows or lists.
fn is_hard(condition: &Expr) -> bool {
    visit_expressions(condition, |part| match part {
        Expr::Subquery(_)
        | Expr::Exists { .. }
        | Expr::InSubquery { .. }
        | Expr::CompoundFieldAccess { .. }
        | Expr::AnyOp { .. }
        | Expr::AllOp { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    })
    .is_break()
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn what_is_hard_of_tables_without_rows_is_left_out() {
        for (text, expected) in [
            (
                "SELECT conname, unnest(conkey) AS k FROM pg_constraint WHERE contype = 'p' ORDER BY k",
                "SELECT conname, CAST(NULL AS INTEGER) AS k FROM pg_catalog.pg_constraint WHERE false",
            ),
            (
                "SELECT (SELECT description FROM pg_seclabel s WHERE s.objoid = c.oid) FROM pg_class c",
                "SELECT CAST(NULL AS TEXT) FROM pg_catalog.pg_class c",
            ),
            (
                "SELECT relname FROM pg_class c WHERE NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.oid)",
                "SELECT relname FROM pg_catalog.pg_class c WHERE true",
            ),
            (
                "SELECT relname FROM pg_class c LEFT JOIN pg_index i ON i.indrelid = c.oid",
                "SELECT relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_index i ON i.indrelid = c.oid",
            ),
            ("SELECT count(*) FROM pg_index", "SELECT count(*) AS \"count\" FROM pg_catalog.pg_index"),
            (
                "SELECT r.x FROM (SELECT (information_schema._pg_expandarray(indkey)).n AS x FROM pg_index) r ORDER BY 1",
                "SELECT r.x FROM (SELECT CAST(NULL AS INTEGER) AS x FROM pg_catalog.pg_index WHERE false) r WHERE false",
            ),
            (
                "SELECT i.indrelid, a.n FROM pg_index i, unnest(i.indkey) WITH ORDINALITY AS a(k, n)",
                "SELECT i.indrelid, a.n FROM pg_catalog.pg_index i, (SELECT CAST(NULL AS INTEGER) AS k, CAST(NULL AS INTEGER) AS n WHERE false) AS a WHERE false",
            ),
        ] {
            assert_eq!(parse(text).unwrap()[0].to_string(), expected, "{text}");
        }
    }
}
