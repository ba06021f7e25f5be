//! The counts and sums that running totals know, recognised in the expressions of a plan.

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, RecordBatch, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::functions_aggregate::average::Avg;
use datafusion::functions_aggregate::count::Count;
use datafusion::functions_aggregate::sum::Sum;
use datafusion::logical_expr::expr::{AggregateFunction, AggregateFunctionParams, Case};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use skillscope_segment::{Outcome, column};
use skillscope_store::{RowClass, Tally};

use super::conditions::{evaluate, is_pure};

/// Classes of rows, a bit each, the lowest for the first of [`RowClass::ALL`].
pub(super) type Classes = u8;

const ALL: Classes = (1 << RowClass::ALL.len()) - 1;

/// Stands for "has a time to first agent message" while conditions are evaluated.
const HAS_SAMPLE: &str = "has_sample";

/// A column of the answer, computed from the tally of each group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TallyMetric {
    /// The number of rows of some classes.
    Count(Classes),
    /// The same as a sum, which is null where the group has no rows.
    CountAsSum(Classes),
    /// The sum of samples; null where there are none.
    SampleSum,
    /// The mean of samples; null where there are none.
    SampleAverage,
}

impl TallyMetric {
    /// The column that an aggregate expression over a table with the columns of `schema` asks for; `None` where tallies
    /// cannot give it.
    pub(super) fn recognise(expression: &Expr, schema: &SchemaRef) -> Option<Self> {
        let expression = match expression {
            Expr::Alias(alias) => alias.expr.as_ref(),
            other => other,
        };
        let Expr::AggregateFunction(AggregateFunction { func, params }) = expression else { return None };
        let AggregateFunctionParams { args, distinct: false, filter, order_by, null_treatment: None } = params else {
            return None;
        };
        let [argument] = args.as_slice() else { return None };
        if !order_by.is_empty() {
            return None;
        }
        let among = match filter {
            Some(condition) => classes_where(condition, schema)?,
            None => ALL,
        };
        let function = func.inner();
        if function.is::<Count>() {
            Some(Self::Count(among & not_null(argument)?))
        } else if function.is::<Sum>() {
            sum(argument, among, schema)
        } else if function.is::<Avg>() {
            (among & sampled() == sampled() && is_sample(uncast(argument))).then_some(Self::SampleAverage)
        } else {
            None
        }
    }

    /// The metric of some rows; `None` is null.
    pub(super) fn of(self, tally: &Tally) -> Option<i64> {
        match self {
            Self::Count(classes) => Some(count(tally, classes)),
            Self::CountAsSum(classes) => (tally.rows() > 0).then(|| count(tally, classes)),
            Self::SampleSum | Self::SampleAverage => (samples(tally) > 0).then_some(tally.sample_sum),
        }
    }
}

pub(super) fn samples(tally: &Tally) -> i64 {
    count(tally, sampled())
}

fn count(tally: &Tally, classes: Classes) -> i64 {
    let (mut left, mut sum) = (classes, 0);
    while left != 0 {
        sum += tally.counts.get(left.trailing_zeros() as usize).copied().unwrap_or(0);
        left &= left - 1;
    }
    sum
}

/// The classes of rows that have a sample.
const fn sampled() -> Classes {
    1 << RowClass::NonResponsiveConsumerSampled as u8 | 1 << RowClass::InteractiveSampled as u8
}

fn sum(argument: &Expr, among: Classes, schema: &SchemaRef) -> Option<TallyMetric> {
    if is_sample(argument) {
        // There is one sum for all classes.
        return (among & sampled() == sampled()).then_some(TallyMetric::SampleSum);
    }
    // sum(case when … then 1 else 0 end), over all rows.
    let Expr::Case(Case { expr: None, when_then_expr, else_expr: Some(otherwise) }) = argument else { return None };
    let [(condition, then)] = when_then_expr.as_slice() else { return None };
    let is =
        |expression: &Expr, number| matches!(expression, Expr::Literal(ScalarValue::Int64(Some(n)), _) if *n == number);
    (among == ALL && is(then, 1) && is(otherwise, 0))
        .then(|| classes_where(condition, schema).map(TallyMetric::CountAsSum))?
}

/// The classes of rows in which an argument of `count` is not null.
fn not_null(argument: &Expr) -> Option<Classes> {
    match argument {
        Expr::Literal(value, _) => Some(if value.is_null() { 0 } else { ALL }),
        Expr::Column(_) if is_sample(argument) => Some(sampled()),
        Expr::Column(name) => {
            let schema = skillscope_segment::schema();
            let field = schema.field_with_name(&name.name).ok()?;
            (!field.is_nullable()).then_some(ALL)
        }
        _ => None,
    }
}

fn is_sample(expression: &Expr) -> bool {
    matches!(expression, Expr::Column(name) if name.name == column::TIME_TO_FIRST_AGENT_MESSAGE_MS)
}

/// The expression inside a cast to a floating-point number.
fn uncast(expression: &Expr) -> &Expr {
    match expression {
        Expr::Cast(cast) if *cast.field.data_type() == DataType::Float64 => &cast.expr,
        other => other,
    }
}

/// The classes of rows for which a condition holds; `None` where it is about more than classes.
fn classes_where(condition: &Expr, schema: &SchemaRef) -> Option<Classes> {
    match condition {
        // The usual conditions need no evaluation.
        Expr::Column(name) if name.name == column::ABANDONED_IN_QUEUE => Some(1 << RowClass::AbandonedInQueue as u8),
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (left.as_ref(), right.as_ref()) {
            (Expr::Column(name), Expr::Literal(word, _)) if name.name == column::OUTCOME => {
                let word = word.try_as_str().flatten()?;
                Some(classes(RowClass::ALL.iter().map(|class| class.outcome().as_str() == word)))
            }
            _ => evaluated(condition, schema),
        },
        _ => evaluated(condition, schema),
    }
}

fn classes(holds: impl Iterator<Item = bool>) -> Classes {
    (0..).zip(holds).fold(0, |classes, (place, holds)| classes | u8::from(holds) << place)
}

fn evaluated(condition: &Expr, schema: &SchemaRef) -> Option<Classes> {
    if !is_pure(condition) {
        return None;
    }
    let condition = condition.clone().transform(presence_of_sample).ok()?.data;
    let is_known = |name: &str| [column::OUTCOME, column::ABANDONED_IN_QUEUE, HAS_SAMPLE].contains(&name);
    if !condition.column_refs().iter().all(|column| is_known(&column.name)) {
        return None;
    }
    let rows = class_rows(schema).ok()?;
    let schema = DFSchema::try_from(rows.schema()).ok()?;
    let holds = evaluate(&condition, &rows, &schema).ok()?;
    Some(classes(holds.iter().map(|holds| holds == Some(true))))
}

/// Of the sample, a class of rows knows only whether there is one.
fn presence_of_sample(expression: Expr) -> Result<Transformed<Expr>> {
    let has_sample = || Expr::Column(Column::new_unqualified(HAS_SAMPLE));
    Ok(match expression {
        Expr::IsNotNull(inner) if is_sample(&inner) => Transformed::yes(has_sample()),
        Expr::IsNull(inner) if is_sample(&inner) => Transformed::yes(Expr::Not(Box::new(has_sample()))),
        other => Transformed::no(other),
    })
}

/// A row of each class, with the types of `schema`.
fn class_rows(schema: &SchemaRef) -> Result<RecordBatch> {
    let outcome = schema.field_with_name(column::OUTCOME)?.clone();
    let words = StringArray::from_iter_values(RowClass::ALL.iter().map(|class| Outcome::as_str(class.outcome())));
    let words = cast(&words, outcome.data_type())?;
    let flags = |flag: fn(RowClass) -> bool| -> ArrayRef {
        Arc::new(BooleanArray::from_iter(RowClass::ALL.iter().map(|class| Some(flag(*class)))))
    };
    let flag = |name| Field::new(name, DataType::Boolean, false);
    Ok(RecordBatch::try_new(
        Arc::new(Schema::new(vec![outcome, flag(column::ABANDONED_IN_QUEUE), flag(HAS_SAMPLE)])),
        vec![words, flags(RowClass::is_in_queue), flags(RowClass::has_sample)],
    )?)
}
