//! A number as another endpoint tells it.

use std::fmt;

use serde_json::Value;

/// The most letters that are kept of a value which is no number.
const MAX_LETTERS: usize = 40;

/// The value of a metric as another endpoint tells it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A whole number, also one written as text or with a fraction of zero.
    Number(i64),
    /// Nothing.
    Missing,
    /// Something else, as JSON.
    Other(String),
}

impl Told {
    pub(super) fn of(value: Option<&Value>) -> Self {
        match value {
            None => Self::Missing,
            Some(value) => whole(value).map_or_else(|| Self::Other(shortened(value)), Self::Number),
        }
    }

    /// The number; `None` where there is none.
    pub fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Missing | Self::Other(_) => None,
        }
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Missing => f.write_str("missing"),
            Self::Other(text) => text.fmt(f),
        }
    }
}

/// A whole number, as a number or as text.
pub(super) fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| whole_of_float(number.as_f64()?)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| whole_of_float(text.parse().ok()?))
        }
        _ => None,
    }
}

/// Beyond 2⁵³ a float does not tell which whole number it is.
fn whole_of_float(float: f64) -> Option<i64> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    (float.fract() == 0.0 && float.abs() <= EXACT).then_some(float as i64)
}

fn shortened(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(MAX_LETTERS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whole_numbers_are_read_in_every_way_that_they_are_written() {
        for value in [json!(28), json!("28"), json!(28.0), json!("28.0"), json!(" 28 "), json!(2.8e1)] {
            assert_eq!(Told::of(Some(&value)), Told::Number(28), "{value}");
        }
        assert_eq!(Told::of(Some(&json!(-1))), Told::Number(-1));
    }

    #[test]
    fn anything_else_is_no_number() {
        for value in [json!(28.5), json!("many"), json!(null), json!(true), json!(1e300), json!("")] {
            assert_eq!(Told::of(Some(&value)), Told::Other(value.to_string()));
        }
        assert_eq!(Told::of(None), Told::Missing);
        let long = Told::of(Some(&json!("é".repeat(1_000)))).to_string();
        assert_eq!(long, format!("\"{}…", "é".repeat(39)));
    }
}
