//! Which type a column of texts has.

use std::borrow::Cow;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

use crate::column;

/// The type of a column of a small table that is written as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whole numbers of 64 bits.
    Whole,
    /// Numbers with a point.
    Double,
    Boolean,
    Date,
    /// A date and a time of day, without a zone.
    LocalTime,
    /// An instant.
    Instant,
    Text,
}

/// The columns of segments that are text, and what agents are joined by: numbers in them are names.
const TEXTS: [&str; 5] =
    ["agent_id", column::LAST_AGENT_ID, column::CONVERSATION_ID, column::ACCOUNT_ID, column::SOURCE];

/// The types in the order in which they are preferred.
const ALL: [Kind; 6] = [Kind::Whole, Kind::Double, Kind::Boolean, Kind::Date, Kind::LocalTime, Kind::Instant];

/// The type that all values of a column have, and text where they have none in common. A column with the name of one
/// that segments have is of that type, so that the two can be joined.
pub(super) fn kind_of<'v>(name: &str, values: impl Iterator<Item = Option<Cow<'v, str>>>) -> Kind {
    if TEXTS.contains(&name) {
        return Kind::Text;
    }
    let is_skill = name == column::SKILL_ID;
    let (mut left, mut is_empty) = (ALL.to_vec(), true);
    for value in values.flatten() {
        let value = value.trim();
        is_empty = false;
        // 007 is a skill's number all the same.
        left.retain(|kind| kind.has(value) || (is_skill && *kind == Kind::Whole && value.parse::<i64>().is_ok()));
        if left.is_empty() {
            return Kind::Text;
        }
    }
    match left.first() {
        Some(kind) if !is_empty => *kind,
        _ if is_skill => Kind::Whole,
        _ => Kind::Text,
    }
}

impl Kind {
    fn has(self, value: &str) -> bool {
        match self {
            Self::Whole => is_plain(value) && value.parse::<i64>().is_ok(),
            Self::Double => double(value).is_some(),
            Self::Boolean => boolean(value).is_some(),
            Self::Date => date(value).is_some(),
            Self::LocalTime => local_time(value).is_some(),
            Self::Instant => instant(value).is_some(),
            Self::Text => true,
        }
    }
}

/// Whether a number is written with digits alone, and no zeros before them: those are of numbers that name something.
fn is_plain(number: &str) -> bool {
    let digits = number.strip_prefix('-').unwrap_or(number);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

/// A number with a point, an exponent with a sign, or neither where a double has the number exactly.
pub(super) fn double(value: &str) -> Option<f64> {
    const EXACT: u64 = 1 << f64::MANTISSA_DIGITS;
    let (number, exponent) = match value.split_once(['e', 'E']) {
        Some((number, exponent)) => (number, exponent.strip_prefix(['+', '-'])?),
        None => (value, "0"),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let is_number = match number.split_once('.') {
        Some((whole, part)) => is_plain(whole) && is_digits(part),
        None => is_plain(number) && number.parse::<i64>().is_ok_and(|number| number.unsigned_abs() <= EXACT),
    };
    let is_number = is_number && is_digits(exponent);
    value.parse::<f64>().ok().filter(|value| is_number && value.is_finite())
}

pub(super) fn boolean(value: &str) -> Option<bool> {
    match value {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

pub(super) fn date(value: &str) -> Option<NaiveDate> {
    if value.len() != 10 {
        return None;
    }
    NaiveDate::parse_from_str(value, "%Y-%m-%d").ok()
}

pub(super) fn local_time(value: &str) -> Option<NaiveDateTime> {
    let (day, time) = value.split_at_checked(10)?;
    let (day, time) = (date(day)?, time.strip_prefix(['T', ' '])?);
    if !time.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.')) {
        return None;
    }
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| chrono::NaiveTime::parse_from_str(time, form).ok())?;
    Some(day.and_time(time))
}

pub(super) fn instant(value: &str) -> Option<DateTime<Utc>> {
    let day = value.get(..10)?;
    date(day)?;
    let rest = value.get(11..)?;
    let sign = rest.find(['Z', 'z', '+', '-'])?;
    let (time, zone) = rest.split_at_checked(sign)?;
    let local = local_time(&format!("{day}T{}", time.trim_end()))?;
    let seconds = offset(zone)?;
    local.checked_sub_signed(chrono::TimeDelta::seconds(seconds)).map(|utc| utc.and_utc())
}

/// Seconds east of Greenwich: `Z`, `+01`, `+0130` or `+01:30`.
fn offset(zone: &str) -> Option<i64> {
    if ["Z", "z"].contains(&zone) {
        return Some(0);
    }
    let (sign, digits) = match zone.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let digits = digits.replace(':', "");
    let is_digits = digits.bytes().all(|byte| byte.is_ascii_digit());
    let (hours, minutes) = match (digits.len(), is_digits) {
        (2, true) => (digits.parse::<i64>().ok()?, 0),
        (4, true) => (digits.get(..2)?.parse::<i64>().ok()?, digits.get(2..)?.parse::<i64>().ok()?),
        _ => return None,
    };
    (hours < 16 && minutes < 60).then_some(sign * (hours * 3_600 + minutes * 60))
}
