//! Intervals and durations, which are intervals too.

use std::fmt::Write;

use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::datatypes::{
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType, IntervalDayTimeType,
    IntervalMonthDayNanoType, IntervalUnit, IntervalYearMonthType, TimeUnit,
};
use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::error::PgWireResult;

use super::calendar::{SECOND_MICROSECONDS, out_of_range, put_clock};
use super::column::{Put, full, primitive};

/// Months, days and microseconds, none of which says how many of the others it has.
#[derive(Debug, Clone, Copy)]
struct Interval {
    months: i32,
    days: i32,
    microseconds: i64,
}

pub(super) fn durations(array: &ArrayRef, unit: TimeUnit, is_binary: bool) -> Put {
    match unit {
        TimeUnit::Second => duration::<DurationSecondType>(array, |value| value.checked_mul(1_000_000), is_binary),
        TimeUnit::Millisecond => {
            duration::<DurationMillisecondType>(array, |value| value.checked_mul(1_000), is_binary)
        }
        TimeUnit::Microsecond => duration::<DurationMicrosecondType>(array, Some, is_binary),
        TimeUnit::Nanosecond => duration::<DurationNanosecondType>(array, |value| Some(value / 1_000), is_binary),
    }
}

fn duration<T: ArrowPrimitiveType<Native = i64>>(
    array: &ArrayRef,
    microseconds: fn(i64) -> Option<i64>,
    is_binary: bool,
) -> Put {
    primitive::<T>(array, move |value, out| {
        let microseconds = microseconds(value).ok_or_else(|| out_of_range("interval"))?;
        Interval { months: 0, days: 0, microseconds }.put(is_binary, out)
    })
}

pub(super) fn intervals(array: &ArrayRef, unit: IntervalUnit, is_binary: bool) -> Put {
    match unit {
        IntervalUnit::YearMonth => primitive::<IntervalYearMonthType>(array, move |months, out| {
            Interval { months, days: 0, microseconds: 0 }.put(is_binary, out)
        }),
        IntervalUnit::DayTime => primitive::<IntervalDayTimeType>(array, move |value, out| {
            Interval { months: 0, days: value.days, microseconds: i64::from(value.milliseconds) * 1_000 }
                .put(is_binary, out)
        }),
        IntervalUnit::MonthDayNano => primitive::<IntervalMonthDayNanoType>(array, move |value, out| {
            Interval { months: value.months, days: value.days, microseconds: value.nanoseconds / 1_000 }
                .put(is_binary, out)
        }),
    }
}

impl Interval {
    fn put(self, is_binary: bool, out: &mut BytesMut) -> PgWireResult<()> {
        if is_binary {
            out.put_i64(self.microseconds);
            out.put_i32(self.days);
            out.put_i32(self.months);
            return Ok(());
        }
        self.put_text(out)
    }

    /// A part after a negative one has a sign of its own. Nothing at all is a time of zero.
    fn put_text(self, out: &mut BytesMut) -> PgWireResult<()> {
        let (mut is_first, mut is_negative) = (true, false);
        for (number, unit) in [(self.months / 12, "year"), (self.months % 12, "mon"), (self.days, "day")] {
            if number == 0 {
                continue;
            }
            let (space, sign) = (if is_first { "" } else { " " }, if is_negative && number > 0 { "+" } else { "" });
            let plural = if number == 1 { "" } else { "s" };
            write!(out, "{space}{sign}{number} {unit}{plural}").map_err(|_| full())?;
            (is_first, is_negative) = (false, number < 0);
        }
        if !is_first && self.microseconds == 0 {
            return Ok(());
        }
        if !is_first {
            out.put_u8(b' ');
        }
        if self.microseconds < 0 {
            out.put_u8(b'-');
        } else if is_negative {
            out.put_u8(b'+');
        }
        let (seconds, rest) = (self.microseconds / SECOND_MICROSECONDS, self.microseconds % SECOND_MICROSECONDS);
        put_clock(seconds.abs(), rest.abs(), out)
    }
}
