//! `generate_series` where PostgreSQL has it: as a table, whose column has the table's name, and among the columns of a
//! query, where it makes rows. The column of `unnest` as a table has the table's name too.

use std::ops::ControlFlow;

use datafusion::sql::sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, Ident, Query, Select, SelectItem, SetExpr, TableAlias,
    TableAliasColumnDef, TableFactor, Value, visit_expressions,
};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::parser::Parser;

use super::syntax::call;

const NAME: &str = "generate_series";

const UNNEST: &str = "unnest";

/// The column of a series in DataFusion.
const VALUE: &str = "value";

/// Subqueries and parentheses in what a series is made of may be so deep.
const MAX_LEVELS: usize = 1_200;

/// Makes rows of the series among the columns of a query, and names the columns of those that it reads.
pub(super) fn of_select(select: &mut Select) {
    for item in &mut select.projection {
        of_column(item);
    }
    let column = if names_value(select) { Some(Ident::new(VALUE)) } else { None };
    for table in &mut select.from {
        of_table(&mut table.relation, column.as_ref());
        table.joins.iter_mut().for_each(|join| of_table(&mut join.relation, column.as_ref()));
    }
}

fn of_column(item: &mut SelectItem) {
    let expression = match item {
        SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => expression,
        _ => return,
    };
    if !make_rows(expression) {
        return;
    }
    if let SelectItem::UnnamedExpr(expression) = item {
        let expr = std::mem::replace(expression, Expr::value(Value::Null));
        *item = SelectItem::ExprWithAlias { expr, alias: Ident::new(NAME) };
    }
}

/// Whether a query names a column as DataFusion has it.
fn names_value(select: &Select) -> bool {
    let is_value = |ident: &Ident| ident.value.eq_ignore_ascii_case(VALUE);
    let found = visit_expressions(select, |part| {
        let is_value = match part {
            Expr::Identifier(ident) => is_value(ident),
            Expr::CompoundIdentifier(parts) => parts.last().is_some_and(is_value),
            _ => false,
        };
        if is_value { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    found.is_break()
}

/// Names the column of a series as its table, as PostgreSQL does. What a series is made of may be computed by
/// subqueries.
fn of_table(table: &mut TableFactor, column: Option<&Ident>) {
    let (arguments, alias) = match table {
        TableFactor::Table { name, alias, args: Some(args), .. } if is_series(&name.to_string()) => {
            (plain(&args.args), alias)
        }
        TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality: false, .. } => {
            if array_exprs.len() == 1 {
                name_column(alias, UNNEST, None);
            }
            return;
        }
        _ => return,
    };
    name_column(alias, NAME, column);
    let Some(arguments) = arguments.filter(|arguments| !arguments.iter().all(is_constant)) else { return };
    if let Some(subquery) = computed(&arguments) {
        let alias = alias.take();
        *table = TableFactor::Derived { lateral: false, subquery: Box::new(subquery), alias, sample: None };
    }
}

/// Names the one column of a table as the table, unless it has a name or is to have another one.
fn name_column(alias: &mut Option<TableAlias>, function: &str, column: Option<&Ident>) {
    let of_function = || TableAlias { explicit: true, name: Ident::new(function), columns: Vec::new(), at: None };
    let named = alias.get_or_insert_with(of_function);
    if named.columns.is_empty() {
        let name = column.unwrap_or(&named.name).clone();
        named.columns.push(TableAliasColumnDef { name, data_type: None });
    }
}

/// Lets the series in an expression make rows, and tells whether there is one.
fn make_rows(expression: &mut Expr) -> bool {
    match expression {
        Expr::Function(function) if is_series_call(function) => {
            let series = std::mem::replace(expression, Expr::value(Value::Null));
            *expression = call("unnest", [series]);
            true
        }
        Expr::Cast { expr, .. } | Expr::Nested(expr) | Expr::UnaryOp { expr, .. } => make_rows(expr),
        Expr::AtTimeZone { timestamp, .. } => make_rows(timestamp),
        Expr::BinaryOp { left, right, .. } => {
            let (left, right) = (make_rows(left), make_rows(right));
            left || right
        }
        _ => false,
    }
}

fn is_series(name: &str) -> bool {
    name.eq_ignore_ascii_case(NAME) || name.eq_ignore_ascii_case("pg_catalog.generate_series")
}

fn is_series_call(function: &Function) -> bool {
    is_series(&function.name.to_string()) && function.over.is_none()
}

fn plain(arguments: &[FunctionArg]) -> Option<Vec<Expr>> {
    let plain = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expression)) => Some(expression.clone()),
        _ => None,
    };
    arguments.iter().map(plain).collect()
}

/// Whether an expression has one value whatever there is, known before anything is read.
fn is_constant(expression: &Expr) -> bool {
    let varies = visit_expressions(expression, |part| {
        let varies = match part {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) | Expr::Subquery(_) | Expr::Exists { .. } => true,
            Expr::Value(value) => matches!(value.value, Value::Placeholder(_)),
            _ => false,
        };
        if varies { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    varies.is_continue()
}

/// A query for the rows of a series whose ends are computed, each of them once.
fn computed(arguments: &[Expr]) -> Option<Query> {
    let ends = arguments.iter().enumerate().map(|(number, argument)| format!("{argument} AS a{number}"));
    let names = (0..arguments.len()).map(|number| format!("ends.a{number}"));
    let (ends, names) = (ends.collect::<Vec<_>>().join(", "), names.collect::<Vec<_>>().join(", "));
    let text = format!("SELECT unnest({NAME}({names})) AS {NAME} FROM (SELECT {ends}) AS ends");
    let dialect = GenericDialect {};
    let parser = Parser::new(&dialect).with_recursion_limit(MAX_LEVELS).try_with_sql(&text);
    let query = parser.and_then(|mut parser| parser.parse_query()).ok()?;
    matches!(*query.body, SetExpr::Select(_)).then_some(*query)
}
