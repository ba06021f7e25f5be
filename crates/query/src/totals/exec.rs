//! The execution plan that answers from running totals.

use std::fmt;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties, ReplaceChildrenOptions};
use futures::stream;
use skillscope_segment::{UserType, format_instant};
use skillscope_store::Totals;

use super::conditions::{ColumnFilter, Conditions};
use super::counting::{Counting, Step};
use super::group::{Group, Share};
use super::parts::AccountTotals;
use super::{Key, TotalsQuery};
use crate::table::{leaf_plan, leaf_properties};

/// The fewest look-ups for which a second thread is worth its start.
const MIN_LOOK_UPS_PER_THREAD: u64 = 4_096;

/// The rows that a scan reads in about the time of a look-up.
const ROWS_PER_LOOK_UP: u64 = 4;

/// The look-ups that are made in the time that it takes to plan and begin a scan.
const FEW_LOOK_UPS: u64 = 1 << 16;

/// Counts and sums from running totals. Its line in `EXPLAIN` tells how many, and under which conditions.
#[derive(Debug)]
pub(super) struct TotalsExec {
    query: Arc<TotalsQuery>,
    groups: Arc<Vec<Group>>,
    /// The user types that count; `None` for all.
    user_types: Option<Vec<bool>>,
    /// The skills that each thread counts.
    shares: Vec<Vec<Share>>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TotalsExec {
    /// Answers `query` with rows of `schema` by at most `threads` threads.
    pub(super) fn try_new(
        query: Arc<TotalsQuery>,
        accounts: Vec<AccountTotals>,
        schema: SchemaRef,
        threads: usize,
    ) -> Result<Self> {
        let user_types = user_types(&query.conditions.user_types)?;
        let groups = groups(&query, accounts)?;
        let shares = shares(&query, &groups, threads);
        Ok(Self {
            query,
            groups: Arc::new(groups),
            user_types,
            properties: leaf_properties(schema, shares.len()),
            shares,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }

    /// Whether a scan would be no slower, because bins are so narrow that most rows have a bin of their own.
    pub(super) fn is_worse_than_a_scan(&self) -> bool {
        let rows: usize = self.groups.iter().flat_map(|group| &group.parts).map(|part| part.rows()).sum();
        let look_ups = self.groups.iter().map(|group| look_ups(&self.query, group)).fold(0, u64::saturating_add);
        look_ups > FEW_LOOK_UPS && look_ups > rows as u64 / ROWS_PER_LOOK_UP
    }
}

fn user_types(filter: &ColumnFilter) -> Result<Option<Vec<bool>>> {
    if filter.is_empty() {
        return Ok(None);
    }
    let mut passes = vec![true; UserType::ALL.len()];
    if let Some(values) = filter.values() {
        let words: Vec<&str> = values.into_iter().filter_map(|value| value.try_as_str().flatten()).collect();
        passes = UserType::ALL.iter().map(|user_type| words.contains(&user_type.as_str())).collect();
    }
    if filter.has_more() {
        let words: ArrayRef = Arc::new(StringArray::from_iter_values(UserType::ALL.iter().map(|word| word.as_str())));
        passes.iter_mut().zip(filter.passes(&words)?).for_each(|(all, passes)| *all &= passes);
    }
    Ok(Some(passes))
}

fn groups(query: &TotalsQuery, accounts: Vec<AccountTotals>) -> Result<Vec<Group>> {
    let group = |account, parts: Vec<Arc<Totals>>| {
        let skills = skills(&parts, &query.conditions)?;
        Ok(Group { account, parts, skills })
    };
    if query.is_by(Key::Account) {
        return accounts.into_iter().map(|of| group(Some(of.account), of.parts)).collect();
    }
    let parts = accounts.into_iter().flat_map(|account| account.parts).collect();
    Ok(vec![group(None, parts)?])
}

/// The skills in some totals that pass, in ascending order.
fn skills(parts: &[Arc<Totals>], conditions: &Conditions) -> Result<Vec<i64>> {
    let filter = &conditions.skills;
    let mut skills = Vec::new();
    match filter.values() {
        Some(values) => {
            skills.extend(values.into_iter().filter_map(|value| i64::try_from(value.clone()).ok()));
            skills.sort_unstable();
            skills.dedup();
        }
        None => parts.iter().for_each(|part| merge(&mut skills, part.skills())),
    }
    if filter.has_more() && !skills.is_empty() {
        let values: ArrayRef = Arc::new(Int64Array::from(skills.clone()));
        let mut passes = filter.passes(&values)?.into_iter();
        skills.retain(|_| passes.next().unwrap_or(false));
    }
    Ok(skills)
}

/// Adds the skills of `more` that are not in `skills` yet. Both are in ascending order, and mostly there is nothing to
/// add.
fn merge(skills: &mut Vec<i64>, more: impl Iterator<Item = i64>) {
    let mut known = skills.iter().copied().peekable();
    let mut new = Vec::new();
    for skill in more {
        while known.next_if(|known| *known < skill).is_some() {}
        if known.next_if_eq(&skill).is_none() {
            new.push(skill);
        }
    }
    if !new.is_empty() {
        skills.extend(new);
        skills.sort_unstable();
    }
}

/// The skills of all groups, in order, in about equal shares.
fn shares(query: &TotalsQuery, groups: &[Group], threads: usize) -> Vec<Vec<Share>> {
    if query.conditions.from >= query.conditions.until {
        return vec![Vec::new()];
    }
    let all_skills: usize = groups.iter().map(|group| group.skills.len()).sum();
    let work = groups.iter().map(|group| look_ups(query, group)).fold(0, u64::saturating_add);
    let most = usize::try_from(work / MIN_LOOK_UPS_PER_THREAD).unwrap_or(usize::MAX);
    let threads = if query.is_by(Key::Skill) { most.clamp(1, threads.max(1)) } else { 1 };
    let of_each = all_skills.div_ceil(threads).max(1);
    let mut shares = vec![Vec::new()];
    let mut room = of_each;
    for (number, group) in groups.iter().enumerate() {
        let mut start = 0;
        while start < group.skills.len() {
            if room == 0 {
                shares.push(Vec::new());
                room = of_each;
            }
            let end = group.skills.len().min(start + room);
            if let Some(share) = shares.last_mut() {
                share.push((number, start..end));
            }
            (start, room) = (end, room - (end - start));
        }
    }
    shares
}

/// About how many look-ups a group takes.
fn look_ups(query: &TotalsQuery, group: &Group) -> u64 {
    let of_part = |part: &Arc<Totals>| {
        let (first, last) = part.end_times().into_inner();
        let bins = query.bins.count(first.max(query.conditions.from), last.min(query.conditions.until));
        let skills = part.skills().len().min(group.skills.len()) as u64;
        // A bin without rows costs next to nothing.
        bins.saturating_mul(skills).min(part.rows() as u64)
    };
    group.parts.iter().map(of_part).fold(0, u64::saturating_add)
}

impl DisplayAs for TotalsExec {
    fn fmt_as(&self, format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let conditions = &self.query.conditions;
        if format != DisplayFormatType::TreeRender {
            f.write_str("SegmentTotals: ")?;
        }
        let parts: usize = self.groups.iter().map(|group| group.parts.len()).sum();
        let skills: usize = self.groups.iter().map(|group| group.skills.len()).sum();
        write!(f, "parts={parts}, skills={skills}")?;
        if conditions.from > i64::MIN {
            write!(f, ", from={}", format_instant(conditions.from))?;
        }
        if conditions.until < i64::MAX {
            write!(f, ", until={}", format_instant(conditions.until))?;
        }
        if let Some(width) = self.query.bins.width() {
            write!(f, ", bins of {width} ms")?;
        }
        if let Some(passes) = &self.user_types {
            let words = UserType::ALL.iter().zip(passes).filter(|(_, passes)| **passes);
            let words: Vec<&str> = words.map(|(word, _)| word.as_str()).collect();
            write!(f, ", user_types=[{}]", words.join(", "))?;
        }
        write!(f, ", threads={}", self.shares.len())
    }
}

impl ExecutionPlan for TotalsExec {
    leaf_plan!("SegmentTotals");

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(shares) = self.shares.get(partition) else {
            return Err(DataFusionError::Internal(format!("these totals have no partition {partition}")));
        };
        let metrics = BaselineMetrics::new(&self.metrics, partition);
        let cells = Counting::new(
            Arc::clone(&self.query),
            Arc::clone(&self.groups),
            self.user_types.clone(),
            self.schema(),
            context.session_config().batch_size(),
            shares.clone(),
        );
        let batches = stream::unfold((cells, metrics), |(mut cells, metrics)| async move {
            loop {
                let timer = metrics.elapsed_compute().timer();
                let step = cells.step();
                timer.done();
                match step {
                    Step::Batch(batch) => {
                        if let Ok(batch) = &batch {
                            metrics.record_output(batch.num_rows());
                        }
                        return Some((batch, (cells, metrics)));
                    }
                    // Other tasks have their turn, and a question that was given up ends here.
                    Step::More => tokio::task::yield_now().await,
                    Step::End => return None,
                }
            }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), batches)))
    }
}
