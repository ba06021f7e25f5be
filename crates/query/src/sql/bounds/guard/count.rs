//! Rows without columns.

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::TryStreamExt;

/// All rows of a stream without columns, as one batch.
pub(super) async fn count(mut rows: SendableRecordBatchStream, schema: SchemaRef) -> Result<RecordBatch> {
    let mut all = 0_usize;
    while let Some(batch) = rows.try_next().await? {
        let Some(sum) = all.checked_add(batch.num_rows()) else {
            return exec_err!("a join has more rows than can be counted");
        };
        all = sum;
    }
    let options = RecordBatchOptions::new().with_row_count(Some(all));
    Ok(RecordBatch::try_new_with_options(schema, Vec::new(), &options)?)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::Schema;
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
    use futures::stream;

    use super::*;

    #[tokio::test]
    async fn rows_without_columns_become_one_batch() {
        let schema = Arc::new(Schema::empty());
        let batch = |rows| {
            let options = RecordBatchOptions::new().with_row_count(Some(rows));
            RecordBatch::try_new_with_options(Arc::new(Schema::empty()), Vec::new(), &options)
        };
        let stream = |rows: &[usize]| {
            let batches: Vec<_> = rows.iter().map(|rows| Ok(batch(*rows)?)).collect();
            Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), stream::iter(batches)))
        };
        let counted = count(stream(&[3, 0, 4_000_000_000]), Arc::clone(&schema)).await.unwrap();
        assert_eq!((counted.num_rows(), counted.num_columns()), (4_000_000_003, 0));
        assert!(count(stream(&[usize::MAX, 1]), Arc::clone(&schema)).await.is_err());
    }
}
