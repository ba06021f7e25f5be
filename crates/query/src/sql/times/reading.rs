//! Times as PostgreSQL reads them from a text.

use arrow::array::timezone::Tz;
use chrono::{NaiveDate, NaiveDateTime, NaiveTime, Offset, TimeDelta, TimeZone};

/// A time that a text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReadTime {
    /// What a clock on the wall shows.
    pub(super) wall: NaiveDateTime,
    /// How far that clock is ahead of UTC, where the text says so.
    pub(super) ahead: Option<TimeDelta>,
}

impl ReadTime {
    /// Reads a date, with or without a time of day and a zone; `None` of anything else.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("epoch") {
            return Some(Self { wall: NaiveDateTime::default(), ahead: Some(TimeDelta::zero()) });
        }
        let end_of_date = text.find(|letter: char| letter.is_ascii_whitespace() || matches!(letter, 'T' | 't'));
        let (date, rest) = text.split_at(end_of_date.unwrap_or(text.len()));
        let date = read_date(date)?;
        let midnight = date.and_time(NaiveTime::MIN);
        let rest = rest.strip_prefix(['T', 't']).unwrap_or(rest).trim_start();
        if rest.is_empty() {
            // A `T` alone is no time of day.
            let is_date = end_of_date.is_none_or(|end| !text.split_at(end).1.starts_with(['T', 't']));
            return is_date.then_some(Self { wall: midnight, ahead: None });
        }
        let end = rest.find(|letter: char| !letter.is_ascii_digit() && !matches!(letter, ':' | '.'));
        let (time, zone) = rest.split_at(end.unwrap_or(rest.len()));
        let wall = midnight.checked_add_signed(read_time_of_day(time)?)?;
        let zone = zone.trim_start();
        let ahead = if zone.is_empty() { None } else { Some(ahead_of_utc(zone, wall)?) };
        Some(Self { wall, ahead })
    }

    /// The instant, in UTC, where a text that tells no zone is of the zone `or`.
    pub(super) fn instant(self, or: Option<&str>) -> Option<NaiveDateTime> {
        let ahead = match (self.ahead, or) {
            (Some(ahead), _) => ahead,
            (None, Some(zone)) => ahead_of_utc(zone, self.wall)?,
            (None, None) => TimeDelta::zero(),
        };
        self.wall.checked_sub_signed(ahead)
    }
}

fn read_date(text: &str) -> Option<NaiveDate> {
    let separator = if text.contains('/') { '/' } else { '-' };
    let parts: Vec<&str> = text.split(separator).collect();
    let (year, month, day) = match parts.as_slice() {
        [year, month, day] if year.len() >= 4 => (*year, *month, *day),
        [whole] if whole.len() == 8 => (whole.get(..4)?, whole.get(4..6)?, whole.get(6..)?),
        _ => return None,
    };
    let month = number(month).filter(|_| month.len() <= 2)?;
    let day = number(day).filter(|_| day.len() <= 2)?;
    NaiveDate::from_ymd_opt(i32::try_from(number(year)?).ok()?, month, day)
}

/// `24:00` is the end of the day, and `08:00:60` the next minute.
fn read_time_of_day(text: &str) -> Option<TimeDelta> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let parts: Vec<&str> = whole.split(':').collect();
    let (hours, minutes, seconds) = match parts.as_slice() {
        [hours, minutes] if fraction.is_empty() && !text.contains('.') => (*hours, *minutes, "0"),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let two_digits = |text: &str| number(text).filter(|_| text.len() <= 2);
    let (hours, minutes, seconds) = (two_digits(hours)?, two_digits(minutes)?, two_digits(seconds)?);
    let nanos = match fraction {
        "" => 0,
        digits => i64::from(number(format!("{digits:0<9}").get(..9)?)?),
    };
    if hours > 24 || minutes > 59 || seconds > 60 || (hours == 24 && (minutes, seconds, nanos) != (0, 0, 0)) {
        return None;
    }
    let seconds = i64::from(hours) * 3_600 + i64::from(minutes) * 60 + i64::from(seconds);
    TimeDelta::seconds(seconds).checked_add(&TimeDelta::nanoseconds(nanos))
}

fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

/// How far the clocks of a zone are ahead of UTC at a time of theirs: `Z`, `+01`, `+01:00`, `+0100`, `Europe/Berlin`.
/// Of the two hours of one name in autumn, the first.
fn ahead_of_utc(zone: &str, wall: NaiveDateTime) -> Option<TimeDelta> {
    if ["z", "utc", "gmt"].iter().any(|name| zone.eq_ignore_ascii_case(name)) {
        return Some(TimeDelta::zero());
    }
    let digits = zone.strip_prefix(['+', '-']);
    let Some(digits) = digits else {
        let offset = zone.parse::<Tz>().ok()?.offset_from_local_datetime(&wall).earliest()?;
        return Some(TimeDelta::seconds(i64::from(offset.fix().local_minus_utc())));
    };
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None => digits.split_at_checked(digits.len().min(2))?,
    };
    let minutes = if minutes.is_empty() { 0 } else { number(minutes).filter(|minutes| *minutes < 60)? };
    let hours = number(hours).filter(|hours| *hours < 16 && !digits.is_empty())?;
    let ahead = TimeDelta::minutes(i64::from(hours) * 60 + i64::from(minutes));
    Some(if zone.starts_with('-') { -ahead } else { ahead })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn instant(text: &str) -> Option<String> {
        let instant = ReadTime::read(text)?.instant(Some("UTC"))?;
        Some(instant.format("%Y-%m-%dT%H:%M:%S%.f").to_string())
    }

    #[test]
    fn times_are_read_as_postgresql_reads_them() {
        for (text, expected) in [
            ("2018-01-18", "2018-01-18T00:00:00"),
            ("2018-1-8", "2018-01-08T00:00:00"),
            ("20180118", "2018-01-18T00:00:00"),
            ("2018/01/18 8:05", "2018-01-18T08:05:00"),
            ("2018-01-18 08:00", "2018-01-18T08:00:00"),
            ("  2018-01-18  08:00  ", "2018-01-18T08:00:00"),
            ("2018-01-18T08:00Z", "2018-01-18T08:00:00"),
            ("2018-01-18t08:00:30.25z", "2018-01-18T08:00:30.250"),
            ("2018-01-18 08:00+01", "2018-01-18T07:00:00"),
            ("2018-01-18 08:00:00 -05:30", "2018-01-18T13:30:00"),
            ("2018-01-18 08:00+0130", "2018-01-18T06:30:00"),
            ("2018-01-18 08:00 UTC", "2018-01-18T08:00:00"),
            ("2018-07-18 08:00 Europe/Berlin", "2018-07-18T06:00:00"),
            ("2018-10-28 02:30 Europe/Berlin", "2018-10-28T00:30:00"),
            ("2018-01-18 24:00", "2018-01-19T00:00:00"),
            ("epoch", "1970-01-01T00:00:00"),
        ] {
            assert_eq!(instant(text).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_not_read() {
        for text in [
            "",
            "abc",
            "2018",
            "2018-01",
            "2018-13-01",
            "2018-02-30",
            "08:00",
            "2018-01-18T",
            "2018-01-18 8",
            "2018-01-18 25:00",
            "2018-01-18 08:60",
            "2018-01-18 08:00+",
            "2018-01-18 08:00 Nowhere",
            "18-01-2018",
            "2018-01-18 24:01",
            "2018-01-18 08:00+99",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }
}
