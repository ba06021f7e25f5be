//! Lengths of time: intervals, and differences of times.

use std::fmt::{self, Display, Formatter};

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    IntervalMonthDayNano, IntervalMonthDayNanoType, IntervalUnit, TimeUnit,
};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;

pub(super) const SECOND: i128 = 1_000_000_000;
pub(super) const DAY: i128 = 86_400 * SECOND;

/// The type of intervals that functions make.
pub(super) const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

/// A length of time as PostgreSQL has it: months and days have no length of their own. A difference of two times has
/// days of 24 hours, and no months.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Its months.
    pub months: i128,
    /// Its days, beside the months.
    pub days: i128,
    /// Its nanoseconds, beside the days.
    pub nanoseconds: i128,
}

impl Span {
    /// That of a difference of so many nanoseconds.
    pub fn of_difference(nanoseconds: i128) -> Self {
        Self { months: 0, days: nanoseconds / DAY, nanoseconds: nanoseconds % DAY }
    }

    /// Its length, with 30 days to a month.
    pub(super) fn length(self) -> i128 {
        (self.months * 30 + self.days) * DAY + self.nanoseconds
    }

    pub(super) fn interval(self) -> Result<IntervalMonthDayNano> {
        let out_of_range = |_| exec_datafusion_err!("interval out of range");
        Ok(IntervalMonthDayNano {
            months: i32::try_from(self.months).map_err(out_of_range)?,
            days: i32::try_from(self.days).map_err(out_of_range)?,
            nanoseconds: i64::try_from(self.nanoseconds).map_err(out_of_range)?,
        })
    }
}

pub(super) fn is_span(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}

/// The lengths of time in an array of intervals or differences.
pub(super) fn spans(values: &ArrayRef) -> Result<Vec<Option<Span>>> {
    let difference = |value: Option<i64>, unit: i128| value.map(|value| Span::of_difference(i128::from(value) * unit));
    Ok(match values.data_type() {
        DataType::Duration(TimeUnit::Second) => {
            values.as_primitive::<DurationSecondType>().iter().map(|value| difference(value, SECOND)).collect()
        }
        DataType::Duration(TimeUnit::Millisecond) => {
            values.as_primitive::<DurationMillisecondType>().iter().map(|value| difference(value, 1_000_000)).collect()
        }
        DataType::Duration(TimeUnit::Microsecond) => {
            values.as_primitive::<DurationMicrosecondType>().iter().map(|value| difference(value, 1_000)).collect()
        }
        DataType::Duration(TimeUnit::Nanosecond) => {
            values.as_primitive::<DurationNanosecondType>().iter().map(|value| difference(value, 1)).collect()
        }
        _ => {
            let values = cast(values, &INTERVAL)?;
            let of_interval = |interval: IntervalMonthDayNano| Span {
                months: i128::from(interval.months),
                days: i128::from(interval.days),
                nanoseconds: i128::from(interval.nanoseconds),
            };
            values.as_primitive::<IntervalMonthDayNanoType>().iter().map(|value| value.map(of_interval)).collect()
        }
    })
}

/// As PostgreSQL writes intervals: `1 year 2 mons 3 days 04:05:06.789`.
impl Display for Span {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut is_first = true;
        let mut is_before = false;
        for (number, unit) in [(self.months / 12, "year"), (self.months % 12, "mon"), (self.days, "day")] {
            if number != 0 {
                let (blank, plus) = (if is_first { "" } else { " " }, if is_before && number > 0 { "+" } else { "" });
                write!(f, "{blank}{plus}{number} {unit}{}", if number == 1 { "" } else { "s" })?;
                (is_first, is_before) = (false, number < 0);
            }
        }
        let micros = self.nanoseconds / 1_000;
        if micros == 0 && !is_first {
            return Ok(());
        }
        let sign = if micros < 0 {
            "-"
        } else if is_before {
            "+"
        } else {
            ""
        };
        let (blank, micros) = (if is_first { "" } else { " " }, micros.unsigned_abs());
        let seconds = micros / 1_000_000;
        write!(f, "{blank}{sign}{:02}:{:02}:{:02}", seconds / 3_600, seconds / 60 % 60, seconds % 60)?;
        write!(f, "{}", Fraction { digits: micros % 1_000_000, places: 6 })
    }
}

/// The digits after the point, without zeros at the end; nothing where there are none.
pub(super) struct Fraction {
    pub(super) digits: u128,
    pub(super) places: usize,
}

impl Display for Fraction {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.digits == 0 {
            return Ok(());
        }
        let digits = format!("{:0places$}", self.digits, places = self.places);
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_written_as_in_postgresql() {
        let span = |months, days, seconds: f64| Span { months, days, nanoseconds: (seconds * 1e9) as i128 };
        for (span, expected) in [
            (span(0, 0, 0.0), "00:00:00"),
            (span(14, 3, 14_706.789), "1 year 2 mons 3 days 04:05:06.789"),
            (span(1, 1, 0.0), "1 mon 1 day"),
            (span(0, 0, -3_600.0), "-01:00:00"),
            (span(0, -1, 7_200.0), "-1 days +02:00:00"),
            (span(-1, 2, -1.5), "-1 mons +2 days -00:00:01.5"),
            (Span::of_difference(90_000 * SECOND), "1 day 01:00:00"),
            (Span::of_difference(-90_000 * SECOND), "-1 days -01:00:00"),
        ] {
            assert_eq!(span.to_string(), expected);
        }
    }
}
