use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::ViewTable;
use datafusion::error::Result;
use datafusion::prelude::{SessionConfig, SessionContext};

use super::names::{CATALOG, PUBLIC, SEGMENTS};
use crate::table::SegmentsTable;

/// A view over the table `segments`.
#[derive(Debug)]
pub(super) struct View {
    pub(super) name: &'static str,
    definition: &'static str,
}

/// The report's metrics by account, skill and interval. Intervals begin at round times in UTC; a report's begin wherever it
/// was asked for. The average is that of the report, rounded half up, and 0 without samples: whoever puts intervals
/// together takes it from the sums.
macro_rules! metrics_by {
    ($name:literal, $interval:literal) => {
        View {
            name: $name,
            definition: concat!(
                "select account_id, skill_id, date_bin(interval '",
                $interval,
                "', end_time) as interval_start, ",
                "count(*) as total, ",
                "count(*) filter (where outcome = 'abandoned') as abandoned, ",
                "count(*) filter (where abandoned_in_queue) as abandoned_in_queue, ",
                "count(*) filter (where outcome = 'non_responsive_consumer') as non_responsive_consumer, ",
                "count(*) filter (where outcome = 'non_responsive_agent') as non_responsive_agent, ",
                "count(*) filter (where outcome = 'interactive') as interactive, ",
                "coalesce((2 * sum(time_to_first_agent_message_ms) + count(time_to_first_agent_message_ms)) ",
                "/ nullif(2 * count(time_to_first_agent_message_ms), 0), 0) as avg_time_to_first_agent_message_ms, ",
                "count(time_to_first_agent_message_ms) as samples, ",
                "coalesce(sum(time_to_first_agent_message_ms), 0) as sample_sum_ms ",
                "from segments group by account_id, skill_id, date_bin(interval '",
                $interval,
                "', end_time)"
            ),
        }
    };
}

impl View {
    pub(super) const ALL: [Self; 3] = [
        metrics_by!("metrics_by_5_minutes", "5 minutes"),
        metrics_by!("metrics_by_hour", "1 hour"),
        metrics_by!("metrics_by_day", "1 day"),
    ];

    pub(super) fn named(name: &str) -> Option<&'static Self> {
        const VIEWS: &[View] = &View::ALL;
        VIEWS.iter().find(|view| view.name == name)
    }
}

/// A view over these segments.
pub(super) async fn view(view: &View, segments: &Arc<SegmentsTable>) -> Result<Arc<dyn TableProvider>> {
    let config = SessionConfig::new().with_default_catalog_and_schema(CATALOG, PUBLIC);
    let session = SessionContext::new_with_config(config);
    session.register_table(SEGMENTS, Arc::clone(segments) as Arc<dyn TableProvider>)?;
    let plan = session.state().create_logical_plan(view.definition).await?;
    Ok(Arc::new(ViewTable::new(plan, Some(view.definition.to_owned()))))
}
