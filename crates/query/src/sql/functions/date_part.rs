//! `date_part`, which `extract` stands for: fields of times and of lengths of time, with their fractions.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Int32Type, Int64Type, TimeUnit};
use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::preimage::PreimageResult;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{
    ColumnarValue, Documentation, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
};

use super::computed::computed;
use super::span::{SECOND, Span, is_span, spans};
use super::timezone::per_second;

/// `date_part` with fractions of seconds, and with the fields of intervals and differences as PostgreSQL has them.
/// DataFusion's cuts fractions off, and gives a difference of 61 seconds 61 seconds and 1 minute.
pub(in crate::sql) fn date_part() -> ScalarUDF {
    ScalarUDF::new_from_impl(DatePart { inner: datafusion::functions::datetime::date_part() })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct DatePart {
    inner: Arc<ScalarUDF>,
}

/// A field that is computed here.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Part {
    Epoch,
    /// The seconds within a minute, so many to a second.
    Second(f64),
    Julian,
    Minute,
    Hour,
    Day,
    Month,
    Quarter,
    Year,
    Decade,
    Century,
    Millennium,
    /// Beside UTC, in which all instants are.
    Offset,
}

impl Part {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "epoch" => Self::Epoch,
            "second" | "seconds" | "sec" | "secs" | "s" => Self::Second(1.0),
            "millisecond" | "milliseconds" | "msec" | "msecs" | "ms" => Self::Second(1e3),
            "microsecond" | "microseconds" | "usec" | "usecs" | "us" => Self::Second(1e6),
            "julian" | "j" => Self::Julian,
            "minute" | "minutes" | "min" | "mins" | "m" => Self::Minute,
            "hour" | "hours" | "hr" | "hrs" | "h" => Self::Hour,
            "day" | "days" | "d" => Self::Day,
            "month" | "months" | "mon" | "mons" => Self::Month,
            "quarter" | "qtr" => Self::Quarter,
            "year" | "years" | "yr" | "yrs" | "y" => Self::Year,
            "decade" | "decades" | "dec" | "decs" => Self::Decade,
            "century" | "centuries" | "cent" | "c" => Self::Century,
            "millennium" | "millennia" | "mil" | "mils" => Self::Millennium,
            "timezone" | "timezone_hour" | "timezone_minute" => Self::Offset,
            _ => return None,
        })
    }

    fn has_fraction(self) -> bool {
        matches!(self, Self::Epoch | Self::Second(_) | Self::Julian)
    }
}

/// The name of the field, which is a constant.
fn part_name(value: Option<&str>) -> Result<String> {
    match value {
        Some(name) if !name.is_empty() => Ok(name.trim_matches('\'').to_lowercase()),
        _ => plan_err!("date_part takes the name of a field, such as 'hour', and a time"),
    }
}

impl ScalarUDFImpl for DatePart {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn aliases(&self) -> &[String] {
        self.inner.aliases()
    }

    fn signature(&self) -> &Signature {
        self.inner.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.inner.return_type(types)
    }

    fn return_field_from_args(&self, arguments: ReturnFieldArgs) -> Result<FieldRef> {
        let name = arguments.scalar_arguments.first().copied().flatten();
        let name = part_name(name.and_then(|name| name.try_as_str().flatten()))?;
        let Some(source) = arguments.arg_fields.get(1) else { return Err(super::wrong_number(self.name())) };
        let data_type = match Part::of(&name) {
            Some(part) if part.has_fraction() => DataType::Float64,
            Some(_) if is_span(source.data_type()) => DataType::Int64,
            Some(Part::Decade | Part::Century | Part::Millennium | Part::Offset) => DataType::Int64,
            _ => return self.inner.inner().return_field_from_args(arguments),
        };
        Ok(Arc::new(Field::new(self.name(), data_type, source.is_nullable())))
    }

    fn invoke_with_args(&self, mut arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let name = match arguments.args.first() {
            Some(ColumnarValue::Scalar(name)) => part_name(name.try_as_str().flatten())?,
            _ => return plan_err!("date_part takes the name of a field, such as 'hour', and a time"),
        };
        let Some(source) = arguments.arg_fields.get(1).map(|field| field.data_type().clone()) else {
            return Err(super::wrong_number(self.name()));
        };
        let part = Part::of(&name);
        if is_span(&source) {
            let Some(part) = part else { return exec_err!("an interval has no field '{name}'") };
            return computed(&arguments, |columns| of_spans(part, column(columns)?));
        }
        match part {
            Some(Part::Epoch) => computed(&arguments, |columns| epoch(column(columns)?)),
            Some(Part::Second(times)) => computed(&arguments, |columns| seconds(column(columns)?, times)),
            Some(Part::Julian) => computed(&arguments, |columns| julian(column(columns)?)),
            Some(Part::Offset) => computed(&arguments, |columns| {
                let (times, zero) = (column(columns)?, Some(0));
                Ok(Arc::new((0..times.len()).map(|row| zero.filter(|_| times.is_valid(row))).collect::<Int64Array>()))
            }),
            Some(part @ (Part::Decade | Part::Century | Part::Millennium)) => {
                computed(&arguments, |columns| of_years(part, column(columns)?))
            }
            _ => {
                without_zone(&mut arguments)?;
                self.inner.inner().invoke_with_args(arguments)
            }
        }
    }

    fn preimage(&self, arguments: &[Expr], literal: &Expr, info: &SimplifyContext) -> Result<PreimageResult> {
        self.inner.inner().preimage(arguments, literal, info)
    }

    fn documentation(&self) -> Option<&Documentation> {
        self.inner.inner().documentation()
    }
}

fn column(columns: &[ArrayRef]) -> Result<&ArrayRef> {
    columns.get(1).ok_or_else(|| super::wrong_number("date_part"))
}

/// Takes the zone from times in UTC. With one, DataFusion looks each value up in the tables of time zones.
fn without_zone(arguments: &mut ScalarFunctionArgs) -> Result<()> {
    let Some(ColumnarValue::Array(times)) = arguments.args.get(1) else { return Ok(()) };
    let DataType::Timestamp(unit, Some(zone)) = times.data_type() else { return Ok(()) };
    if zone.as_ref() != "UTC" {
        return Ok(());
    }
    let plain = DataType::Timestamp(*unit, None);
    let times = ColumnarValue::Array(cast(times, &plain)?);
    if let Some(field) = arguments.arg_fields.get_mut(1) {
        *field = Arc::new(field.as_ref().clone().with_data_type(plain));
    }
    if let Some(argument) = arguments.args.get_mut(1) {
        *argument = times;
    }
    Ok(())
}

/// Whole numbers of some part of a second, and how many of it a second has. Days are whole numbers of seconds.
fn parts_of_seconds(times: &ArrayRef) -> Result<(ArrayRef, i64, i64)> {
    Ok(match times.data_type() {
        DataType::Timestamp(unit, _) | DataType::Time32(unit) | DataType::Time64(unit) => {
            let whole = match times.data_type() {
                DataType::Time32(_) => cast(&cast(times, &DataType::Int32)?, &DataType::Int64)?,
                _ => cast(times, &DataType::Int64)?,
            };
            (whole, per_second(*unit), 1)
        }
        DataType::Date64 => (cast(times, &DataType::Int64)?, per_second(TimeUnit::Millisecond), 1),
        DataType::Date32 => (cast(&cast(times, &DataType::Int32)?, &DataType::Int64)?, 1, 86_400),
        other => return exec_err!("{other} is not a time"),
    })
}

fn epoch(times: &ArrayRef) -> Result<ArrayRef> {
    let (whole, per_second, seconds) = parts_of_seconds(times)?;
    let epoch = |number: i64| number as f64 / per_second as f64 * seconds as f64;
    Ok(Arc::new(whole.as_primitive::<Int64Type>().unary::<_, arrow::datatypes::Float64Type>(epoch)))
}

/// The seconds within a minute, so many times.
fn seconds(times: &ArrayRef, times_of_second: f64) -> Result<ArrayRef> {
    let (whole, per_second, seconds) = parts_of_seconds(times)?;
    let of_minute = |number: i64| {
        if seconds > 1 {
            return 0.0;
        }
        let part = number.rem_euclid(per_second.saturating_mul(60));
        // One division alone, so that the result is the nearest there is.
        if times_of_second > per_second as f64 {
            part as f64 * (times_of_second / per_second as f64)
        } else {
            part as f64 / (per_second as f64 / times_of_second)
        }
    };
    Ok(Arc::new(whole.as_primitive::<Int64Type>().unary::<_, arrow::datatypes::Float64Type>(of_minute)))
}

/// Days since noon of the first day of 4714 BC, counted from midnight.
fn julian(times: &ArrayRef) -> Result<ArrayRef> {
    const OF_1970: f64 = 2_440_588.0;
    let epoch = epoch(times)?;
    let days = |seconds: f64| seconds / 86_400.0 + OF_1970;
    Ok(Arc::new(epoch.as_primitive::<arrow::datatypes::Float64Type>().unary::<_, arrow::datatypes::Float64Type>(days)))
}

fn of_years(part: Part, times: &ArrayRef) -> Result<ArrayRef> {
    let years = arrow::compute::date_part(times, arrow::compute::DatePart::Year)?;
    let of_year = |year: i64| match part {
        Part::Decade => year.div_euclid(10),
        // The first one begins with the year 1, and there is no year 0.
        Part::Century if year > 0 => (year + 99) / 100,
        Part::Century => -((99 - (year - 1)) / 100),
        _ if year > 0 => (year + 999) / 1_000,
        _ => -((999 - (year - 1)) / 1_000),
    };
    let years = years.as_primitive::<Int32Type>().iter();
    Ok(Arc::new(years.map(|year| year.map(|year| of_year(i64::from(year)))).collect::<Int64Array>()))
}

fn of_spans(part: Part, values: &ArrayRef) -> Result<ArrayRef> {
    let spans = spans(values)?;
    if part.has_fraction() {
        let fractions = spans.into_iter().map(|span| span.map(|span| fraction_of_span(part, span)).transpose());
        return Ok(Arc::new(fractions.collect::<Result<Float64Array>>()?));
    }
    let whole = spans.into_iter().map(|span| span.map(|span| whole_of_span(part, span)).transpose());
    Ok(Arc::new(whole.collect::<Result<Int64Array>>()?))
}

fn fraction_of_span(part: Part, span: Span) -> Result<f64> {
    match part {
        Part::Epoch => {
            // A year has 365.25 days, and a month that is left over 30.
            let quarter_days = span.months / 12 * 1_461 + span.months % 12 * 120 + span.days * 4;
            let seconds = quarter_days * 21_600 + span.nanoseconds / SECOND;
            Ok((seconds * 1_000_000 + span.nanoseconds % SECOND / 1_000) as f64 / 1e6)
        }
        Part::Second(times) => Ok((span.nanoseconds % (60 * SECOND)) as f64 / (1e9 / times)),
        _ => exec_err!("an interval has no such field"),
    }
}

fn whole_of_span(part: Part, span: Span) -> Result<i64> {
    let whole = match part {
        Part::Minute => span.nanoseconds / (60 * SECOND) % 60,
        Part::Hour => span.nanoseconds / (3_600 * SECOND),
        Part::Day => span.days,
        Part::Month => span.months % 12,
        Part::Quarter => span.months % 12 / 3 + 1,
        Part::Year => span.months / 12,
        Part::Decade => span.months / 120,
        Part::Century => span.months / 1_200,
        Part::Millennium => span.months / 12_000,
        _ => return exec_err!("an interval has no such field"),
    };
    i64::try_from(whole).or_else(|_| exec_err!("interval out of range"))
}
