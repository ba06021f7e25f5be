//! Counts and sums of slices of time, from which reports at many instants are added up.

use std::collections::BTreeSet;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampMillisecondType};
use datafusion::common::ScalarValue;
use datafusion::error::DataFusionError;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, ExprFunctionExt, LogicalPlan, LogicalPlanBuilder, cast as cast_to, lit, when};
use skillscope_segment::{TIME_ZONE, column};

use super::assembly::CellColumns;
use super::columns::{ACCOUNT, KNOWN_FROM, UNUSABLE, integers};
use super::expression::{self, instant, segment};
use super::metrics::Metrics;
use super::plan::{NANOSECONDS_PER_MS, belongs, bin, interval_start, is_of, is_unusable, is_usable, measures, skill};
use super::request::{Selection, UserTypeFilter};
use crate::{Error, Result, Scope};

/// A question for *cells*: the metrics of each skill in each slice of time. Reports at many instants are sums of the
/// same cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellRequest {
    /// Whose segments count. Where they are of all accounts, each cell tells its account.
    pub scope: Scope,
    /// The instants that count, in milliseconds since the epoch.
    pub range: Range<i64>,
    /// Where a slice begins, in milliseconds since the epoch.
    pub origin: i64,
    /// The length of a slice, in milliseconds.
    pub slice_ms: i64,
    /// The skills that count; `None` for all.
    pub skills: Option<BTreeSet<i64>>,
    /// The user types that count.
    pub user_type: UserTypeFilter,
    /// Where reports tell what was known then: their instants. Segments that came late have cells of their own.
    pub known_at: Option<KnownAt>,
}

/// Instants in equal steps at which reports tell what was known by then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownAt {
    /// The first instant, in milliseconds since the epoch.
    pub first: i64,
    /// From one instant to the next, in milliseconds.
    pub every: i64,
    /// The last instant.
    pub last: i64,
}

impl KnownAt {
    /// The first instant at which a segment was known; null where that is the first one after its end, or the first one
    /// of all.
    fn known_from(self) -> datafusion::error::Result<Expr> {
        let Self { first, every, last } = self;
        let arrived = || segment(column::ARRIVAL_TIME);
        // What comes after the last instant may come at any time, also one that is too far for the bins.
        let never = instant(last.saturating_add(1));
        let comes = when(arrived().gt(instant(last)), never).otherwise(arrived())?;
        let step = || lit(ScalarValue::new_interval_mdn(0, 0, every.saturating_mul(NANOSECONDS_PER_MS)));
        let in_time = cast_to(
            bin(segment(column::END_TIME), first, every) + step(),
            DataType::Timestamp(TimeUnit::Millisecond, Some(TIME_ZONE.into())),
        );
        let is_in_time = arrived().is_null().or(arrived().lt_eq(instant(first))).or(arrived().lt_eq(in_time));
        // A segment that arrives at an instant is known then.
        let millisecond = lit(ScalarValue::new_interval_mdn(0, 0, NANOSECONDS_PER_MS));
        let known_from = bin(comes - millisecond, first, every) + step();
        Ok(when(is_in_time.is_not_true(), known_from).end()?.alias(KNOWN_FROM))
    }
}

impl CellRequest {
    /// The name under which [`plan`](Self::plan) wants segments to be scanned.
    pub const SEGMENTS: &str = expression::SEGMENTS;

    /// The question as a logical plan of built-in functions over `segments`. These must be scanned under that name,
    /// with at least the columns that the plan names. Its rows are in no order: one for each skill and slice that has
    /// segments, and for each account where the question is about all.
    ///
    /// # Errors
    /// [`Error::Report`] where a column is missing.
    pub fn plan(&self, segments: LogicalPlanBuilder) -> Result<LogicalPlan> {
        self.plan_over(segments, true).map_err(Error::Report)
    }

    /// As [`plan`](Self::plan), over segments that nobody has checked. Another column tells how many rows of a cell are
    /// not [usable](Self::is_usable); where there are some, the cells do not hold.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_of_unchecked(&self, segments: LogicalPlanBuilder) -> Result<LogicalPlan> {
        self.plan_over(segments, false).map_err(Error::Report)
    }

    fn plan_over(&self, segments: LogicalPlanBuilder, is_checked: bool) -> datafusion::error::Result<LogicalPlan> {
        let (range, skills, user_type) = (self.range.clone(), self.skills.as_ref(), self.user_type);
        let belongs = belongs(&Selection { range, skills, user_type, arrived_by: None }, is_checked);
        let mut groups = vec![skill(), interval_start(self.origin, self.slice_ms)];
        groups.extend(self.known_at.map(|instants| instants.known_from()).transpose()?);
        let condition = match &self.scope {
            Scope::Account(account) => is_of(account.as_str()).and(belongs),
            Scope::All => {
                groups.push(segment(column::ACCOUNT_ID).alias(ACCOUNT));
                belongs
            }
        };
        let mut measures = measures()?;
        if !is_checked {
            measures.push(count(lit(1)).filter(is_unusable()).build()?.alias(UNUSABLE));
        }
        segments.filter(condition)?.aggregate(groups, measures)?.build()
    }

    /// The condition that a segment has all that reports count by: an account, a skill, an end time, and words that are
    /// known.
    pub fn is_usable() -> Expr {
        is_usable()
    }

    /// The number of rows that are not usable, among those behind cells of [a plan over unchecked
    /// segments](Self::plan_of_unchecked); 0 for cells of other plans.
    pub fn unusable_rows(cells: &[RecordBatch]) -> i64 {
        let columns = cells.iter().filter_map(|batch| integers(batch, UNUSABLE).ok());
        columns.flat_map(|rows| rows.iter().flatten()).sum()
    }
}

/// Rows of [a plan for cells](CellRequest::plan).
pub struct CellRows<'b> {
    accounts: Option<ArrayRef>,
    known_from: Option<ArrayRef>,
    cells: CellColumns<'b>,
}

/// The metrics of a skill in a slice of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellRow<'r> {
    /// The account; `None` where the question was about one.
    pub account: Option<&'r str>,
    /// The skill.
    pub skill: i64,
    /// The slice's start, in milliseconds since the epoch.
    pub slice: i64,
    /// The first instant at which its segments were known, in milliseconds since the epoch; `None` where they came in
    /// time, or where it was not asked for.
    pub known_from: Option<i64>,
    /// Its metrics.
    pub metrics: Metrics,
}

impl<'b> CellRows<'b> {
    /// Reads rows.
    ///
    /// # Errors
    /// [`Error::Report`] where they are not of such a plan, or of segments without a skill or an account.
    pub fn new(batch: &'b RecordBatch) -> Result<Self> {
        let cells = CellColumns::of(batch, true).map_err(Error::Report)?;
        let accounts = batch.column_by_name(ACCOUNT).map(|accounts| cast(accounts, &DataType::Utf8));
        let accounts = accounts.transpose().map_err(|error| Error::Report(error.into()))?;
        let has_nulls = |values: &dyn Array| values.null_count() > 0;
        if has_nulls(cells.skill) || accounts.as_deref().is_some_and(has_nulls) {
            let problem = "there are segments without a skill_id, or without an account_id";
            return Err(Error::Report(DataFusionError::Execution(problem.to_owned())));
        }
        let milliseconds = DataType::Timestamp(TimeUnit::Millisecond, None);
        let known_from = batch.column_by_name(KNOWN_FROM).map(|instants| cast(instants, &milliseconds));
        let known_from = known_from.transpose().map_err(|error| Error::Report(error.into()))?;
        Ok(Self { accounts, known_from, cells })
    }

    /// The cells, in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = CellRow<'_>> {
        let accounts = self.accounts.as_ref().map(|accounts| accounts.as_string::<i32>());
        let known_from = self.known_from.as_ref().map(|instants| instants.as_primitive::<TimestampMillisecondType>());
        (0..self.cells.skill.len()).map(move |row| CellRow {
            account: accounts.map(|accounts| accounts.value(row)),
            skill: self.cells.skill.value(row),
            slice: self.cells.interval_start(row),
            known_from: known_from.filter(|instants| instants.is_valid(row)).map(|instants| instants.value(row)),
            metrics: self.cells.metrics(row),
        })
    }
}
