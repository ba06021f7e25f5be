//! `COPY … TO STDOUT`.

mod options;
mod write;

use arrow::datatypes::SchemaRef;
use bytes::{BufMut, BytesMut};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::Tag;
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::copy::{CopyData, CopyDone, CopyOutResponse};
use futures::{SinkExt, StreamExt};
use skillscope_query::SqlRows;

use super::client::{Client, Stream};
use super::rows::{Style, encoded};
pub(super) use options::{CopyFormat, CopyOptions, Quoted, Said};
use write::Writer;

/// The beginning of a binary copy: a signature, no flags, and an empty extension of the header.
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";

/// The end of a binary copy.
const TRAILER: &[u8] = &[0xff, 0xff];

/// The rows of a `COPY … TO STDOUT`, and how they are written.
pub(super) struct Copy {
    rows: SqlRows,
    options: CopyOptions,
    quoted: Vec<bool>,
    style: Style,
}

impl Copy {
    pub(super) fn new(rows: SqlRows, options: &CopyOptions, style: Style) -> PgWireResult<Self> {
        let quoted = options.quoted(rows.schema().fields().iter().map(|field| field.name().as_str()))?;
        let is_binary = options.format == CopyFormat::Binary;
        let format = if is_binary { Format::UnifiedBinary } else { Format::UnifiedText };
        Ok(Self { rows, options: options.clone(), quoted, style: Style { format, ..style } })
    }

    /// Sends the rows as they are computed.
    pub(super) async fn send<S: Stream>(self, client: &mut Client<S>) -> PgWireResult<()> {
        let Self { rows, options, quoted, style } = self;
        let schema = rows.schema();
        let format = i8::from(options.format == CopyFormat::Binary);
        let columns = schema.fields().len();
        let count = i16::try_from(columns).unwrap_or(i16::MAX);
        let response = CopyOutResponse::new(format, count, vec![format.into(); columns]);
        client.feed(PgWireBackendMessage::CopyOutResponse(response)).await?;
        let mut writer = Writer::new(options, quoted);
        if let Some(header) = writer.header(&schema) {
            send_data(client, header).await?;
        }
        // Clients expect the signature in one message with the first row, or with the trailer where there is none.
        let mut before = BytesMut::from(if format == 1 { SIGNATURE } else { b"" });
        let (mut sent, mut rows) = (0, std::pin::pin!(encoded(rows, &style)));
        while let Some(row) = rows.next().await {
            let row = row?;
            before.unsplit(match format {
                1 => tuple(&row.data, row.field_count),
                _ => writer.row(&row.data),
            });
            send_data(client, std::mem::take(&mut before)).await?;
            sent += 1;
        }
        if format == 1 {
            before.extend_from_slice(TRAILER);
            send_data(client, before).await?;
        }
        client.feed(PgWireBackendMessage::CopyDone(CopyDone::new())).await?;
        client.feed(PgWireBackendMessage::CommandComplete(Tag::new("COPY").with_rows(sent).into())).await?;
        Ok(())
    }
}

async fn send_data<S: Stream>(client: &mut Client<S>, data: BytesMut) -> PgWireResult<()> {
    client.feed(PgWireBackendMessage::CopyData(CopyData::new(data.freeze()))).await?;
    Ok(())
}

/// A row of a binary copy: the number of its values, then the values.
fn tuple(data: &[u8], count: i16) -> BytesMut {
    let mut tuple = BytesMut::with_capacity(data.len() + size_of::<i16>());
    tuple.put_i16(count);
    tuple.extend_from_slice(data);
    tuple
}

/// The names of columns.
fn names(schema: &SchemaRef) -> impl Iterator<Item = Option<&[u8]>> {
    schema.fields().iter().map(|field| Some(field.name().as_bytes()))
}
