//! Batches of fewer rows.

use arrow::array::RecordBatch;
use datafusion::error::Result;
use datafusion::execution::SendableRecordBatchStream;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt, stream};

/// How many groups the rows of a batch may go into.
const GROUPS: usize = 1 << 16;

/// The same rows, so few in a batch that they go into [`GROUPS`] where each goes into one of each of `sets`.
pub(super) fn slices(rows: SendableRecordBatchStream, sets: usize) -> BoxStream<'static, Result<RecordBatch>> {
    let most = GROUPS.checked_div(sets).unwrap_or(GROUPS).max(1);
    let of_batch = move |batch: RecordBatch| {
        let starts = (0..batch.num_rows()).step_by(most);
        let slice = move |start: usize| Ok(batch.slice(start, most.min(batch.num_rows().saturating_sub(start))));
        stream::iter(starts.map(slice))
    };
    rows.map_ok(of_batch).try_flatten().boxed()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, RecordBatch};
    use datafusion::physical_plan::stream::RecordBatchStreamAdapter;

    use super::*;

    #[tokio::test]
    async fn rows_of_many_sets_are_passed_on_a_few_at_a_time() {
        let values = Arc::new(Int64Array::from_iter_values(0..100));
        let batch = RecordBatch::try_from_iter([("value", values as _)]).unwrap();
        let whole = |batch: &RecordBatch| {
            let batches = stream::iter([Ok(batch.clone())]);
            Box::pin(RecordBatchStreamAdapter::new(batch.schema(), batches))
        };
        for (sets, rows) in [(2, vec![100]), (1 << 10, vec![64, 36]), (1 << 20, vec![1; 100])] {
            let sliced: Vec<RecordBatch> = slices(whole(&batch), sets).try_collect().await.unwrap();
            assert_eq!(sliced.iter().map(RecordBatch::num_rows).collect::<Vec<_>>(), rows);
            assert_eq!(arrow::compute::concat_batches(&batch.schema(), &sliced).unwrap(), batch);
        }
    }
}
