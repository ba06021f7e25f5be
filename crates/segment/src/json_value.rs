//! Values of JSON as other programs write them: whole numbers with a decimal point, numbers as text, 0 and 1 for no
//! and yes. Every one is read that loses nothing.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};

/// Up to here every whole number has a `f64` that no other one becomes.
pub(crate) const MOST_EXACT: f64 = 9_007_199_254_740_991.0;

/// The whole number that a floating-point number is, if it is one and no other number could have become it.
pub(crate) fn whole_of(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= MOST_EXACT).then_some(value as i64)
}

/// Deserializes a whole number.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    deserializer.deserialize_any(Whole { takes_text: false })
}

/// Deserializes a whole number that may be null.
pub(crate) fn optional_whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    #[derive(serde::Deserialize)]
    struct Number(#[serde(deserialize_with = "whole")] i64);
    Ok(Option::<Number>::deserialize(deserializer)?.map(|number| number.0))
}

/// Deserializes a whole number that may be null, or be text.
pub(crate) fn optional_whole_or_text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    struct Number(i64);
    impl<'de> Deserialize<'de> for Number {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            deserializer.deserialize_any(Whole { takes_text: true }).map(Self)
        }
    }
    Ok(Option::<Number>::deserialize(deserializer)?.map(|number| number.0))
}

/// Deserializes a number of things.
pub(crate) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
    let value = whole(deserializer)?;
    let allowed = &"a whole number from 0 to 4294967295";
    u32::try_from(value).map_err(|_| de::Error::invalid_value(Unexpected::Signed(value), allowed))
}

/// Deserializes the number of an event, which may have 64 bits.
pub(crate) fn sequence<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    deserializer.deserialize_any(Sequence)
}

/// Deserializes `true` or `false`, also as 1 or 0.
pub(crate) fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    deserializer.deserialize_any(Flag)
}

/// Deserializes [`flag`] that may be null.
pub(crate) fn optional_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    #[derive(serde::Deserialize)]
    struct Value(#[serde(deserialize_with = "flag")] bool);
    Ok(Option::<Value>::deserialize(deserializer)?.map(|value| value.0))
}

/// Deserializes an identifier. Some programs take one that has digits alone for a number.
pub(crate) fn identifier<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Cow<'de, str>, D::Error> {
    deserializer.deserialize_any(Identifier)
}

/// Deserializes an identifier that may be null, and borrows it if it has no escapes.
pub(crate) fn optional_identifier<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    #[derive(serde::Deserialize)]
    struct Text<'a>(#[serde(borrow, deserialize_with = "identifier")] Cow<'a, str>);
    Ok(Option::<Text<'de>>::deserialize(d)?.map(|text| text.0))
}

/// Deserializes an identifier. Null counts as empty, like a field that is omitted.
pub(crate) fn identifier_or_empty<'de, D: Deserializer<'de>>(d: D) -> Result<Cow<'de, str>, D::Error> {
    Ok(optional_identifier(d)?.unwrap_or_default())
}

/// As [`optional_identifier`], as text of its own.
pub(crate) fn owned_identifier<'de, D: Deserializer<'de>>(d: D) -> Result<Option<String>, D::Error> {
    Ok(optional_identifier(d)?.map(Cow::into_owned))
}

struct Whole {
    takes_text: bool,
}

impl Visitor<'_> for Whole {
    type Value = i64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<i64, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<i64, E> {
        i64::try_from(value).map_err(|_| E::invalid_value(Unexpected::Unsigned(value), &self))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<i64, E> {
        whole_of(value).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<i64, E> {
        if !self.takes_text {
            return Err(E::invalid_type(Unexpected::Str(value), &self));
        }
        value.parse().map_err(|_| E::invalid_value(Unexpected::Str(value), &self))
    }
}

struct Sequence;

impl Visitor<'_> for Sequence {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number from 0")
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<u64, E> {
        Ok(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<u64, E> {
        let whole = whole_of(value).and_then(|whole| u64::try_from(whole).ok());
        whole.ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
    }
}

struct Flag;

impl Visitor<'_> for Flag {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("true or false, or 1 or 0")
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<bool, E> {
        Ok(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<bool, E> {
        match value {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(E::invalid_value(Unexpected::Unsigned(other), &self)),
        }
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<bool, E> {
        match whole_of(value) {
            Some(0) => Ok(false),
            Some(1) => Ok(true),
            _ => Err(E::invalid_value(Unexpected::Float(value), &self)),
        }
    }
}

struct Identifier;

impl<'de> Visitor<'de> for Identifier {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text")
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(value))
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_owned()))
    }

    fn visit_string<E: de::Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Cow::Owned(value.to_string()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        let whole = whole_of(value).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))?;
        Ok(Cow::Owned(whole.to_string()))
    }
}
