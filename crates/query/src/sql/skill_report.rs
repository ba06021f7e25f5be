use std::fmt;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, Int64Array, RecordBatch, TimestampMillisecondArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::{ExecutionPlan, collect_partitioned};

use crate::assembly::assemble;
use crate::report_session::ReportSession;
use crate::table::SegmentsTable;
use crate::{Breakdown, Metrics, Report, ReportRequest};

pub(crate) const NAME: &str = "skill_report";

const USAGE: &str = "skill_report(account, now, timeframe [, interval [, skill_ids [, user_type]]])";

/// The table function `skill_report`: the endpoint's report as rows. A row has the metrics of an interval, or of the whole
/// timeframe where `interval_start` is null; of a skill, or of all together where `skill_id` is null.
#[derive(Debug)]
pub(crate) struct SkillReport {
    pub(crate) reports: Arc<ReportSession>,
    pub(crate) segments: Arc<SegmentsTable>,
}

impl TableFunctionImpl for SkillReport {
    fn call_with_args(&self, arguments: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let values = arguments.exprs().iter().map(literal);
        let request = self.request(&values.collect::<Result<Vec<_>>>()?)?;
        let (reports, segments) = (Arc::clone(&self.reports), Arc::clone(&self.segments));
        Ok(Arc::new(SkillReportTable { request, reports, segments }))
    }
}

impl SkillReport {
    fn request(&self, arguments: &[ScalarValue]) -> Result<ReportRequest> {
        let [account, now, timeframe, options @ ..] = arguments else {
            return plan_err!("{NAME} takes at least three arguments: {USAGE}");
        };
        if options.len() > 3 {
            return plan_err!("{NAME} takes at most six arguments: {USAGE}");
        }
        let account = self.account(account)?;
        let mut parameters = vec![("v", "1".to_owned()), ("timeframe", text("timeframe", timeframe)?)];
        for (name, value) in ["interval", "skillIds", "userType"].into_iter().zip(options) {
            if !value.is_null() {
                parameters.push((name, text(name, value)?));
            }
        }
        let request = ReportRequest::from_parameters(&account, instant(now)?, &parameters);
        request.map_err(|error| DataFusionError::Plan(format!("{NAME}: {error}")))
    }

    /// The account that is asked for; null is the session's own. Another one's has nothing to see here.
    fn account(&self, value: &ScalarValue) -> Result<String> {
        match (value.try_as_str(), self.segments.scope()) {
            (Some(Some(account)), None) => Ok(account.to_owned()),
            (Some(Some(account)), Some(scope)) if account == scope => Ok(account.to_owned()),
            (Some(Some(_)), Some(_)) => plan_err!("{NAME}: this session sees its own account only"),
            (_, Some(scope)) if value.is_null() => Ok(scope.to_owned()),
            _ => plan_err!("{NAME}: the first argument is an account, as text; it was {value}"),
        }
    }
}

/// The value of an argument. The planner has computed what needs no rows, such as `now() - interval '1 day'`.
fn literal(argument: &Expr) -> Result<ScalarValue> {
    match argument {
        Expr::Literal(value, _) => Ok(value.clone()),
        other => plan_err!("{NAME}: an argument is a value, and not {other}"),
    }
}

fn instant(value: &ScalarValue) -> Result<i64> {
    if let Some(Some(text)) = value.try_as_str() {
        return skillscope_segment::parse_instant(text)
            .map_err(|error| DataFusionError::Plan(format!("{NAME}: {error}")));
    }
    let ms = match value {
        ScalarValue::Int64(_) => value.clone(),
        _ => value.cast_to(&DataType::Timestamp(TimeUnit::Millisecond, None))?.cast_to(&DataType::Int64)?,
    };
    match ms {
        ScalarValue::Int64(Some(ms)) => Ok(ms),
        _ => plan_err!("{NAME}: the second argument is an instant; it was {value}"),
    }
}

fn text(name: &str, value: &ScalarValue) -> Result<String> {
    match value.cast_to(&DataType::Utf8)? {
        ScalarValue::Utf8(Some(text)) => Ok(text),
        _ => plan_err!("{NAME}: {name} has no value: {USAGE}"),
    }
}

struct SkillReportTable {
    request: ReportRequest,
    reports: Arc<ReportSession>,
    segments: Arc<SegmentsTable>,
}

impl fmt::Debug for SkillReportTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SkillReportTable").field("request", &self.request).finish_non_exhaustive()
    }
}

#[async_trait]
impl TableProvider for SkillReportTable {
    fn schema(&self) -> SchemaRef {
        schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let plan = self.reports.plan(self.segments.as_ref().clone(), &self.request).await?;
        let cells = collect_partitioned(plan, self.reports.task()).await?.into_iter().flatten().collect::<Vec<_>>();
        let rows = rows(&assemble(&self.request, &cells)?)?;
        MemTable::try_new(schema(), vec![vec![rows]])?.scan(state, projection, filters, limit).await
    }
}

fn schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
        let time = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
        let keys = [Field::new("interval_start", time, true), Field::new("skill_id", DataType::Int64, true)];
        let metrics = METRICS.map(|(name, _)| Field::new(name, DataType::Int64, false));
        Arc::new(Schema::new(keys.into_iter().chain(metrics).collect::<Vec<_>>()))
    });
    Arc::clone(&SCHEMA)
}

type Metric = (&'static str, fn(&Metrics) -> i64);

/// In the order of the contract's table.
const METRICS: [Metric; 7] = [
    ("total", |metrics| metrics.total),
    ("abandoned", |metrics| metrics.abandoned),
    ("abandoned_in_queue", |metrics| metrics.abandoned_in_queue),
    ("non_responsive_consumer", |metrics| metrics.non_responsive_consumer),
    ("non_responsive_agent", |metrics| metrics.non_responsive_agent),
    ("interactive", |metrics| metrics.interactive),
    ("avg_time_to_first_agent_message_ms", Metrics::average_time_to_first_agent_message),
];

/// The report in the order in which the endpoint writes it: intervals, newest first, then the whole timeframe.
fn rows(report: &Report) -> Result<RecordBatch> {
    let intervals = report.intervals.iter().flatten().map(|interval| (Some(interval.timestamp), &interval.metrics));
    let breakdowns: Vec<(Option<i64>, &Breakdown)> = intervals.chain([(None, &report.summary)]).collect();
    let places =
        || breakdowns.iter().flat_map(|(start, breakdown)| places(breakdown).map(move |place| (*start, place)));
    let starts: TimestampMillisecondArray = places().map(|(start, _)| start).collect();
    let skills: Int64Array = places().map(|(_, (skill, _))| skill).collect();
    let mut columns: Vec<ArrayRef> = vec![Arc::new(starts.with_timezone("UTC")), Arc::new(skills)];
    for (_, metric) in METRICS {
        columns.push(Arc::new(Int64Array::from_iter_values(places().map(|(_, (_, metrics))| metric(metrics)))));
    }
    Ok(RecordBatch::try_new(schema(), columns)?)
}

fn places(breakdown: &Breakdown) -> impl Iterator<Item = (Option<i64>, &Metrics)> {
    let skills = breakdown.skills.iter().map(|(skill, metrics)| (Some(*skill), metrics));
    skills.chain([(None, &breakdown.total)])
}
