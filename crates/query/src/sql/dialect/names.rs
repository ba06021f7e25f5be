//! Columns of one name, as in `select a.outcome, b.outcome`. DataFusion tells columns apart by their names, so that
//! each has one of its own while a statement is planned. Its answer has the names that were written.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr as PlannedExpr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::projection::{ProjectionExec, ProjectionExpr};
use datafusion::sql::sqlparser::ast::{
    Expr, Ident, ObjectName, ObjectNamePart, OrderBy, OrderByKind, Select, SelectItem, SelectItemQualifiedWildcardKind,
    Value, WildcardAdditionalOptions, visit_expressions,
};

use super::casts::planned_name;

/// What follows a name that is not shown. A sign that nobody can see.
const HIDDEN: char = '\u{2063}';

/// The name of a column as it is shown.
fn shown(name: &str) -> &str {
    name.split_once(HIDDEN).map_or(name, |(shown, _)| shown)
}

/// The columns of an answer, by the names that are shown.
pub(in crate::sql) fn shown_names(schema: &SchemaRef) -> SchemaRef {
    if !schema.fields().iter().any(|field| field.name().contains(HIDDEN)) {
        return Arc::clone(schema);
    }
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_name(shown(field.name())));
    Arc::new(Schema::new_with_metadata(fields.collect::<Vec<Field>>(), schema.metadata().clone()))
}

/// The same plan, whose columns have the names that are shown.
pub(in crate::sql) fn renamed(plan: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let schema = plan.schema();
    if !schema.fields().iter().any(|field| field.name().contains(HIDDEN)) {
        return Ok(plan);
    }
    let column = |(index, field): (usize, &Arc<Field>)| {
        let column = Column::new(field.name(), index);
        ProjectionExpr::new(Arc::new(column), shown(field.name()).to_owned())
    };
    let columns: Vec<_> = schema.fields().iter().enumerate().map(column).collect();
    Ok(Arc::new(ProjectionExec::try_new(columns, plan)?))
}

/// The same plan as a part of another one, whose columns have the names that are shown.
pub(in crate::sql) fn shown_plan(plan: LogicalPlan) -> Result<LogicalPlan> {
    if !plan.schema().fields().iter().any(|field| field.name().contains(HIDDEN)) {
        return Ok(plan);
    }
    let columns = plan.schema().columns();
    let columns = columns.into_iter().map(|column| {
        let shown = shown(&column.name).to_owned();
        PlannedExpr::Column(column).alias(shown)
    });
    let columns = columns.collect::<Vec<_>>();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

/// Names the columns of a selection. An `is_inner` one is named by others, who must not find one of several columns of
/// a name by chance.
pub(super) fn rewrite(select: &mut Select, order_by: Option<&mut OrderBy>, is_inner: bool) {
    let mut order_by = order_by;
    let wildcards = wildcards(select);
    let wanted: Vec<_> = select.projection.iter().map(Wanted::of).collect();
    let mut times = HashMap::<&str, usize>::new();
    for item in wanted.iter().flatten() {
        *times.entry(item.key()).or_default() += 1;
    }
    let mut seen = HashMap::<&str, usize>::new();
    for (number, (item, wanted)) in select.projection.iter_mut().zip(&wanted).enumerate() {
        let Some(wanted) = wanted else { continue };
        let before = seen.entry(wanted.key()).or_default();
        *before += 1;
        let is_repeated = times.get(wanted.key()).is_some_and(|times| *times > 1);
        // DataFusion has names of its own for what is computed, so that each of them is given the one that is written.
        let is_hidden = (is_repeated && (is_inner || *before > 1 || wanted.kind == Kind::Computed))
            || wildcards.iter().any(|star| star.has(wanted) || !is_inner && star.may_have(wanted));
        if is_hidden {
            name(item, format!("{}{HIDDEN}{number}", wanted.name));
        } else if wanted.kind == Kind::Cast {
            let is_of_input = order_by.as_ref().is_some_and(|order_by| computes_with(order_by, &wanted.name));
            if is_of_input {
                name(item, format!("{}{HIDDEN}{number}", wanted.name));
                if let Some(order_by) = order_by.as_deref_mut() {
                    order_by_number(order_by, &wanted.name, number + 1);
                }
            } else {
                name(item, wanted.name.clone());
            }
        }
    }
}

/// What a column is called where nothing prevents it.
struct Wanted {
    name: String,
    /// What DataFusion tells it from others by, if that is not its name. Casts do not count there.
    plain: Option<String>,
    kind: Kind,
    /// The table that the name's column is said to be of.
    table: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A column of the input.
    Column,
    /// One of another type, which has its name.
    Cast,
    /// An expression, which is called what it is.
    Computed,
    /// Anything that is given a name.
    Named,
}

impl Wanted {
    fn of(item: &SelectItem) -> Option<Self> {
        match item {
            SelectItem::UnnamedExpr(expression) => Some(match column(expression) {
                Some(found) => found,
                None => Self {
                    name: expression.to_string(),
                    plain: Some(planned_name(expression)),
                    kind: Kind::Computed,
                    table: None,
                },
            }),
            SelectItem::ExprWithAlias { alias, .. } => {
                Some(Self { name: folded(alias), plain: None, kind: Kind::Named, table: None })
            }
            _ => None,
        }
    }

    fn key(&self) -> &str {
        self.plain.as_deref().unwrap_or(&self.name)
    }
}

/// The column that an expression is, or is a cast of.
fn column(expression: &Expr) -> Option<Wanted> {
    match expression {
        Expr::Identifier(name) => Some(Wanted { name: folded(name), plain: None, kind: Kind::Column, table: None }),
        Expr::CompoundIdentifier(names) => match names.as_slice() {
            [.., table, name] => {
                Some(Wanted { name: folded(name), plain: None, kind: Kind::Column, table: Some(folded(table)) })
            }
            _ => None,
        },
        Expr::Nested(inner) => column(inner),
        Expr::Cast { expr, .. } => column(expr).map(|found| Wanted { kind: Kind::Cast, ..found }),
        _ => None,
    }
}

/// A name as PostgreSQL and DataFusion read it: in small letters, unless it is in quotes.
pub(super) fn folded(name: &Ident) -> String {
    if name.quote_style.is_some() { name.value.clone() } else { name.value.to_lowercase() }
}

/// A `*` of a selection, whose columns have names that nobody has written.
struct Wildcard {
    /// The table whose columns it stands for; `None` for all.
    table: Option<String>,
    /// Whether there is no other table.
    is_alone: bool,
    /// Whether the columns are those of `segments` alone.
    is_of_segments: bool,
}

impl Wildcard {
    /// Whether one of its columns is certain to have such a name.
    fn has(&self, wanted: &Wanted) -> bool {
        match wanted.kind {
            Kind::Column | Kind::Cast if wanted.table.is_none() => self.table.is_none() || self.is_alone,
            Kind::Column | Kind::Cast => self.table.is_none() || self.table == wanted.table,
            Kind::Named => self.is_of_segments && skillscope_segment::schema().column_with_name(&wanted.name).is_some(),
            Kind::Computed => false,
        }
    }

    /// Whether one of its columns, which nobody has told of here, may have such a name.
    fn may_have(&self, wanted: &Wanted) -> bool {
        wanted.kind == Kind::Column && wanted.table.is_none()
    }
}

/// The wildcards of a selection that leave nothing out.
fn wildcards(select: &Select) -> Vec<Wildcard> {
    let alone = match select.from.as_slice() {
        [only] if only.joins.is_empty() => Some(&only.relation),
        _ => None,
    };
    let is_alone = alone.is_some();
    let table = alone.map(|table| table.to_string().to_lowercase()).unwrap_or_default();
    let is_of_segments = table.split([' ', '.']).any(|word| word == "segments") && !table.contains('(');
    let is_whole = |options: &WildcardAdditionalOptions| {
        let WildcardAdditionalOptions { opt_ilike, opt_exclude, opt_except, opt_replace, opt_rename, .. } = options;
        opt_ilike.is_none()
            && opt_exclude.is_none()
            && opt_except.is_none()
            && opt_replace.is_none()
            && opt_rename.is_none()
    };
    let of_item = |item: &SelectItem| match item {
        SelectItem::Wildcard(options) if is_whole(options) => Some(Wildcard { table: None, is_alone, is_of_segments }),
        SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), options)
            if is_whole(options) =>
        {
            Some(Wildcard { table: Some(last(name)?), is_alone, is_of_segments })
        }
        _ => None,
    };
    select.projection.iter().filter_map(of_item).collect()
}

fn last(name: &ObjectName) -> Option<String> {
    name.0.last().and_then(ObjectNamePart::as_ident).map(folded)
}

/// Gives an item a name, in the place of the one that it has.
fn name(item: &mut SelectItem, name: String) {
    let alias = Ident::with_quote('"', name);
    match item {
        SelectItem::UnnamedExpr(expr) => *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias },
        SelectItem::ExprWithAlias { alias: before, .. } => *before = alias,
        _ => {}
    }
}

/// Whether rows are ordered by something that is computed of a column of this name. That is a column of the input,
/// where the name alone would be the column of the answer.
fn computes_with(order_by: &OrderBy, name: &str) -> bool {
    let OrderByKind::Expressions(keys) = &order_by.kind else { return false };
    keys.iter().any(|key| {
        !matches!(&key.expr, Expr::Identifier(_))
            && visit_expressions(&key.expr, |part| match column(part) {
                Some(found) if found.kind == Kind::Column && found.name == name => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
            .is_break()
    })
}

/// Orders by the number of the column where its name stands alone.
fn order_by_number(order_by: &mut OrderBy, name: &str, number: usize) {
    let OrderByKind::Expressions(keys) = &mut order_by.kind else { return };
    for key in keys {
        if matches!(&key.expr, Expr::Identifier(column) if folded(column) == name) {
            key.expr = Expr::Value(Value::Number(number.to_string(), false).with_empty_span());
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::ast::{SetExpr, Statement};
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::parser::Parser;

    use super::*;

    fn rewritten(text: &str, is_inner: bool) -> String {
        let mut statements = Parser::parse_sql(&GenericDialect {}, text).unwrap();
        let Statement::Query(query) = &mut statements[0] else { panic!("a query") };
        let query = query.as_mut();
        let SetExpr::Select(select) = query.body.as_mut() else { panic!("a selection") };
        rewrite(select, query.order_by.as_mut(), is_inner);
        statements[0].to_string().replace(HIDDEN, "~")
    }

    #[test]
    fn columns_of_one_name_are_told_apart() {
        for (text, expected) in [
            ("SELECT 1, 1", r#"SELECT 1 AS "1~0", 1 AS "1~1""#),
            ("SELECT count(*), count(*), 1", r#"SELECT count(*) AS "count(*)~0", count(*) AS "count(*)~1", 1"#),
            ("SELECT a.x, b.x", r#"SELECT a.x, b.x AS "x~1""#),
            ("SELECT a AS x, b AS X", r#"SELECT a AS x, b AS "x~1""#),
            ("SELECT *, x", r#"SELECT *, x AS "x~1""#),
            ("SELECT a.*, b.x, a.x", r#"SELECT a.*, b.x, a.x AS "x~2""#),
            ("SELECT max(a.x), max(b.x)", "SELECT max(a.x), max(b.x)"),
            ("SELECT max(x)::INT, MAX(x)", r#"SELECT max(x)::INT AS "max(x)::INT~0", MAX(x) AS "MAX(x)~1""#),
            (
                "SELECT DATE '2018-01-18', '2018-01-18'",
                r#"SELECT DATE '2018-01-18' AS "DATE '2018-01-18'~0", '2018-01-18' AS "'2018-01-18'~1""#,
            ),
            (
                "SELECT *, upper(source) AS source FROM segments",
                r#"SELECT *, upper(source) AS "source~1" FROM segments"#,
            ),
            ("SELECT a.*, x::INT FROM a", r#"SELECT a.*, x::INT AS "x~1" FROM a"#),
            ("SELECT a.*, x FROM a, b", r#"SELECT a.*, x AS "x~1" FROM a, b"#),
            ("SELECT * EXCLUDE (x), x", "SELECT * EXCLUDE (x), x"),
            ("SELECT a, b AS c, *", r#"SELECT a AS "a~0", b AS c, *"#),
        ] {
            assert_eq!(rewritten(text, false), expected, "{text}");
        }
        assert_eq!(rewritten("SELECT a.*, x FROM a, b", true), "SELECT a.*, x FROM a, b");
        assert_eq!(rewritten("SELECT a.x, b.x", true), r#"SELECT a.x AS "x~0", b.x AS "x~1""#);
    }

    #[test]
    fn a_cast_has_the_name_of_its_column() {
        for (text, expected) in [
            ("SELECT t::DATE FROM s ORDER BY t", r#"SELECT t::DATE AS "t" FROM s ORDER BY t"#),
            ("SELECT t::DATE, t FROM s", r#"SELECT t::DATE AS "t", t AS "t~1" FROM s"#),
            ("SELECT t::DATE FROM s ORDER BY t, s.t", r#"SELECT t::DATE AS "t~0" FROM s ORDER BY 1, s.t"#),
            ("SELECT '1'::INT", "SELECT '1'::INT"),
        ] {
            assert_eq!(rewritten(text, false), expected, "{text}");
        }
    }
}
