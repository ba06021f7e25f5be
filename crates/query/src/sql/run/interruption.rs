//! Joins that can be interrupted.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::{FieldRef, Schema};
use datafusion::common::exec_err;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::error::Result;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    CrossJoinExec, HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder, SortMergeJoinExec,
};

use super::once::left_side;

/// Tells a running plan that its rows are not wanted any more.
#[derive(Debug, Clone, Default)]
pub(in crate::sql) struct Interruption(Arc<AtomicBool>);

impl Interruption {
    pub(in crate::sql) fn interrupt(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_interrupted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The same plan with joins that can be interrupted. DataFusion's joins make all pairs of a batch in one go. There may
/// be billions of pairs, and the thread does nothing else meanwhile.
pub(in crate::sql) fn interruptible(
    plan: Arc<dyn ExecutionPlan>,
    interruption: &Interruption,
) -> Result<Arc<dyn ExecutionPlan>> {
    let of_joins = |plan: Arc<dyn ExecutionPlan>| {
        let join: Arc<dyn ExecutionPlan> = if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>() {
            let filter = join.filter().map(|filter| unless_interrupted(filter, interruption));
            let (left, right) = (left_side(join)?, Arc::clone(join.right()));
            let join = NestedLoopJoinExecBuilder::new(left, right, *join.join_type())
                .with_projection_ref(join.projection().clone())
                .with_filter(filter);
            Arc::new(join.build()?)
        } else if let Some(join) = plan.downcast_ref::<HashJoinExec>() {
            match join.filter() {
                Some(filter) => {
                    Arc::new(join.builder().with_filter(Some(unless_interrupted(filter, interruption))).build()?)
                }
                None => plan,
            }
        } else if plan.is::<CrossJoinExec>() || plan.is::<SortMergeJoinExec>() {
            plan
        } else {
            return Ok(Transformed::no(plan));
        };
        Ok(Transformed::yes(Arc::new(CooperativeExec::new(join)) as Arc<dyn ExecutionPlan>))
    };
    plan.transform_up(of_joins).data()
}

fn unless_interrupted(filter: &JoinFilter, interruption: &Interruption) -> JoinFilter {
    let expression = UnlessInterrupted { inner: Arc::clone(filter.expression()), interruption: interruption.clone() };
    JoinFilter::new(Arc::new(expression), filter.column_indices().to_vec(), Arc::clone(filter.schema()))
}

/// An expression that fails once its plan is interrupted.
#[derive(Debug)]
struct UnlessInterrupted {
    inner: Arc<dyn PhysicalExpr>,
    interruption: Interruption,
}

impl PartialEq for UnlessInterrupted {
    fn eq(&self, other: &Self) -> bool {
        self.inner.eq(&other.inner)
    }
}

impl Eq for UnlessInterrupted {}

impl Hash for UnlessInterrupted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.inner.hash(state);
    }
}

impl fmt::Display for UnlessInterrupted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl PhysicalExpr for UnlessInterrupted {
    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.inner.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        if self.interruption.is_interrupted() {
            return exec_err!("the statement was interrupted");
        }
        self.inner.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.inner]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let inner = children.into_iter().next().unwrap_or_else(|| Arc::clone(&self.inner));
        Ok(Arc::new(Self { inner, interruption: self.interruption.clone() }))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt_sql(f)
    }
}
