//! `to_char`: times, lengths of time and numbers as text, by PostgreSQL's patterns.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit};
use chrono::{DateTime, Offset, TimeZone};
use datafusion::common::{exec_datafusion_err, exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::computed::{Texts, computed};
use super::patterns::{Moment, NumberPattern, TimePattern};
use super::span::{Span, is_span, spans};
use super::timezone::per_second;

/// `to_char(value, pattern)`. Patterns with a `%` are those of `strftime`, which DataFusion knows alone.
pub(super) fn to_char() -> ScalarUDF {
    let inner = datafusion::functions::datetime::to_char();
    ScalarUDF::new_from_impl(ToChar { inner, signature: Signature::user_defined(Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToChar {
    inner: Arc<ScalarUDF>,
    signature: Signature,
}

impl ScalarUDFImpl for ToChar {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        let [value, _] = types else { return plan_err!("to_char takes a value and a pattern") };
        let is_known = value.is_numeric() || value.is_temporal() || is_span(value) || *value == DataType::Null;
        if !is_known {
            return plan_err!("to_char writes times, intervals and numbers, and not {value}");
        }
        let value = match value {
            DataType::Null => DataType::Timestamp(TimeUnit::Microsecond, None),
            // As the pattern's digits are those of decimal numbers, so are those of the value.
            DataType::Float16 | DataType::Float32 => DataType::Float64,
            known => known.clone(),
        };
        Ok(vec![value, DataType::Utf8])
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let value = arguments.arg_fields.first().map(|field| field.data_type().clone());
        let is_strftime = match (&value, arguments.args.get(1)) {
            (Some(value), Some(pattern)) if !value.is_numeric() => has_percent(pattern)?,
            _ => false,
        };
        if is_strftime && !matches!(value, Some(DataType::Interval(_))) {
            return self.inner.inner().invoke_with_args(arguments);
        }
        computed(&arguments, |columns| {
            let [values, patterns] = columns else { return Err(super::wrong_number(self.name())) };
            let patterns = Texts::of(patterns)?;
            Ok(Arc::new(if values.data_type().is_numeric() {
                numbers(values, &patterns)?
            } else {
                times(values, &patterns)?
            }))
        })
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.inner().documentation()
    }
}

/// Whether a pattern is one of `strftime`.
pub(super) fn has_percent(pattern: &ColumnarValue) -> Result<bool> {
    Ok(match pattern {
        ColumnarValue::Scalar(pattern) => pattern.try_as_str().flatten().is_some_and(|pattern| pattern.contains('%')),
        ColumnarValue::Array(patterns) => {
            let texts = Texts::of(patterns)?;
            (0..patterns.len()).filter_map(|row| texts.get(row)).any(|pattern| pattern.contains('%'))
        }
    })
}

/// The pattern of the last row, which mostly is that of the next one too.
pub(super) struct Last<P>(Option<(String, P)>);

impl<P> Last<P> {
    pub(super) fn none() -> Self {
        Self(None)
    }

    pub(super) fn of(&mut self, pattern: &str, parse: impl FnOnce(&str) -> Result<P>) -> Result<&P> {
        if self.0.as_ref().is_none_or(|(last, _)| last != pattern) {
            self.0 = Some((pattern.to_owned(), parse(pattern)?));
        }
        match &self.0 {
            Some((_, parsed)) => Ok(parsed),
            None => exec_err!("there is no pattern"),
        }
    }
}

fn times(values: &ArrayRef, patterns: &Texts) -> Result<StringArray> {
    let moments = moments(values)?;
    let mut last = Last::none();
    let written = |(row, moment): (usize, Option<Moment>)| {
        let Some((moment, pattern)) = moment.zip(patterns.get(row)) else { return Ok(None) };
        let mut text = String::new();
        last.of(pattern, TimePattern::of)?.write(&moment, &mut text)?;
        Ok(Some(text))
    };
    moments.into_iter().enumerate().map(written).collect()
}

fn moments(values: &ArrayRef) -> Result<Vec<Option<Moment>>> {
    let (values, unit, zone) = match values.data_type() {
        DataType::Timestamp(unit, zone) => (values.clone(), *unit, zone.as_deref().map(str::parse::<Tz>).transpose()?),
        DataType::Date32 | DataType::Date64 => {
            let unit = TimeUnit::Second;
            (cast(values, &DataType::Timestamp(unit, None))?, unit, None)
        }
        DataType::Time32(_) | DataType::Time64(_) => {
            let times = cast(&cast(values, &DataType::Time64(TimeUnit::Nanosecond))?, &DataType::Int64)?;
            let of_time = |time: i64| Span { nanoseconds: i128::from(time), ..Span::default() };
            let times = times.as_primitive::<Int64Type>().iter();
            return Ok(times.map(|time| time.map(of_time).map(Moment::of_span)).collect());
        }
        _ => return Ok(spans(values)?.into_iter().map(|span| span.map(Moment::of_span)).collect()),
    };
    let (per_second, numbers) = (per_second(unit), cast(&values, &DataType::Int64)?);
    let moment = |number: i64| {
        let nanoseconds = number.rem_euclid(per_second).saturating_mul(1_000_000_000 / per_second);
        let instant = DateTime::from_timestamp(number.div_euclid(per_second), u32::try_from(nanoseconds).unwrap_or(0));
        let utc = instant.map(|instant| instant.naive_utc());
        let offset = zone.as_ref().zip(utc).map(|(zone, utc)| zone.offset_from_utc_datetime(&utc).fix());
        let local = utc.and_then(|utc| offset.map_or(Some(utc), |offset| utc.checked_add_offset(offset)));
        let local = local.ok_or_else(|| exec_datafusion_err!("time out of range: it is in no calendar"))?;
        Ok(Moment::of_time(local, offset.map(|offset| offset.local_minus_utc())))
    };
    numbers.as_primitive::<Int64Type>().iter().map(|number| number.map(moment).transpose()).collect()
}

fn numbers(values: &ArrayRef, patterns: &Texts) -> Result<StringArray> {
    let decimals = match values.data_type() {
        DataType::Float64 => {
            let numbers = values.as_primitive::<arrow::datatypes::Float64Type>();
            Arc::new(numbers.iter().map(|number| number.map(|number| number.to_string())).collect::<StringArray>())
        }
        _ => cast(values, &DataType::Utf8)?,
    };
    let decimals = Texts::of(&decimals)?;
    let mut last = Last::none();
    let written = |row: usize| {
        let Some((decimal, pattern)) = decimals.get(row).zip(patterns.get(row)) else { return Ok(None) };
        last.of(pattern, NumberPattern::of)?.write(decimal).map(Some)
    };
    (0..values.len()).map(written).collect()
}
