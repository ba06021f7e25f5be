//! Reading open conversations.

use std::fmt;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::stats::Precision;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions, Statistics, StatisticsArgs,
};
use futures::channel::mpsc;
use futures::{SinkExt, Stream, StreamExt, future, stream};
use skillscope_store::OpenConversations;

use super::leaf_plan::{leaf_plan, leaf_properties};
use super::open_columns::{OpenRow, OpenRows, open_schema};

/// The fewest rows for which a second thread is worth its start.
const MIN_ROWS_PER_THREAD: usize = 16_384;

/// The open conversations of a skill of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OpenPlace {
    pub(super) account_id: Arc<str>,
    pub(super) skill_id: i64,
    pub(super) rows: usize,
}

/// Reads the open conversations of some skills, piece by piece. Its line in `EXPLAIN` tells how many skills and rows.
pub(super) struct OpenScan {
    open: Arc<OpenConversations>,
    /// The skills that each thread reads.
    shares: Vec<Vec<OpenPlace>>,
    /// The wanted columns, as places in the schema of the table.
    columns: Vec<usize>,
    /// The most rows that anybody wants.
    limit: usize,
    display: String,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl OpenScan {
    /// A scan of `places`, which were chosen among `candidates` and are in the order in which `open` tells them, by at most
    /// `threads` threads.
    pub(super) fn try_new(
        open: Arc<OpenConversations>,
        places: Vec<OpenPlace>,
        candidates: usize,
        projection: Option<&Vec<usize>>,
        limit: Option<usize>,
        threads: usize,
    ) -> Result<Self> {
        let all = || (0..open_schema().fields().len()).collect();
        let columns = projection.cloned().unwrap_or_else(all);
        let rows = places.iter().fold(0_usize, |rows, place| rows.saturating_add(place.rows));
        let limit = limit.unwrap_or(usize::MAX);
        let threads = (rows.min(limit) / MIN_ROWS_PER_THREAD).clamp(1, threads.max(1));
        let display = format!("skills={} of {candidates}, rows={rows}", places.len());
        let shares = share(places, rows, threads);
        Ok(Self {
            properties: leaf_properties(Arc::new(open_schema().project(&columns)?), shares.len()),
            open,
            shares,
            columns,
            limit,
            display,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

/// The places in at most `most` shares, in their order, each with about as many rows; at least one share, also of
/// nothing.
fn share(places: Vec<OpenPlace>, rows: usize, most: usize) -> Vec<Vec<OpenPlace>> {
    let enough = rows.div_ceil(most.max(1));
    let (mut shares, mut share, mut in_share) = (Vec::new(), Vec::new(), 0_usize);
    for place in places {
        in_share = in_share.saturating_add(place.rows);
        share.push(place);
        if in_share >= enough {
            shares.push(std::mem::take(&mut share));
            in_share = 0;
        }
    }
    if !share.is_empty() || shares.is_empty() {
        shares.push(share);
    }
    shares
}

/// The rows of some skills, made piece by piece as they are taken.
fn pieces(
    open: Arc<OpenConversations>,
    places: Vec<OpenPlace>,
    mut rows: OpenRows,
) -> impl Stream<Item = Result<RecordBatch>> + Send {
    // One piece waits to be taken, and the next is not begun before.
    let (mut sender, pieces) = mpsc::channel(0);
    let making = async move {
        for places in places.chunk_by(|one, next| one.account_id == next.account_id) {
            let mut places = places.iter().peekable();
            let account = places.peek().and_then(|place| Some((&place.account_id, open.account(&place.account_id)?)));
            let Some((account_id, account)) = account else { continue };
            // The places were found in this order: looking for each of them would take all skills each time.
            for (skill_id, skill) in account.skills() {
                if places.next_if(|place| place.skill_id == skill_id).is_none() {
                    continue;
                }
                for (conversation_id, segment) in skill.conversations() {
                    rows.push(&OpenRow { account_id, conversation_id, segment });
                    if rows.is_full() && sender.send(rows.take()).await.is_err() {
                        return;
                    }
                }
            }
        }
        if !rows.is_empty() {
            // Nobody may be there to take them any more.
            let _ = sender.send(rows.take()).await;
        }
    };
    stream::select(pieces, stream::once(making).filter_map(|()| future::ready(None)))
}

impl fmt::Debug for OpenScan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenScan").field("display", &self.display).finish_non_exhaustive()
    }
}

impl DisplayAs for OpenScan {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match format {
            DisplayFormatType::Default | DisplayFormatType::Verbose => {
                write!(f, "OpenConversationsScan: {}, threads={}", self.display, self.shares.len())
            }
            DisplayFormatType::TreeRender => write!(f, "{}", self.display),
        }
    }
}

impl ExecutionPlan for OpenScan {
    leaf_plan!("OpenConversationsScan");

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(share) = self.shares.get(partition) else {
            return Err(DataFusionError::Internal(format!("this scan has no partition {partition}")));
        };
        let most_rows = context.session_config().batch_size().min(self.limit).max(1);
        let rows = OpenRows::new(&self.columns, most_rows)?;
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let counted = pieces(Arc::clone(&self.open), share.clone(), rows)
            .inspect(move |batch| metrics.record_output(batch.as_ref().map_or(0, |rows| rows.num_rows())));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), counted)))
    }

    /// How many rows there are is known without reading them, so that `count(*)` reads none.
    fn statistics_from_inputs(&self, _inputs: &[Arc<Statistics>], args: &StatisticsArgs) -> Result<Arc<Statistics>> {
        let shares = match args.partition() {
            Some(partition) => self.shares.get(partition..=partition).unwrap_or_default(),
            None => self.shares.as_slice(),
        };
        let rows = shares.iter().flatten().fold(0_usize, |rows, place| rows.saturating_add(place.rows));
        Ok(Arc::new(Statistics::new_unknown(&self.schema()).with_num_rows(Precision::Exact(rows))))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_are_all_places_in_order_and_none_is_large_without_need(
            sizes in vec(1..50_usize, 0..20),
            most in 1..5_usize,
        ) {
            let place = |(skill, rows): (usize, &usize)| OpenPlace {
                account_id: Arc::from("acme"),
                skill_id: skill as i64,
                rows: *rows,
            };
            let places: Vec<OpenPlace> = sizes.iter().enumerate().map(place).collect();
            let rows: usize = sizes.iter().sum();
            let shares = share(places.clone(), rows, most);
            prop_assert_eq!(shares.concat(), places);
            prop_assert!((1..=most).contains(&shares.len()));
            let largest = sizes.iter().copied().max().unwrap_or(0);
            for share in shares {
                let in_share: usize = share.iter().map(|place| place.rows).sum();
                prop_assert!(in_share < rows.div_ceil(most) + largest.max(1));
            }
        }
    }
}
