//! Instants: milliseconds since the epoch, UTC. They are written as a number or as RFC 3339 text.

use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::de::{self, Deserializer, Visitor};

use crate::{Error, Result};

/// The first instant after the last valid one: 2200-01-01T00:00:00Z.
pub(crate) const END_OF_TIME: i64 = 7_258_118_400_000;

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

/// Deserializes a required instant.
pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<i64, D::Error> {
    deserializer.deserialize_any(InstantVisitor)
}

/// Deserializes an instant that may be null.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<i64>, D::Error> {
    deserializer.deserialize_option(OptionalInstantVisitor)
}

struct InstantVisitor;

impl Visitor<'_> for InstantVisitor {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("milliseconds since the epoch as a whole number, or RFC 3339 text")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> std::result::Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> std::result::Result<i64, E> {
        i64::try_from(value).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(value), &self))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> std::result::Result<i64, E> {
        DateTime::parse_from_rfc3339(value)
            .map(|time| time.timestamp_millis())
            .map_err(|_| E::invalid_value(de::Unexpected::Str(value), &self))
    }
}

struct OptionalInstantVisitor;

impl<'de> Visitor<'de> for OptionalInstantVisitor {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("null, or an instant")
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
}
