//! Sides of joins that cannot run a second time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::resources_err;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::JoinType;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::execution_plan::{CardinalityEffect, ChildrenPropertiesMode, ReplaceChildrenOptions};
use datafusion::physical_plan::joins::NestedLoopJoinExec;
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties};

use crate::sql::passing_plan::passing_plan;

/// The left side of a join. A nested loop join runs it again where its rows do not fit into memory, to write them to
/// disk. That panics where the rows were shared out to threads, which happens once, and it counts rows without a
/// partner once for each thread. There, memory that runs out is the statement's error.
pub(super) fn left_side(join: &NestedLoopJoinExec) -> Result<Arc<dyn ExecutionPlan>> {
    let mut can_run_again = true;
    join.left().apply(|part| {
        can_run_again &= !part.is::<RepartitionExec>();
        Ok(if can_run_again { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    })?;
    let gives_rows_alone =
        matches!(join.join_type(), JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark);
    let is_on_threads = join.right().output_partitioning().partition_count() > 1;
    let left = Arc::clone(join.left());
    if can_run_again && !(gives_rows_alone && is_on_threads) {
        return Ok(left);
    }
    Ok(Arc::new(OnceExec { input: left, has_run: AtomicBool::new(false) }))
}

/// Passes rows on, once.
#[derive(Debug)]
struct OnceExec {
    input: Arc<dyn ExecutionPlan>,
    has_run: AtomicBool,
}

impl DisplayAs for OnceExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl OnceExec {
    fn over(&self, input: Arc<dyn ExecutionPlan>) -> Self {
        Self { input, has_run: AtomicBool::new(false) }
    }
}

impl ExecutionPlan for OnceExec {
    passing_plan!("OnceExec");

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if self.has_run.swap(true, Ordering::Relaxed) {
            return resources_err!("the rows of a join do not fit into memory, and cannot be computed a second time");
        }
        self.input.execute(partition, context)
    }
}
