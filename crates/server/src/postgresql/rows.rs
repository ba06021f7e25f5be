//! Rows as PostgreSQL's messages.

use std::sync::Arc;

use datafusion_postgres::arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch};
use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::QueryResponse;
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::data::DataRow;
use futures::{Stream, StreamExt, stream};
use skillscope_query::SqlRows;

use super::error::failed;

/// The rows of a statement as its answer.
pub(super) fn response(rows: SqlRows, format: &Format) -> PgWireResult<QueryResponse> {
    let fields = arrow_schema_to_pg_fields(&rows.schema(), format, None)?;
    Ok(QueryResponse::new(Arc::new(fields), encoded(rows, format)?))
}

/// The rows as messages, in a format of the protocol.
pub(super) fn encoded(
    rows: SqlRows,
    format: &Format,
) -> PgWireResult<impl Stream<Item = PgWireResult<DataRow>> + Send + use<>> {
    let fields = Arc::new(arrow_schema_to_pg_fields(&rows.schema(), format, None)?);
    Ok(rows.flat_map(move |batch| {
        stream::iter(match batch {
            Ok(batch) => encode_recordbatch(Arc::clone(&fields), batch) as Box<dyn Iterator<Item = _> + Send>,
            Err(error) => Box::new(std::iter::once(Err(failed(error)))),
        })
    }))
}
