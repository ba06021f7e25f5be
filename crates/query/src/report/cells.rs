//! Counts and sums of slices of time, from which reports at many instants are added up.

use std::collections::BTreeSet;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::DataType;
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};

use super::assembly::CellColumns;
use super::columns::{ACCOUNT, UNUSABLE, integers};
use super::expression;
use super::metrics::Metrics;
use super::plan::{is_usable, plan_cells};
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
}

impl CellRequest {
    /// The name under which [`plan`](Self::plan) wants segments to be scanned.
    pub const SEGMENTS: &str = expression::SEGMENTS;

    /// The question as a logical plan of built-in functions over `segments`. These must be scanned under that name,
    /// with at least the columns that the plan names. Its rows are in no order.
    ///
    /// # Errors
    /// [`Error::Report`] where a column is missing.
    pub fn plan(&self, segments: LogicalPlanBuilder) -> Result<LogicalPlan> {
        let selection =
            Selection { range: self.range.clone(), skills: self.skills.as_ref(), user_type: self.user_type };
        plan_cells(segments, &self.scope, &selection, self.origin, self.slice_ms, true).map_err(Error::Report)
    }

    /// As [`plan`](Self::plan), over segments that nobody has checked. Another column tells how many rows of a cell are
    /// not [usable](Self::is_usable); where there are some, the cells do not hold.
    ///
    /// # Errors
    /// As [`plan`](Self::plan).
    pub fn plan_of_unchecked(&self, segments: LogicalPlanBuilder) -> Result<LogicalPlan> {
        let selection =
            Selection { range: self.range.clone(), skills: self.skills.as_ref(), user_type: self.user_type };
        plan_cells(segments, &self.scope, &selection, self.origin, self.slice_ms, false).map_err(Error::Report)
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
        Ok(Self { accounts, cells })
    }

    /// The cells, in the order of the rows.
    pub fn iter(&self) -> impl Iterator<Item = CellRow<'_>> {
        let accounts = self.accounts.as_ref().map(|accounts| accounts.as_string::<i32>());
        (0..self.cells.skill.len()).map(move |row| CellRow {
            account: accounts.map(|accounts| accounts.value(row)),
            skill: self.cells.skill.value(row),
            slice: self.cells.interval_start(row),
            metrics: self.cells.metrics(row),
        })
    }
}
