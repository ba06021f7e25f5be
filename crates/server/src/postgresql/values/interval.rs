//! Intervals and durations, which are intervals too.

use std::fmt::Write;

use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, IntervalDayTimeType,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, TimeUnit,
};
use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::error::PgWireResult;
use skillscope_query::Span;

use super::calendar::out_of_range;
use super::column::{Put, full, primitive};

pub(super) fn durations(array: &ArrayRef, unit: TimeUnit, is_binary: bool) -> Put {
    match unit {
        TimeUnit::Second => duration::<DurationSecondType>(array, 1_000_000_000, is_binary),
        TimeUnit::Millisecond => duration::<DurationMillisecondType>(array, 1_000_000, is_binary),
        TimeUnit::Microsecond => duration::<DurationMicrosecondType>(array, 1_000, is_binary),
        TimeUnit::Nanosecond => duration::<DurationNanosecondType>(array, 1, is_binary),
    }
}

fn duration<T: ArrowPrimitiveType<Native = i64>>(array: &ArrayRef, nanoseconds: i128, is_binary: bool) -> Put {
    // The product of two such numbers has fewer than 127 bits.
    primitive::<T>(array, move |value, out| put(Span::of_difference(i128::from(value) * nanoseconds), is_binary, out))
}

pub(super) fn intervals(array: &ArrayRef, unit: IntervalUnit, is_binary: bool) -> Put {
    match unit {
        IntervalUnit::YearMonth => primitive::<IntervalYearMonthType>(array, move |months, out| {
            put(Span { months: months.into(), ..Span::default() }, is_binary, out)
        }),
        IntervalUnit::DayTime => primitive::<IntervalDayTimeType>(array, move |value, out| {
            let nanoseconds = i128::from(value.milliseconds) * 1_000_000;
            put(Span { months: 0, days: value.days.into(), nanoseconds }, is_binary, out)
        }),
        IntervalUnit::MonthDayNano => primitive::<IntervalMonthDayNanoType>(array, move |value, out| {
            let (months, days) = (value.months.into(), value.days.into());
            put(Span { months, days, nanoseconds: value.nanoseconds.into() }, is_binary, out)
        }),
    }
}

/// Microseconds, days and months, none of which says how many of the others it has.
fn put(span: Span, is_binary: bool, out: &mut BytesMut) -> PgWireResult<()> {
    let beyond = |_| out_of_range("interval");
    let microseconds = i64::try_from(span.nanoseconds / 1_000).map_err(beyond)?;
    let (days, months) = (i32::try_from(span.days).map_err(beyond)?, i32::try_from(span.months).map_err(beyond)?);
    if is_binary {
        out.put_i64(microseconds);
        out.put_i32(days);
        out.put_i32(months);
        return Ok(());
    }
    write!(out, "{span}").map_err(|_| full())
}
