//! Every output of metrics has exactly the metrics of the table, in its order.

use skillscope_segment::{Outcome, UserType};

use super::random::NOW;
use super::world::{Facts, World, segments};
use crate::report::MetricColumn;
use crate::{Metric, Report};

/// The contract, in the order of its table: a metric's name as a column, and its key in JSON.
const CONTRACT: [(&str, &str); 7] = [
    ("total", "totalSkillConversationSegments"),
    ("abandoned", "skillSegmentsAbandonedByConsumers"),
    ("abandoned_in_queue", "skillSegmentsAbandonedByConsumersInQueue"),
    ("non_responsive_consumer", "skillSegmentsWithNonResponsiveConsumers"),
    ("non_responsive_agent", "skillSegmentsWithNonResponsiveAgents"),
    ("interactive", "interactiveSkillSegments"),
    ("avg_time_to_first_agent_message_ms", "avgTimetoFirstAgentMessageFromAgentAssignment"),
];

fn one_segment() -> World {
    World::new(
        NOW,
        &segments(&[Facts {
            account: "acme",
            skill: 7,
            end_time: NOW - 1,
            user_type: UserType::Human,
            outcome: Outcome::Interactive,
            in_queue: false,
            sample: Some(5),
        }]),
    )
}

#[test]
fn the_table_is_the_contracts() {
    let table: Vec<_> = Metric::ALL.iter().map(|metric| (metric.name, metric.json_key)).collect();
    assert_eq!(table, CONTRACT);
}

#[tokio::test]
async fn the_json_of_a_report_has_the_metrics() {
    let json = one_segment().json("acme", &[("timeframe", "5"), ("v", "1")]).await;
    let total = json.split_once(r#""metricsTotal":{"#).unwrap().1.trim_end_matches('}');
    let keys: Vec<&str> = total.split(',').map(|member| member.split(':').next().unwrap().trim_matches('"')).collect();
    assert_eq!(keys, Metric::ALL.iter().map(|metric| metric.json_key).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_rows_of_a_report_have_the_metrics() {
    let schema = Report::rows_schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, [&["interval_start", "skill_id"][..], &names_of_metrics()].concat());
    let report = one_segment().report("acme", &[("timeframe", "5"), ("v", "1")]).await;
    assert_eq!(report.to_rows().unwrap().schema(), schema);
}

#[tokio::test]
async fn every_view_has_the_metrics_and_the_sums_that_they_are_derived_from() {
    let world = one_segment();
    for view in ["metrics_by_5_minutes", "metrics_by_hour", "metrics_by_day"] {
        let columns = world.session(None).describe(&format!("select * from {view}")).await.unwrap().schema;
        let names: Vec<&str> = columns.fields().iter().map(|field| field.name().as_str()).collect();
        let keys = ["account_id", "skill_id", "interval_start"];
        assert_eq!(names, [&keys[..], &names_of_metrics(), &["samples", "sample_sum_ms"]].concat(), "{view}");
    }
}

#[tokio::test]
async fn the_rows_of_a_reports_plan_have_every_count_and_sum() {
    let world = one_segment();
    let request = world.request("acme", &[("timeframe", "5"), ("v", "1")]).unwrap();
    for plan in [world.engine.plan_report(&request).await, world.engine.plan_report_by_scan(&request).await] {
        let schema = plan.unwrap().cells().await.unwrap()[0].schema();
        let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
        let columns: Vec<&str> = MetricColumn::ALL.iter().map(|column| column.name).collect();
        assert_eq!(names, [&["skill_id"][..], &columns].concat());
    }
}

#[tokio::test]
async fn running_totals_know_every_count_and_sum() {
    let world = one_segment();
    for column in MetricColumn::ALL {
        let batches = world.sql(&format!("explain select {} from segments", column.sql()), None).await.unwrap();
        let plan = arrow::util::pretty::pretty_format_batches(&batches).unwrap().to_string();
        assert!(plan.contains("SegmentTotals: "), "{}:\n{plan}", column.name);
    }
}

fn names_of_metrics() -> Vec<&'static str> {
    Metric::ALL.iter().map(|metric| metric.name).collect()
}
