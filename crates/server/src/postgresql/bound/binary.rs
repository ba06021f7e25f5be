//! Values that come in binary. Their layout has been checked.

use std::sync::Arc;

use arrow::datatypes::IntervalMonthDayNano;
use datafusion::common::ScalarValue;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::error::PgWireResult;
use postgres_types::Kind;
use uuid::Uuid;

use super::super::error::{SqlState, error};
use super::types::{ZONE, arrow_type};
use super::{array, decimal, not_of};

/// PostgreSQL counts from the beginning of 2000.
const DAYS_TO_2000: i32 = 10_957;
const MICROSECONDS_TO_2000: i64 = 946_684_800_000_000;

/// The value that bytes are.
pub(super) fn value(of: &Type, bytes: &[u8]) -> PgWireResult<ScalarValue> {
    if let Kind::Array(element) = of.kind() {
        return array::of_binary(of, element, bytes);
    }
    if arrow_type(of).is_none() {
        let text = format!("values of the type {} are taken as text, and not in binary", of.name());
        return Err(error(SqlState::FeatureNotSupported, text));
    }
    read(of, bytes).ok_or_else(|| not_of(of))
}

fn read(of: &Type, bytes: &[u8]) -> Option<ScalarValue> {
    let int4 = || number::<4>(bytes).map(i32::from_be_bytes);
    let int8 = || number::<8>(bytes).map(i64::from_be_bytes);
    Some(match *of {
        Type::BOOL => ScalarValue::Boolean(Some(*bytes.first()? != 0)),
        Type::INT2 => ScalarValue::Int16(Some(i16::from_be_bytes(number(bytes)?))),
        Type::INT4 => ScalarValue::Int32(Some(int4()?)),
        Type::INT8 => ScalarValue::Int64(Some(int8()?)),
        Type::OID => ScalarValue::Int64(Some(u32::from_be_bytes(number(bytes)?).into())),
        Type::FLOAT4 => ScalarValue::Float32(Some(f32::from_be_bytes(number(bytes)?))),
        Type::FLOAT8 => ScalarValue::Float64(Some(f64::from_be_bytes(number(bytes)?))),
        Type::NUMERIC => decimal::of_binary(bytes)?,
        Type::DATE => ScalarValue::Date32(Some(int4()?.checked_add(DAYS_TO_2000)?)),
        Type::TIME => ScalarValue::Time64Microsecond(Some(int8()?)),
        Type::TIMESTAMP => instant(int8()?.checked_add(MICROSECONDS_TO_2000)?, None),
        Type::TIMESTAMPTZ => instant(int8()?.checked_add(MICROSECONDS_TO_2000)?, Some(ZONE.into())),
        Type::INTERVAL => interval(bytes)?,
        Type::BYTEA => ScalarValue::Binary(Some(bytes.to_vec())),
        Type::UUID => ScalarValue::Utf8(Some(Uuid::from_slice(bytes).ok()?.to_string())),
        // A version stands before the text.
        Type::JSONB => text(bytes.strip_prefix(&[1])?)?,
        _ => text(bytes)?,
    })
}

/// The first bytes of a value.
fn number<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    bytes.first_chunk().copied()
}

fn text(bytes: &[u8]) -> Option<ScalarValue> {
    std::str::from_utf8(bytes).ok().map(|text| ScalarValue::Utf8(Some(text.to_owned())))
}

/// An instant so many microseconds after the beginning of 1970. Where these are whole milliseconds, it is of the type
/// that the times of segments have, so that they are compared as they stand.
pub(super) fn instant(microseconds: i64, zone: Option<Arc<str>>) -> ScalarValue {
    match microseconds % 1_000 {
        0 => ScalarValue::TimestampMillisecond(Some(microseconds / 1_000), zone),
        _ => ScalarValue::TimestampMicrosecond(Some(microseconds), zone),
    }
}

/// Microseconds, days and months.
fn interval(bytes: &[u8]) -> Option<ScalarValue> {
    let (microseconds, rest) = bytes.split_first_chunk()?;
    let (days, months) = rest.split_first_chunk()?;
    let nanoseconds = i64::from_be_bytes(*microseconds).checked_mul(1_000)?;
    let (days, months) = (i32::from_be_bytes(*days), i32::from_be_bytes(number(months)?));
    Some(ScalarValue::IntervalMonthDayNano(Some(IntervalMonthDayNano { months, days, nanoseconds })))
}
