//! Single segments, each with what it counts as, so that a figure of a report can be traced to its conversations.

use std::collections::BTreeSet;
use std::ops::Range;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type, TimeUnit, TimestampMillisecondType};
use datafusion::error::{DataFusionError, Result as PlanResult};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder};
use skillscope_segment::{AccountId, column};

use super::columns::{SKILL, column_of, integers};
use super::metrics::{MetricValues, Metrics};
use super::plan::plan_segments;
use super::request::{Selection, UserTypeFilter};
use crate::{Error, Result};

/// A question for the single segments of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedSegments {
    /// The account.
    pub account: AccountId,
    /// The instants within which they ended, in milliseconds since the epoch.
    pub range: Range<i64>,
    /// Their skills.
    pub skills: BTreeSet<i64>,
}

/// A segment, and what it counts as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountedSegment {
    /// The conversation; empty where the archive does not tell it.
    pub conversation: String,
    /// The place of the segment in the conversation; `None` where the archive does not tell it.
    pub index: Option<i64>,
    /// The skill.
    pub skill: i64,
    /// When it ended, in milliseconds since the epoch.
    pub end_time: i64,
    /// The word of its outcome.
    pub outcome: String,
    /// The word of its user type.
    pub user_type: String,
    /// The metrics of a report over this segment alone.
    pub metrics: Metrics,
}

impl CountedSegments {
    /// The question as a logical plan of built-in functions over `segments`, which are scanned under the name
    /// [`CellRequest::SEGMENTS`](super::CellRequest::SEGMENTS). Its rows are in no order.
    ///
    /// # Errors
    /// [`Error::Report`] where a column is missing.
    pub fn plan(&self, segments: LogicalPlanBuilder) -> Result<LogicalPlan> {
        let user_type = UserTypeFilter::All;
        let selection =
            Selection { range: self.range.clone(), skills: Some(&self.skills), user_type, arrived_by: None };
        plan_segments(segments, self.account.as_str(), &selection).map_err(Error::Report)
    }

    /// Reads rows of the plan.
    ///
    /// # Errors
    /// [`Error::Report`] where they are not of such a plan.
    pub fn read(rows: &RecordBatch) -> Result<Vec<CountedSegment>> {
        read(rows).map_err(Error::Report)
    }
}

fn read(rows: &RecordBatch) -> PlanResult<Vec<CountedSegment>> {
    let conversations = texts(rows, column::CONVERSATION_ID)?;
    let outcomes = texts(rows, column::OUTCOME)?;
    let user_types = texts(rows, column::USER_TYPE)?;
    let indexes = cast(column_of(rows, column::SEGMENT_INDEX)?, &DataType::Int64)?;
    let indexes: Option<&Int64Array> = indexes.as_primitive_opt::<Int64Type>();
    let end_times = cast(column_of(rows, column::END_TIME)?, &DataType::Timestamp(TimeUnit::Millisecond, None))?;
    let end_times: Option<&TimestampMillisecondArray> = end_times.as_primitive_opt::<TimestampMillisecondType>();
    let (Some(indexes), Some(end_times)) = (indexes, end_times) else {
        return Err(DataFusionError::Internal("segments have no times or no places".to_owned()));
    };
    let (skills, metrics) = (integers(rows, SKILL)?, MetricValues::of(rows)?);
    let text = |values: &ArrayRef, row: usize| {
        let values = values.as_string::<i32>();
        if values.is_valid(row) { values.value(row).to_owned() } else { String::new() }
    };
    let segment = |row: usize| CountedSegment {
        conversation: text(&conversations, row),
        index: indexes.is_valid(row).then(|| indexes.value(row)),
        skill: skills.value(row),
        end_time: end_times.value(row),
        outcome: text(&outcomes, row),
        user_type: text(&user_types, row),
        metrics: metrics.get(row),
    };
    Ok((0..rows.num_rows()).map(segment).collect())
}

/// A column of words or texts, in whatever way it is encoded.
fn texts(rows: &RecordBatch, name: &str) -> PlanResult<ArrayRef> {
    Ok(cast(column_of(rows, name)?, &DataType::Utf8)?)
}
