//! Rows as lines of text or of CSV.

use arrow::datatypes::SchemaRef;
use bytes::{BufMut, BytesMut};

use super::names;
use super::options::{CopyFormat, CopyOptions};

/// Writes rows as lines.
pub(super) struct Writer {
    options: CopyOptions,
    /// Which columns stand in quotes.
    quoted: Vec<bool>,
    /// What a line takes.
    capacity: usize,
}

impl Writer {
    pub(super) fn new(options: CopyOptions, quoted: Vec<bool>) -> Self {
        Self { options, quoted, capacity: 0 }
    }

    /// The line with the names, if there is one.
    pub(super) fn header(&mut self, schema: &SchemaRef) -> Option<BytesMut> {
        if !self.options.has_header || self.options.format == CopyFormat::Binary {
            return None;
        }
        let quoted = std::mem::take(&mut self.quoted);
        let header = self.line(names(schema));
        self.quoted = quoted;
        Some(header)
    }

    /// The line of a row whose values are laid out as messages have them.
    pub(super) fn row(&mut self, data: &[u8]) -> BytesMut {
        self.line(Values(data))
    }

    fn line<'a>(&mut self, values: impl Iterator<Item = Option<&'a [u8]>>) -> BytesMut {
        let mut line = BytesMut::with_capacity(self.capacity);
        let is_single = self.quoted.len() == 1;
        for (number, value) in values.enumerate() {
            if number > 0 {
                line.put_u8(self.options.delimiter);
            }
            match value {
                None => line.extend_from_slice(self.options.null.as_bytes()),
                Some(value) if self.options.format == CopyFormat::Csv => {
                    let is_quoted = self.quoted.get(number).copied().unwrap_or_default();
                    self.put_csv(value, is_quoted || (is_single && value == b"\\."), &mut line);
                }
                Some(value) => self.put_text(value, &mut line),
            }
        }
        line.put_u8(b'\n');
        self.capacity = line.len();
        line
    }

    /// What would be read as a null, or as more than one value, stands in quotes.
    fn put_csv(&self, value: &[u8], is_quoted: bool, line: &mut BytesMut) {
        let CopyOptions { delimiter, quote, escape, null, .. } = &self.options;
        let is_special = |byte: &u8| byte == delimiter || byte == quote || b"\r\n".contains(byte);
        if !is_quoted && value != null.as_bytes() && !value.iter().any(is_special) {
            line.extend_from_slice(value);
            return;
        }
        line.put_u8(*quote);
        for byte in value {
            if byte == quote || byte == escape {
                line.put_u8(*escape);
            }
            line.put_u8(*byte);
        }
        line.put_u8(*quote);
    }

    /// A backslash stands before bytes that would be read as something else.
    fn put_text(&self, value: &[u8], line: &mut BytesMut) {
        for byte in value {
            match byte {
                b'\\' => line.extend_from_slice(b"\\\\"),
                // Where a tab parts values or not, it is written as PostgreSQL writes it.
                b'\t' => line.extend_from_slice(b"\\t"),
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                0x08 => line.extend_from_slice(b"\\b"),
                0x0b => line.extend_from_slice(b"\\v"),
                0x0c => line.extend_from_slice(b"\\f"),
                other => {
                    if *other == self.options.delimiter {
                        line.put_u8(b'\\');
                    }
                    line.put_u8(*other);
                }
            }
        }
    }
}

/// The values of a row, `None` for a null.
struct Values<'a>(&'a [u8]);

impl<'a> Iterator for Values<'a> {
    type Item = Option<&'a [u8]>;

    fn next(&mut self) -> Option<Self::Item> {
        let (length, rest) = self.0.split_first_chunk()?;
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            self.0 = rest;
            return Some(None);
        };
        let (value, rest) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        self.0 = rest;
        Some(Some(value))
    }
}
