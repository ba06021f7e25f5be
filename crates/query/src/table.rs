use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Int64Array, StringArray, TimestampMillisecondArray};
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::pruning::PruningStatistics;
use datafusion::common::{Column, DFSchema, ScalarValue};
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use skillscope_segment::{AccountId, column};
use skillscope_store::{Partition, Snapshot};

use crate::scan::SegmentsScan;

/// The table `segments`: the closed segments of a snapshot, of one account or of all.
///
/// Partitions of other accounts are passed over exactly. Of the rest, those are passed over whose lowest and highest
/// end time or skill rule a filter out; the rows of the others are filtered by DataFusion.
#[derive(Debug)]
pub(crate) struct SegmentsTable {
    snapshot: Arc<Snapshot>,
    /// The only account that can be seen; `None` where all can.
    scope: Option<String>,
}

impl SegmentsTable {
    pub(crate) fn new(snapshot: Arc<Snapshot>, scope: Option<String>) -> Self {
        Self { snapshot, scope }
    }

    /// The accounts that are in scope and that the filters let through.
    fn accounts(&self, filters: &[Expr]) -> Vec<&AccountId> {
        let wanted: BTreeSet<&str> = filters.iter().filter_map(account_filter).chain(self.scope.as_deref()).collect();
        let mut wanted = wanted.into_iter();
        match (wanted.next(), wanted.next()) {
            (None, _) => self.snapshot.accounts().collect(),
            (Some(account), None) => self.snapshot.account(account).into_iter().collect(),
            // No row is of two accounts.
            (Some(_), Some(_)) => Vec::new(),
        }
    }
}

#[async_trait]
impl TableProvider for SegmentsTable {
    fn schema(&self) -> SchemaRef {
        skillscope_segment::schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match account_filter(filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let partitions: Vec<Arc<Partition>> =
            self.accounts(filters).into_iter().flat_map(|account| self.snapshot.partitions(account)).cloned().collect();
        let in_account = partitions.len();
        let kept = prune(state, partitions, filters)?;
        let threads = state.config().target_partitions();
        Ok(Arc::new(SegmentsScan::try_new(&kept, in_account, projection, limit, threads)?))
    }
}

/// The account in a filter of the form `account_id = 'A'`.
fn account_filter(filter: &Expr) -> Option<&str> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = filter else { return None };
    match (left.as_ref(), right.as_ref()) {
        (Expr::Column(name), Expr::Literal(value, _)) | (Expr::Literal(value, _), Expr::Column(name))
            if name.name == column::ACCOUNT_ID =>
        {
            value.try_as_str().flatten()
        }
        _ => None,
    }
}

/// The partitions that may hold rows which pass the filters.
fn prune(state: &dyn Session, partitions: Vec<Arc<Partition>>, filters: &[Expr]) -> Result<Vec<Arc<Partition>>> {
    let rest = filters.iter().filter(|filter| account_filter(filter).is_none()).cloned();
    let Some(filter) = conjunction(rest) else { return Ok(partitions) };
    let schema = skillscope_segment::schema();
    let filter = state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(&schema))?)?;
    // A filter that the predicate cannot be built of prunes nothing.
    let Some(predicate) = PruningPredicateBuilder::new().with_file_schema(schema).build(filter) else {
        return Ok(partitions);
    };
    let Ok(keep) = predicate.prune(&PartitionRanges(&partitions)) else { return Ok(partitions) };
    Ok(partitions.into_iter().zip(keep).filter_map(|(partition, keep)| keep.then_some(partition)).collect())
}

/// What is known of each partition's rows without looking at them.
struct PartitionRanges<'a>(&'a [Arc<Partition>]);

impl PartitionRanges<'_> {
    fn bounds(&self, name: &str, of: impl Fn(std::ops::RangeInclusive<i64>) -> i64) -> Option<ArrayRef> {
        let partitions = self.0.iter();
        match name {
            column::END_TIME => {
                let times = partitions.map(|partition| of(partition.end_times()));
                Some(Arc::new(TimestampMillisecondArray::from_iter_values(times).with_timezone("UTC")))
            }
            column::SKILL_ID => {
                Some(Arc::new(Int64Array::from_iter_values(partitions.map(|partition| of(partition.skills())))))
            }
            column::ACCOUNT_ID => {
                Some(Arc::new(StringArray::from_iter_values(partitions.map(|partition| partition.account().as_str()))))
            }
            _ => None,
        }
    }
}

impl PruningStatistics for PartitionRanges<'_> {
    fn min_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(&column.name, |range| *range.start())
    }

    fn max_values(&self, column: &Column) -> Option<ArrayRef> {
        self.bounds(&column.name, |range| *range.end())
    }

    fn num_containers(&self) -> usize {
        self.0.len()
    }

    fn null_counts(&self, _column: &Column) -> Option<ArrayRef> {
        None
    }

    fn row_counts(&self) -> Option<ArrayRef> {
        None
    }

    fn contained(&self, _column: &Column, _values: &std::collections::HashSet<ScalarValue>) -> Option<BooleanArray> {
        None
    }
}
