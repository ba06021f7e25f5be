//! What goes into operators that copy rows many times.

mod check;
mod count;
mod slices;

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::{CrossJoinExec, HashJoinExec, NestedLoopJoinExec, SortMergeJoinExec};
use datafusion::physical_plan::scalar_subquery::ScalarSubqueryExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::unnest::UnnestExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec};
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::{StreamExt, stream};

use check::Check;
use count::count;
use slices::slices;

use crate::sql::passing_plan::passing_plan;

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
    /// Each goes into a group of each of so many sets. The memory of groups is counted after each batch.
    Grouped { sets: usize },
}

/// The same plan, in which what windows keep is counted, rows without columns are kept as their number, rows that go
/// into many groups are passed on a few at a time, and rows of large values, if there may be some, are refused before
/// they are copied.
pub(in crate::sql) fn guarded(plan: Arc<dyn ExecutionPlan>, may_be_large: bool) -> Result<Arc<dyn ExecutionPlan>> {
    let guard = |plan: Arc<dyn ExecutionPlan>| {
        let inputs: Vec<_> = plan.children().into_iter().cloned().collect();
        let copies = |nth: usize| copies(plan.as_ref(), nth == 0, inputs.get(nth)?, may_be_large);
        let copies: Vec<Option<Copies>> = (0..inputs.len()).map(copies).collect();
        if copies.iter().all(Option::is_none) {
            return Ok(Transformed::no(plan));
        }
        let guard = |(input, copies): (Arc<dyn ExecutionPlan>, Option<Copies>)| match copies {
            Some(copies) => Arc::new(GuardExec { input, copies }) as Arc<dyn ExecutionPlan>,
            None => input,
        };
        let inputs = inputs.into_iter().zip(copies).map(guard).collect();
        let as_before = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Keep);
        Ok(Transformed::yes(plan.replace_children(inputs, as_before)?))
    };
    plan.transform_up(guard).data()
}

/// What `plan` does with the rows of one of its inputs.
fn copies(
    plan: &dyn ExecutionPlan,
    is_first: bool,
    input: &Arc<dyn ExecutionPlan>,
    may_be_large: bool,
) -> Option<Copies> {
    let is_loop = plan.is::<CrossJoinExec>() || plan.is::<NestedLoopJoinExec>();
    let is_join = is_loop || plan.is::<HashJoinExec>() || plan.is::<SortMergeJoinExec>();
    if let Some(window) = plan.downcast_ref::<WindowAggExec>() {
        return Some(Copies::Windowed { values: window.window_expr().len() });
    }
    if let Some(aggregate) = plan.downcast_ref::<AggregateExec>() {
        let sets = aggregate.group_expr().groups().len();
        return (sets > 1).then_some(Copies::Grouped { sets });
    }
    // Joins collect the rows of their first input.
    if is_loop && is_first && input.schema().fields().is_empty() {
        return Some(Copies::Counted);
    }
    if !may_be_large {
        return None;
    }
    if is_join || plan.is::<BoundedWindowAggExec>() || plan.is::<ScalarSubqueryExec>() {
        return Some(Copies::Joined);
    }
    let columns = plan.downcast_ref::<UnnestExec>()?.list_column_indices().iter();
    Some(Copies::Unnested(columns.map(|column| column.index_in_input_schema).collect()))
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

impl GuardExec {
    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, copies: self.copies.clone() }
    }
}

impl ExecutionPlan for GuardExec {
    passing_plan!("GuardExec");

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let pool = Arc::clone(context.memory_pool());
        let rows = self.input.execute(partition, context)?;
        let guarded = match &self.copies {
            Copies::Counted => stream::once(count(rows, self.schema())).boxed(),
            Copies::Grouped { sets } => slices(rows, *sets),
            Copies::Joined | Copies::Unnested(_) | Copies::Windowed { .. } => {
                let mut check = Check::new(self.copies.clone(), &pool);
                rows.map(move |batch| batch.and_then(|batch| check.batch(&batch).map(|()| batch))).boxed()
            }
        };
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, guarded)))
    }
}
