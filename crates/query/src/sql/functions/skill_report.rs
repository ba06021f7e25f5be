//! `skill_report`: the endpoint's report as a table. Its columns depend on no argument, so that a statement with
//! parameters there is planned over an open report, which is made one of values as soon as there are any.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef, TimeUnit};
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, ParamValues, ScalarValue, plan_err};
use datafusion::datasource::{TableType, provider_as_source, source_as_provider};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::simplify::SimplifyContext;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion::optimizer::simplify_expressions::ExprSimplifier;
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

/// The types of its arguments where they are parameters.
pub(in crate::sql) fn argument_types() -> [DataType; 7] {
    let now = DataType::Timestamp(TimeUnit::Millisecond, Some("UTC".into()));
    [DataType::Utf8, now, DataType::Int64, DataType::Int64, DataType::Utf8, DataType::Utf8, DataType::Boolean]
}

/// The arguments of a report that is open; `None` for whatever else there is in a plan.
pub(in crate::sql) fn open_arguments(node: &LogicalPlan) -> Option<Vec<Expr>> {
    let LogicalPlan::TableScan(scan) = node else { return None };
    let table = source_as_provider(&scan.source).ok()?;
    table.downcast_ref::<OpenReport>().map(|open| open.arguments.clone())
}

/// The same plan with values for the parameters of open reports, `$1` first.
///
/// # Errors
/// Those of the function with these values.
pub(in crate::sql) fn with_values(
    plan: LogicalPlan,
    values: Vec<ScalarValue>,
    state: &SessionState,
) -> Result<LogicalPlan> {
    let values = ParamValues::from(values);
    let closed = |node: LogicalPlan| {
        let LogicalPlan::TableScan(mut scan) = node else { return Ok(Transformed::no(node)) };
        let Ok(table) = source_as_provider(&scan.source) else {
            return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
        };
        let Some(open) = table.downcast_ref::<OpenReport>() else {
            return Ok(Transformed::no(LogicalPlan::TableScan(scan)));
        };
        scan.source = provider_as_source(open.closed(&values, state)?);
        Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
    };
    plan.transform_up_with_subqueries(closed).data()
}

/// The table function `skill_report`: the endpoint's report as the rows of [`Report::to_rows`].
#[derive(Debug, Clone)]
pub(super) struct SkillReport {
    pub(super) reports: Arc<ReportSession>,
    pub(super) segments: Arc<SegmentsTable>,
}

impl TableFunctionImpl for SkillReport {
    fn call_with_args(&self, arguments: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = arguments.exprs();
        match arguments.len() {
            3..=7 => {}
            0..=2 => return plan_err!("{NAME} takes at least three arguments: {USAGE}"),
            _ => return plan_err!("{NAME} takes at most seven arguments: {USAGE}"),
        }
        let is_open = |argument: &Expr| argument.exists(|part| Ok(matches!(part, Expr::Placeholder(_))));
        for argument in arguments {
            if is_open(argument)? {
                return Ok(Arc::new(OpenReport { function: self.clone(), arguments: arguments.to_vec() }));
            }
        }
        self.table(arguments)
    }
}

impl SkillReport {
    fn table(&self, arguments: &[Expr]) -> Result<Arc<dyn TableProvider>> {
        let request = self.request(&arguments.iter().map(literal).collect::<Result<Vec<_>>>()?)?;
        let (reports, segments) = (Arc::clone(&self.reports), Arc::clone(&self.segments));
        Ok(Arc::new(SkillReportTable { request, reports, segments }))
    }

    fn request(&self, arguments: &[ScalarValue]) -> Result<ReportRequest> {
        let [account, now, timeframe, options @ ..] = arguments else {
            return plan_err!("{NAME} takes at least three arguments: {USAGE}");
        };
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

/// A report with parameters among its arguments, of which there are no values yet.
#[derive(Debug)]
struct OpenReport {
    function: SkillReport,
    arguments: Vec<Expr>,
}

impl OpenReport {
    fn closed(&self, values: &ParamValues, state: &SessionState) -> Result<Arc<dyn TableProvider>> {
        let context = SimplifyContext::builder()
            .with_config_options(Arc::clone(state.config_options()))
            .with_query_execution_start_time(state.execution_props().query_execution_start_time)
            .build();
        let (simplifier, no_columns) = (ExprSimplifier::new(context), DFSchema::empty());
        let closed = |argument: &Expr| {
            let with_values = argument.clone().transform_up(|part| match part {
                Expr::Placeholder(parameter) => {
                    let (value, metadata) = values.get_placeholders_with_values(&parameter.id)?.into_inner();
                    Ok(Transformed::yes(Expr::Literal(value, metadata)))
                }
                part => Ok(Transformed::no(part)),
            });
            simplifier.simplify(simplifier.coerce(with_values.data()?, &no_columns)?)
        };
        self.function.table(&self.arguments.iter().map(closed).collect::<Result<Vec<_>>>()?)
    }
}

#[async_trait]
impl TableProvider for OpenReport {
    fn schema(&self) -> SchemaRef {
        Report::rows_schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        _state: &dyn Session,
        _projection: Option<&Vec<usize>>,
        _filters: &[Expr],
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        plan_err!("{NAME}: a parameter has no value")
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
