use serde::Deserialize;

use crate::{Error, Result, Segment};

/// Reads one JSON object as a segment.
pub(super) fn parse(json: &[u8]) -> Result<Segment<'_>> {
    // Derived code would take an array of values in the order of the fields too; a record is an object.
    if json.trim_ascii_start().first() != Some(&b'{') {
        return Err(Error::Record { reason: "a record is a JSON object".to_owned() });
    }
    serde_json::from_slice(json).map_err(|error| Error::Record { reason: describe(json, &error) })
}

/// What is wrong, in which field, and at which column. The field's name takes a second, slower reading.
fn describe(json: &[u8], error: &serde_json::Error) -> String {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let mut track = serde_path_to_error::Track::new();
    let _ = Segment::deserialize(serde_path_to_error::Deserializer::new(&mut deserializer, &mut track));
    let path = track.path();
    let field = path.iter().next().map(|segment| format!("{segment}: ")).unwrap_or_default();
    let text = error.to_string();
    // serde_json counts lines within the record, which is on one.
    let position = format!(" at line {} column {}", error.line(), error.column());
    match text.strip_suffix(&position) {
        Some(reason) => format!("{field}{reason} (column {})", error.column()),
        None => format!("{field}{text}"),
    }
}
