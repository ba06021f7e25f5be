//! A table of a catalog under way, row by row.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, new_empty_array};
use arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{MemTable, TableProvider};
use datafusion::common::ScalarValue;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::future::BoxFuture;
use futures::{StreamExt, TryFutureExt, stream};

/// The rows of a table of a catalog. What is not told of a row is null.
#[derive(Debug)]
pub struct CatalogRows {
    schema: SchemaRef,
    columns: Vec<Vec<ScalarValue>>,
}

impl CatalogRows {
    /// No rows yet of a table with these columns.
    pub fn of(schema: SchemaRef) -> Self {
        let columns = vec![Vec::new(); schema.fields().len()];
        Self { schema, columns }
    }

    /// Adds a row of values by the names of their columns. A value takes the type of its column.
    ///
    /// # Errors
    /// Where a value cannot have the type of its column.
    pub fn push<'n>(&mut self, values: impl IntoIterator<Item = (&'n str, ScalarValue)>) -> Result<()> {
        for (column, field) in self.columns.iter_mut().zip(self.schema.fields()) {
            column.push(ScalarValue::try_new_null(field.data_type())?);
        }
        for (name, value) in values {
            let Some((number, field)) = self.schema.column_with_name(name) else { continue };
            let value =
                if value.data_type() == *field.data_type() { value } else { value.cast_to(field.data_type())? };
            if let Some(place) = self.columns.get_mut(number).and_then(|column| column.last_mut()) {
                *place = value;
            }
        }
        Ok(())
    }

    /// The rows as one batch.
    ///
    /// # Errors
    /// Where the values are not of their columns, which [`CatalogRows::push`] has seen to.
    pub fn batch(self) -> Result<RecordBatch> {
        let arrays = self.columns.into_iter().zip(self.schema.fields()).map(|(column, field)| {
            if column.is_empty() { Ok(new_empty_array(field.data_type())) } else { ScalarValue::iter_to_array(column) }
        });
        let arrays = arrays.collect::<Result<Vec<ArrayRef>>>()?;
        Ok(RecordBatch::try_new(self.schema, arrays)?)
    }

    /// The table with these rows.
    ///
    /// # Errors
    /// Those of [`CatalogRows::batch`].
    pub fn table(self) -> Result<Arc<dyn TableProvider>> {
        let batch = self.batch()?;
        Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
    }
}

/// A table whose rows are made whenever they are read.
///
/// # Errors
/// None that is known: the rows have the columns of the table.
pub fn rows_when_read(
    schema: SchemaRef,
    make: impl Fn() -> BoxFuture<'static, Result<Vec<RecordBatch>>> + Send + Sync + 'static,
) -> Result<Arc<dyn TableProvider>> {
    let rows = RowsWhenRead { schema: Arc::clone(&schema), make: Box::new(make) };
    Ok(Arc::new(StreamingTable::try_new(schema, vec![Arc::new(rows)])?))
}

/// Makes the rows of a table.
type Make = dyn Fn() -> BoxFuture<'static, Result<Vec<RecordBatch>>> + Send + Sync;

struct RowsWhenRead {
    schema: SchemaRef,
    make: Box<Make>,
}

impl fmt::Debug for RowsWhenRead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RowsWhenRead").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl PartitionStream for RowsWhenRead {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let batches = (self.make)().map_ok(|batches| stream::iter(batches.into_iter().map(Ok::<_, DataFusionError>)));
        let rows = batches.try_flatten_stream().boxed();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}
