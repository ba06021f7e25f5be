//! `COPY … TO STDOUT`.

use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::CopyResponse;
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::copy::CopyData;
use datafusion_postgres::pgwire::messages::data::DataRow;
use futures::{StreamExt, stream};
use skillscope_query::SqlRows;

use super::rows::encoded;

/// The format in which `COPY` writes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyFormat {
    Text,
    Csv { has_header: bool },
    Binary,
}

/// The beginning of a binary copy: a signature, no flags, and an empty extension of the header.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The end of a binary copy.
const TRAILER: &[u8] = &[0xff, 0xff];

/// The rows of a `COPY … TO STDOUT`.
pub(super) fn copy(rows: SqlRows, format: CopyFormat) -> CopyResponse {
    let schema = rows.schema();
    let columns = schema.fields().len();
    match format {
        CopyFormat::Csv { has_header } => {
            let names = schema.fields().iter().map(|field| Some(field.name().as_bytes()));
            let header = has_header.then(|| Ok(record(names)));
            let rows = encoded(rows, &Format::UnifiedText).map(|row| Ok(record(Values(&row?.data))));
            CopyResponse::new(0, columns, stream::iter(header).chain(rows))
        }
        CopyFormat::Text => {
            let rows = encoded(rows, &Format::UnifiedText);
            CopyResponse::new(0, columns, rows.map(|row| Ok(line(&row?))))
        }
        CopyFormat::Binary => {
            let rows = encoded(rows, &Format::UnifiedBinary);
            let trailer = stream::once(async { Ok(BytesMut::from(TRAILER)) });
            // Clients expect the signature in one message with the first row, or with the trailer where there is none.
            let mut signature = SIGNATURE;
            let messages =
                rows.map(|row| Ok(tuple(&row?))).chain(trailer).map(move |message: PgWireResult<BytesMut>| {
                    let mut data = BytesMut::from(std::mem::take(&mut signature));
                    data.unsplit(message?);
                    Ok(CopyData::new(data.freeze()))
                });
            // To a response that it knows to be binary pgwire adds a trailer of its own.
            let mut response = CopyResponse::new(0, columns, messages);
            response.format = 1;
            response
        }
    }
}

/// A row of a binary copy: the number of its values, then the values.
fn tuple(row: &DataRow) -> BytesMut {
    let mut data = BytesMut::with_capacity(row.data.len() + size_of::<i16>());
    data.put_i16(row.field_count);
    data.extend_from_slice(&row.data);
    data
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

/// A row as a line of CSV. A null is nothing, and an empty text stands in quotes.
fn record<'a>(values: impl Iterator<Item = Option<&'a [u8]>>) -> CopyData {
    let mut line = BytesMut::new();
    for (number, value) in values.enumerate() {
        if number > 0 {
            line.put_u8(b',');
        }
        let Some(value) = value else { continue };
        if !value.is_empty() && value != b"\\." && !value.iter().any(|byte| b",\"\r\n".contains(byte)) {
            line.extend_from_slice(value);
            continue;
        }
        line.put_u8(b'"');
        for byte in value {
            if *byte == b'"' {
                line.put_u8(b'"');
            }
            line.put_u8(*byte);
        }
        line.put_u8(b'"');
    }
    line.put_u8(b'\n');
    CopyData::new(line.freeze())
}

/// A row as a line of tab-separated values. A backslash stands before bytes that would be read as something else.
fn line(row: &DataRow) -> CopyData {
    let mut line = BytesMut::with_capacity(row.data.len());
    for (number, value) in Values(&row.data).enumerate() {
        if number > 0 {
            line.put_u8(b'\t');
        }
        let Some(value) = value else {
            line.extend_from_slice(b"\\N");
            continue;
        };
        for byte in value {
            match byte {
                b'\\' => line.extend_from_slice(b"\\\\"),
                b'\t' => line.extend_from_slice(b"\\t"),
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                0x08 => line.extend_from_slice(b"\\b"),
                0x0b => line.extend_from_slice(b"\\v"),
                0x0c => line.extend_from_slice(b"\\f"),
                other => line.put_u8(*other),
            }
        }
    }
    line.put_u8(b'\n');
    CopyData::new(line.freeze())
}
