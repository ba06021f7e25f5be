//! Reading rows that are in memory.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use futures::stream;
use skillscope_segment::format_instant;
use skillscope_store::Partition;

use super::leaf_plan::{leaf_plan, leaf_properties};
use super::memory_rows::MemoryRows;
use super::text_rows::TextRows;

/// The fewest rows for which a second thread is worth its start.
const MIN_ROWS_PER_THREAD: usize = 65_536;

/// Reads the rows of partitions in memory. Its line in `EXPLAIN` tells the hours and rows.
#[derive(Debug)]
pub(crate) struct SegmentsScan {
    /// The rows that each thread reads.
    shares: Vec<Vec<MemoryRows>>,
    display: String,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl SegmentsScan {
    /// A scan of `partitions`, which were chosen among `candidates`, by at most `threads` threads, with columns of
    /// `schema`: those of the partitions, or the same with plain text. At least `limit`
    /// rows are read, where there are so many.
    pub(crate) fn try_new(
        partitions: &[Arc<Partition>],
        candidates: usize,
        schema: &SchemaRef,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
        threads: usize,
    ) -> Result<Self> {
        let schema = match projection {
            Some(columns) => Arc::new(schema.project(columns)?),
            None => Arc::clone(schema),
        };
        let batches = partitions.iter().flat_map(|partition| partition.batches());
        let batches = batches.map(|(batch, arrival_times)| MemoryRows::new(batch, arrival_times, projection));
        let batches = batches.collect::<Result<Vec<_>>>()?;
        let rows: usize = partitions.iter().map(|partition| partition.rows()).sum();
        let wanted = limit.map_or(rows, |limit| limit.min(rows));
        let shares = share(batches, wanted, (wanted / MIN_ROWS_PER_THREAD).clamp(1, threads.max(1)));
        Ok(Self {
            properties: leaf_properties(schema, shares.len()),
            shares,
            display: display(partitions, candidates, rows),
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

/// The hours and rows of the scan, for `EXPLAIN`.
fn display(partitions: &[Arc<Partition>], candidates: usize, rows: usize) -> String {
    let mut text = format!("hours={} of {candidates}, rows={rows}", partitions.len());
    let first = partitions.iter().map(|partition| partition.hour()).min();
    let last = partitions.iter().map(|partition| partition.hour()).max();
    if let (Some(first), Some(last)) = (first, last) {
        text.push_str(&format!(", first={}, last={}", format_instant(first), format_instant(last)));
    }
    text
}

/// The first `rows` rows of the batches in equal shares; at least one share, also of nothing.
fn share(batches: Vec<MemoryRows>, rows: usize, shares: usize) -> Vec<Vec<MemoryRows>> {
    let share_rows = rows.div_ceil(shares.max(1));
    let mut shares = Vec::new();
    let (mut share, mut room, mut left) = (Vec::new(), share_rows, rows);
    for batch in batches {
        let mut start = 0;
        while start < batch.len() && left > 0 {
            let length = (batch.len() - start).min(room).min(left);
            share.push(batch.slice(start, length));
            start += length;
            room -= length;
            left -= length;
            if room == 0 {
                shares.push(std::mem::take(&mut share));
                room = share_rows;
            }
        }
    }
    if !share.is_empty() || shares.is_empty() {
        shares.push(share);
    }
    shares
}

impl DisplayAs for SegmentsScan {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "SegmentsScan: {}, threads={}", self.display, self.shares.len())
            }
            DisplayFormatType::TreeRender => write!(f, "{}", self.display),
        }
    }
}

impl ExecutionPlan for SegmentsScan {
    leaf_plan!("SegmentsScan");

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(share) = self.shares.get(partition) else {
            return Err(DataFusionError::Internal(format!("this scan has no partition {partition}")));
        };
        let batch_rows = context.session_config().batch_size();
        let schema: SchemaRef = self.schema();
        let of_schema = Arc::clone(&schema);
        let slices = share.clone().into_iter().flat_map(move |batch| {
            let rows = TextRows::of(batch, &of_schema);
            (0..rows.len()).step_by(batch_rows.max(1)).map(move |start| rows.slice(start, batch_rows))
        });
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let counted =
            slices.inspect(move |batch| metrics.record_output(batch.as_ref().map_or(0, |rows| rows.num_rows())));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, stream::iter(counted))))
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{AsArray, Int64Array, RecordBatch};
    use arrow::datatypes::Int64Type;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn numbers(batches: &[MemoryRows]) -> Vec<i64> {
        batches.iter().flat_map(|rows| rows.batch.column(0).as_primitive::<Int64Type>().values().to_vec()).collect()
    }

    proptest! {
        #[test]
        fn shares_are_all_rows_in_order_and_equal(sizes in vec(0..20_usize, 0..6), limit in 0..120_usize, threads in 1..5_usize) {
            let mut next = 0_i64;
            let batches: Vec<MemoryRows> = sizes.iter().map(|size| {
                let values: Vec<i64> = (0..*size).map(|_| { next += 1; next }).collect();
                let batch = RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(values)) as _)]).unwrap();
                MemoryRows { batch, arrived: None }
            }).collect();
            let rows = limit.min(next as usize);
            let shares = share(batches, rows, threads);
            let expected: Vec<i64> = (1..=rows as i64).collect();
            prop_assert_eq!(numbers(&shares.concat()), expected);
            prop_assert!((1..=threads).contains(&shares.len()));
            let most = rows.div_ceil(threads);
            for (place, share) in shares.iter().enumerate() {
                let length = numbers(share).len();
                prop_assert!(length <= most && (place + 1 == shares.len() || length == most));
            }
        }
    }
}
