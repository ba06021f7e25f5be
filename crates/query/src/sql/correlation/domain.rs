//! A subquery for all values at once that the query around it has.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, JoinType, NullEquality, Result, TableReference};
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::logical_plan::{FetchType, Join, Limit, SkipType, Window};
use datafusion::logical_expr::{
    Aggregate, Distinct, Expr, ExprFunctionExt, ExprSchemable, LogicalPlan, LogicalPlanBuilder, SortExpr, cast, lit,
    when,
};

use super::difficulty::refers_outside;

/// The different values that the query around a subquery has in the columns that the subquery refers to.
pub(super) struct Domain {
    /// The columns of the query around it.
    columns: Vec<Column>,
    /// Their different values.
    values: LogicalPlan,
    /// What the columns of the values are called.
    table: TableReference,
    /// What they are called in the answer of the subquery.
    answer: TableReference,
}

impl Domain {
    /// The values that `outer` has in the columns that `subquery` refers to; `None` where it has no such column.
    /// `number` tells it from others in the statement.
    pub(super) fn of(outer: &LogicalPlan, subquery: &LogicalPlan, number: usize) -> Result<Option<Self>> {
        let mut columns = Vec::new();
        for reference in subquery.all_out_ref_exprs() {
            let Expr::OuterReferenceColumn(_, column) = reference else { return Ok(None) };
            if !outer.schema().has_column(&column) {
                return Ok(None);
            }
            if !columns.contains(&column) {
                columns.push(column);
            }
        }
        let table = TableReference::bare(format!("__outer_{number}"));
        let named = columns
            .iter()
            .enumerate()
            .map(|(index, column)| Expr::Column(column.clone()).alias_qualified(Some(table.clone()), key(index)));
        let values = LogicalPlanBuilder::from(outer.clone()).project(named.collect::<Vec<_>>())?.distinct()?.build()?;
        let answer = TableReference::bare(format!("__subquery_{number}"));
        Ok(Some(Self { columns, values, table, answer }))
    }

    /// Joins the answers of a subquery to the rows of `outer` that they are for. With `JoinType::Left`, a row without
    /// an answer has nulls. `None` where there is no way to compute the subquery.
    ///
    /// The answers are columns of the table that [`answer`](Self::answer) names.
    pub(super) fn join(
        &self,
        outer: LogicalPlan,
        subquery: &LogicalPlan,
        join_type: JoinType,
        filter: impl FnOnce(Column) -> Option<Expr>,
    ) -> Result<Option<LogicalPlan>> {
        let Some(answers) = self.applied(subquery)? else { return Ok(None) };
        let value = Column::new(Some(self.answer.clone()), VALUE);
        let mut columns = self
            .keys()
            .map(|(index, column)| Expr::Column(column).alias_qualified(Some(self.answer.clone()), key(index)))
            .collect::<Vec<_>>();
        if let Some((qualifier, field)) = subquery.schema().iter().next() {
            let first = Expr::Column(Column::from((qualifier, field)));
            columns.push(first.alias_qualified(Some(self.answer.clone()), VALUE));
        }
        let answers = LogicalPlanBuilder::from(answers).project(columns)?.build()?;
        self.joined(outer, answers, &self.answer, join_type, filter(value)).map(Some)
    }

    /// The value of the first column of an answer.
    pub(super) fn value(&self) -> Expr {
        Expr::Column(Column::new(Some(self.answer.clone()), VALUE))
    }

    /// As [`join`](Self::join), with all columns of the subquery under their own names and under `alias`.
    pub(super) fn join_lateral(
        &self,
        outer: LogicalPlan,
        subquery: &LogicalPlan,
        alias: Option<&TableReference>,
        join_type: JoinType,
        filter: Option<Expr>,
    ) -> Result<Option<LogicalPlan>> {
        let Some(answers) = self.applied(subquery)? else { return Ok(None) };
        let keys = self
            .keys()
            .map(|(index, column)| Expr::Column(column).alias_qualified(Some(self.answer.clone()), key(index)));
        let columns = subquery.schema().iter().map(|(qualifier, field)| {
            let column = Expr::Column(Column::from((qualifier, field)));
            match alias {
                Some(alias) => column.alias_qualified(Some(alias.clone()), field.name()),
                None => column,
            }
        });
        let answers = LogicalPlanBuilder::from(answers).project(keys.chain(columns).collect::<Vec<_>>())?.build()?;
        self.joined(outer, answers, &self.answer, join_type, filter).map(Some)
    }

    fn joined(
        &self,
        outer: LogicalPlan,
        answers: LogicalPlan,
        table: &TableReference,
        join_type: JoinType,
        filter: Option<Expr>,
    ) -> Result<LogicalPlan> {
        let keys = (0..self.columns.len()).map(|index| Column::new(Some(table.clone()), key(index)));
        let on = self.columns.iter().cloned().zip(keys).unzip::<_, _, Vec<_>, Vec<_>>();
        // A value may be null, and has an answer then as well.
        LogicalPlanBuilder::from(outer)
            .join_detailed(answers, join_type, on, filter, NullEquality::NullEqualsNull)?
            .build()
    }

    /// The columns of the values.
    fn keys(&self) -> impl Iterator<Item = (usize, Column)> {
        (0..self.columns.len()).map(|index| (index, Column::new(Some(self.table.clone()), key(index))))
    }

    fn key_columns(&self) -> Vec<Expr> {
        self.keys().map(|(_, column)| Expr::Column(column)).collect()
    }

    /// A plan whose rows are those of `plan` for each of the values, which are columns of it. `None` where there is no
    /// way to compute it.
    fn applied(&self, plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
        if !refers_outside(plan) {
            return LogicalPlanBuilder::from(self.values.clone()).cross_join(plan.clone())?.build().map(Some);
        }
        let input = |input: &LogicalPlan| self.applied(input);
        match plan {
            LogicalPlan::Filter(filter) => {
                let Some(rows) = input(&filter.input)? else { return Ok(None) };
                LogicalPlanBuilder::from(rows).filter(self.inside(filter.predicate.clone())?)?.build().map(Some)
            }
            LogicalPlan::Projection(projection) => {
                let Some(rows) = input(&projection.input)? else { return Ok(None) };
                self.projected(rows, projection.expr.clone(), plan).map(Some)
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let Some(rows) = input(&alias.input)? else { return Ok(None) };
                let columns = alias.input.schema().columns().into_iter().map(Expr::Column).collect();
                self.projected(rows, columns, plan).map(Some)
            }
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => input(&sort.input),
            LogicalPlan::Distinct(Distinct::All(rows)) => {
                let Some(rows) = input(rows)? else { return Ok(None) };
                LogicalPlanBuilder::from(rows).distinct()?.build().map(Some)
            }
            LogicalPlan::Aggregate(aggregate) => self.aggregated(aggregate, plan),
            LogicalPlan::Limit(limit) => self.limited(limit),
            LogicalPlan::Window(window) => self.windowed(window, plan),
            LogicalPlan::Join(join) => self.both_sides(join),
            _ => Ok(None),
        }
    }

    /// An expression with the columns of the values in the place of those of the query around.
    fn inside(&self, expression: Expr) -> Result<Expr> {
        let replaced = expression.transform_up(|part| match &part {
            Expr::OuterReferenceColumn(_, column) => {
                let index = self.columns.iter().position(|known| known == column);
                let key = index.map(|index| Expr::Column(Column::new(Some(self.table.clone()), key(index))));
                Ok(key.map_or_else(|| Transformed::no(part), Transformed::yes))
            }
            _ => Ok(Transformed::no(part)),
        })?;
        Ok(replaced.data)
    }

    /// The values, and `columns` by the names that `like` has for them.
    fn projected(&self, rows: LogicalPlan, columns: Vec<Expr>, like: &LogicalPlan) -> Result<LogicalPlan> {
        let named = columns.into_iter().zip(like.schema().iter()).map(|(column, (qualifier, field))| {
            let column = self.inside(column.unalias())?;
            let is_named = matches!(&column, Expr::Column(known)
                if known.name == *field.name() && known.relation.as_ref() == qualifier);
            Ok(if is_named { column } else { column.alias_qualified(qualifier.cloned(), field.name()) })
        });
        let named = named.collect::<Result<Vec<_>>>()?;
        let all: Vec<_> = self.key_columns().into_iter().chain(named).collect();
        LogicalPlanBuilder::from(rows).project(all)?.build()
    }

    fn aggregated(&self, aggregate: &Aggregate, plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
        if aggregate.group_expr.iter().any(|key| matches!(key, Expr::GroupingSet(_))) {
            return Ok(None);
        }
        let Some(rows) = self.applied(&aggregate.input)? else { return Ok(None) };
        let inside = |expressions: &[Expr]| -> Result<Vec<Expr>> {
            expressions.iter().map(|expression| self.inside(expression.clone())).collect()
        };
        let (keys, calls) = (inside(&aggregate.group_expr)?, inside(&aggregate.aggr_expr)?);
        let groups: Vec<_> = self.key_columns().into_iter().chain(keys).collect();
        let grouped = LogicalPlanBuilder::from(rows).aggregate(groups, calls.clone())?.build()?;
        let columns: Vec<_> =
            grouped.schema().columns().into_iter().skip(self.columns.len()).map(Expr::Column).collect();
        if !aggregate.group_expr.is_empty() {
            return self.projected(grouped, columns, plan).map(Some);
        }
        // An aggregation without keys has a row for no rows, too.
        let table = TableReference::bare(format!("{}_groups", self.table));
        let of_groups =
            self.keys().map(|(index, column)| Expr::Column(column).alias_qualified(Some(table.clone()), key(index)));
        let named = columns
            .iter()
            .enumerate()
            .map(|(index, column)| column.clone().alias_qualified(Some(table.clone()), format!("call_{index}")));
        let grouped = LogicalPlanBuilder::from(grouped).project(of_groups.chain(named).collect::<Vec<_>>())?.build()?;
        let values = self.keys().map(|(_, column)| column).collect::<Vec<_>>();
        let on = (values, (0..self.columns.len()).map(|index| Column::new(Some(table.clone()), key(index))).collect());
        let all = LogicalPlanBuilder::from(self.values.clone())
            .join_detailed(grouped, JoinType::Left, on, None, NullEquality::NullEqualsNull)?
            .build()?;
        let columns = calls.iter().enumerate().map(|(index, call)| {
            let column = Expr::Column(Column::new(Some(table.clone()), format!("call_{index}")));
            of_no_rows(call, column, &all)
        });
        self.projected(all.clone(), columns.collect::<Result<Vec<_>>>()?, plan).map(Some)
    }

    /// `LIMIT` for each of the values: rows are numbered, and those with the first numbers are kept.
    fn limited(&self, limit: &Limit) -> Result<Option<LogicalPlan>> {
        let (SkipType::Literal(skip), FetchType::Literal(fetch)) = (limit.get_skip_type()?, limit.get_fetch_type()?)
        else {
            return Ok(None);
        };
        // Columns by which rows are ordered may not be among those of the answer.
        let mut above = Vec::new();
        let mut rows = limit.input.as_ref();
        while let LogicalPlan::Projection(projection) = rows {
            above.push(rows);
            rows = projection.input.as_ref();
        }
        let (order_by, rows): (Vec<SortExpr>, _) = match rows {
            LogicalPlan::Sort(sort) if sort.fetch.is_none() => (sort.expr.clone(), sort.input.as_ref()),
            _ => {
                above.clear();
                (Vec::new(), limit.input.as_ref())
            }
        };
        let Some(applied) = self.applied(rows)? else { return Ok(None) };
        let keys = order_by.into_iter().map(|key| Ok(SortExpr { expr: self.inside(key.expr)?, ..key }));
        let keys = keys.collect::<Result<Vec<_>>>()?;
        let mut number = row_number().partition_by(self.key_columns());
        if !keys.is_empty() {
            number = number.order_by(keys);
        }
        let number = number.build()?;
        let place = Expr::Column(Column::new_unqualified(number.schema_name().to_string()));
        let mut kept = place.clone().gt(lit(skip as u64));
        if let Some(fetch) = fetch {
            kept = kept.and(place.lt_eq(lit(skip.saturating_add(fetch) as u64)));
        }
        let mut plan = LogicalPlanBuilder::from(applied).window([number])?.filter(kept)?.build()?;
        plan = self.projected(plan, rows.schema().columns().into_iter().map(Expr::Column).collect(), rows)?;
        for projection in above.into_iter().rev() {
            plan = self.projected(plan, projection.expressions(), projection)?;
        }
        Ok(Some(plan))
    }

    fn windowed(&self, window: &Window, plan: &LogicalPlan) -> Result<Option<LogicalPlan>> {
        let Some(rows) = self.applied(&window.input)? else { return Ok(None) };
        let calls = window.window_expr.iter().map(|call| self.within_value(call));
        let Some(calls) = calls.collect::<Result<Option<Vec<_>>>>()? else { return Ok(None) };
        let before = window.input.schema().columns().into_iter();
        let new = calls.iter().map(|call| Column::new_unqualified(call.schema_name().to_string()));
        let columns = before.chain(new).map(Expr::Column).collect();
        let rows = LogicalPlanBuilder::from(rows).window(calls)?.build()?;
        self.projected(rows, columns, plan).map(Some)
    }

    /// A call of a window function for each of the values.
    fn within_value(&self, call: &Expr) -> Result<Option<Expr>> {
        let Expr::WindowFunction(call) = call.clone().unalias() else { return Ok(None) };
        let mut call = *call;
        call.params.partition_by.extend(self.key_columns());
        self.inside(Expr::from(call)).map(Some)
    }

    fn both_sides(&self, join: &Join) -> Result<Option<LogicalPlan>> {
        let (in_left, in_right) = (refers_outside(&join.left), refers_outside(&join.right));
        let side_of_values = match join.join_type {
            JoinType::Inner if in_right && !in_left => join.right.as_ref(),
            JoinType::Inner | JoinType::Left if !in_right => join.left.as_ref(),
            _ => return Ok(None),
        };
        let Some(applied) = self.applied(side_of_values)? else { return Ok(None) };
        let applied = Arc::new(applied);
        let (left, right) = if std::ptr::eq(side_of_values, join.left.as_ref()) {
            (applied, Arc::clone(&join.right))
        } else {
            (Arc::clone(&join.left), applied)
        };
        let on = join.on.iter().map(|(left, right)| Ok((self.inside(left.clone())?, self.inside(right.clone())?)));
        let on = on.collect::<Result<Vec<_>>>()?;
        let filter = join.filter.clone().map(|filter| self.inside(filter)).transpose()?;
        let Join { join_type, join_constraint, null_equality, null_aware, .. } = join;
        Join::try_new(left, right, on, filter, *join_type, *join_constraint, *null_equality, *null_aware)
            .map(|join| Some(LogicalPlan::Join(join)))
    }
}

/// The first column of an answer.
const VALUE: &str = "value";

fn key(index: usize) -> String {
    format!("key_{index}")
}

/// The result of an aggregation, or what it is of no rows where there was none: `count` is 0 then.
fn of_no_rows(call: &Expr, column: Expr, all: &LogicalPlan) -> Result<Expr> {
    let Expr::AggregateFunction(function) = call.clone().unalias() else { return Ok(column) };
    let data_type = column.get_type(all.schema())?;
    let default = function.func.default_value(&data_type)?;
    if default.is_null() {
        return Ok(column);
    }
    when(column.clone().is_null(), cast(lit(default), data_type)).otherwise(column)
}
