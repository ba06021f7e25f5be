//! Views over the table `segments`.

use std::sync::{Arc, LazyLock};

use datafusion::catalog::TableProvider;
use datafusion::datasource::ViewTable;
use datafusion::error::Result;
use datafusion::prelude::{SessionConfig, SessionContext};
use skillscope_segment::column::{self, ACCOUNT_ID, SKILL_ID};

use super::comments::TableComments;
use super::names::{CATALOG, PUBLIC, SEGMENTS};
use crate::report::{Metric, MetricColumn};
use crate::table::SegmentsTable;

const INTERVAL_START: &str = "interval_start";

/// A view over the table `segments`.
#[derive(Debug)]
pub(super) struct View {
    pub(super) name: &'static str,
    comment: &'static str,
    definition: String,
}

impl View {
    pub(super) fn all() -> &'static [Self] {
        static ALL: LazyLock<[View; 3]> = LazyLock::new(|| {
            [
                View::of_metrics(
                    "metrics_by_5_minutes",
                    "5 minutes",
                    "The report's metrics by account, skill and five minutes.",
                ),
                View::of_metrics("metrics_by_hour", "1 hour", "The report's metrics by account, skill and hour."),
                View::of_metrics("metrics_by_day", "1 day", "The report's metrics by account, skill and day in UTC."),
            ]
        });
        ALL.as_slice()
    }

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        Self::all().iter().find(|view| view.name == name)
    }

    /// The report's metrics by account, skill and interval. Intervals begin at round times in UTC; a report's begin
    /// wherever it was asked for. Averages are those of the report, for each interval alone: the average over several
    /// intervals is computed from the sums, which are columns, too.
    fn of_metrics(name: &'static str, interval: &str, comment: &'static str) -> Self {
        let metrics = Metric::ALL.iter().map(|metric| format!("{} as {}", metric.sql(), metric.name));
        let sums = MetricColumn::UNREPORTED.iter().map(|column| format!("{} as {}", column.sql(), column.name));
        let columns: Vec<String> = metrics.chain(sums).collect();
        let bin = format!("date_bin(interval '{interval}', end_time)");
        let columns = columns.join(", ");
        let definition = format!(
            "select {ACCOUNT_ID}, {SKILL_ID}, {bin} as {INTERVAL_START}, {columns} \
            from {SEGMENTS} group by {ACCOUNT_ID}, {SKILL_ID}, {bin}"
        );
        Self { name, comment, definition }
    }

    pub(super) fn comments(&self) -> TableComments {
        let of_segments = [ACCOUNT_ID, SKILL_ID].into_iter().filter_map(|name| Some((name, column::comment(name)?)));
        let metrics = Metric::ALL.iter().map(|metric| (metric.name, metric.description));
        let sums = MetricColumn::UNREPORTED.iter().map(|column| (column.name, column.description));
        let start = [(INTERVAL_START, "When the interval begins: a round time in UTC.")];
        TableComments::new(self.comment, of_segments.chain(start).chain(metrics).chain(sums))
    }
}

/// A view over these segments.
pub(super) async fn view(view: &View, segments: &Arc<SegmentsTable>) -> Result<Arc<dyn TableProvider>> {
    let config = SessionConfig::new().with_default_catalog_and_schema(CATALOG, PUBLIC);
    let session = SessionContext::new_with_config(config);
    session.register_table(SEGMENTS, Arc::clone(segments) as Arc<dyn TableProvider>)?;
    let plan = session.state().create_logical_plan(&view.definition).await?;
    Ok(Arc::new(ViewTable::new(plan, Some(view.definition.clone()))))
}
