//! The values for parameters that a client sends.

use std::future::{Future, ready};
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::DataType;
use arrow::ipc::convert::try_schema_from_flatbuffer_bytes;
use arrow::ipc::{MessageHeader, root_as_message};
use arrow_flight::FlightData;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::error::FlightError;
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use tokio::time::timeout;
use tonic::Status;

/// What the values may take on their way.
const VALUES_BYTES: usize = 16 << 20;

/// How long all of them may take to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// The one row of values in `sent`; `None` where no values are sent.
///
/// # Errors
/// Where what is sent cannot be read, is too much, or is more than one row.
pub(super) async fn bound_values(
    sent: impl Stream<Item = Result<FlightData, FlightError>> + Send + 'static,
) -> Result<Option<RecordBatch>, Status> {
    // What decodes them panics at some that it does not expect.
    let decoded = timeout(PATIENCE, AssertUnwindSafe(read(sent)).catch_unwind()).await;
    let decoded =
        decoded.map_err(|_| Status::deadline_exceeded("the values for the parameters have not come in time"))?;
    decoded.map_err(|_| Status::invalid_argument("the values for the parameters are not readable"))?
}

/// What is said where values must come.
pub(super) fn no_values() -> Status {
    Status::invalid_argument("there are no values for the parameters")
}

fn read(
    sent: impl Stream<Item = Result<FlightData, FlightError>> + Send + 'static,
) -> impl Future<Output = Result<Option<RecordBatch>, Status>> {
    let mut bytes = 0_usize;
    // The first message may have the command alone.
    let sent = sent.try_filter(|data| ready(!data.data_header.is_empty() || !data.data_body.is_empty()));
    let sent = sent.and_then(move |data| {
        bytes = bytes.saturating_add(data.data_header.len()).saturating_add(data.data_body.len());
        ready(if bytes > VALUES_BYTES { Err(too_much()) } else { checked(data) })
    });
    async move {
        let batches = FlightRecordBatchStream::new_from_flight_data(sent);
        let mut batches = batches.try_filter(|batch| ready(batch.num_rows() > 0)).boxed();
        let batch = batches.try_next().await.map_err(unreadable)?;
        if batch.is_some() && batches.try_next().await.map_err(unreadable)?.is_some() {
            return Err(Status::invalid_argument("parameters are one row of values"));
        }
        Ok(batch)
    }
}

/// What cannot be decoded is the client's, and it is told what it is about.
fn unreadable(error: FlightError) -> Status {
    match error {
        FlightError::Tonic(status) => *status,
        other => Status::invalid_argument(format!("the values for the parameters are not readable: {other}")),
    }
}

fn too_much() -> FlightError {
    let most = VALUES_BYTES >> 20;
    FlightError::from(Status::out_of_range(format!("the values for the parameters take at most {most} MiB")))
}

/// Refuses what the decoder would take at its word: compressed columns, for which it reserves as much memory as the
/// client says that they unfold to, and nested ones.
fn checked(data: FlightData) -> Result<FlightData, FlightError> {
    let message = root_as_message(&data.data_header).map_err(|error| FlightError::DecodeError(error.to_string()))?;
    if ![MessageHeader::Schema, MessageHeader::DictionaryBatch, MessageHeader::RecordBatch]
        .contains(&message.header_type())
    {
        return Err(FlightError::DecodeError("a message has neither columns nor values".to_owned()));
    }
    let batch = message.header_as_record_batch();
    let batch = batch.or_else(|| message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()));
    if batch.is_some_and(|batch| batch.compression().is_some()) {
        return Err(Status::invalid_argument("parameters are not taken compressed").into());
    }
    if message.header_as_schema().is_some() {
        let schema = try_schema_from_flatbuffer_bytes(&data.data_header)?;
        if let Some(field) = schema.fields().iter().find(|field| !is_plain(field.data_type())) {
            let text = format!("a parameter is a single value or a list of them, and not {}", field.data_type());
            return Err(Status::invalid_argument(text).into());
        }
    }
    Ok(data)
}

/// Whether values of a type are single ones, or lists of such.
fn is_plain(of: &DataType) -> bool {
    match of {
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) | DataType::LargeListView(item) => {
            !item.data_type().is_nested()
        }
        DataType::Dictionary(_, values) => !values.is_nested(),
        other => !other.is_nested(),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array, StructArray};
    use arrow::datatypes::{Field, Fields};
    use arrow_flight::encode::FlightDataEncoderBuilder;
    use futures::stream;
    use tonic::Code;

    use super::*;

    async fn bound(columns: Vec<(&str, ArrayRef)>) -> Result<Option<RecordBatch>, Status> {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        bound_values(FlightDataEncoderBuilder::new().build(stream::iter([Ok(batch)]))).await
    }

    fn seven() -> ArrayRef {
        Arc::new(Int64Array::from(vec![7]))
    }

    #[tokio::test]
    async fn one_row_of_single_values_is_taken() {
        let batch = bound(vec![("$1", seven()), ("$2", seven())]).await.unwrap().unwrap();
        assert_eq!((batch.num_rows(), batch.num_columns()), (1, 2));
    }

    #[tokio::test]
    async fn nested_values_are_refused() {
        let fields = Fields::from(vec![Field::new("a", DataType::Int64, true)]);
        let nested = StructArray::new(fields, vec![seven()], None);
        let error = bound(vec![("$1", Arc::new(nested))]).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert!(error.message().contains("a single value or a list of them"), "{error}");
    }

    #[tokio::test]
    async fn values_are_not_larger_than_they_may_be() {
        let data = FlightData { data_body: vec![0; VALUES_BYTES + 1].into(), ..FlightData::default() };
        let error = bound_values(stream::iter([Ok(data)])).await.unwrap_err();
        assert_eq!(error.code(), Code::OutOfRange, "{error}");
    }

    #[tokio::test]
    async fn no_values_are_something_else_than_values_that_cannot_be_read() {
        assert_eq!(bound_values(stream::iter([])).await.unwrap(), None);
        assert_eq!(bound_values(stream::iter([Ok(FlightData::default())])).await.unwrap(), None);
        let body = FlightData { data_body: vec![1].into(), ..FlightData::default() };
        let header = FlightData { data_header: vec![0; 4].into(), ..FlightData::default() };
        for data in [body, header] {
            let error = bound_values(stream::iter([Ok(data)])).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{error}");
            assert!(error.message().starts_with("the values for the parameters are not readable"), "{error}");
        }
    }

    #[tokio::test]
    async fn anything_else_is_an_error() {
        let data = FlightData { data_header: b"\x04\0\0\0\xff\xff\xff\xff".to_vec().into(), ..FlightData::default() };
        assert!(bound_values(stream::iter([Ok(data)])).await.is_err());
    }
}
