//! The columns as they are sent. What is told before a statement runs comes from its logical plan, and its rows from
//! the physical one: the two may differ in what can be null and in what else is known of a column, and clients refuse
//! rows that are not as they were told.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;

/// How columns are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dictionaries {
    /// Text that is kept in a dictionary is sent as text.
    AsText,
    /// A column of a dictionary is sent as it is.
    Kept,
}

impl Dictionaries {
    /// The columns as they are told and sent: any value may be null, and nothing is said beside names and types.
    pub(super) fn sent(self, schema: &Schema) -> SchemaRef {
        let fields = schema.fields().iter().map(|field| {
            let of = match (self, field.data_type()) {
                (Self::Kept, DataType::Dictionary(key, values)) => {
                    DataType::Dictionary(key.clone(), Box::new(sent_type(values)))
                }
                (_, other) => sent_type(other),
            };
            Field::new(field.name(), of, true)
        });
        Arc::new(Schema::new(fields.collect::<Vec<_>>()))
    }
}

/// The rows of a batch with the columns of `schema`, which [`Dictionaries::sent`] gave.
pub(super) fn sent_batch(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns = columns.map(|(values, field)| of_type(values, field.data_type())).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

fn of_type(values: &ArrayRef, of: &DataType) -> Result<ArrayRef, ArrowError> {
    if values.data_type() == of { Ok(Arc::clone(values)) } else { cast(values, of) }
}

/// The type as which values are sent: without dictionaries and views, and with one kind of list. Types have few levels
/// by the time that they are told.
fn sent_type(of: &DataType) -> DataType {
    match of {
        DataType::Dictionary(_, values) => sent_type(values),
        DataType::RunEndEncoded(_, values) => sent_type(values.data_type()),
        DataType::Utf8View => DataType::Utf8,
        DataType::BinaryView => DataType::Binary,
        DataType::List(element)
        | DataType::LargeList(element)
        | DataType::ListView(element)
        | DataType::LargeListView(element) => DataType::List(item(element)),
        DataType::FixedSizeList(element, length) => DataType::FixedSizeList(item(element), *length),
        DataType::Struct(parts) => DataType::Struct(
            parts.iter().map(|part| Field::new(part.name(), sent_type(part.data_type()), true)).collect(),
        ),
        DataType::Map(entries, is_sorted) => match entries.data_type() {
            DataType::Struct(parts) => match parts.as_ref() {
                [key, value] => DataType::Map(sent_entries(key, value), *is_sorted),
                _ => of.clone(),
            },
            _ => of.clone(),
        },
        other => other.clone(),
    }
}

fn item(element: &Field) -> FieldRef {
    Arc::new(Field::new_list_field(sent_type(element.data_type()), true))
}

fn sent_entries(key: &Field, value: &Field) -> FieldRef {
    let key = Field::new("key", sent_type(key.data_type()), false);
    let value = Field::new("value", sent_type(value.data_type()), true);
    Arc::new(Field::new("entries", DataType::Struct(Fields::from(vec![key, value])), false))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, AsArray, DictionaryArray, Int64Array, LargeListArray, StructArray};
    use arrow::buffer::OffsetBuffer;
    use arrow::datatypes::{Int8Type, Int64Type};

    use super::*;

    fn columns() -> RecordBatch {
        let words: DictionaryArray<Int8Type> = vec![Some("bot"), None].into_iter().collect();
        let numbers = Int64Array::from(vec![1, 2]);
        let item = Arc::new(Field::new("element", DataType::Int64, false));
        let lists = LargeListArray::new(item, OffsetBuffer::from_lengths([2, 0]), Arc::new(numbers.clone()), None);
        let parts = Fields::from(vec![Field::new("a", DataType::Int64, false)]);
        let structs = StructArray::new(parts, vec![Arc::new(numbers.clone())], None);
        let metadata = [("told".to_owned(), "here".to_owned())].into();
        let fields = vec![
            Field::new("word", words.data_type().clone(), true),
            Field::new("list", lists.data_type().clone(), false),
            Field::new("struct", structs.data_type().clone(), false),
            Field::new("n", DataType::Int64, false).with_metadata(metadata),
        ];
        let columns: Vec<ArrayRef> = vec![Arc::new(words), Arc::new(lists), Arc::new(structs), Arc::new(numbers)];
        RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
    }

    #[test]
    fn rows_are_as_they_were_told_and_have_their_values() {
        let batch = columns();
        let told = Dictionaries::AsText.sent(&batch.schema());
        let expected = [
            ("word", DataType::Utf8),
            ("list", DataType::new_list(DataType::Int64, true)),
            ("struct", DataType::Struct(vec![Field::new("a", DataType::Int64, true)].into())),
            ("n", DataType::Int64),
        ];
        let expected = expected.map(|(name, of)| Field::new(name, of, true));
        assert_eq!(*told, Schema::new(expected.to_vec()));
        let sent = sent_batch(&batch, &told).unwrap();
        assert_eq!(sent.column(0).as_string::<i32>().iter().collect::<Vec<_>>(), [Some("bot"), None]);
        assert_eq!(sent.column(1).as_list::<i32>().value(0).as_primitive::<Int64Type>().values(), &[1, 2]);
        assert_eq!(sent.column(2).as_struct().column(0).as_primitive::<Int64Type>().values(), &[1, 2]);
    }

    #[test]
    fn a_client_may_keep_dictionaries() {
        let batch = columns();
        let told = Dictionaries::Kept.sent(&batch.schema());
        assert_eq!(told.field(0).data_type(), batch.column(0).data_type());
        assert_eq!(sent_batch(&batch, &told).unwrap().column(0), batch.column(0));
    }
}
