//! `generate_series` as a table: whole numbers, or times at equal steps.

use std::sync::Arc;

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;

use super::span::INTERVAL;

pub(super) const NAME: &str = "generate_series";

/// DataFusion's function, which makes its rows while they are read, with arguments of all types that stand for its own.
#[derive(Debug)]
pub(super) struct GenerateSeries {
    pub(super) inner: Arc<dyn TableFunctionImpl>,
}

impl TableFunctionImpl for GenerateSeries {
    fn call_with_args(&self, arguments: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let values = arguments.exprs().iter().map(|argument| match argument {
            Expr::Literal(value, _) => Some(value.clone()),
            _ => None,
        });
        let Some(values) = values.collect::<Option<Vec<_>>>() else {
            return plan_err!("{NAME} takes constants here, or subqueries in parentheses");
        };
        let values = of_one_type(values)?;
        let expressions: Vec<_> = values.into_iter().map(|value| Expr::Literal(value, None)).collect();
        self.inner.call_with_args(TableFunctionArgs::new(&expressions, arguments.session()))
    }
}

/// The arguments in the types that the function takes.
fn of_one_type(values: Vec<ScalarValue>) -> Result<Vec<ScalarValue>> {
    let ends = values.iter().take(2).map(ScalarValue::data_type);
    let times: Vec<DataType> = ends.clone().filter(is_time).collect();
    let has_step_of_time = values.get(2).is_some_and(|step| is_span(&step.data_type()));
    let end = if let Some(zoned) = times.iter().find(|time| matches!(time, DataType::Timestamp(_, Some(_)))) {
        nanoseconds(zoned)
    } else if !times.is_empty() || has_step_of_time {
        DataType::Timestamp(TimeUnit::Nanosecond, None)
    } else if ends.clone().all(|end| end.is_integer() || end.is_null() || is_text(&end)) {
        DataType::Int64
    } else {
        return plan_err!(
            "{NAME} has whole numbers, or times with an interval for a step, and not {}",
            ends.map(|end| end.to_string()).collect::<Vec<_>>().join(" and ")
        );
    };
    let is_of_times = end != DataType::Int64;
    if is_of_times && values.len() != 3 {
        return plan_err!("{NAME} of times takes the first, the last, and the step between two of them, an interval");
    }
    let step = if is_of_times { INTERVAL } else { DataType::Int64 };
    let typed = values.into_iter().enumerate().map(|(number, value)| {
        let wanted = if number < 2 { &end } else { &step };
        if value.is_null() && !is_of_times { Ok(ScalarValue::Null) } else { of_type(value, wanted) }
    });
    typed.collect()
}

fn of_type(value: ScalarValue, wanted: &DataType) -> Result<ScalarValue> {
    match value.data_type() {
        DataType::Duration(_) if *wanted == INTERVAL => value.cast_to(&DataType::Interval(IntervalUnit::MonthDayNano)),
        found if found == *wanted => Ok(value),
        _ => value.cast_to(wanted),
    }
}

fn nanoseconds(time: &DataType) -> DataType {
    match time {
        DataType::Timestamp(_, zone) => DataType::Timestamp(TimeUnit::Nanosecond, zone.clone()),
        other => other.clone(),
    }
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..) | DataType::Date32 | DataType::Date64)
}

fn is_span(data_type: &DataType) -> bool {
    super::span::is_span(data_type)
}

fn is_text(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}
