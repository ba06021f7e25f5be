//! What goes into operators that copy rows many times.

use std::fmt;
use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::common::{exec_err, resources_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, TryStreamExt, stream};

use super::lengths::{Numbers, bytes, bytes_of_batch, elements};

/// The most bytes of a row that an operator copies.
const MAX_ROW: u64 = 512 << 10;

/// The most bytes of a batch whose lists are taken apart.
const MAX_UNNESTED: u64 = 256 << 20;

/// What is done with the rows.
#[derive(Debug, Clone)]
enum Copies {
    /// Each is copied as often as it has partners, or as there are rows.
    Joined,
    /// Each is copied for every element of these columns.
    Unnested(Vec<usize>),
    /// All are kept, and a value of one may be copied to all of them. So many values are added to each.
    Windowed { values: usize },
    /// All are kept, and they have no columns, so that nobody counts the memory of their batches.
    Counted,
}

/// The same plan, in which what windows keep is counted, rows without columns are kept as their number, and rows of large
/// values, if there may be some, are refused before they are copied.
pub(in crate::sql) fn guarded(plan: Arc<dyn ExecutionPlan>, may_be_large: bool) -> Result<Arc<dyn ExecutionPlan>> {
    let guard = |plan: Arc<dyn ExecutionPlan>| {
        let copies = if let Some(window) = plan.downcast_ref::<WindowAggExec>() {
            Copies::Windowed { values: window.window_expr().len() }
        } else if keeps_rows_without_columns(plan.as_ref()) {
            Copies::Counted
        } else if !may_be_large {
            return Ok(Transformed::no(plan));
        } else if plan.is::<CrossJoinExec>()
            || plan.is::<HashJoinExec>()
            || plan.is::<NestedLoopJoinExec>()
            || plan.is::<SortMergeJoinExec>()
            || plan.is::<BoundedWindowAggExec>()
            || plan.is::<ScalarSubqueryExec>()
        {
            Copies::Joined
        } else if let Some(unnest) = plan.downcast_ref::<UnnestExec>() {
            let columns = unnest.list_column_indices().iter();
            Copies::Unnested(columns.map(|column| column.index_in_input_schema).collect())
        } else {
            return Ok(Transformed::no(plan));
        };
        let guard = |input: &Arc<dyn ExecutionPlan>| {
            let (input, copies) = (Arc::clone(input), copies.clone());
            Arc::new(GuardExec { input, copies }) as Arc<dyn ExecutionPlan>
        };
        let is_first_only = matches!(copies, Copies::Counted);
        let children = plan.children().into_iter().enumerate();
        let children = children.map(|(nth, input)| match nth {
            0 => guard(input),
            _ if is_first_only => Arc::clone(input),
            _ => guard(input),
        });
        let children = children.collect();
        let as_before = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
        Ok(Transformed::yes(plan.replace_children(children, as_before)?))
    };
    plan.transform_up(guard).data()
}

/// Joins collect the rows of their first input.
fn keeps_rows_without_columns(plan: &dyn ExecutionPlan) -> bool {
    let is_join = plan.is::<CrossJoinExec>() || plan.is::<NestedLoopJoinExec>();
    is_join && plan.children().first().is_some_and(|input| input.schema().fields().is_empty())
}

/// Passes rows on.
#[derive(Debug)]
struct GuardExec {
    input: Arc<dyn ExecutionPlan>,
    copies: Copies,
}

impl DisplayAs for GuardExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl ExecutionPlan for GuardExec {
    fn name(&self) -> &str {
        "GuardExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _options: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.input));
        Ok(Arc::new(Self { input, copies: self.copies.clone() }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let pool = context.memory_pool();
        let most = match pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes as u64,
            _ => u64::MAX,
        };
        let kept = MemoryConsumer::new("window").register(pool);
        let mut guard = Guard { copies: self.copies.clone(), most, kept, rows: 0, largest: 0 };
        let rows = self.input.execute(partition, context)?;
        if let Copies::Counted = self.copies {
            let counted = stream::once(count(rows, self.schema()));
            return Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), counted)));
        }
        let checked = rows.map(move |batch| batch.and_then(|batch| guard.check(&batch).map(|()| batch)));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), checked)))
    }

    fn cardinality_effect(&self) -> CardinalityEffect {
        CardinalityEffect::Equal
    }
}

/// All rows of a stream without columns, as one batch.
async fn count(mut rows: SendableRecordBatchStream, schema: SchemaRef) -> Result<RecordBatch> {
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

struct Guard {
    copies: Copies,
    /// The bytes of memory that the statement may have.
    most: u64,
    /// The memory of rows that are all kept, which nobody else counts.
    kept: MemoryReservation,
    rows: u64,
    largest: u64,
}

impl Guard {
    fn check(&mut self, batch: &RecordBatch) -> Result<()> {
        match &self.copies {
            Copies::Joined => check_row(largest_row(batch)),
            Copies::Unnested(columns) => check_lists(batch, columns),
            Copies::Counted => Ok(()),
            Copies::Windowed { values } => {
                let largest = largest_row(batch);
                check_row(largest)?;
                self.largest = self.largest.max(largest);
                self.rows = self.rows.saturating_add(batch.num_rows() as u64);
                let of_values = batch.num_rows().saturating_mul(values.saturating_mul(VALUE));
                self.kept.try_grow(bytes_of_batch(batch).saturating_add(of_values))?;
                if self.largest.saturating_mul(self.rows) > self.most && self.largest > SMALL_ROW {
                    return resources_err!("a window has {} rows of up to {} bytes", self.rows, self.largest);
                }
                Ok(())
            }
        }
    }
}

/// The bytes of a number or of a text's place, which a window adds to each row.
const VALUE: usize = 16;

/// Rows of the table are no larger, more or less.
const SMALL_ROW: u64 = 8 << 10;

fn check_row(largest: u64) -> Result<()> {
    if largest > MAX_ROW {
        return exec_err!("joins, windows and subqueries take rows of at most {MAX_ROW} bytes, and one has {largest}");
    }
    Ok(())
}

/// The bytes of the largest value of each column together.
fn largest_row(batch: &RecordBatch) -> u64 {
    let largest = |values| match bytes(&ColumnarValue::Array(Arc::clone(values))) {
        Numbers::Same(bytes) => bytes,
        Numbers::Each(bytes) => bytes.into_iter().max().unwrap_or(0),
    };
    batch.columns().iter().map(largest).fold(0, u64::saturating_add)
}

fn check_lists(batch: &RecordBatch, lists: &[usize]) -> Result<()> {
    let values: Vec<ColumnarValue> = batch.columns().iter().cloned().map(ColumnarValue::Array).collect();
    let of_lists: Vec<Numbers> = lists.iter().filter_map(|list| values.get(*list)).map(elements).collect();
    let others = values.iter().enumerate().filter(|(column, _)| !lists.contains(column));
    let of_others: Vec<Numbers> = others.map(|(_, values)| bytes(values)).collect();
    let unnested = |row: usize| {
        let times = of_lists.iter().map(|elements| elements.of(row)).max().unwrap_or(0);
        let bytes = of_others.iter().map(|bytes| bytes.of(row)).fold(0, u64::saturating_add);
        times.saturating_mul(bytes.saturating_add(8 * lists.len() as u64))
    };
    let all = (0..batch.num_rows()).map(unnested).fold(0, u64::saturating_add);
    if all > MAX_UNNESTED {
        return exec_err!(
            "the elements of {} rows would take {all} bytes; at most {MAX_UNNESTED} are allowed",
            batch.num_rows()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::Schema;

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
