//! The conditions of an aggregation, as far as running totals can keep them.

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::execution::context::ExecutionProps;
use datafusion::logical_expr::expr::{Between, InList};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::utils::split_conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use datafusion::physical_expr::create_physical_expr;
use skillscope_segment::column;

use super::bins::{NS_PER_MS, is_end_time, nanoseconds};

/// Which rows count.
#[derive(Debug)]
pub(super) struct Conditions {
    /// The first end time that counts, and the first after it that does not, in milliseconds since the epoch.
    pub(super) from: i64,
    pub(super) until: i64,
    pub(super) accounts: ColumnFilter,
    pub(super) skills: ColumnFilter,
    pub(super) user_types: ColumnFilter,
}

/// Conditions on the values of one column, all of which must hold.
#[derive(Debug)]
pub(super) struct ColumnFilter {
    column: &'static str,
    conditions: Vec<Expr>,
    schema: SchemaRef,
}

impl Default for Conditions {
    fn default() -> Self {
        let schema = skillscope_segment::schema;
        let all = |column| ColumnFilter { column, conditions: Vec::new(), schema: schema() };
        Self {
            from: i64::MIN,
            until: i64::MAX,
            accounts: all(column::ACCOUNT_ID),
            skills: all(column::SKILL_ID),
            user_types: all(column::USER_TYPE),
        }
    }
}

impl Conditions {
    /// The same conditions, on the columns of `schema`, whose types those of the values in them are.
    pub(super) fn on(mut self, schema: SchemaRef) -> Self {
        for filter in [&mut self.accounts, &mut self.skills, &mut self.user_types] {
            filter.schema = SchemaRef::clone(&schema);
        }
        self
    }

    /// Adds a condition; `None` where totals cannot keep it.
    pub(super) fn add(&mut self, condition: &Expr) -> Option<()> {
        split_conjunction(condition).into_iter().try_for_each(|part| self.add_part(part))
    }

    fn add_part(&mut self, condition: &Expr) -> Option<()> {
        if matches!(condition, Expr::Literal(ScalarValue::Boolean(Some(true)), _)) {
            return Some(());
        }
        match only_column(condition)? {
            column::END_TIME => self.add_time(condition),
            column::ACCOUNT_ID => self.accounts.add(condition),
            column::SKILL_ID => self.skills.add(condition),
            column::USER_TYPE => self.user_types.add(condition),
            _ => None,
        }
    }

    fn add_time(&mut self, condition: &Expr) -> Option<()> {
        match condition {
            Expr::BinaryExpr(BinaryExpr { left, op, right }) => match (left.as_ref(), right.as_ref()) {
                (time, Expr::Literal(instant, _)) if is_end_time(time) => self.add_bound(*op, nanoseconds(instant)?),
                (Expr::Literal(instant, _), time) if is_end_time(time) => {
                    self.add_bound(op.swap()?, nanoseconds(instant)?)
                }
                _ => None,
            },
            Expr::Between(Between { expr, negated: false, low, high }) if is_end_time(expr) => {
                let (Expr::Literal(low, _), Expr::Literal(high, _)) = (low.as_ref(), high.as_ref()) else {
                    return None;
                };
                self.add_bound(Operator::GtEq, nanoseconds(low)?)?;
                self.add_bound(Operator::LtEq, nanoseconds(high)?)
            }
            _ => None,
        }
    }

    fn add_bound(&mut self, comparison: Operator, instant: i64) -> Option<()> {
        let millisecond = instant.div_euclid(NS_PER_MS);
        let is_whole = instant.rem_euclid(NS_PER_MS) == 0;
        // The first millisecond at the instant or after it, and the first one after it.
        let (at, after) = (if is_whole { millisecond } else { millisecond + 1 }, millisecond + 1);
        match comparison {
            Operator::GtEq => self.from = self.from.max(at),
            Operator::Gt => self.from = self.from.max(after),
            Operator::Lt => self.until = self.until.min(at),
            Operator::LtEq => self.until = self.until.min(after),
            Operator::Eq => {
                self.from = self.from.max(at);
                self.until = self.until.min(after);
            }
            _ => return None,
        }
        Some(())
    }
}

impl ColumnFilter {
    fn add(&mut self, condition: &Expr) -> Option<()> {
        // A filter that the table takes over in part stands in the plan twice.
        if !self.conditions.contains(condition) {
            self.conditions.push(condition.clone());
        }
        Some(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.conditions.is_empty()
    }

    /// The only values that can pass, where one of the conditions lists them.
    pub(super) fn values(&self) -> Option<Vec<&ScalarValue>> {
        self.conditions.iter().find_map(listed)
    }

    /// Whether there are conditions beside the one that lists values.
    pub(super) fn has_more(&self) -> bool {
        self.conditions.len() > usize::from(self.values().is_some())
    }

    /// For each of `values` whether it passes. Their type must be one that can be cast to the column's.
    pub(super) fn passes(&self, values: &ArrayRef) -> Result<Vec<bool>> {
        let field = self.schema.field_with_name(self.column)?.clone();
        let values = cast(values, field.data_type())?;
        let rows = values.len();
        let schema = SchemaRef::new(Schema::new(vec![field]));
        let batch = RecordBatch::try_new(schema.clone(), vec![values])?;
        let mut all = BooleanArray::from(vec![true; rows]);
        for condition in &self.conditions {
            let passes = evaluate(condition, &batch, &DFSchema::try_from(schema.clone())?)?;
            all = arrow::compute::and(&all, &passes)?;
        }
        Ok(all.iter().map(|passes| passes == Some(true)).collect())
    }
}

/// The values in a condition of the form `column = 'A'` or `column in ('A', …)`.
fn listed<'e>(condition: &'e Expr) -> Option<Vec<&'e ScalarValue>> {
    match condition {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(_), Expr::Literal(value, _)) | (Expr::Literal(value, _), Expr::Column(_)) => {
                Some(vec![value])
            }
            _ => None,
        },
        Expr::InList(InList { expr, list, negated: false }) if matches!(expr.as_ref(), Expr::Column(_)) => {
            let literal = |item: &'e Expr| match item {
                Expr::Literal(value, _) => Some(value),
                _ => None,
            };
            list.iter().map(literal).collect()
        }
        _ => None,
    }
}

/// For each row whether a condition holds; where it is null, it does not.
pub(super) fn evaluate(condition: &Expr, rows: &RecordBatch, schema: &DFSchema) -> Result<BooleanArray> {
    let unqualified = condition.clone().transform(|expression| {
        Ok(match expression {
            Expr::Column(name) if name.relation.is_some() => {
                Transformed::yes(Expr::Column(Column::new_unqualified(name.name)))
            }
            other => Transformed::no(other),
        })
    })?;
    let physical =
        create_physical_expr(&unqualified.data, schema, &ExecutionProps::new(), &PhysicalPlanningContext::default())?;
    let values = physical.evaluate(rows)?.into_array(rows.num_rows())?;
    Ok(values.as_boolean().iter().map(|value| Some(value == Some(true))).collect())
}

/// The only column that an expression depends on; `None` where it depends on more, or on none of the known ones.
pub(super) fn only_column(expression: &Expr) -> Option<&'static str> {
    const KNOWN: [&str; 4] = [column::ACCOUNT_ID, column::SKILL_ID, column::USER_TYPE, column::END_TIME];
    let (mut name, mut is_only) = (None, true);
    let walked = expression.apply(|part| {
        if let Expr::Column(column) = part {
            is_only &= *name.get_or_insert(column.name.as_str()) == column.name;
        }
        Ok(TreeNodeRecursion::Continue)
    });
    let is_only = walked.is_ok() && is_only && is_pure(expression);
    KNOWN.into_iter().find(|known| is_only && Some(*known) == name)
}

/// Whether an expression depends on its columns alone.
pub(super) fn is_pure(expression: &Expr) -> bool {
    let depends_on_more = |part: &Expr| {
        Ok(matches!(
            part,
            Expr::Exists(_)
                | Expr::InSubquery(_)
                | Expr::SetComparison(_)
                | Expr::ScalarSubquery(_)
                | Expr::OuterReferenceColumn(..)
                | Expr::Placeholder(_)
                | Expr::ScalarVariable(..)
        ))
    };
    !expression.is_volatile() && !expression.exists(depends_on_more).unwrap_or(true)
}
