//! `skill_report`: the endpoint's report as a table.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{MemTable, Session, TableProvider};
use datafusion::common::{ScalarValue, plan_err};
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::{ExecutionPlan, collect_partitioned};

use super::open_table::TableOfValues;
use super::report_arguments::{Kind, ReportFunction};
use crate::report::{ReportSession, assemble};
use crate::table::SegmentsTable;
use crate::{Report, ReportRequest};

pub(super) const FUNCTION: ReportFunction = ReportFunction {
    name: "skill_report",
    usage: "skill_report(account, now, timeframe [, interval [, skill_ids [, user_type [, as_known]]]])",
    parameters: &[
        ("account", Kind::Text),
        ("now", Kind::Instant),
        ("timeframe", Kind::Number),
        ("interval", Kind::Number),
        ("skill_ids", Kind::Text),
        ("user_type", Kind::Text),
        ("as_known", Kind::Flag),
    ],
};

/// The table function `skill_report`: the endpoint's report as the rows of [`Report::to_rows`].
#[derive(Debug)]
pub(super) struct SkillReport {
    pub(super) reports: Arc<ReportSession>,
    pub(super) segments: Arc<SegmentsTable>,
}

impl TableOfValues for SkillReport {
    fn function(&self) -> &'static ReportFunction {
        &FUNCTION
    }

    fn schema(&self) -> SchemaRef {
        Report::rows_schema()
    }

    fn table(&self, values: &[ScalarValue]) -> Result<Arc<dyn TableProvider>> {
        let request = self.request(values)?;
        let (reports, segments) = (Arc::clone(&self.reports), Arc::clone(&self.segments));
        Ok(Arc::new(SkillReportTable { request, reports, segments }))
    }
}

impl SkillReport {
    fn request(&self, values: &[ScalarValue]) -> Result<ReportRequest> {
        let (of_report, [interval, skills, user_type, as_known]) = FUNCTION.take(values)?;
        let options = [("interval", interval), ("skillIds", skills), ("userType", user_type)];
        let request = FUNCTION.request(self.segments.scope(), of_report, &options)?;
        match as_known {
            ScalarValue::Boolean(Some(true)) => Ok(request.as_known()),
            ScalarValue::Boolean(Some(false)) => Ok(request),
            other if other.is_null() => Ok(request),
            other => plan_err!("{}: as_known is true or false; it was {other}", FUNCTION.name),
        }
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
