//! `COPY … TO STDOUT`.

use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::CopyResponse;
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::copy::CopyData;
use datafusion_postgres::pgwire::messages::data::DataRow;
use futures::{StreamExt, stream};
use skillscope_query::SqlRows;

use super::error::{SqlState, error, failed};
use super::rows::encoded;
use crate::{RowFormat, RowWriter};

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
pub(super) fn copy(rows: SqlRows, format: CopyFormat) -> PgWireResult<CopyResponse> {
    let schema = rows.schema();
    let columns = schema.fields().len();
    match format {
        CopyFormat::Csv { has_header } => csv(rows, columns, has_header),
        CopyFormat::Text => {
            let rows = encoded(rows, &Format::UnifiedText)?;
            Ok(CopyResponse::new(0, columns, rows.map(|row| Ok(line(&row?)))))
        }
        CopyFormat::Binary => {
            let rows = encoded(rows, &Format::UnifiedBinary)?;
            let trailer = stream::once(async { Ok(BytesMut::from(TRAILER)) });
            // Clients expect the signature in one message with the first row, or with the trailer where there is none.
            let mut signature = SIGNATURE;
            let messages =
                rows.map(|row| Ok(tuple(&row?))).chain(trailer).map(move |message: PgWireResult<BytesMut>| {
                    let mut data = BytesMut::from(std::mem::take(&mut signature));
                    data.unsplit(message?);
                    Ok(CopyData::new(data.freeze()))
                });
            Ok(CopyResponse::new(1, columns, messages))
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

fn csv(rows: SqlRows, columns: usize, has_header: bool) -> PgWireResult<CopyResponse> {
    let unwritable =
        |cause: arrow::error::ArrowError| error(SqlState::Value, format!("the rows are not for CSV: {cause}"));
    let mut writer = RowWriter::new(RowFormat::Csv, &rows.schema()).map_err(unwritable)?;
    let names = if has_header { writer.take() } else { Vec::new() };
    if !has_header {
        // The writer has written the names all the same.
        writer.take();
    }
    let lines = rows.map(move |batch| {
        writer.write(&batch.map_err(failed)?).map_err(unwritable)?;
        Ok(CopyData::new(writer.take().into()))
    });
    let names = stream::once(async move { Ok(CopyData::new(names.into())) });
    Ok(CopyResponse::new(0, columns, names.chain(lines)))
}

/// A row as a line of tab-separated values. A backslash stands before bytes that would be read as something else.
fn line(row: &DataRow) -> CopyData {
    let mut line = BytesMut::with_capacity(row.data.len());
    let mut rest: &[u8] = &row.data;
    let mut is_first = true;
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        if !std::mem::take(&mut is_first) {
            line.put_u8(b'\t');
        }
        let Ok(length) = usize::try_from(i32::from_be_bytes(*length)) else {
            line.extend_from_slice(b"\\N");
            rest = after;
            continue;
        };
        let (value, after) = after.split_at_checked(length).unwrap_or((after, &[]));
        for byte in value {
            match byte {
                b'\\' => line.extend_from_slice(b"\\\\"),
                b'\t' => line.extend_from_slice(b"\\t"),
                b'\n' => line.extend_from_slice(b"\\n"),
                b'\r' => line.extend_from_slice(b"\\r"),
                other => line.put_u8(*other),
            }
        }
        rest = after;
    }
    line.put_u8(b'\n');
    CopyData::new(line.freeze())
}
