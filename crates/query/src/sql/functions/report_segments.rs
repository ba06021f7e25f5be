//! `report_segments`: the segments that a figure of the report counts.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion::catalog::TableProvider;
use datafusion::common::ScalarValue;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result;

use super::open_table::TableOfValues;
use super::report_arguments::{Kind, ReportFunction};
use crate::report::Figure;
use crate::table::SegmentsTable;

pub(super) const FUNCTION: ReportFunction = ReportFunction {
    name: "report_segments",
    usage: "report_segments(account, now, timeframe [, interval [, interval_start [, skill_id [, metric [, \
            user_type]]]]])",
    parameters: &[
        ("account", Kind::Text),
        ("now", Kind::Instant),
        ("timeframe", Kind::Number),
        ("interval", Kind::Number),
        ("interval_start", Kind::Instant),
        ("skill_id", Kind::Number),
        ("metric", Kind::Text),
        ("user_type", Kind::Text),
    ],
};

/// The table function `report_segments`: a view of `segments` by the conditions of a figure, so that it is planned as
/// `segments` with these conditions would be.
#[derive(Debug)]
pub(super) struct ReportSegments {
    pub(super) segments: Arc<SegmentsTable>,
}

impl TableOfValues for ReportSegments {
    fn function(&self) -> &'static ReportFunction {
        &FUNCTION
    }

    fn schema(&self) -> SchemaRef {
        self.segments.schema()
    }

    fn table(&self, values: &[ScalarValue]) -> Result<Arc<dyn TableProvider>> {
        let segments = Arc::clone(&self.segments) as Arc<dyn TableProvider>;
        let plan = self.figure(values)?.plan(provider_as_source(segments))?;
        Ok(Arc::new(ViewTable::new(plan, None)))
    }
}

impl ReportSegments {
    fn figure(&self, values: &[ScalarValue]) -> Result<Figure> {
        let (of_report, [interval, interval_start, skill, metric, user_type]) = FUNCTION.take(values)?;
        let options = [("interval", interval), ("skillIds", skill), ("userType", user_type)];
        let request = FUNCTION.request(self.segments.scope(), of_report, &options)?;
        let start = Some(interval_start).filter(|start| !start.is_null());
        let start = start.map(|start| FUNCTION.instant("fifth", start)).transpose()?;
        let metric = Some(metric).filter(|metric| !metric.is_null());
        let metric = metric.map(|metric| FUNCTION.text("metric", metric)).transpose()?;
        Figure::new(request, start, metric.as_deref()).map_err(|error| FUNCTION.refused(error))
    }
}
