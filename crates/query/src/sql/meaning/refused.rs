//! What DataFusion reads and then ignores, or answers wrongly.

use std::ops::ControlFlow;

use datafusion::common::plan_datafusion_err;
use datafusion::error::Result;
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArguments, GroupByExpr, JoinConstraint, JoinOperator, Query, Select,
    SetExpr, SetOperator, SetQuantifier, TableFactor, TableWithJoins, Value, Visit, Visitor,
};

/// Functions of PostgreSQL that are not known here, and what does the same.
const UNKNOWN: [(&str, &str); 7] = [
    ("mode", "SELECT x … GROUP BY x ORDER BY count(*) DESC LIMIT 1"),
    ("format", "concat(…) or ||"),
    ("width_bucket", "floor((x - low) / (high - low) * buckets) + 1"),
    ("regexp_matches", "regexp_match, which finds the first match, or regexp_count"),
    ("regexp_split_to_array", "string_to_array, or regexp_replace first"),
    ("regexp_split_to_table", "unnest(string_to_array(…))"),
    ("make_interval", "number * interval '1 day' and the like"),
];

/// Refuses a statement with a part that would have no effect, or another one than in PostgreSQL. `is_scalar` says
/// whether a name is that of a function which has one result for each row.
pub(in crate::sql) fn check_syntax(statement: &Statement, is_scalar: impl Fn(&str) -> bool) -> Result<()> {
    match visit(statement, &mut Refusals { is_scalar }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(reason) => Err(plan_datafusion_err!("{reason}")),
    }
}

fn visit<F: Fn(&str) -> bool>(statement: &Statement, refusals: &mut Refusals<F>) -> ControlFlow<String> {
    match statement {
        Statement::Statement(statement) => statement.visit(refusals),
        Statement::Explain(explain) => visit(&explain.statement, refusals),
        _ => ControlFlow::Continue(()),
    }
}

struct Refusals<F> {
    is_scalar: F,
}

fn refuse(reason: impl Into<String>) -> ControlFlow<String> {
    ControlFlow::Break(reason.into())
}

impl<F: Fn(&str) -> bool> Visitor for Refusals<F> {
    type Break = String;

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<String> {
        if query.settings.is_some() || query.format_clause.is_some() || query.for_clause.is_some() {
            return refuse("SETTINGS, FORMAT and FOR XML, JSON or BROWSE have no effect here; leave them out");
        }
        check_sets(&query.body)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<String> {
        select.from.iter().try_for_each(check_joins)?;
        check_select(select)
    }

    fn pre_visit_table_factor(&mut self, table: &TableFactor) -> ControlFlow<String> {
        check_table(table)
    }

    fn pre_visit_expr(&mut self, expression: &Expr) -> ControlFlow<String> {
        match expression {
            Expr::Function(function) => self.check_call(function),
            Expr::Value(value) if matches!(value.value, Value::HexStringLiteral(_)) => refuse(
                "0x… and x'…' are neither numbers nor bits here; write numbers with decimal digits, and bytes as decode('…', 'hex')",
            ),
            // They are read as `a is distinct from (b and c)`.
            Expr::IsDistinctFrom(_, right) | Expr::IsNotDistinctFrom(_, right) if is_connected(right) => {
                refuse("write the whole of `a IS DISTINCT FROM b` in parentheses where AND, OR or XOR follows")
            }
            _ => ControlFlow::Continue(()),
        }
    }
}

fn is_connected(expression: &Expr) -> bool {
    matches!(expression, Expr::BinaryOp { op: BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor, .. })
}

impl<F: Fn(&str) -> bool> Refusals<F> {
    /// Functions of single rows have none of the clauses of aggregates.
    fn check_call(&self, function: &Function) -> ControlFlow<String> {
        let name = function.name.to_string().to_lowercase();
        if let Some((_, instead)) = UNKNOWN.iter().find(|(unknown, _)| *unknown == name) {
            return refuse(format!("{name} is not known here; write {instead}"));
        }
        if !(self.is_scalar)(&name) {
            return ControlFlow::Continue(());
        }
        let arguments = match &function.args {
            FunctionArguments::List(list) => Some(list),
            FunctionArguments::None | FunctionArguments::Subquery(_) => None,
        };
        let clause = if function.filter.is_some() {
            "FILTER"
        } else if function.over.is_some() {
            "OVER"
        } else if !function.within_group.is_empty() {
            "WITHIN GROUP"
        } else if function.null_treatment.is_some() {
            "IGNORE NULLS"
        } else if arguments.is_some_and(|list| list.duplicate_treatment.is_some()) {
            "DISTINCT"
        } else if arguments.is_some_and(|list| !list.clauses.is_empty()) {
            "ORDER BY"
        } else {
            return ControlFlow::Continue(());
        };
        refuse(format!("{clause} is for aggregates, and {name} is none; leave it out, or write it at the aggregate"))
    }
}

fn check_select(select: &Select) -> ControlFlow<String> {
    if select.prewhere.is_some() {
        return refuse("PREWHERE has no effect here; write WHERE");
    }
    if !select.connect_by.is_empty() {
        return refuse("CONNECT BY has no effect here; write WITH RECURSIVE");
    }
    if !select.distribute_by.is_empty() || select.value_table_mode.is_some() {
        return refuse("DISTRIBUTE BY, AS STRUCT and AS VALUE have no effect here; leave them out");
    }
    match &select.group_by {
        GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers) if !modifiers.is_empty() => {
            refuse("WITH ROLLUP, CUBE and TOTALS have no effect here; write GROUP BY ROLLUP (…) or CUBE (…)")
        }
        _ => ControlFlow::Continue(()),
    }
}

/// DataFusion takes a row away for each that is equal to one of the other side, however many of it there are there.
fn check_sets(body: &SetExpr) -> ControlFlow<String> {
    let SetExpr::SetOperation { left, op, set_quantifier, right } = body else { return ControlFlow::Continue(()) };
    if matches!(op, SetOperator::Except | SetOperator::Minus | SetOperator::Intersect)
        && matches!(set_quantifier, SetQuantifier::All | SetQuantifier::AllByName)
    {
        return refuse(format!(
            "{op} ALL does not count equal rows here; number them on both sides, with row_number() over (partition by \
             all columns), and write {op}"
        ));
    }
    check_sets(left)?;
    check_sets(right)
}

/// DataFusion takes the column that both sides of a join share from the left side, where a row of the right side alone
/// has none.
fn check_joins(table: &TableWithJoins) -> ControlFlow<String> {
    table.joins.iter().try_for_each(|join| match &join.join_operator {
        JoinOperator::Right(constraint) | JoinOperator::RightOuter(constraint)
            if matches!(constraint, JoinConstraint::Using(_) | JoinConstraint::Natural) =>
        {
            refuse(
                "RIGHT JOIN with USING or NATURAL would leave the shared column null; write LEFT JOIN from the other \
                 side, or ON a.x = b.x and b.x for the column",
            )
        }
        JoinOperator::FullOuter(JoinConstraint::Using(_) | JoinConstraint::Natural) => refuse(
            "FULL JOIN with USING or NATURAL would leave the shared column null; write ON a.x = b.x, and \
             coalesce(a.x, b.x) for the column",
        ),
        _ => ControlFlow::Continue(()),
    })
}

fn check_table(table: &TableFactor) -> ControlFlow<String> {
    const SAMPLE: &str = "TABLESAMPLE has no effect here; write WHERE random() < 0.1 for a tenth of the rows";
    const ORDINALITY: &str = "WITH ORDINALITY has no effect here; write row_number() over () beside the columns of the \
                              function";
    match table {
        TableFactor::Table { sample: Some(_), .. } | TableFactor::Derived { sample: Some(_), .. } => refuse(SAMPLE),
        TableFactor::Table { with_ordinality: true, .. }
        | TableFactor::Function { with_ordinality: true, .. }
        | TableFactor::UNNEST { with_ordinality: true, .. } => refuse(ORDINALITY),
        TableFactor::Table { with_hints, version, partitions, json_path, index_hints, .. }
            if !with_hints.is_empty()
                || version.is_some()
                || !partitions.is_empty()
                || json_path.is_some()
                || !index_hints.is_empty() =>
        {
            refuse(format!("{table}: hints, versions and partitions have no effect here; leave them out"))
        }
        TableFactor::NestedJoin { table_with_joins, .. } => check_joins(table_with_joins),
        _ => ControlFlow::Continue(()),
    }
}
