//! What is sent to clients as messages of Flight.

use std::pin::Pin;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow_flight::encode::FlightDataEncoderBuilder;
use arrow_flight::error::FlightError;
use arrow_flight::sql::ProstMessageExt;
use arrow_flight::{FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use skillscope_query::SqlDescription;
use tonic::{Response, Status};

/// An answer's rows, as they are sent.
pub(super) type Batches = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

/// An answer without rows.
pub(super) fn no_rows(schema: &SchemaRef) -> Response<Batches> {
    one_batch(RecordBatch::new_empty(Arc::clone(schema)))
}

/// An answer of one batch.
pub(super) fn one_batch(batch: RecordBatch) -> Response<Batches> {
    let encoder = FlightDataEncoderBuilder::new().with_schema(batch.schema()).build(stream::once(async { Ok(batch) }));
    Response::new(encoder.map_err(Status::from).boxed())
}

/// Tells a client that rows with these columns come from this server, for this ticket.
pub(super) fn info(
    ticket: Bytes,
    schema: &Schema,
    descriptor: FlightDescriptor,
) -> Result<Response<FlightInfo>, Status> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket { ticket });
    let info = FlightInfo::new()
        .try_with_schema(schema)
        .map_err(FlightError::from)?
        .with_endpoint(endpoint)
        .with_descriptor(descriptor);
    Ok(Response::new(info))
}

pub(super) fn ipc(schema: &Schema) -> Result<Bytes, Status> {
    let IpcMessage(bytes) = SchemaAsIpc::new(schema, &Default::default()).try_into().map_err(FlightError::from)?;
    Ok(bytes)
}

/// The parameters as columns. A parameter is text where the statement does not tell its type.
pub(super) fn parameter_schema(description: &SqlDescription) -> Schema {
    let parameters = description.parameters.iter().enumerate();
    let field = |(number, known): (usize, &Option<DataType>)| {
        Field::new(format!("${}", number + 1), known.clone().unwrap_or(DataType::Utf8), true)
    };
    Schema::new(parameters.map(field).collect::<Vec<_>>())
}

/// A message in the bytes of a ticket.
pub(super) fn encoded(message: &impl ProstMessageExt) -> Bytes {
    prost::Message::encode_to_vec(&message.as_any()).into()
}
