//! The values of parameters, which are written in JSON. Each becomes a value of the type that the statement wants in its
//! place, as a text from a client of PostgreSQL does.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use serde_json::value::RawValue;
use skillscope_query::SqlSession;

use crate::http::problem::Problem;
use crate::postgresql::{null_of, value_of_text};

/// The most elements of an array that is a value, and the most arrays in one another.
const MOST_ELEMENTS: usize = 100_000;
const MOST_LEVELS: usize = 6;

/// The values as `query` takes them.
pub(super) async fn bound(
    session: &SqlSession,
    query: &str,
    values: &[Box<RawValue>],
) -> Result<Vec<ScalarValue>, Problem> {
    if values.is_empty() {
        return Ok(Vec::new());
    }
    let wanted = session.describe(query).await?.parameters;
    if wanted.len() != values.len() {
        let (wanted, given) = (wanted.len(), values.len());
        let rule = format!("the statement has {wanted} parameters, and {given} values are given");
        return Err(Problem::invalid_parameter(rule).blaming("parameters", None));
    }
    let bound = values.iter().zip(wanted).enumerate().map(|(place, (value, wanted))| {
        of_json(value, wanted.as_ref(), 0).map_err(|reason| {
            let shown = value.get().chars().take(200).collect();
            let rule = format!("the value of ${}: {reason}", place + 1);
            Problem::invalid_parameter(rule).blaming("parameters", Some(shown))
        })
    });
    bound.collect()
}

/// The value that a piece of JSON is, where one of the type `wanted` is.
fn of_json(json: &RawValue, wanted: Option<&DataType>, level: usize) -> Result<ScalarValue, String> {
    let text = json.get();
    match text.as_bytes().first() {
        Some(b'n') => null(wanted),
        Some(b't' | b'f') => match wanted {
            Some(wanted) if *wanted != DataType::Boolean => value_of_text(wanted, text),
            _ => Ok(ScalarValue::Boolean(Some(text == "true"))),
        },
        Some(b'"') => {
            let text: String = serde_json::from_str(text).map_err(|error| error.to_string())?;
            wanted.map_or_else(|| Ok(ScalarValue::Utf8(Some(text.clone()))), |wanted| value_of_text(wanted, &text))
        }
        Some(b'[') if wanted.is_none_or(is_list) => list(text, wanted, level),
        // To a statement that wants a text, an array or an object is its JSON.
        Some(b'[' | b'{') => value_of_text(wanted.unwrap_or(&DataType::Utf8), text),
        _ => number(text, wanted),
    }
}

fn null(wanted: Option<&DataType>) -> Result<ScalarValue, String> {
    wanted.map_or(Ok(ScalarValue::Null), null_of)
}

/// A number has a type of its own where none of the type that is wanted is written so: 1.5 may be compared with whole
/// numbers.
fn number(text: &str, wanted: Option<&DataType>) -> Result<ScalarValue, String> {
    let Some(wanted) = wanted.filter(|wanted| !wanted.is_null()) else { return own(text) };
    match value_of_text(wanted, text) {
        Err(_) if wanted.is_numeric() => own(text),
        value => value,
    }
}

fn own(text: &str) -> Result<ScalarValue, String> {
    if let Ok(whole) = text.parse() {
        return Ok(ScalarValue::Int64(Some(whole)));
    }
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return value_of_text(&DataType::Decimal128(38, 0), text);
    }
    text.parse().map(|number| ScalarValue::Float64(Some(number))).map_err(|_| format!("{text} is no number"))
}

fn is_list(of: &DataType) -> bool {
    of.is_null() || element_of(of).is_some()
}

fn element_of(of: &DataType) -> Option<&DataType> {
    match of {
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::FixedSizeList(element, _)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => Some(element.data_type()),
        _ => None,
    }
}

/// A list, whose elements become of one type.
fn list(text: &str, wanted: Option<&DataType>, level: usize) -> Result<ScalarValue, String> {
    if level >= MOST_LEVELS {
        return Err(format!("arrays are at most {MOST_LEVELS} deep in one another"));
    }
    let elements: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if elements.len() > MOST_ELEMENTS {
        return Err(format!("an array has at most {MOST_ELEMENTS} elements"));
    }
    // The levels of a list are known from its values: the statement tells of the innermost element alone.
    let wanted = wanted.and_then(element_of);
    let inner = |json: &RawValue| json.get().starts_with('[');
    let values = elements.into_iter().map(|json| match wanted {
        Some(element) if inner(json) && !is_list(element) => {
            of_json(json, Some(&DataType::new_list(element.clone(), true)), level + 1)
        }
        element => of_json(json, element, level + 1),
    });
    let values = values.collect::<Result<Vec<_>, _>>()?;
    let mut types = values.iter().map(ScalarValue::data_type).filter(|of| !of.is_null());
    let first = types.next().or_else(|| wanted.cloned()).unwrap_or(DataType::Utf8);
    let of = types.try_fold(first, wider).ok_or("the elements of an array have one type")?;
    let values = values.into_iter().map(|value| value.cast_to(&of)).collect::<Result<Vec<_>, _>>();
    let values = values.map_err(|error| error.strip_backtrace())?;
    Ok(ScalarValue::List(ScalarValue::new_list_nullable(&values, &of)))
}

/// The type that has room for the values of both.
fn wider(one: DataType, other: DataType) -> Option<DataType> {
    if one == other {
        return Some(one);
    }
    (one.is_numeric() && other.is_numeric()).then_some(DataType::Float64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str, wanted: Option<DataType>) -> Result<ScalarValue, String> {
        of_json(&serde_json::from_str::<Box<RawValue>>(json).unwrap(), wanted.as_ref(), 0)
    }

    #[test]
    fn a_value_is_what_the_statement_wants() {
        let whole = || Some(DataType::Int64);
        for (json, wanted, expected) in [
            ("7", whole(), ScalarValue::Int64(Some(7))),
            ("\"7\"", whole(), ScalarValue::Int64(Some(7))),
            ("1.5", whole(), ScalarValue::Float64(Some(1.5))),
            ("null", whole(), ScalarValue::Int64(None)),
            ("null", None, ScalarValue::Null),
            ("7", Some(DataType::Utf8), ScalarValue::from("7")),
            ("true", Some(DataType::Utf8), ScalarValue::from("true")),
            ("true", None, ScalarValue::Boolean(Some(true))),
            ("\"yes\"", Some(DataType::Boolean), ScalarValue::Boolean(Some(true))),
            ("1e3", None, ScalarValue::Float64(Some(1000.0))),
            ("\"2018-01-18\"", Some(DataType::Date32), ScalarValue::Date32(Some(17_549))),
            ("{\"a\": [1]}", None, ScalarValue::from("{\"a\": [1]}")),
            ("[1, 2]", Some(DataType::Utf8), ScalarValue::from("[1, 2]")),
            ("\"a\\u00fc\\\"\"", None, ScalarValue::from("a\u{fc}\"")),
        ] {
            assert_eq!(read(json, wanted.clone()), Ok(expected), "{json} as {wanted:?}");
        }
        // What no column of whole numbers has is a number all the same.
        let large = read("9223372036854775808", None).unwrap();
        assert!(matches!(large, ScalarValue::Decimal128(Some(9_223_372_036_854_775_808), _, 0)), "{large:?}");
        for (json, wanted) in [("\"x\"", DataType::Int64), ("true", DataType::Int64), ("5", DataType::Boolean)] {
            assert!(read(json, Some(wanted)).is_err(), "{json}");
        }
        assert!(read("\"x\"", whole()).unwrap_err().contains("invalid input syntax for type bigint: \"x\""));
    }

    #[test]
    fn arrays_are_lists_of_one_type_at_any_level() {
        let list =
            |values: &[ScalarValue], of: &DataType| ScalarValue::List(ScalarValue::new_list_nullable(values, of));
        let numbers = list(&[ScalarValue::Int64(Some(1)), ScalarValue::Int64(None)], &DataType::Int64);
        let wanted = DataType::new_list(DataType::Int64, true);
        assert_eq!(read("[1, null]", Some(wanted.clone())), Ok(numbers.clone()));
        assert_eq!(read("[1, null]", None), Ok(numbers.clone()));
        assert_eq!(read("[[1, null]]", None), Ok(list(&[numbers], &wanted)));
        let mixed = list(&[ScalarValue::Float64(Some(1.0)), ScalarValue::Float64(Some(1.5))], &DataType::Float64);
        assert_eq!(read("[1, 1.5]", None), Ok(mixed));
        assert_eq!(read("[]", Some(wanted)), Ok(list(&[], &DataType::Int64)));
        assert!(read("[1, \"a\"]", None).unwrap_err().contains("one type"));
        assert!(read("[[[[[[[1]]]]]]]", None).unwrap_err().contains("at most 6 deep"));
    }
}
