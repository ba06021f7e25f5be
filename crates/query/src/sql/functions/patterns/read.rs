//! Times from text, by a pattern.

use chrono::{NaiveDate, NaiveDateTime, TimeDelta};
use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;

use super::field::Field;
use super::time_pattern::{Item, Place, TimePattern};

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const DAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];

impl TimePattern {
    /// Reads a time by this pattern, as PostgreSQL does: blanks may stand before and behind every field, and any sign
    /// for any other. Without a zone it is a local time; with one, UTC.
    pub(in crate::sql::functions) fn read(&self, text: &str) -> Result<NaiveDateTime> {
        let mut reader = Reader { rest: text, skipped: 0, found: Found::default() };
        let read = reader.read(&self.0);
        read.and_then(|()| reader.found.time()).map_err(|reason| exec_datafusion_err!("'{text}': {reason}"))
    }
}

type Reading<T> = std::result::Result<T, String>;

struct Reader<'t> {
    rest: &'t str,
    /// The blanks before the rest which no separator of the pattern has taken yet; less than 0 where the pattern has
    /// had more of them than the text.
    skipped: i64,
    found: Found,
}

impl Reader<'_> {
    fn read(&mut self, items: &[Item]) -> Reading<()> {
        for (place, item) in items.iter().enumerate() {
            if self.rest.is_empty() {
                break;
            }
            if place == 0 || matches!(item, Item::Field(_)) {
                self.skip_blanks();
            }
            match item {
                Item::Separator(_) => self.separator(),
                Item::Literal(_) if self.skipped > 0 => self.skipped -= 1,
                Item::Literal(_) => {
                    self.skip_one();
                }
                Item::Field(field) => {
                    let ends = field.ordinal.is_some()
                        || !matches!(items.get(place + 1), Some(Item::Field(next)) if next.field.is_number());
                    self.field(*field, ends)?;
                    if field.ordinal.is_some() {
                        // `th`, whatever it is.
                        self.skip_one();
                        self.skip_one();
                    }
                    self.skipped = 0;
                    self.skip_blanks();
                }
            }
        }
        Ok(())
    }

    fn skip_one(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let skipped = characters.next();
        self.rest = characters.as_str();
        skipped
    }

    fn skip_blanks(&mut self) {
        while self.rest.starts_with(char::is_whitespace) {
            self.skip_one();
            self.skipped += 1;
        }
    }

    fn separator(&mut self) {
        self.skipped -= 1;
        if self.rest.starts_with(|next: char| next.is_whitespace() || next.is_ascii_punctuation()) {
            self.skip_one();
            self.skipped += 1;
        }
    }

    /// A field, which takes all digits that come where nothing else in the pattern `ends` it otherwise.
    fn field(&mut self, place: Place, ends: bool) -> Reading<()> {
        let most = |width: usize| if ends || place.is_short { usize::MAX } else { width };
        match place.field {
            Field::Year(digits) => {
                let (year, length) = self.number(most(usize::from(digits)))?;
                self.found.year = Some(if digits < 4 { whole_year(year, length) } else { year });
            }
            Field::YearWithComma => {
                let (thousands, _) = self.number(usize::MAX)?;
                self.expect(',')?;
                let (rest, _) = self.number(3)?;
                self.found.year = Some(thousands.saturating_mul(1_000).saturating_add(rest));
            }
            Field::Month => self.found.month = Some(self.number(most(2))?.0),
            Field::MonthName | Field::MonthShort => {
                let is_short = place.field == Field::MonthShort;
                self.found.month = Some(self.name(&MONTHS, is_short)? + 1);
            }
            Field::DayName | Field::DayShort => {
                self.name(&DAYS, place.field == Field::DayShort)?;
            }
            Field::DayOfMonth => self.found.day = Some(self.number(most(2))?.0),
            Field::DayOfYear => self.found.day_of_year = Some(self.number(most(3))?.0),
            Field::Julian => self.found.julian = Some(self.number(usize::MAX)?.0),
            // What says nothing of the day.
            Field::Quarter | Field::DayOfWeek | Field::IsoDayOfWeek => {
                self.number(1)?;
            }
            Field::Hour24 => self.found.hour = Some((self.number(most(2))?.0, false)),
            Field::Hour12 => self.found.hour = Some((self.number(most(2))?.0, true)),
            Field::Minute => self.found.minute = self.number(most(2))?.0,
            Field::Second => self.found.second = self.number(most(2))?.0,
            Field::SecondOfDay => self.found.second_of_day = Some(self.number(most(5))?.0),
            Field::Fraction(digits) => {
                let (fraction, length) = self.number(usize::from(digits))?;
                let missing = 6_u32.saturating_sub(u32::try_from(length).unwrap_or(6));
                self.found.micros = fraction.saturating_mul(10_i64.pow(missing));
            }
            Field::HalfOfDay { has_points } => self.half_of_day(has_points)?,
            Field::OffsetHour => {
                self.found.is_west = self.rest.starts_with('-');
                if self.rest.starts_with(['+', '-', ' ']) {
                    self.skip_one();
                }
                self.found.offset = Some(self.number(2)?.0.saturating_mul(3_600));
            }
            Field::OffsetMinute => {
                let minutes = self.number(2)?.0.saturating_mul(60);
                self.found.offset = Some(self.found.offset.unwrap_or(0).saturating_add(minutes));
            }
            other => {
                return Err(format!("{other:?} cannot be read; write a pattern of YYYY, MM, DD, HH24, MI, SS and MS"));
            }
        }
        Ok(())
    }

    fn number(&mut self, most: usize) -> Reading<(i64, usize)> {
        let digits = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (number, rest) = self.rest.split_at_checked(digits).unwrap_or(("", self.rest));
        let parsed =
            number.parse().map_err(|_| format!("there is no number where one is expected, at '{}'", self.rest))?;
        self.rest = rest;
        Ok((parsed, digits))
    }

    fn expect(&mut self, expected: char) -> Reading<()> {
        match self.skip_one() {
            Some(found) if found == expected => Ok(()),
            _ => Err(format!("there is no '{expected}' where one is expected")),
        }
    }

    /// The place of a name among others, of which the first three letters are enough where the pattern has no more.
    fn name(&mut self, names: &[&str], is_short: bool) -> Reading<i64> {
        for (index, name) in names.iter().enumerate() {
            let length = if is_short { 3 } else { name.len() };
            let (Some(start), Some(name)) = (self.rest.get(..length), name.get(..length)) else { continue };
            if start.eq_ignore_ascii_case(name) {
                self.rest = self.rest.get(length..).unwrap_or_default();
                return i64::try_from(index).map_err(|error| error.to_string());
            }
        }
        Err(format!("there is no name of a month or day at '{}'", self.rest))
    }

    fn half_of_day(&mut self, has_points: bool) -> Reading<()> {
        let names = if has_points { ["a.m.", "p.m."] } else { ["am", "pm"] };
        for (name, is_after_noon) in names.into_iter().zip([false, true]) {
            if self.rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)) {
                self.rest = self.rest.get(name.len()..).unwrap_or_default();
                self.found.is_after_noon = Some(is_after_noon);
                return Ok(());
            }
        }
        Err(format!("there is no AM or PM at '{}'", self.rest))
    }
}

/// The year nearest to 2020 that ends in these digits.
fn whole_year(year: i64, digits: usize) -> i64 {
    match digits {
        1 | 2 if year < 70 => year + 2_000,
        1 | 2 => year + 1_900,
        3 if year < 100 => year + 2_000,
        3 if year < 520 => year + 2_000,
        3 => year + 1_000,
        _ => year,
    }
}

/// What the text has told so far.
#[derive(Debug, Default)]
struct Found {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    day_of_year: Option<i64>,
    julian: Option<i64>,
    /// The hour, and whether it is one of twelve.
    hour: Option<(i64, bool)>,
    minute: i64,
    second: i64,
    micros: i64,
    second_of_day: Option<i64>,
    is_after_noon: Option<bool>,
    /// Seconds beside Greenwich, and to which side.
    offset: Option<i64>,
    is_west: bool,
}

impl Found {
    fn time(&self) -> Reading<NaiveDateTime> {
        let time = self.date()?.and_hms_opt(0, 0, 0).ok_or_else(out_of_range)?;
        let seconds = self.seconds()?;
        let offset = self.offset.map_or(0, |offset| if self.is_west { -offset } else { offset });
        let since_midnight = TimeDelta::try_seconds(seconds.saturating_sub(offset)).ok_or_else(out_of_range)?;
        let time = time.checked_add_signed(since_midnight).ok_or_else(out_of_range)?;
        time.checked_add_signed(TimeDelta::microseconds(self.micros)).ok_or_else(out_of_range)
    }

    fn date(&self) -> Reading<NaiveDate> {
        let number = |number: i64| u32::try_from(number).map_err(|_| out_of_range());
        if let Some(julian) = self.julian {
            let days = i32::try_from(julian - 1_721_425).map_err(|_| out_of_range())?;
            return NaiveDate::from_num_days_from_ce_opt(days).ok_or_else(out_of_range);
        }
        let year = i32::try_from(self.year.unwrap_or(0)).map_err(|_| out_of_range())?;
        if let Some(day) = self.day_of_year.filter(|_| self.month.is_none()) {
            return NaiveDate::from_yo_opt(year, number(day)?).ok_or_else(out_of_range);
        }
        let (month, day) = (number(self.month.unwrap_or(1))?, number(self.day.unwrap_or(1))?);
        NaiveDate::from_ymd_opt(year, month, day).ok_or_else(out_of_range)
    }

    fn seconds(&self) -> Reading<i64> {
        if let Some(second) = self.second_of_day {
            return if second < 86_400 { Ok(second) } else { Err(out_of_range()) };
        }
        let (hour, is_of_twelve) = self.hour.unwrap_or((0, false));
        if hour > 23 || self.minute > 59 || self.second > 59 {
            return Err(out_of_range());
        }
        let hour = match self.is_after_noon {
            None if !is_of_twelve => hour,
            _ if !(1..=12).contains(&hour) && self.hour.is_some() => {
                return Err(format!("{hour} is no hour of a clock with twelve; write HH24"));
            }
            Some(true) => hour % 12 + 12,
            _ => hour % 12,
        };
        Ok(hour * 3_600 + self.minute * 60 + self.second)
    }
}

fn out_of_range() -> String {
    "there is no such day or time".to_owned()
}
