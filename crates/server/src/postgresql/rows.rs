//! Rows as PostgreSQL's messages.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::array::{Array, RecordBatch};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::QueryResponse;
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::data::DataRow;
use futures::{Stream, StreamExt, stream};
use skillscope_query::SqlRows;

use super::error::{SqlState, error, failed};
use super::values::{self, type_of};

/// How rows are sent.
#[derive(Debug, Clone, Default)]
pub(super) struct Style {
    pub(super) format: Format,
    /// The zone in which instants are shown, where it is another one than theirs.
    pub(super) zone: Option<Tz>,
}

/// The rows of a statement as its answer, with the columns that the client has been told of.
pub(super) fn response(rows: SqlRows, described: Option<SchemaRef>, style: &Style) -> QueryResponse {
    let schema = described.unwrap_or_else(|| rows.schema());
    let fields = values::fields(&schema, &style.format);
    let batches = rows.map(|batch| batch.map_err(failed));
    QueryResponse::new(Arc::new(fields), messages(batches, schema, style))
}

/// The rows as messages.
pub(super) fn encoded(rows: SqlRows, style: &Style) -> impl Stream<Item = PgWireResult<DataRow>> + Send + use<> {
    let schema = rows.schema();
    messages(rows.map(|batch| batch.map_err(failed)), schema, style)
}

/// The rows of batches as messages.
pub(super) fn messages<B: Stream<Item = PgWireResult<RecordBatch>> + Send>(
    batches: B,
    schema: SchemaRef,
    style: &Style,
) -> impl Stream<Item = PgWireResult<DataRow>> + Send + use<B> {
    let (fields, zone) = (values::fields(&schema, &style.format), style.zone);
    batches.flat_map(move |batch| {
        let batch = batch.and_then(|batch| as_described(batch, &schema));
        match batch.and_then(|batch| values::rows(&batch, &fields, zone)) {
            Ok(rows) => stream::iter(rows).left_stream(),
            Err(error) => stream::iter([Err::<DataRow, PgWireError>(error)]).right_stream(),
        }
    })
}

/// The batch with columns of the types that the client has been told. With values for its parameters a statement may
/// make others.
fn as_described(batch: RecordBatch, schema: &SchemaRef) -> PgWireResult<RecordBatch> {
    let told = schema.fields().iter().map(|field| field.data_type());
    let is_told = |(array, told): (&Arc<dyn Array>, _)| type_of(array.data_type()) == type_of(told);
    if batch.columns().iter().zip(told.clone()).all(is_told) {
        return Ok(batch);
    }
    let exact = CastOptions { safe: false, ..CastOptions::default() };
    let columns = batch.columns().iter().zip(told).map(|(array, told)| match is_told((array, told)) {
        true => Ok(Arc::clone(array)),
        false => cast_with_options(array, told, &exact),
    });
    let described = columns.collect::<Result<Vec<_>, _>>().and_then(|columns| {
        let names = schema.fields().iter().map(|field| field.name());
        RecordBatch::try_from_iter_with_nullable(names.zip(columns).map(|(name, column)| (name, column, true)))
    });
    let unfit =
        |cause: ArrowError| error(SqlState::Value, format!("a value does not have the type of its column: {cause}"));
    described.map_err(unfit)
}
