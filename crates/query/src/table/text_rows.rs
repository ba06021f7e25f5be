//! Rows in memory, with plain text where a scan shows it.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, RecordBatch, RecordBatchOptions};
use arrow::compute::{cast, take};
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::error::Result;

/// A batch that is handed out slice by slice, with the columns of a schema: its own, or the same with plain text in the
/// place of dictionaries. The texts are views of the words of a dictionary, which is read once.
pub(super) struct TextRows {
    batch: RecordBatch,
    schema: SchemaRef,
    /// The words of each column that becomes text; `None` where a column stays as it is.
    words: Vec<Option<ArrayRef>>,
}

impl TextRows {
    pub(super) fn of(batch: RecordBatch, schema: &SchemaRef) -> Self {
        let columns = batch.columns().iter().zip(schema.fields());
        let words = columns.map(|(values, field)| {
            let is_text = *field.data_type() == DataType::Utf8View;
            let words = values.as_any_dictionary_opt().filter(|_| is_text)?.values();
            cast(words, field.data_type()).ok()
        });
        let words = words.collect();
        Self { batch, schema: Arc::clone(schema), words }
    }

    pub(super) fn len(&self) -> usize {
        self.batch.num_rows()
    }

    /// At most `rows` rows from `start` on.
    pub(super) fn slice(&self, start: usize, rows: usize) -> Result<RecordBatch> {
        let slice = self.batch.slice(start, rows.min(self.len().saturating_sub(start)));
        if self.words.iter().all(Option::is_none) {
            return Ok(slice);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(slice.num_rows()));
        let columns = slice.columns().iter().zip(&self.words).map(|(values, words)| match words {
            Some(words) => take(words, values.as_any_dictionary().keys(), None),
            None => Ok(Arc::clone(values)),
        });
        let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?)
    }
}
