//! Instants: milliseconds since the epoch, UTC. They are written as a number or as RFC 3339 text.

use std::fmt;

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::de::{self, Deserializer, Visitor};
use serde::ser::Serializer;

use crate::json_value::whole_of;
use crate::{Error, Result, TimeZone};

/// The first instant after the last valid one: 2200-01-01T00:00:00Z.
pub const END_OF_TIME: i64 = 7_258_118_400_000;

/// Reads an instant: RFC 3339 text, or milliseconds since the epoch. Digits beyond the millisecond are dropped.
///
/// # Errors
/// [`Error::InstantSyntax`] where it is neither.
pub fn parse_instant(text: &str) -> Result<i64> {
    if let Ok(ms) = text.parse::<i64>() {
        return Ok(ms);
    }
    match DateTime::parse_from_rfc3339(text) {
        Ok(time) => Ok(time.timestamp_millis()),
        Err(_) => Err(Error::InstantSyntax { value: text.to_owned() }),
    }
}

/// The instant `ms` as RFC 3339 text with milliseconds, or as a number if it lies outside the calendar.
pub fn format_instant(ms: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(ms)
        .map_or_else(|| ms.to_string(), |time| time.to_rfc3339_opts(SecondsFormat::Millis, true))
}

/// A time as a record has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Told {
    /// In milliseconds since the epoch.
    Instant(i64),
    /// What a clock shows, in a time zone that the record does not name.
    Local(NaiveDateTime),
}

impl Told {
    /// Reads text: RFC 3339, as its close relatives write it, too (a blank for the T, an offset of hours alone, no
    /// seconds); or the same without an offset.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        const WITH_OFFSET: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%d %H:%M%#z"];
        const LOCAL: [&str; 2] = ["%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%d %H:%M"];
        if let Ok(time) = DateTime::parse_from_rfc3339(text) {
            return Some(Self::Instant(time.timestamp_millis()));
        }
        let separator = text.get(10..11).filter(|separator| matches!(*separator, "T" | "t" | " "))?;
        let text = text.trim_end().replacen(separator, " ", 1);
        if let Some(utc) = text.strip_suffix(['Z', 'z']) {
            let local = LOCAL.iter().find_map(|format| NaiveDateTime::parse_from_str(utc.trim_end(), format).ok())?;
            return Some(Self::Instant(local.and_utc().timestamp_millis()));
        }
        if let Some(local) = LOCAL.iter().find_map(|format| NaiveDateTime::parse_from_str(&text, format).ok()) {
            return Some(Self::Local(local));
        }
        let time = WITH_OFFSET.iter().find_map(|format| DateTime::parse_from_str(&text, format).ok())?;
        Some(Self::Instant(time.timestamp_millis()))
    }

    /// The instant, by the `zone` of times that name none.
    ///
    /// # Errors
    /// [`Error::TimeWithoutZone`] and [`Error::TimeLeftOut`].
    pub(crate) fn instant(self, field: &'static str, zone: Option<&TimeZone>) -> Result<i64> {
        let local = match self {
            Self::Instant(ms) => return Ok(ms),
            Self::Local(local) => local,
        };
        let Some(zone) = zone else {
            return Err(Error::TimeWithoutZone { field, value: local.to_string() });
        };
        let instant = zone.instant(local);
        instant.ok_or_else(|| Error::TimeLeftOut { field, value: local.to_string(), zone: zone.to_string() })
    }
}

/// Serializes a time as milliseconds since the epoch.
pub(crate) fn serialize<S: Serializer>(told: &Told, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    match told {
        Told::Instant(ms) => serializer.serialize_i64(*ms),
        Told::Local(local) => serializer.collect_str(local),
    }
}

/// Deserializes a required time.
pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Told, D::Error> {
    deserializer.deserialize_any(InstantVisitor)
}

/// Deserializes a time that may be null.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Told>, D::Error> {
    deserializer.deserialize_option(OptionalInstantVisitor)
}

struct InstantVisitor;

impl Visitor<'_> for InstantVisitor {
    type Value = Told;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("milliseconds since the epoch as a whole number, or RFC 3339 text")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<Told, E> {
        Ok(Told::Instant(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<Told, E> {
        let value = i64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))?;
        Ok(Told::Instant(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> std::result::Result<Told, E> {
        let whole = whole_of(value).ok_or_else(|| E::invalid_value(de::Unexpected::Float(value), &self))?;
        Ok(Told::Instant(whole))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> std::result::Result<Told, E> {
        Told::parse(value).ok_or_else(|| E::invalid_value(de::Unexpected::Str(value), &self))
    }
}

struct OptionalInstantVisitor;

impl<'de> Visitor<'de> for OptionalInstantVisitor {
    type Value = Option<Told>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, or a time")
    }

    fn visit_none<E: de::Error>(self) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: de::Error>(self) -> std::result::Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> std::result::Result<Self::Value, D::Error> {
        required(deserializer).map(Some)
    }
}

/// Finds out whether all times of an input are in seconds: read as milliseconds, they are all in January 1970, since
/// those of the years 2001 to 2054 have ten digits.
#[derive(Debug, Default)]
pub(crate) struct InSeconds {
    seen: u64,
    others: u64,
    told: bool,
}

impl InSeconds {
    const RANGE: std::ops::Range<i64> = 1_000_000_000..2_678_400_000;

    /// Whether nothing has been said yet.
    pub(crate) fn is_open(&self) -> bool {
        !self.told
    }

    /// Takes the time of a record.
    pub(crate) fn see(&mut self, time: i64) {
        self.seen += 1;
        self.others += u64::from(!Self::RANGE.contains(&time));
    }

    /// Says so, once, where the first records of an input are like that.
    ///
    /// # Errors
    /// [`Error::TimesInSeconds`].
    pub(crate) fn check(&mut self) -> Result<()> {
        if self.told || self.seen == 0 {
            return Ok(());
        }
        self.told = true;
        if self.others > 0 { Ok(()) } else { Err(Error::TimesInSeconds) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_is_rfc_3339_or_milliseconds() {
        // 18 January 2018, 08:25:32 UTC is the contract's own example of a timestamp.
        assert_eq!(parse_instant("2018-01-18T08:25:32Z").unwrap(), 1_516_263_932_000);
        assert_eq!(parse_instant("2018-01-18T10:25:32.5+02:00").unwrap(), 1_516_263_932_500);
        assert_eq!(parse_instant("1516263932000").unwrap(), 1_516_263_932_000);
        for bad in ["", "yesterday", "2018-01-18", "1.5"] {
            assert!(matches!(parse_instant(bad), Err(Error::InstantSyntax { .. })), "{bad:?} was taken");
        }
    }

    #[test]
    fn the_last_valid_millisecond_is_in_2199() {
        assert_eq!(format_instant(END_OF_TIME - 1), "2199-12-31T23:59:59.999Z");
    }

    #[test]
    fn digits_beyond_the_millisecond_are_dropped() {
        assert_eq!(parse_instant("1970-01-01T00:00:00.0019999Z").unwrap(), 1);
    }

    #[test]
    fn times_are_read_as_other_programs_write_them() {
        let utc = Some(Told::Instant(1_516_263_932_500));
        for text in [
            "2018-01-18T08:25:32.5Z",
            "2018-01-18 08:25:32.5Z",
            "2018-01-18 08:25:32.500+00:00",
            "2018-01-18 09:25:32.5+01",
            "2018-01-18T09:25:32.500+0100",
            "2018-01-18 08:25:32.500000 Z",
        ] {
            assert_eq!(Told::parse(text), utc, "{text}");
        }
        for text in ["2018-01-18T08:25:32.5", "2018-01-18 08:25:32.500000"] {
            assert!(matches!(Told::parse(text), Some(Told::Local(_))), "{text}");
            let told = Told::parse(text).unwrap();
            assert!(matches!(told.instant("time", None), Err(Error::TimeWithoutZone { .. })));
            let berlin = TimeZone::parse("Europe/Berlin").unwrap();
            assert_eq!(told.instant("time", Some(&berlin)).unwrap(), 1_516_263_932_500 - 3_600_000);
        }
        assert_eq!(Told::parse("2018-01-18 08:25"), Told::parse("2018-01-18T08:25:00"));
        for none in
            ["", "2018-01-18", "18.01.2018 08:25", "2018-01-18x08:25:32Z", "2018-02-30T00:00:00Z", "ä2345678901"]
        {
            assert_eq!(Told::parse(none), None, "{none}");
        }
    }
}
