//! Times as text, by a pattern.

use std::fmt::{self, Write};

use chrono::{Datelike, NaiveDateTime, Timelike};
use datafusion::common::exec_err;
use datafusion::error::Result;

use super::field::{Field, Letters};
use super::time_pattern::{Item, Place, TimePattern};
use crate::sql::functions::span::{SECOND, Span};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A time or a length of time, taken apart.
#[derive(Debug, Clone, Copy)]
pub(in crate::sql::functions) struct Moment {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    micros: i64,
    /// What only a day in the calendar has.
    date: Option<NaiveDateTime>,
    /// Seconds east of Greenwich.
    offset: Option<i32>,
}

impl Moment {
    /// A local time, and how far east its zone is, if it has one.
    pub(in crate::sql::functions) fn of_time(time: NaiveDateTime, offset: Option<i32>) -> Self {
        Self {
            // There is no year 0.
            year: i64::from(if time.year() > 0 { time.year() } else { 1 - time.year() }),
            month: i64::from(time.month()),
            day: i64::from(time.day()),
            hour: i64::from(time.hour()),
            minute: i64::from(time.minute()),
            second: i64::from(time.second()),
            micros: i64::from(time.nanosecond() / 1_000 % 1_000_000),
            date: Some(time),
            offset,
        }
    }

    /// A length of time. It has no days of the week, and the names of no months.
    pub(in crate::sql::functions) fn of_span(span: Span) -> Self {
        let whole = |number: i128| i64::try_from(number).unwrap_or(i64::MAX);
        Self {
            year: whole(span.months / 12),
            month: whole(span.months % 12),
            day: whole(span.days),
            hour: whole(span.nanoseconds / (3_600 * SECOND)),
            minute: whole(span.nanoseconds / (60 * SECOND) % 60),
            second: whole(span.nanoseconds / SECOND % 60),
            micros: whole(span.nanoseconds % SECOND / 1_000),
            date: None,
            offset: None,
        }
    }
}

impl TimePattern {
    /// Writes a time by this pattern.
    pub(in crate::sql::functions) fn write(&self, moment: &Moment, text: &mut impl Write) -> Result<()> {
        let mut field = String::new();
        for item in &self.0 {
            let done = match item {
                Item::Separator(character) | Item::Literal(character) => text.write_char(*character),
                Item::Field(place) => {
                    field.clear();
                    if write_field(moment, *place, &mut field).is_err() {
                        return exec_err!("a length of time has no {:?}; write HH24, MI, SS or DD", place.field);
                    }
                    if let Some(letters) = place.ordinal {
                        field.push_str(ordinal(&field, letters));
                    }
                    text.write_str(&field)
                }
            };
            if done.is_err() {
                return exec_err!("the text could not be written");
            }
        }
        Ok(())
    }
}

/// Fails where a length of time has no such field.
fn write_field(moment: &Moment, place: Place, text: &mut String) -> fmt::Result {
    let date = || moment.date.ok_or(fmt::Error);
    match place.field {
        Field::HalfOfDay { has_points } => {
            let half = match (moment.hour.rem_euclid(24) >= 12, has_points) {
                (false, false) => "AM",
                (true, false) => "PM",
                (false, true) => "A.M.",
                (true, true) => "P.M.",
            };
            write_letters(half, place.letters, text)
        }
        Field::Hour12 => {
            let hour = moment.hour % 12;
            number(if hour == 0 { 12 } else { hour }, 2, place, text)
        }
        Field::Hour24 => number(moment.hour, 2, place, text),
        Field::Minute => number(moment.minute, 2, place, text),
        Field::Second => number(moment.second, 2, place, text),
        Field::SecondOfDay => write!(text, "{}", moment.hour * 3_600 + moment.minute * 60 + moment.second),
        Field::Fraction(digits) => {
            let unit = 10_i64.pow(6 - u32::from(digits.min(6)));
            write!(text, "{:0digits$}", moment.micros.abs() / unit, digits = usize::from(digits))
        }
        Field::Month => number(moment.month, 2, place, text),
        Field::MonthName => name(&MONTHS, date()?.month0(), 9, place, text),
        Field::MonthShort => short_name(&MONTHS, date()?.month0(), place, text),
        Field::DayOfMonth => number(moment.day, 2, place, text),
        Field::DayName => name(&DAYS, date()?.weekday().num_days_from_sunday(), 9, place, text),
        Field::DayShort => short_name(&DAYS, date()?.weekday().num_days_from_sunday(), place, text),
        Field::DayOfWeek => write!(text, "{}", date()?.weekday().number_from_sunday()),
        Field::IsoDayOfWeek => write!(text, "{}", date()?.weekday().number_from_monday()),
        Field::DayOfYear => number(i64::from(date()?.ordinal()), 3, place, text),
        Field::IsoDayOfYear => {
            let date = date()?;
            let day = (date.iso_week().week() - 1) * 7 + date.weekday().number_from_monday();
            number(i64::from(day), 3, place, text)
        }
        Field::Week => number(i64::from((date()?.ordinal() - 1) / 7 + 1), 2, place, text),
        Field::WeekOfMonth => write!(text, "{}", (date()?.day() - 1) / 7 + 1),
        Field::IsoWeek => number(i64::from(date()?.iso_week().week()), 2, place, text),
        Field::IsoYear(digits) => year(i64::from(date()?.iso_week().year()), digits, place, text),
        Field::Year(digits) => year(moment.year, digits, place, text),
        Field::YearWithComma => write!(text, "{},{:03}", moment.year / 1_000, moment.year % 1_000),
        Field::Quarter => write!(text, "{}", (moment.month - 1).div_euclid(3) + 1),
        Field::Century => number((moment.year + 99) / 100, 2, place, text),
        Field::Julian => write!(text, "{}", i64::from(date()?.num_days_from_ce()) + 1_721_425),
        Field::Zone => match moment.offset {
            Some(0) => write_letters("UTC", place.letters, text),
            Some(offset) => write_offset(offset, text),
            None => Ok(()),
        },
        Field::Offset => write_offset(moment.offset.unwrap_or(0), text),
        Field::OffsetHour => {
            let offset = moment.offset.unwrap_or(0);
            write!(text, "{}{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 3_600)
        }
        Field::OffsetMinute => write!(text, "{:02}", moment.offset.unwrap_or(0).abs() / 60 % 60),
    }
}

fn number(number: i64, width: usize, place: Place, text: &mut String) -> fmt::Result {
    if place.is_short {
        return write!(text, "{number}");
    }
    let width = if number < 0 { width + 1 } else { width };
    write!(text, "{number:0width$}")
}

fn year(year: i64, digits: u8, place: Place, text: &mut String) -> fmt::Result {
    let shown = if digits < 4 { year % 10_i64.pow(u32::from(digits)) } else { year };
    number(shown, usize::from(digits), place, text)
}

fn name(names: &[&str], index: u32, width: usize, place: Place, text: &mut String) -> fmt::Result {
    let name = names.get(index as usize).ok_or(fmt::Error)?;
    write_letters(name, place.letters, text)?;
    let blanks = if place.is_short { 0 } else { width.saturating_sub(name.len()) };
    text.extend(std::iter::repeat_n(' ', blanks));
    Ok(())
}

fn short_name(names: &[&str], index: u32, place: Place, text: &mut String) -> fmt::Result {
    let name = names.get(index as usize).and_then(|name| name.get(..3)).ok_or(fmt::Error)?;
    write_letters(name, place.letters, text)
}

fn write_letters(name: &str, letters: Letters, text: &mut String) -> fmt::Result {
    match letters {
        Letters::Upper => text.push_str(&name.to_uppercase()),
        Letters::Capital => text.push_str(name),
        Letters::Lower => text.push_str(&name.to_lowercase()),
    }
    Ok(())
}

fn write_offset(offset: i32, text: &mut String) -> fmt::Result {
    write!(text, "{}{:02}", if offset < 0 { '-' } else { '+' }, offset.abs() / 3_600)?;
    match offset.abs() / 60 % 60 {
        0 => Ok(()),
        minutes => write!(text, ":{minutes:02}"),
    }
}

fn ordinal(number: &str, letters: Letters) -> &'static str {
    let digits = number.as_bytes();
    let is_teen = matches!(digits, [.., b'1', _]);
    let index = match digits.last() {
        Some(b'1') if !is_teen => 0,
        Some(b'2') if !is_teen => 1,
        Some(b'3') if !is_teen => 2,
        _ => 3,
    };
    let upper = letters == Letters::Upper;
    match (index, upper) {
        (0, true) => "ST",
        (1, true) => "ND",
        (2, true) => "RD",
        (_, true) => "TH",
        (0, false) => "st",
        (1, false) => "nd",
        (2, false) => "rd",
        (_, false) => "th",
    }
}
