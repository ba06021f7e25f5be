use bytes::{BufMut, Bytes, BytesMut};
use datafusion_postgres::arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::CopyResponse;
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::copy::CopyData;
use datafusion_postgres::pgwire::messages::data::DataRow;
use futures::{StreamExt, stream};
use skillscope_query::SqlRows;
use std::sync::Arc;

use super::error::{SqlState, error, failed};
use crate::{RowFormat, RowWriter};

/// How `COPY` writes rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CopyFormat {
    Text,
    Csv { has_header: bool },
    Binary,
}

/// What a binary copy begins with: a signature, no flags, and no more of a header.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// After the last row.
const TRAILER: &[u8] = &[0xff, 0xff];

/// The rows as `COPY … TO STDOUT` gives them.
pub(super) fn copy(rows: SqlRows, format: CopyFormat) -> PgWireResult<CopyResponse> {
    let schema = rows.schema();
    let columns = schema.fields().len();
    match format {
        CopyFormat::Csv { has_header } => csv(rows, columns, has_header),
        CopyFormat::Text => {
            let fields = Arc::new(arrow_schema_to_pg_fields(&schema, &Format::UnifiedText, None)?);
            let lines = rows.map(move |batch| -> PgWireResult<CopyData> {
                let mut data = BytesMut::new();
                for row in encode_recordbatch(Arc::clone(&fields), batch.map_err(failed)?) {
                    put_line(&mut data, &row?);
                }
                Ok(CopyData::new(data.freeze()))
            });
            Ok(CopyResponse::new(0, columns, lines))
        }
        CopyFormat::Binary => {
            let fields = Arc::new(arrow_schema_to_pg_fields(&schema, &Format::UnifiedBinary, None)?);
            let tuples = rows.map(move |batch| -> PgWireResult<CopyData> {
                let mut data = BytesMut::new();
                for row in encode_recordbatch(Arc::clone(&fields), batch.map_err(failed)?) {
                    let row = row?;
                    data.put_i16(row.field_count);
                    data.extend_from_slice(&row.data);
                }
                Ok(CopyData::new(data.freeze()))
            });
            let fixed =
                |bytes: &'static [u8]| stream::once(async move { Ok(CopyData::new(Bytes::from_static(bytes))) });
            Ok(CopyResponse::new(1, columns, fixed(SIGNATURE).chain(tuples).chain(fixed(TRAILER))))
        }
    }
}

fn csv(rows: SqlRows, columns: usize, has_header: bool) -> PgWireResult<CopyResponse> {
    let unwritable =
        |cause: arrow::error::ArrowError| error(SqlState::Value, format!("the rows are not for CSV: {cause}"));
    let mut writer = RowWriter::new(RowFormat::Csv, &rows.schema()).map_err(unwritable)?;
    let names = if has_header { writer.take() } else { Vec::new() };
    if !has_header {
        // The names are written in any case.
        writer.take();
    }
    let lines = rows.map(move |batch| {
        writer.write(&batch.map_err(failed)?).map_err(unwritable)?;
        Ok(CopyData::new(writer.take().into()))
    });
    let names = stream::once(async move { Ok(CopyData::new(names.into())) });
    Ok(CopyResponse::new(0, columns, names.chain(lines)))
}

/// A row as a line of tab-separated values; a backslash is put before what would be read as something else.
fn put_line(line: &mut BytesMut, row: &DataRow) {
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
}
