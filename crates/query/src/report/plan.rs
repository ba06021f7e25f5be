//! A report request as a logical plan of built-in functions, so that any engine which knows `date_bin`, `count` and
//! `sum` can run it over the same table.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{DFSchemaRef, ScalarValue};
use datafusion::error::Result;
use datafusion::functions::datetime::expr_fn::date_bin;
use datafusion::logical_expr::{
    Aggregate, Expr, Filter, LogicalPlan, LogicalPlanBuilder, LogicalTableSource, TableScan, TableScanBuilder,
    TableSource, cast, lit,
};
use skillscope_segment::{Outcome, TIME_ZONE, UserType, column};

use super::columns::{INTERVAL, SKILL};
use super::expression::{SEGMENTS, instant, segment, word};
use super::metrics::MetricColumn;
use super::request::{ReportRequest, Selection};

pub(super) const NANOSECONDS_PER_MS: i64 = 1_000_000;

/// What all plans of reports have in common.
pub(crate) struct ReportPlans {
    /// A scan of a table without rows.
    scan: TableScan,
    measures: Vec<Expr>,
    /// The columns of a report without intervals, and of one with intervals.
    by_skill: DFSchemaRef,
    by_interval: DFSchemaRef,
}

impl ReportPlans {
    pub(crate) fn new() -> Result<Self> {
        let source = Arc::new(LogicalTableSource::new(skillscope_segment::schema()));
        let scan = TableScanBuilder::new(SEGMENTS, source).build()?;
        let measures = measures()?;
        let schema = |groups| {
            let scan = LogicalPlanBuilder::from(LogicalPlan::TableScan(scan.clone()));
            Ok::<_, datafusion::error::DataFusionError>(Arc::clone(scan.aggregate(groups, measures.clone())?.schema()))
        };
        let (by_skill, by_interval) = (schema(vec![skill()])?, schema(vec![skill(), interval_start(0, 1)])?);
        Ok(Self { scan, measures, by_skill, by_interval })
    }

    /// The plan for `request` over `segments`: one row for each skill, or each skill and interval, that has segments.
    /// Totals over skills and intervals are sums of these rows, so one pass is enough. Every expression has its types
    /// already, so that planning need not look for conversions.
    pub(crate) fn plan(&self, segments: Arc<dyn TableSource>, request: &ReportRequest) -> Result<LogicalPlan> {
        let scan = LogicalPlan::TableScan(TableScan { source: segments, ..self.scan.clone() });
        let parameters = request.parameters();
        let condition = is_of(request.account()).and(belongs(&parameters.selection(), true));
        let filter = Filter::try_new(condition, Arc::new(scan))?;
        let mut groups = vec![skill()];
        groups.extend(parameters.interval_ms().map(|length| interval_start(parameters.range().start, length)));
        let schema = if groups.len() > 1 { &self.by_interval } else { &self.by_skill };
        let input = Arc::new(LogicalPlan::Filter(filter));
        let aggregate = Aggregate::try_new_with_schema(input, groups, self.measures.clone(), Arc::clone(schema))?;
        Ok(LogicalPlan::Aggregate(aggregate))
    }
}

/// The plan for the single segments of an account that ended within a range of time in one of these skills, each with
/// what it counts as.
pub(crate) fn plan_segments(
    segments: LogicalPlanBuilder,
    account: &str,
    selection: &Selection<'_>,
) -> Result<LogicalPlan> {
    let own = [column::CONVERSATION_ID, column::SEGMENT_INDEX, column::END_TIME, column::OUTCOME, column::USER_TYPE];
    let groups = own.into_iter().map(segment).chain([skill()]);
    segments.filter(is_of(account).and(belongs(selection, true)))?.aggregate(groups, measures()?)?.build()
}

/// Whether a row has all that reports count by, in words that they know.
pub(crate) fn is_usable() -> Expr {
    let outcomes = Outcome::ALL.iter().map(|outcome| word(DataType::Int8, outcome.as_str())).collect();
    let user_types = UserType::ALL.iter().map(|user_type| word(DataType::Int8, user_type.as_str())).collect();
    let words = segment(column::OUTCOME).in_list(outcomes, false);
    let words = words.and(segment(column::USER_TYPE).in_list(user_types, false));
    let others = [column::ACCOUNT_ID, column::SKILL_ID, column::END_TIME, column::ABANDONED_IN_QUEUE];
    others.into_iter().fold(words, |all, name| all.and(segment(name).is_not_null()))
}

pub(super) fn is_unusable() -> Expr {
    Expr::IsNotTrue(Box::new(is_usable()))
}

pub(super) fn skill() -> Expr {
    segment(column::SKILL_ID).alias(SKILL)
}

/// Of the account.
pub(super) fn is_of(account: &str) -> Expr {
    segment(column::ACCOUNT_ID).eq(word(DataType::Int32, account))
}

/// Ended in the timeframe, in one of the skills, by one of the user types. Where nobody has checked the rows, those
/// that are not usable are among them, whatever their user type: they are to be seen.
pub(super) fn belongs(selection: &Selection<'_>, is_checked: bool) -> Expr {
    let end_time = || segment(column::END_TIME);
    let mut condition =
        end_time().gt_eq(instant(selection.range.start)).and(end_time().lt(instant(selection.range.end)));
    if let Some(skills) = selection.skills {
        let skills = skills.iter().map(|skill| lit(*skill)).collect();
        condition = condition.and(segment(column::SKILL_ID).in_list(skills, false));
    }
    if let Some(instant) = selection.arrived_by {
        condition = condition.and(arrived_by(instant));
    }
    match selection.user_type.only() {
        Some(user_type) => {
            let is_of_type = segment(column::USER_TYPE).eq(word(DataType::Int8, user_type.as_str()));
            condition.and(if is_checked { is_of_type } else { is_of_type.or(is_unusable()) })
        }
        None => condition,
    }
}

/// Had arrived by an instant, in milliseconds since the epoch. What does not tell when it arrived has always been there.
fn arrived_by(ms: i64) -> Expr {
    segment(column::ARRIVAL_TIME).is_null().or(segment(column::ARRIVAL_TIME).lt_eq(instant(ms)))
}

/// Intervals are cut from the request's start, never from round times.
pub(super) fn interval_start(start: i64, length: i64) -> Expr {
    bin(segment(column::END_TIME), start, length).alias(INTERVAL)
}

/// The start of the bin of `length` milliseconds that a time is in, where one begins at `origin`.
pub(super) fn bin(time: Expr, origin: i64, length: i64) -> Expr {
    let length = ScalarValue::new_interval_mdn(0, 0, length.saturating_mul(NANOSECONDS_PER_MS));
    let origin = origin.saturating_mul(NANOSECONDS_PER_MS);
    let origin = ScalarValue::TimestampNanosecond(Some(origin), Some(TIME_ZONE.into()));
    // `date_bin` has one type for time and origin.
    let time = cast(time, origin.data_type());
    date_bin(lit(length), time, lit(origin))
}

/// Everything that is counted or summed, for each skill and interval.
pub(super) fn measures() -> Result<Vec<Expr>> {
    MetricColumn::ALL.iter().map(|column| Ok(column.measure.expression()?.alias(column.name))).collect()
}
