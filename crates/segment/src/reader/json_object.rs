//! Parses one JSON object, and says where it is wrong.

use serde::Deserialize;

use crate::{Error, Result};

/// Reads one JSON object as a record.
pub(crate) fn parse<'j, T: Deserialize<'j>>(json: &'j [u8]) -> Result<T> {
    parse_told(json, true)
}

/// As [`parse`]. What is wrong, and where, is only found out if it `is_told`, since that takes many times as long.
pub(crate) fn parse_told<'j, T: Deserialize<'j>>(json: &'j [u8], is_told: bool) -> Result<T> {
    // Derived code would also accept an array of values in the order of the fields.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(Error::Record { reason: "a record is a JSON object".to_owned() });
    }
    serde_json::from_slice(json).map_err(|error| {
        let reason = if is_told { describe::<T>(json, &error) } else { String::new() };
        Error::Record { reason }
    })
}

/// Says what is wrong, in which field, and at which column. Finding the field takes a second, slower parse.
fn describe<'j, T: Deserialize<'j>>(json: &'j [u8], error: &serde_json::Error) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let mut track = serde_path_to_error::Track::new();
    let _ = T::deserialize(serde_path_to_error::Deserializer::new(&mut deserializer, &mut track));
    let path = track.path();
    let field = path.iter().next().map(|segment| format!("{segment}: ")).unwrap_or_default();
    let position = format!(" at line {} column {}", error.line(), error.column());
    let text = error.to_string();
    let reason = text.strip_suffix(&position).unwrap_or(&text);
    let line = if error.line() > 1 { format!("line {}, ", error.line()) } else { String::new() };
    format!("{field}{} (at {line}column {} of the record)", without_middle(reason), error.column())
}

/// Shortens a reason in its middle. A reason quotes the wrong value, which may be as long as the record, and then says
/// what is allowed.
fn without_middle(reason: &str) -> String {
    const KEPT: usize = 150;
    let characters: Vec<char> = reason.chars().collect();
    match (characters.first_chunk::<KEPT>(), characters.last_chunk::<KEPT>()) {
        (Some(start), Some(end)) if characters.len() > 2 * KEPT => {
            start.iter().chain(&[' ', '…', ' ']).chain(end).collect()
        }
        _ => reason.to_owned(),
    }
}
