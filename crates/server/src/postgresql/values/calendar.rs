//! Dates, times of day and instants.

use std::fmt::Write;

use arrow::array::timezone::Tz;
use arrow::array::{ArrayRef, ArrowPrimitiveType};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
    TimestampNanosecondType, TimestampSecondType,
};
use bytes::{BufMut, BytesMut};
use chrono::{DateTime, Offset, TimeZone};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};

use super::super::error::{SqlState, error};
use super::Written;
use super::column::{Put, full, primitive, unwritable};

pub(super) const DAY_MILLISECONDS: i64 = 86_400_000;
const DAY_SECONDS: i64 = 86_400;
const SECOND_MICROSECONDS: i64 = 1_000_000;

/// PostgreSQL counts from the beginning of 2000, which is so many days after that of 1970.
const DAYS_TO_2000: i64 = 10_957;

/// The days that PostgreSQL has, from 1970 on: from the 24th of November in 4714 BC to June of the year 5874898.
const DAYS: std::ops::Range<i64> = -2_440_588..2_145_042_906;

/// The seconds that PostgreSQL has, from 1970 on: from the same day to the end of the year 294276.
const SECONDS: std::ops::Range<i64> = -2_440_588 * DAY_SECONDS..9_224_318_016_000;

/// A date that is so many days after the first of 1970.
pub(super) fn put_date(days: i64, is_binary: bool, out: &mut BytesMut) -> PgWireResult<()> {
    if !DAYS.contains(&days) {
        return Err(out_of_range("date"));
    }
    if is_binary {
        out.put_i32(i32::try_from(days - DAYS_TO_2000).map_err(|_| out_of_range("date"))?);
        return Ok(());
    }
    let date = Date::after(days);
    date.put(out)?;
    date.put_era(out);
    Ok(())
}

/// The times of day in an array.
pub(super) fn times(array: &ArrayRef, is_binary: bool) -> PgWireResult<Put> {
    let array = cast(array, &DataType::Time64(TimeUnit::Microsecond)).map_err(unwritable)?;
    Ok(primitive::<Time64MicrosecondType>(&array, move |microseconds, out| {
        if is_binary {
            out.put_i64(microseconds);
            return Ok(());
        }
        put_clock(microseconds.div_euclid(SECOND_MICROSECONDS), microseconds.rem_euclid(SECOND_MICROSECONDS), out)
    }))
}

/// The instants in an array, as the clocks of the client's zone show them, or those of their own.
pub(super) fn timestamps(array: &ArrayRef, unit: TimeUnit, zone: Option<&str>, written: Written) -> PgWireResult<Put> {
    let is_binary = written.is_binary;
    let zone: Option<Tz> = zone.map(str::parse).transpose().map_err(unwritable)?;
    let zone = zone.map(|own| written.zone.unwrap_or(own));
    Ok(match unit {
        TimeUnit::Second => of_unit::<TimestampSecondType>(array, 1, zone, is_binary),
        TimeUnit::Millisecond => of_unit::<TimestampMillisecondType>(array, 1_000, zone, is_binary),
        TimeUnit::Microsecond => of_unit::<TimestampMicrosecondType>(array, 1_000_000, zone, is_binary),
        TimeUnit::Nanosecond => of_unit::<TimestampNanosecondType>(array, 1_000_000_000, zone, is_binary),
    })
}

fn of_unit<T: ArrowPrimitiveType<Native = i64>>(
    array: &ArrayRef,
    in_a_second: i64,
    zone: Option<Tz>,
    is_binary: bool,
) -> Put {
    primitive::<T>(array, move |value, out| {
        let seconds = value.div_euclid(in_a_second);
        if !SECONDS.contains(&seconds) {
            return Err(out_of_range("timestamp"));
        }
        // PostgreSQL has no nanoseconds.
        let microseconds = match in_a_second {
            1_000_000_000 => value.rem_euclid(in_a_second) / 1_000,
            _ => value.rem_euclid(in_a_second) * (SECOND_MICROSECONDS / in_a_second),
        };
        if is_binary {
            let since_2000 = (seconds - DAYS_TO_2000 * DAY_SECONDS).checked_mul(SECOND_MICROSECONDS);
            out.put_i64(
                since_2000
                    .and_then(|since| since.checked_add(microseconds))
                    .ok_or_else(|| out_of_range("timestamp"))?,
            );
            return Ok(());
        }
        put_timestamp(seconds, microseconds, zone, out)
    })
}

fn put_timestamp(seconds: i64, microseconds: i64, zone: Option<Tz>, out: &mut BytesMut) -> PgWireResult<()> {
    let offset = zone.map(|zone| offset(zone, seconds)).transpose()?;
    let local = seconds + i64::from(offset.unwrap_or_default());
    let date = Date::after(local.div_euclid(DAY_SECONDS));
    date.put(out)?;
    out.put_u8(b' ');
    put_clock(local.rem_euclid(DAY_SECONDS), microseconds, out)?;
    if let Some(offset) = offset {
        put_offset(offset, out)?;
    }
    date.put_era(out);
    Ok(())
}

/// How far the clocks of a zone are ahead, in seconds.
fn offset(zone: Tz, seconds: i64) -> PgWireResult<i32> {
    let instant = DateTime::from_timestamp(seconds, 0).ok_or_else(|| out_of_range("timestamp"))?;
    Ok(zone.offset_from_utc_datetime(&instant.naive_utc()).fix().local_minus_utc())
}

/// Minutes and seconds are told where there are any.
fn put_offset(seconds: i32, out: &mut BytesMut) -> PgWireResult<()> {
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    write!(out, "{sign}{:02}", seconds / 3_600).map_err(|_| full())?;
    if seconds % 3_600 > 0 {
        write!(out, ":{:02}", seconds / 60 % 60).map_err(|_| full())?;
    }
    if seconds % 60 > 0 {
        write!(out, ":{:02}", seconds % 60).map_err(|_| full())?;
    }
    Ok(())
}

/// Hours, minutes and seconds, and as many digits behind the point as are needed.
fn put_clock(seconds: i64, microseconds: i64, out: &mut BytesMut) -> PgWireResult<()> {
    let (hours, minutes, seconds) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
    write!(out, "{hours:02}:{minutes:02}:{seconds:02}").map_err(|_| full())?;
    if microseconds > 0 {
        let digits = format!("{microseconds:06}");
        write!(out, ".{}", digits.trim_end_matches('0')).map_err(|_| full())?;
    }
    Ok(())
}

/// A day of the Gregorian calendar, also before there was one.
struct Date {
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// The date that is so many days after the first of 1970. Years are counted from March on, so that the leap day is
    /// the last of its year.
    fn after(days: i64) -> Self {
        // From the first of March in the year 0.
        let days = days + 719_468;
        let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let months_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * months_from_march + 2) / 5 + 1;
        let month = if months_from_march < 10 { months_from_march + 3 } else { months_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month, day }
    }

    fn put(&self, out: &mut BytesMut) -> PgWireResult<()> {
        // The year before 1 is 1 BC.
        let year = if self.year > 0 { self.year } else { 1 - self.year };
        write!(out, "{year:04}-{:02}-{:02}", self.month, self.day).map_err(|_| full())
    }

    fn put_era(&self, out: &mut BytesMut) {
        if self.year <= 0 {
            out.extend_from_slice(b" BC");
        }
    }
}

pub(super) fn out_of_range(what: &str) -> PgWireError {
    error(SqlState::TimeOutOfRange, format!("{what} out of range"))
}
