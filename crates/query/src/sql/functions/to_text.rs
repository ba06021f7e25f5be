//! Numbers, times and lengths of time as text.

use std::fmt::{self, Write};
use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, ArrayRef, AsArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float32Type, Float64Type, Int64Type};
use chrono::{DateTime, Datelike, NaiveDateTime, Offset, TimeZone, Timelike, Utc};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::computed::computed;
use super::span::{Fraction, spans};
use super::timezone::per_second;

pub(super) const NAME: &str = "to_text";

/// A floating-point number, a time, an interval or a difference of times as PostgreSQL writes it.
pub(in crate::sql) fn to_text(value: Expr) -> Expr {
    let function = ToText { signature: Signature::any(1, Volatility::Immutable) };
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::new_from_impl(function)), vec![value]))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct ToText {
    signature: Signature,
}

impl ScalarUDFImpl for ToText {
    fn name(&self) -> &str {
        NAME
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _types: &[DataType]) -> Result<DataType> {
        Ok(DataType::Utf8)
    }

    fn invoke_with_args(&self, arguments: ScalarFunctionArgs) -> Result<ColumnarValue> {
        computed(&arguments, |columns| {
            let [values] = columns else { return Err(super::wrong_number(NAME)) };
            texts(values)
        })
    }
}

fn texts(values: &ArrayRef) -> Result<ArrayRef> {
    match values.data_type() {
        DataType::Float64 => written(values.as_primitive::<Float64Type>().iter(), write_double),
        DataType::Float32 => written(values.as_primitive::<Float32Type>().iter(), write_single),
        DataType::Timestamp(unit, zone) => {
            let (per_second, zone) = (per_second(*unit), zone.as_deref().map(str::parse::<Tz>).transpose()?);
            let times = cast(values, &DataType::Int64)?;
            let mut is_in_calendar = true;
            let texts = written(times.as_primitive::<Int64Type>().iter(), |time, text| {
                match Written::of(time, per_second, zone.as_ref()) {
                    Some(time) => time.write(text),
                    None => {
                        is_in_calendar = false;
                        Ok(())
                    }
                }
            })?;
            if is_in_calendar {
                Ok(texts)
            } else {
                Err(exec_datafusion_err!("time out of range: it is in no calendar"))
            }
        }
        _ => written(spans(values)?.into_iter(), |span, text| write!(text, "{span}")),
    }
}

fn written<T>(
    values: impl ExactSizeIterator<Item = Option<T>>,
    mut write: impl FnMut(T, &mut StringBuilder) -> fmt::Result,
) -> Result<ArrayRef> {
    let mut texts = StringBuilder::with_capacity(values.len(), values.len().saturating_mul(16));
    for value in values {
        match value {
            Some(value) => {
                write(value, &mut texts).map_err(|error| exec_datafusion_err!("{error}"))?;
                texts.append_value("");
            }
            None => texts.append_null(),
        }
    }
    Ok(Arc::new(texts.finish()))
}

/// Writes a number of double precision as PostgreSQL does.
///
/// # Errors
/// Those of `text`.
pub fn write_double(number: f64, text: &mut impl Write) -> fmt::Result {
    write_number(number, number, 15, text)
}

/// Writes a number of single precision as PostgreSQL does.
///
/// # Errors
/// Those of `text`.
pub fn write_single(number: f32, text: &mut impl Write) -> fmt::Result {
    write_number(f64::from(number), number, 6, text)
}

/// The shortest digits that mean this number, with an exponent below a ten-thousandth, and from so many digits on.
fn write_number(
    number: f64,
    shown: impl fmt::Display + fmt::LowerExp,
    most: i32,
    text: &mut impl Write,
) -> fmt::Result {
    if number.is_infinite() {
        return text.write_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    if number.is_nan() {
        return text.write_str("NaN");
    }
    let with_exponent = format!("{shown:e}");
    let Some((digits, exponent)) = with_exponent.split_once('e') else { return text.write_str(&with_exponent) };
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if number == 0.0 || (-4..most).contains(&exponent) {
        return write!(text, "{shown}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    write!(text, "{digits}e{sign}{:02}", exponent.unsigned_abs())
}

/// A time, taken apart.
struct Written {
    shown: NaiveDateTime,
    fraction: Fraction,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
}

impl Written {
    fn of(time: i64, per_second: i64, zone: Option<&Tz>) -> Option<Self> {
        let instant: DateTime<Utc> = DateTime::from_timestamp(time.div_euclid(per_second), 0)?;
        let digits = time.rem_euclid(per_second).unsigned_abs();
        let fraction = Fraction { digits: u128::from(digits), places: per_second.ilog10() as usize };
        let utc = instant.naive_utc();
        let offset = zone.map(|zone| zone.offset_from_utc_datetime(&utc).fix());
        let shown = offset.map_or(Some(utc), |offset| utc.checked_add_offset(offset))?;
        Some(Self { shown, fraction, offset: offset.map(|offset| offset.local_minus_utc()) })
    }

    fn write(&self, text: &mut impl Write) -> fmt::Result {
        let (shown, year) = (&self.shown, self.shown.year());
        let (year, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
        write!(text, "{year:04}-{:02}-{:02} ", shown.month(), shown.day())?;
        write!(text, "{:02}:{:02}:{:02}{}", shown.hour(), shown.minute(), shown.second(), self.fraction)?;
        if let Some(offset) = self.offset {
            let (sign, offset) = (if offset < 0 { '-' } else { '+' }, offset.unsigned_abs());
            write!(text, "{sign}{:02}", offset / 3_600)?;
            if !offset.is_multiple_of(3_600) {
                write!(text, ":{:02}", offset / 60 % 60)?;
            }
        }
        text.write_str(era)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_in_postgresql() {
        for (number, expected) in [
            (25.0, "25"),
            (-0.5, "-0.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (123_456_789_012.0, "123456789012"),
            (1e14, "100000000000000"),
            (1e15, "1e+15"),
            (1.5e300, "1.5e+300"),
            (f64::INFINITY, "Infinity"),
            (f64::NAN, "NaN"),
            (0.1 + 0.2, "0.30000000000000004"),
        ] {
            let mut text = String::new();
            write_double(number, &mut text).unwrap();
            assert_eq!(text, expected);
        }
    }

    #[test]
    fn times_are_written_as_in_postgresql() {
        let berlin: Tz = "Europe/Berlin".parse().unwrap();
        let kolkata: Tz = "Asia/Kolkata".parse().unwrap();
        for (time, zone, expected) in [
            (1_516_183_200_250, None, "2018-01-17 10:00:00.25"),
            (1_516_183_200_000, Some(&berlin), "2018-01-17 11:00:00+01"),
            (1_516_183_200_007, Some(&kolkata), "2018-01-17 15:30:00.007+05:30"),
            (-62_135_596_800_001, None, "0001-12-31 23:59:59.999 BC"),
        ] {
            let mut text = String::new();
            Written::of(time, 1_000, zone).unwrap().write(&mut text).unwrap();
            assert_eq!(text, expected);
        }
    }
}
