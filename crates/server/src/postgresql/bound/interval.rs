//! Intervals that come as text: in words and with a clock, as PostgreSQL writes them, or as ISO 8601 has them.

use arrow::datatypes::IntervalMonthDayNano;

const SECOND: i64 = 1_000_000_000;
const DAY: f64 = 86_400e9;
const DAYS_OF_MONTH: f64 = 30.0;

/// What one of a unit is.
#[derive(Debug, Clone, Copy)]
enum Unit {
    Months(i32),
    Days(i32),
    Nanoseconds(i64),
}

/// The interval that a text is.
pub(super) fn of_text(text: &str) -> Option<IntervalMonthDayNano> {
    let mut sum = Sum::default();
    if let Some(parts) = text.strip_prefix(['P', 'p']) {
        let (date, time) = parts.split_once(['T', 't']).unwrap_or((parts, ""));
        sum.letters(date, false)?;
        sum.letters(time, true)?;
        return (parts.len() > 1).then_some(sum.0);
    }
    let text = text.strip_prefix('@').unwrap_or(text).to_ascii_lowercase();
    let (text, is_ago) = text.strip_suffix("ago").map_or((text.as_str(), false), |text| (text, true));
    sum.words(text)?;
    if is_ago { negated(sum.0) } else { Some(sum.0) }
}

fn negated(of: IntervalMonthDayNano) -> Option<IntervalMonthDayNano> {
    let (months, days) = (of.months.checked_neg()?, of.days.checked_neg()?);
    Some(IntervalMonthDayNano { months, days, nanoseconds: of.nanoseconds.checked_neg()? })
}

#[derive(Default)]
struct Sum(IntervalMonthDayNano);

impl Sum {
    /// Numbers, each with a unit behind it, and a clock.
    fn words(&mut self, text: &str) -> Option<()> {
        let mut words = text.split_ascii_whitespace().peekable();
        words.peek()?;
        while let Some(word) = words.next() {
            if word.contains(':') {
                self.clock(word)?;
                continue;
            }
            let end = word.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(word.len());
            let (number, attached) = word.split_at_checked(end)?;
            let unit = match (attached, words.peek()) {
                ("", Some(next)) if !next.contains(':') => named(words.next()?)?,
                ("", None) => Unit::Nanoseconds(SECOND),
                // Days may stand before a clock without saying so.
                ("", Some(_)) => Unit::Days(1),
                (attached, _) => named(attached)?,
            };
            self.add(number, unit)?;
        }
        Some(())
    }

    /// Hours, minutes and perhaps seconds.
    fn clock(&mut self, word: &str) -> Option<()> {
        let (sign, word) = match word.strip_prefix('-') {
            Some(word) => ("-", word),
            None => ("", word.strip_prefix('+').unwrap_or(word)),
        };
        let units = [3_600 * SECOND, 60 * SECOND, SECOND];
        let parts: Vec<&str> = word.split(':').collect();
        if !(2..=3).contains(&parts.len())
            || !parts.iter().all(|part| part.starts_with(|letter: char| letter.is_ascii_digit()))
        {
            return None;
        }
        parts.iter().zip(units).try_for_each(|(part, unit)| self.add(&format!("{sign}{part}"), Unit::Nanoseconds(unit)))
    }

    /// Numbers with a letter behind each.
    fn letters(&mut self, mut text: &str, is_time: bool) -> Option<()> {
        while !text.is_empty() {
            let end = text.find(|letter: char| letter.is_ascii_alphabetic())?;
            let (number, rest) = text.split_at_checked(end)?;
            let (letter, after) = rest.split_at_checked(1)?;
            let unit = match (letter.to_ascii_uppercase().as_str(), is_time) {
                ("Y", false) => Unit::Months(12),
                ("M", false) => Unit::Months(1),
                ("W", false) => Unit::Days(7),
                ("D", false) => Unit::Days(1),
                ("H", true) => Unit::Nanoseconds(3_600 * SECOND),
                ("M", true) => Unit::Nanoseconds(60 * SECOND),
                ("S", true) => Unit::Nanoseconds(SECOND),
                _ => return None,
            };
            self.add(number, unit)?;
            text = after;
        }
        Some(())
    }

    /// What is less than one of its unit is counted in the next smaller one.
    fn add(&mut self, number: &str, unit: Unit) -> Option<()> {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let count: i64 = match whole {
            "" | "+" | "-" if !fraction.is_empty() => 0,
            whole => whole.parse().ok()?,
        };
        let sign = if whole.starts_with('-') { -1.0 } else { 1.0 };
        let rest = match fraction {
            "" => 0.0,
            digits if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                sign * format!("0.{digits}").parse::<f64>().ok()?
            }
            _ => return None,
        };
        match unit {
            Unit::Months(months) => {
                self.months(count.checked_mul(months.into())?)?;
                let rest = rest * f64::from(months);
                self.months(rest.trunc() as i64)?;
                self.fraction_of_days(rest.fract() * DAYS_OF_MONTH)
            }
            Unit::Days(days) => {
                self.days(count.checked_mul(days.into())?)?;
                self.fraction_of_days(rest * f64::from(days))
            }
            Unit::Nanoseconds(nanoseconds) => {
                self.nanoseconds(count.checked_mul(nanoseconds)?)?;
                self.nanoseconds((rest * nanoseconds as f64).round() as i64)
            }
        }
    }

    fn fraction_of_days(&mut self, days: f64) -> Option<()> {
        self.days(days.trunc() as i64)?;
        self.nanoseconds((days.fract() * DAY / 1e3).round() as i64 * 1_000)
    }

    fn months(&mut self, months: i64) -> Option<()> {
        self.0.months = self.0.months.checked_add(i32::try_from(months).ok()?)?;
        Some(())
    }

    fn days(&mut self, days: i64) -> Option<()> {
        self.0.days = self.0.days.checked_add(i32::try_from(days).ok()?)?;
        Some(())
    }

    fn nanoseconds(&mut self, nanoseconds: i64) -> Option<()> {
        self.0.nanoseconds = self.0.nanoseconds.checked_add(nanoseconds)?;
        Some(())
    }
}

fn named(unit: &str) -> Option<Unit> {
    Some(match unit.trim_end_matches(',') {
        "us" | "usec" | "usecs" | "microsecond" | "microseconds" => Unit::Nanoseconds(1_000),
        "ms" | "msec" | "msecs" | "millisecond" | "milliseconds" => Unit::Nanoseconds(1_000_000),
        "s" | "sec" | "secs" | "second" | "seconds" => Unit::Nanoseconds(SECOND),
        "m" | "min" | "mins" | "minute" | "minutes" => Unit::Nanoseconds(60 * SECOND),
        "h" | "hr" | "hrs" | "hour" | "hours" => Unit::Nanoseconds(3_600 * SECOND),
        "d" | "day" | "days" => Unit::Days(1),
        "w" | "week" | "weeks" => Unit::Days(7),
        "mon" | "mons" | "month" | "months" => Unit::Months(1),
        "y" | "yr" | "yrs" | "year" | "years" => Unit::Months(12),
        "decade" | "decades" => Unit::Months(120),
        "century" | "centuries" => Unit::Months(1_200),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_words_and_clocks() {
        for (text, months, days, nanoseconds) in [
            ("1 day 01:00:00", 0, 1, 3_600 * SECOND),
            ("9999 days", 0, 9_999, 0),
            ("1 year 2 mons 3 days 04:05:06.789", 14, 3, 14_706_789_000_000),
            ("-1 mons +2 days -00:00:00.000001", -1, 2, -1_000),
            ("0 years 0 mons 1 days 2 hours 3 mins 4.5 secs", 0, 1, 7_384_500_000_000),
            ("9999 day 0 second 1 microsecond", 0, 9_999, 1_000),
            ("1 02:03", 0, 1, 7_380 * SECOND),
            ("90", 0, 0, 90 * SECOND),
            ("@ 1 hour 2 min ago", 0, 0, -3_720 * SECOND),
            ("1.5 days", 0, 1, 43_200 * SECOND),
            ("-1.5 months", -1, -15, 0),
            ("2 weeks", 0, 14, 0),
            ("P1Y2M3DT4H5M6.7S", 14, 3, 14_706_700_000_000),
            ("PT-30M", 0, 0, -1_800 * SECOND),
            ("00:00:00", 0, 0, 0),
        ] {
            let expected = IntervalMonthDayNano { months, days, nanoseconds };
            assert_eq!(of_text(text), Some(expected), "{text}");
        }
        for text in [
            "",
            "P",
            "1 parsec",
            "day",
            "1 day day",
            "1:x",
            "1:2:3:4",
            "1.x days",
            "PT1Y",
            "1h30m",
            "99999999999 days",
            "::",
        ] {
            assert_eq!(of_text(text), None, "{text}");
        }
    }
}
