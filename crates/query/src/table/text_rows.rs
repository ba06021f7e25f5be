//! Rows in memory, with plain text where a scan shows it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion::error::Result;

use super::memory_rows::MemoryRows;

/// Rows that are handed out slice by slice, with the columns of a schema: their own, or the same with plain text in the
/// place of dictionaries. The texts are views of the words of a dictionary, which is read once.
pub(super) struct TextRows {
    rows: MemoryRows,
    schema: SchemaRef,
    /// The words of each column that becomes text; `None` where a column stays as it is.
    words: Vec<Option<ArrayRef>>,
}

impl TextRows {
    pub(super) fn of(rows: MemoryRows, schema: &SchemaRef) -> Self {
        let arrival = rows.arrived.as_ref().map(|arrived| arrived.place);
        let fields = schema.fields().iter().enumerate().filter(|(place, _)| Some(*place) != arrival);
        let columns = rows.batch.columns().iter().zip(fields.map(|(_, field)| field));
        let words = columns.map(|(values, field)| words(values, field)).collect();
        Self { rows, schema: Arc::clone(schema), words }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// At most `rows` rows from `start` on.
    pub(super) fn slice(&self, start: usize, rows: usize) -> Result<RecordBatch> {
        let slice = self.rows.slice(start, rows.min(self.len().saturating_sub(start)));
        if slice.arrived.is_none() && self.words.iter().all(Option::is_none) {
            return Ok(slice.batch);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(slice.len()));
        let columns = slice.batch.columns().iter().zip(&self.words).map(|(values, words)| match words {
            Some(words) => take(words, values.as_any_dictionary().keys(), None),
            None => Ok(Arc::clone(values)),
        });
        let mut columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
        if let Some(arrived) = &slice.arrived {
            columns.insert(arrived.place.min(columns.len()), arrived.column());
        }
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}

/// The words of a column that becomes text.
fn words(values: &ArrayRef, field: &FieldRef) -> Option<ArrayRef> {
    let is_text = *field.data_type() == DataType::Utf8View;
    let words = values.as_any_dictionary_opt().filter(|_| is_text)?.values();
    cast(words, field.data_type()).ok()
}
