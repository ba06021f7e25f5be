//! A report request as a logical plan of built-in functions, so that any engine which knows `date_bin`, `count` and
//! `sum` can run it over the same table.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion::common::{Column, DFSchemaRef, ScalarValue};
use datafusion::error::Result;
use datafusion::functions::datetime::expr_fn::date_bin;
use datafusion::functions_aggregate::expr_fn::{count, sum};
use datafusion::logical_expr::{
    Aggregate, Expr, ExprFunctionExt, Filter, LogicalPlan, LogicalPlanBuilder, LogicalTableSource, TableScan,
    TableScanBuilder, TableSource, cast, lit,
};
use skillscope_segment::{Outcome, UserType, column};

use super::request::{ReportRequest, Selection, UserTypeFilter};
use crate::Scope;

/// Names of the columns of a report's rows.
pub(crate) mod cell {
    pub(crate) const ACCOUNT: &str = "account_id";
    pub(crate) const SKILL: &str = "skill_id";
    pub(crate) const INTERVAL: &str = "interval_start";
    pub(crate) const TOTAL: &str = "total";
    pub(crate) const ABANDONED: &str = "abandoned";
    pub(crate) const ABANDONED_IN_QUEUE: &str = "abandoned_in_queue";
    pub(crate) const NON_RESPONSIVE_CONSUMER: &str = "non_responsive_consumer";
    pub(crate) const NON_RESPONSIVE_AGENT: &str = "non_responsive_agent";
    pub(crate) const INTERACTIVE: &str = "interactive";
    pub(crate) const SAMPLES: &str = "samples";
    pub(crate) const SAMPLE_SUM: &str = "sample_sum";
}

/// Times of this table are in UTC.
const TIME_ZONE: &str = "UTC";

const NANOSECONDS_PER_MS: i64 = 1_000_000;

/// What all plans of reports have in common.
pub(crate) struct ReportPlans {
    /// A scan of a table without rows.
    scan: TableScan,
    metrics: Vec<Expr>,
    /// The columns of a report without intervals, and of one with intervals.
    by_skill: DFSchemaRef,
    by_interval: DFSchemaRef,
}

impl ReportPlans {
    pub(crate) fn new() -> Result<Self> {
        let source = Arc::new(LogicalTableSource::new(skillscope_segment::schema()));
        let scan = TableScanBuilder::new("segments", source).build()?;
        let metrics = metrics()?;
        let schema = |groups| {
            let scan = LogicalPlanBuilder::from(LogicalPlan::TableScan(scan.clone()));
            Ok::<_, datafusion::error::DataFusionError>(Arc::clone(scan.aggregate(groups, metrics.clone())?.schema()))
        };
        let (by_skill, by_interval) = (schema(vec![skill()])?, schema(vec![skill(), interval_start(0, 1)])?);
        Ok(Self { scan, metrics, by_skill, by_interval })
    }

    /// The plan for `request` over `segments`: one row for each skill, or each skill and interval, that has segments.
    /// Totals over skills and intervals are sums of these rows, so one pass is enough. Every expression has the types
    /// that it needs: no conversions are to be found when it is planned.
    pub(crate) fn plan(&self, segments: Arc<dyn TableSource>, request: &ReportRequest) -> Result<LogicalPlan> {
        let scan = LogicalPlan::TableScan(TableScan { source: segments, ..self.scan.clone() });
        let parameters = request.parameters();
        let condition = is_of(request.account()).and(belongs(&parameters.selection()));
        let filter = Filter::try_new(condition, Arc::new(scan))?;
        let mut groups = vec![skill()];
        groups.extend(parameters.interval_ms().map(|length| interval_start(parameters.range().start, length)));
        let schema = if groups.len() > 1 { &self.by_interval } else { &self.by_skill };
        let input = Arc::new(LogicalPlan::Filter(filter));
        let aggregate = Aggregate::try_new_with_schema(input, groups, self.metrics.clone(), Arc::clone(schema))?;
        Ok(LogicalPlan::Aggregate(aggregate))
    }
}

/// The plan for cells over `segments`, which is scanned under that name: one row for each skill and slice that has segments,
/// or for each account, skill and slice where all accounts are in scope.
pub(crate) fn plan_cells(
    segments: LogicalPlanBuilder,
    scope: &Scope,
    selection: &Selection<'_>,
    origin: i64,
    slice_ms: i64,
) -> Result<LogicalPlan> {
    let mut groups = vec![skill(), interval_start(origin, slice_ms)];
    let condition = match scope {
        Scope::Account(account) => is_of(account.as_str()).and(belongs(selection)),
        Scope::All => {
            groups.push(segment(column::ACCOUNT_ID).alias(cell::ACCOUNT));
            belongs(selection)
        }
    };
    segments.filter(condition)?.aggregate(groups, metrics()?)?.build()
}

fn skill() -> Expr {
    segment(column::SKILL_ID).alias(cell::SKILL)
}

/// Of the account.
fn is_of(account: &str) -> Expr {
    segment(column::ACCOUNT_ID).eq(word(DataType::Int32, account))
}

/// Ended in the timeframe, in one of the skills, by one of the user types.
fn belongs(selection: &Selection<'_>) -> Expr {
    let end_time = || segment(column::END_TIME);
    let mut condition =
        end_time().gt_eq(instant(selection.range.start)).and(end_time().lt(instant(selection.range.end)));
    if let Some(skills) = selection.skills {
        let skills = skills.iter().map(|skill| lit(*skill)).collect();
        condition = condition.and(segment(column::SKILL_ID).in_list(skills, false));
    }
    let user_type = match selection.user_type {
        UserTypeFilter::Human => Some(UserType::Human),
        UserTypeFilter::Bot => Some(UserType::Bot),
        UserTypeFilter::All => None,
    };
    match user_type {
        Some(user_type) => condition.and(segment(column::USER_TYPE).eq(word(DataType::Int8, user_type.as_str()))),
        None => condition,
    }
}

/// Intervals are cut from the request's start, never from round times.
fn interval_start(start: i64, length: i64) -> Expr {
    let length = ScalarValue::new_interval_mdn(0, 0, length.saturating_mul(NANOSECONDS_PER_MS));
    let origin = start.saturating_mul(NANOSECONDS_PER_MS);
    let origin = ScalarValue::TimestampNanosecond(Some(origin), Some(TIME_ZONE.into()));
    // `date_bin` has one type for time and origin.
    let end_time = cast(segment(column::END_TIME), origin.data_type());
    date_bin(lit(length), end_time, lit(origin)).alias(cell::INTERVAL)
}

/// Every metric as a count or a sum. The sum of samples has 64 bits: it holds unless a million segments of one skill and
/// interval waited for two hundred years each.
fn metrics() -> Result<Vec<Expr>> {
    let outcome =
        |outcome: Outcome, name| count_where(segment(column::OUTCOME).eq(word(DataType::Int8, outcome.as_str())), name);
    let sample = || segment(column::TIME_TO_FIRST_AGENT_MESSAGE_MS);
    Ok(vec![
        count(lit(1)).alias(cell::TOTAL),
        outcome(Outcome::Abandoned, cell::ABANDONED)?,
        count_where(segment(column::ABANDONED_IN_QUEUE), cell::ABANDONED_IN_QUEUE)?,
        outcome(Outcome::NonResponsiveConsumer, cell::NON_RESPONSIVE_CONSUMER)?,
        outcome(Outcome::NonResponsiveAgent, cell::NON_RESPONSIVE_AGENT)?,
        outcome(Outcome::Interactive, cell::INTERACTIVE)?,
        count(sample()).alias(cell::SAMPLES),
        sum(sample()).alias(cell::SAMPLE_SUM),
    ])
}

fn count_where(condition: Expr, name: &str) -> Result<Expr> {
    Ok(count(lit(1)).filter(condition).build()?.alias(name))
}

/// A column of the table. (Its name needs no parsing.)
fn segment(name: &str) -> Expr {
    Expr::Column(Column::new(Some("segments"), name))
}

/// A word in the type of a dictionary column.
fn word(key: DataType, word: &str) -> Expr {
    lit(ScalarValue::Dictionary(Box::new(key), Box::new(ScalarValue::from(word))))
}

fn instant(ms: i64) -> Expr {
    lit(ScalarValue::TimestampMillisecond(Some(ms), Some(TIME_ZONE.into())))
}
