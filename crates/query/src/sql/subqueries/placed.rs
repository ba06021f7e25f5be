//! A condition at its place in a plan.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ExprSchema, plan_err};
use datafusion::error::{DataFusionError, Result};
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::expr::Exists;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, exists, lit, scalar_subquery};

use super::Names;
use super::shape::{Shape, rows_of};

/// Where a condition stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In a filter, where any condition becomes a join.
    Filter,
    /// In a column that is computed, where only single values can be joined.
    Value,
}

/// Makes the parts of a condition at its place.
pub(super) struct Placed<'a> {
    names: &'a mut Names,
    /// The columns that the condition can name beside those of the subquery.
    schema: &'a DFSchema,
    at: Place,
}

impl<'a> Placed<'a> {
    pub(super) fn new(names: &'a mut Names, schema: &'a DFSchema, at: Place) -> Self {
        Self { names, schema, at }
    }

    pub(super) fn schema(&self) -> &DFSchema {
        self.schema
    }

    pub(super) fn is_in_filter(&self) -> bool {
        self.at == Place::Filter
    }

    /// Whether a subquery has rows.
    pub(super) fn exists(&mut self, condition: Exists) -> Result<Expr> {
        let plan = &condition.subquery.subquery;
        let has_rows = match Shape::of(plan)? {
            Shape::Empty => lit(false),
            Shape::OneRow => lit(true),
            Shape::Having { aggregate, condition } => holds_for(aggregate, condition)?,
            Shape::Beyond { rows, skipped } => count_of(&rows)?.gt(lit(i64::try_from(skipped).unwrap_or(i64::MAX))),
            Shape::Any if self.is_in_filter() => return Ok(Expr::Exists(condition)),
            Shape::Any => self.has_rows(rows_of(plan)?)?,
        };
        Ok(if condition.negated { Expr::Not(Box::new(has_rows)) } else { has_rows })
    }

    /// Whether a plan has rows, which is counted where there is nothing to be joined.
    pub(super) fn has_rows(&self, plan: &LogicalPlan) -> Result<Expr> {
        if self.is_in_filter() && is_correlated(plan) {
            Ok(exists(Arc::new(plan.clone())))
        } else {
            Ok(count_of(plan)?.gt(lit(0_i64)))
        }
    }

    /// A subquery whose column has a name of its own, so that it is not taken for one of the same name beside it.
    pub(super) fn named(&mut self, plan: &LogicalPlan) -> Result<(LogicalPlanBuilder, Expr)> {
        let name = self.names.next("compared");
        let named = LogicalPlanBuilder::from(plan.clone()).project([only_column(plan).alias(name.clone())])?;
        Ok((named, Expr::Column(Column::new_unqualified(name))))
    }

    /// An expression over the columns beside a subquery, as it can be named in the subquery.
    pub(super) fn outside(&self, expression: &Expr, subquery: &LogicalPlan) -> Result<Expr> {
        self.check_names(expression, subquery)?;
        let outside = expression.clone().transform_up(|part| match part {
            Expr::Column(column) => {
                let field = Arc::clone(self.schema.field_from_column(&column)?);
                Ok(Transformed::yes(Expr::OuterReferenceColumn(field, column)))
            }
            other => Ok(Transformed::no(other)),
        });
        outside.data()
    }

    /// What a correlated subquery compares is moved out of it by name. A table that has the same name in it and beside
    /// it would be mistaken.
    fn check_names(&self, expression: &Expr, subquery: &LogicalPlan) -> Result<()> {
        if !is_correlated(subquery) {
            return Ok(());
        }
        let used: BTreeSet<&Column> = expression.column_refs().into_iter().collect();
        let mut mistaken = None;
        subquery.apply(|node| {
            let columns = node.schema().columns();
            mistaken = columns.into_iter().find(|column| column.relation.is_some() && used.contains(column));
            Ok(if mistaken.is_some() { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
        })?;
        match mistaken.and_then(|column| column.relation) {
            Some(table) => plan_err!(
                "{table} is a table of the subquery and of the query around it; give one of them another name, such as \
                 `from {table} as t`"
            ),
            None => Ok(()),
        }
    }
}

/// Whether a condition holds for the one row of an aggregate.
pub(super) fn holds_for(aggregate: Arc<LogicalPlan>, condition: Expr) -> Result<Expr> {
    let value = |part: Expr| {
        let single = LogicalPlanBuilder::from(Arc::clone(&aggregate)).project([part])?.build()?;
        Ok::<_, DataFusionError>(scalar_subquery(Arc::new(single)))
    };
    if !condition.contains_outer() {
        return Ok(Expr::IsTrue(Box::new(value(condition)?)));
    }
    // It is computed beside the subquery, whose columns become values there.
    let beside = condition.transform_down(|part| match part {
        Expr::OuterReferenceColumn(_, column) => {
            Ok(Transformed::new(Expr::Column(column), true, TreeNodeRecursion::Jump))
        }
        Expr::Column(_) => Ok(Transformed::new(value(part)?, true, TreeNodeRecursion::Jump)),
        other => Ok(Transformed::no(other)),
    });
    Ok(Expr::IsTrue(Box::new(beside.data()?)))
}

/// The column of a subquery that has one.
pub(super) fn only_column(plan: &LogicalPlan) -> Expr {
    Expr::Column(Column::from(plan.schema().qualified_field(0)))
}

/// The number of rows of a plan.
pub(super) fn count_of(plan: &LogicalPlan) -> Result<Expr> {
    aggregate_of(plan, count(lit(1_i64)))
}

/// An aggregate over all rows of a plan, as a value.
pub(super) fn aggregate_of(plan: &LogicalPlan, aggregate: Expr) -> Result<Expr> {
    let single = LogicalPlanBuilder::from(plan.clone()).aggregate(Vec::<Expr>::new(), [aggregate])?.build()?;
    Ok(scalar_subquery(Arc::new(single)))
}

/// Whether a plan names columns of the query around it.
pub(super) fn is_correlated(plan: &LogicalPlan) -> bool {
    !plan.all_out_ref_exprs().is_empty()
}
