//! `skill_report`: the endpoint's report as a table.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::{ExecutionPlan, collect_partitioned};
use skillscope_segment::AccountId;

use crate::report::{ReportSession, assemble};
use crate::table::SegmentsTable;
use crate::{Report, ReportRequest, Scope};

pub(super) const NAME: &str = "skill_report";

/// The names of the parameters, as [`USAGE`] has them.
pub(super) const PARAMETERS: [&str; 7] =
    ["account", "now", "timeframe", "interval", "skill_ids", "user_type", "as_known"];

const USAGE: &str = "skill_report(account, now, timeframe [, interval [, skill_ids [, user_type [, as_known]]]])";

/// The table function `skill_report`: the endpoint's report as the rows of [`Report::to_rows`].
#[derive(Debug)]
pub(super) struct SkillReport {
    pub(super) reports: Arc<ReportSession>,
    pub(super) segments: Arc<SegmentsTable>,
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
        if options.len() > 4 {
            return plan_err!("{NAME} takes at most seven arguments: {USAGE}");
        }
        let account = self.account(account)?;
        let mut parameters = vec![("v", "1".to_owned()), ("timeframe", text("timeframe", timeframe)?)];
        for (name, value) in ["interval", "skillIds", "userType"].into_iter().zip(options) {
            if !value.is_null() {
                parameters.push((name, text(name, value)?));
            }
        }
        let request = ReportRequest::from_parameters(&account, instant(now)?, &parameters);
        let request = request.map_err(|error| DataFusionError::Plan(format!("{NAME}: {error}")))?;
        Ok(if as_known(options.get(3))? { request.as_known() } else { request })
    }

    /// The account of the report; null stands for the session's own. A session of one account may not ask for another.
    fn account(&self, value: &ScalarValue) -> Result<String> {
        match (value.try_as_str(), self.segments.scope()) {
            (Some(Some(account)), scope) if scope.includes(account) => match AccountId::parse(account) {
                Ok(account) => Ok(account.to_string()),
                Err(error) => plan_err!("{NAME}: {error}"),
            },
            (Some(Some(_)), _) => plan_err!("{NAME}: this session sees its own account only"),
            (_, Scope::Account(own)) if value.is_null() => Ok(own.to_string()),
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

/// Whether what was known then is asked for.
fn as_known(value: Option<&ScalarValue>) -> Result<bool> {
    match value {
        None => Ok(false),
        Some(value) if value.is_null() => Ok(false),
        Some(ScalarValue::Boolean(Some(as_known))) => Ok(*as_known),
        Some(other) => plan_err!("{NAME}: as_known is true or false; it was {other}"),
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
        Report::rows_schema()
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
        let plan = self.reports.plan(self.segments.with_dictionaries(), &self.request).await?;
        let cells = collect_partitioned(plan, self.reports.task()).await?.into_iter().flatten().collect::<Vec<_>>();
        let rows = assemble(self.request.parameters(), &cells)?
            .to_rows()
            .map_err(|error| DataFusionError::External(Box::new(error)))?;
        MemTable::try_new(rows.schema(), vec![vec![rows]])?.scan(state, projection, filters, limit).await
    }
}
