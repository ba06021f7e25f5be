//! Values that come as text.

use arrow::array::{Array, StringArray};
use arrow::compute::{CastOptions, cast_with_options};
use datafusion::common::ScalarValue;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::error::PgWireResult;
use postgres_types::Kind;
use skillscope_query::time_of;

use super::types::arrow_type;
use super::{array, binary, decimal, interval, unreadable};

/// The value that a text is.
pub(super) fn value(of: &Type, text: &str) -> PgWireResult<ScalarValue> {
    if let Kind::Array(element) = of.kind() {
        return array::of_text(element, text);
    }
    let trimmed = text.trim();
    let read = match *of {
        Type::BOOL => boolean(trimmed).map(|value| ScalarValue::Boolean(Some(value))),
        Type::INT2 => trimmed.parse().ok().map(|number| ScalarValue::Int16(Some(number))),
        Type::INT4 => trimmed.parse().ok().map(|number| ScalarValue::Int32(Some(number))),
        Type::INT8 | Type::OID => trimmed.parse().ok().map(|number| ScalarValue::Int64(Some(number))),
        Type::FLOAT4 => trimmed.parse().ok().map(|number| ScalarValue::Float32(Some(number))),
        Type::FLOAT8 => trimmed.parse().ok().map(|number| ScalarValue::Float64(Some(number))),
        Type::NUMERIC => decimal::of_text(trimmed),
        Type::BYTEA => bytes(text).map(|bytes| ScalarValue::Binary(Some(bytes))),
        Type::INTERVAL => interval::of_text(trimmed).map(|value| ScalarValue::IntervalMonthDayNano(Some(value))),
        Type::TIME => time_of_day(trimmed),
        Type::DATE | Type::TIMESTAMP | Type::TIMESTAMPTZ => time(of, trimmed),
        _ => Some(ScalarValue::Utf8(Some(text.to_owned()))),
    };
    read.ok_or_else(|| unreadable(of, text))
}

/// A truth value is any beginning of its words that tells it from the other one.
fn boolean(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if begins("true", 1) || begins("yes", 1) || text == "on" || text == "1" {
        return Some(true);
    }
    (begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0").then_some(false)
}

/// A date or an instant, which a statement may have as the same text.
fn time(of: &Type, text: &str) -> Option<ScalarValue> {
    Some(match time_of(text, &arrow_type(of)?)? {
        ScalarValue::TimestampMicrosecond(Some(microseconds), zone) => binary::instant(microseconds, zone),
        other => other,
    })
}

/// A time of day, as Arrow reads it. Seconds may be missing.
fn time_of_day(text: &str) -> Option<ScalarValue> {
    let to = arrow_type(&Type::TIME)?;
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    let read = |text: &str| cast_with_options(&StringArray::from(vec![text]), &to, &exact).ok();
    let read = read(text).or_else(|| read(&format!("{text}:00")))?;
    ScalarValue::try_from_array(read.as_ref(), 0).ok().filter(|_| read.is_valid(0))
}

/// Bytes in hexadecimal digits, or as letters with those in octal ones that are none.
fn bytes(text: &str) -> Option<Vec<u8>> {
    if let Some(digits) = text.strip_prefix("\\x") {
        let digits: Vec<u8> = digits
            .chars()
            .filter(|digit| !digit.is_ascii_whitespace())
            .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<_>>()?;
        return digits
            .chunks(2)
            .map(|pair| if let [high, low] = pair { Some(high << 4 | low) } else { None })
            .collect();
    }
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            bytes.push(*byte);
        } else if let Some(after) = rest.strip_prefix(b"\\") {
            bytes.push(b'\\');
            rest = after;
        } else {
            let (digits, after) = rest.split_at_checked(3)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok()?, 8).ok()?);
            rest = after;
        }
    }
    Some(bytes)
}
