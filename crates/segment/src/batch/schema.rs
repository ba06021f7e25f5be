//! The Arrow form of closed segments, shared by every table, file and stream.

use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};

use crate::{EndReason, Outcome, Result, StartReason, UserType, column};

/// The schema of a batch of closed segments: the fields of a [`Segment`](crate::Segment), and when a store took it,
/// which is null where no store did.
///
/// A column of a closed vocabulary has 8-bit dictionary keys, and its dictionary is the whole vocabulary, the same in
/// every batch. Accounts and sources repeat, so they have dictionaries too, with 32-bit keys.
pub fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let required = |name, data_type| Field::new(name, data_type, false);
        let nullable = |name, data_type| Field::new(name, data_type, true);
        Arc::new(Schema::new(vec![
            required(column::ACCOUNT_ID, dictionary(DataType::Int32)),
            required(column::CONVERSATION_ID, DataType::Utf8),
            required(column::SEGMENT_INDEX, DataType::UInt32),
            required(column::SKILL_ID, DataType::Int64),
            required(column::START_TIME, timestamp()),
            required(column::END_TIME, timestamp()),
            required(column::START_REASON, dictionary(DataType::Int8)),
            required(column::END_REASON, dictionary(DataType::Int8)),
            required(column::USER_TYPE, dictionary(DataType::Int8)),
            required(column::OUTCOME, dictionary(DataType::Int8)),
            required(column::ABANDONED_IN_QUEUE, DataType::Boolean),
            nullable(column::FIRST_ASSIGNED_TIME, timestamp()),
            nullable(column::FIRST_AGENT_MESSAGE_TIME, timestamp()),
            nullable(column::TIME_TO_FIRST_AGENT_MESSAGE_MS, DataType::Int64),
            required(column::AGENT_MESSAGES, DataType::UInt32),
            required(column::CONSUMER_MESSAGES, DataType::UInt32),
            nullable(column::LAST_AGENT_ID, DataType::Utf8),
            nullable(column::SOURCE, dictionary(DataType::Int32)),
            nullable(column::ARRIVAL_TIME, timestamp()),
        ]))
    });
    Arc::clone(&SCHEMA)
}

/// The columns of [`schema()`] that are fields of a segment: all but what a store alone knows.
pub fn record_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let all = schema();
        let of_records = all.fields().iter().filter(|field| field.name() != column::ARRIVAL_TIME);
        Arc::new(Schema::new(of_records.cloned().collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

/// The columns of [`record_schema`] of a batch, which has them all.
pub(crate) fn record_columns(batch: &RecordBatch) -> Result<RecordBatch> {
    let wanted = record_schema();
    let places = wanted.fields().iter().map(|field| batch.schema_ref().index_of(field.name()));
    Ok(batch.project(&places.collect::<std::result::Result<Vec<_>, _>>()?)?)
}

/// The columns of [`schema()`] with plain text in the place of dictionaries, as SQL shows them. Functions on text take
/// these, and some of them fail on a dictionary of many rows: they make a key of its own for each row.
pub fn text_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let as_text = |field: &Arc<Field>| match field.data_type() {
            DataType::Dictionary(..) => field.as_ref().clone().with_data_type(DataType::Utf8View),
            _ => field.as_ref().clone(),
        };
        Arc::new(Schema::new(schema().fields().iter().map(as_text).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

/// The time zone of every time in a batch.
pub const TIME_ZONE: &str = "UTC";

pub(crate) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some(TIME_ZONE.into()))
}

fn dictionary(key: DataType) -> DataType {
    DataType::Dictionary(Box::new(key), Box::new(DataType::Utf8))
}

/// A vocabulary as the values of a dictionary column. All batches share one array, so that concatenating batches copies
/// keys and never merges dictionaries.
macro_rules! dictionary_values {
    ($($function:ident: $words:ident,)+) => {
        $(pub(crate) fn $function() -> ArrayRef {
            static VALUES: LazyLock<ArrayRef> =
                LazyLock::new(|| Arc::new(StringArray::from_iter_values($words::ALL.iter().map(|word| word.as_str()))));
            Arc::clone(&VALUES)
        })+
    };
}

dictionary_values! {
    start_reasons: StartReason,
    end_reasons: EndReason,
    user_types: UserType,
    outcomes: Outcome,
}
