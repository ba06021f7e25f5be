//! Text as clients take it.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, SchemaRef};
use arrow::error::ArrowError;

/// Text as clients take it. Statements compute with views of text, which many clients of Arrow cannot read: rows are
/// sent with plain text in their place.
#[derive(Debug, Clone, Copy)]
pub struct SentText;

impl SentText {
    /// The columns of rows as they are sent.
    pub fn schema(schema: &Schema) -> SchemaRef {
        Arc::new(Schema::new_with_metadata(fields(schema.fields()), schema.metadata().clone()))
    }

    /// Rows as they are sent.
    pub(super) fn batch(batch: RecordBatch) -> Result<RecordBatch, ArrowError> {
        let schema = batch.schema();
        if !schema.fields().iter().any(|field| has_views(field.data_type())) {
            return Ok(batch);
        }
        let sent = Self::schema(&schema);
        let columns = batch.columns().iter().zip(sent.fields());
        let columns = columns.map(|(values, field)| plain(values, field)).collect::<Result<Vec<_>, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        RecordBatch::try_new_with_options(sent, columns, &options)
    }
}

fn plain(values: &ArrayRef, field: &Field) -> Result<ArrayRef, ArrowError> {
    if values.data_type() == field.data_type() { Ok(Arc::clone(values)) } else { cast(values, field.data_type()) }
}

fn fields(fields: &Fields) -> Fields {
    fields.iter().map(of_field).collect()
}

fn of_field(field: &FieldRef) -> FieldRef {
    match sent(field.data_type()) {
        Some(data_type) => Arc::new(field.as_ref().clone().with_data_type(data_type)),
        None => Arc::clone(field),
    }
}

/// The type in the place of one that has views of text in it; `None` for any other.
fn sent(data_type: &DataType) -> Option<DataType> {
    if !has_views(data_type) {
        return None;
    }
    Some(match data_type {
        DataType::Utf8View => DataType::Utf8,
        DataType::List(element) => DataType::List(of_field(element)),
        DataType::LargeList(element) => DataType::LargeList(of_field(element)),
        DataType::FixedSizeList(element, length) => DataType::FixedSizeList(of_field(element), *length),
        DataType::Struct(parts) => DataType::Struct(fields(parts)),
        DataType::Map(entries, is_sorted) => DataType::Map(of_field(entries), *is_sorted),
        other => other.clone(),
    })
}

/// Types have few levels by the time that rows are computed.
fn has_views(data_type: &DataType) -> bool {
    match data_type {
        DataType::Utf8View => true,
        DataType::List(part)
        | DataType::LargeList(part)
        | DataType::FixedSizeList(part, _)
        | DataType::Map(part, _) => has_views(part.data_type()),
        DataType::Struct(parts) => parts.iter().any(|part| has_views(part.data_type())),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, ListArray, StringViewArray};
    use arrow::buffer::OffsetBuffer;

    use super::*;

    #[test]
    fn views_are_sent_as_text_at_any_level_and_nothing_else_changes() {
        let words = StringViewArray::from(vec![Some("abandoned"), None, Some("a word that is longer than a view")]);
        let element = Arc::new(Field::new_list_field(DataType::Utf8View, true));
        let lists = ListArray::new(element, OffsetBuffer::from_lengths([1, 2, 0]), Arc::new(words.clone()), None);
        let columns: [(&str, ArrayRef); 3] =
            [("n", Arc::new(Int64Array::from(vec![1, 2, 3]))), ("word", Arc::new(words)), ("words", Arc::new(lists))];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let sent = SentText::batch(batch.clone()).unwrap();
        assert_eq!(sent.schema(), SentText::schema(&batch.schema()));
        assert_eq!(sent.column(0), batch.column(0));
        let word: Vec<_> = sent.column(1).as_string::<i32>().iter().collect();
        assert_eq!(word, [Some("abandoned"), None, Some("a word that is longer than a view")]);
        let second = sent.column(2).as_list::<i32>().value(1);
        assert_eq!(second.as_string::<i32>().iter().collect::<Vec<_>>(), word[1..]);
    }
}
