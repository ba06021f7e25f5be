//! `interval * number` and `interval / number`, for differences of times too.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, DurationMicrosecondArray, IntervalMonthDayNanoArray};
use arrow::datatypes::{DataType, Float64Type, TimeUnit};
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    BinaryExpr, ColumnarValue, Expr, Operator, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
    cast,
};

use super::computed::computed;
use super::span::{INTERVAL, Span, spans};

/// `span * number` or `span / number`.
pub(in crate::sql) fn scaled_span(span: Expr, number: Expr, operator: Operator) -> Expr {
    let function = ScaledSpan { operator, signature: Signature::any(2, Volatility::Immutable) };
    let arguments = vec![span, cast(number, DataType::Float64)];
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(function)), arguments))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ScaledSpan {
    operator: Operator,
    signature: Signature,
}

impl ScaledSpan {
    fn scale(&self, value: f64, number: f64) -> f64 {
        if self.operator == Operator::Divide { value / number } else { value * number }
    }

    /// What is left of a month goes to the days, and what is left of a day to the hours.
    fn scaled(&self, span: Span, number: f64) -> Result<Span> {
        const SECONDS_OF_DAY: f64 = 86_400.0;
        if self.operator == Operator::Divide && number == 0.0 {
            return exec_err!("division by zero");
        }
        let (months, days) = (self.scale(span.months as f64, number), self.scale(span.days as f64, number));
        let days_of_months = to_micros((months - months.trunc()) * 30.0);
        let part_of_days = days - days.trunc() + days_of_months - days_of_months.trunc();
        let seconds = to_micros(part_of_days * SECONDS_OF_DAY);
        let more_days = (seconds / SECONDS_OF_DAY).trunc();
        let seconds = seconds - more_days * SECONDS_OF_DAY;
        let micros = (self.scale(span.nanoseconds as f64 / 1e3, number) + seconds * 1e6).round_ties_even();
        Ok(Span {
            months: whole(months)?,
            days: whole(days)? + whole(days_of_months)? + whole(more_days)?,
            nanoseconds: whole(micros)? * 1_000,
        })
    }
}

/// To the millionth, so that what floating-point numbers leave over does not count.
fn to_micros(number: f64) -> f64 {
    (number * 1e6).round_ties_even() / 1e6
}

fn whole(number: f64) -> Result<i128> {
    if number.abs() < 1e30 { Ok(number as i128) } else { exec_err!("interval out of range") }
}

impl ScalarUDFImpl for ScaledSpan {
    fn name(&self) -> &str {
        if self.operator == Operator::Divide { "/" } else { "*" }
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        let [span, number] = arguments else { return Err(super::wrong_number(self.name())) };
        let (span, number) = (Box::new(span.clone()), Box::new(number.clone()));
        Ok(Expr::BinaryExpr(BinaryExpr::new(span, self.operator, number)).schema_name().to_string())
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        Ok(match types {
            [DataType::Duration(_), ..] => DataType::Duration(TimeUnit::Microsecond),
            _ => INTERVAL,
        })
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_difference = matches!(arguments.return_field.data_type(), DataType::Duration(_));
        computed(&arguments, |columns| {
            let [values, numbers] = columns else { return Err(super::wrong_number(self.name())) };
            let numbers = numbers.as_primitive::<Float64Type>();
            let scaled = spans(values)?
                .into_iter()
                .zip(numbers)
                .map(|(span, number)| span.zip(number).map(|(span, number)| self.scaled(span, number)).transpose());
            Ok(if is_difference { differences(scaled)? } else { intervals(scaled)? })
        })
    }
}

fn intervals(spans: impl Iterator<Item = Result<Option<Span>>>) -> Result<ArrayRef> {
    let interval = |span: Result<Option<Span>>| span?.map(Span::interval).transpose();
    Ok(Arc::new(spans.map(interval).collect::<Result<IntervalMonthDayNanoArray>>()?))
}

fn differences(spans: impl Iterator<Item = Result<Option<Span>>>) -> Result<ArrayRef> {
    let micros =
        |span: Span| i64::try_from(span.length() / 1_000).map_err(|_| exec_datafusion_err!("interval out of range"));
    let difference = |span: Result<Option<Span>>| span?.map(micros).transpose();
    Ok(Arc::new(spans.map(difference).collect::<Result<DurationMicrosecondArray>>()?))
}
