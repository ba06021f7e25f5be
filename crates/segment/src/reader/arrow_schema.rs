//! Looks at a schema in Arrow's own encoding before it is decoded. It is made of tables that refer to each other by
//! place, so that a few bytes can stand for very many fields, and a long name for many more.

use arrow::ipc::{Field, KeyValue, Schema, root_as_message};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

/// A schema has at most so many fields, nested ones included.
const MAX_FIELDS: usize = 10_000;

/// Fields are nested at most so deep.
const MAX_DEPTH: usize = 32;

/// The texts of a schema have at most so many bytes. What pandas and Spark keep there for a thousand columns takes some
/// hundred kilobytes.
const MAX_TEXT_BYTES: usize = 16 << 20;

/// Precedes the length of a message.
const CONTINUATION_MARKER: [u8; 4] = [0xFF; 4];

/// Checks the schema that a Parquet file carries as text.
pub(super) fn check_encoded(text: &[u8]) -> Result<(), String> {
    let unreadable =
        |error: &dyn std::fmt::Display| format!("the Arrow schema that it carries cannot be read: {error}");
    let bytes = BASE64_STANDARD.decode(text).map_err(|error| unreadable(&error))?;
    // As the library does.
    let prefix = if bytes.len() > 8 && bytes.starts_with(&CONTINUATION_MARKER) { 8 } else { 0 };
    let message = root_as_message(bytes.get(prefix..).unwrap_or_default()).map_err(|error| unreadable(&error))?;
    message.header_as_schema().map_or(Ok(()), check)
}

/// Checks a schema.
pub(super) fn check(schema: Schema<'_>) -> Result<(), String> {
    let mut sum = Sum::default();
    for pair in schema.custom_metadata().iter().flatten() {
        sum.add_pair(pair)?;
    }
    schema.fields().iter().flatten().try_for_each(|field| sum.add(field, 1))
}

#[derive(Default)]
struct Sum {
    fields: usize,
    text_bytes: usize,
}

impl Sum {
    fn add(&mut self, field: Field<'_>, depth: usize) -> Result<(), String> {
        self.fields += 1;
        if self.fields > MAX_FIELDS {
            return Err(format!("its schema has too many fields: at most {MAX_FIELDS} are taken"));
        }
        if depth > MAX_DEPTH {
            return Err(format!("its schema is nested too deep: at most {MAX_DEPTH} levels are taken"));
        }
        self.add_text(field.name())?;
        self.add_text(field.type_as_timestamp().and_then(|timestamp| timestamp.timezone()))?;
        for pair in field.custom_metadata().iter().flatten() {
            self.add_pair(pair)?;
        }
        field.children().iter().flatten().try_for_each(|child| self.add(child, depth + 1))
    }

    fn add_pair(&mut self, pair: KeyValue<'_>) -> Result<(), String> {
        self.add_text(pair.key())?;
        self.add_text(pair.value())
    }

    /// Adds a text, and what it takes to keep one.
    fn add_text(&mut self, text: Option<&str>) -> Result<(), String> {
        const EACH: usize = 64;
        self.text_bytes = self.text_bytes.saturating_add(text.map_or(0, |text| text.len().saturating_add(EACH)));
        if self.text_bytes > MAX_TEXT_BYTES {
            return Err(format!("the texts in its schema are too long: at most {MAX_TEXT_BYTES} bytes are taken"));
        }
        Ok(())
    }
}
