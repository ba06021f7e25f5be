//! The plan of a report, and the hours and files that plans pass over.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::{Expr, LogicalPlan};
use skillscope_segment::{Outcome, UserType};
use skillscope_store::StoreOptions;

use super::world::{Facts, World, segments};
use crate::report::ReportPlans;
use crate::table::SegmentsTable;

const HOUR_MS: i64 = 3_600_000;

/// A day of one segment an hour in each of two accounts, seen at its end.
fn a_day() -> World {
    a_day_of_which(StoreOptions::HOT_HOURS, 0)
}

/// … with the first so many segments archived, those before the hot hours in files alone.
fn a_day_of_which(hot_hours: u32, archived: usize) -> World {
    let facts: Vec<Facts> = (0..24)
        .flat_map(|hour| ["acme", "bolt"].map(|account| (account, hour)))
        .map(|(account, hour)| Facts {
            account,
            skill: hour,
            end_time: hour * HOUR_MS + 1,
            user_type: UserType::Human,
            outcome: Outcome::Abandoned,
            in_queue: false,
            sample: None,
        })
        .collect();
    World::with_hot_hours(24 * HOUR_MS, hot_hours, archived, &segments(&facts))
}

/// The functions that a plan calls.
fn functions(plan: &LogicalPlan) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    plan.apply(|node| {
        node.apply_expressions(|expression| {
            expression.apply(|part| {
                match part {
                    Expr::ScalarFunction(function) => names.insert(function.name().to_owned()),
                    Expr::AggregateFunction(function) => names.insert(function.func.name().to_owned()),
                    _ => false,
                };
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })
    .unwrap();
    names
}

#[test]
fn the_plan_is_one_aggregation_with_built_in_functions() {
    let world = a_day();
    let query = [("timeframe", "60"), ("interval", "30"), ("skillIds", "1,2"), ("userType", "human"), ("v", "1")];
    let table = SegmentsTable::new(std::sync::Arc::clone(&world.store), crate::Scope::All);
    let request = world.request("acme", &query).unwrap();
    let plan = ReportPlans::new().unwrap().plan(provider_as_source(Arc::new(table)), &request).unwrap();
    assert_eq!(functions(&plan).into_iter().collect::<Vec<_>>(), ["count", "date_bin", "sum"]);
    let mut nodes = Vec::new();
    plan.apply(|node| {
        nodes.push(match node {
            LogicalPlan::Aggregate(_) => "aggregate",
            LogicalPlan::Filter(_) => "filter",
            LogicalPlan::TableScan(_) => "scan",
            _ => "other",
        });
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    assert_eq!(nodes, ["aggregate", "filter", "scan"]);
}

async fn explained(world: &World, condition: &str) -> String {
    let text = format!("explain select max(start_time) from segments where {condition}");
    let batches = rows(world, &text, None).await;
    arrow_text(&batches)
}

async fn rows(world: &World, text: &str, account: Option<&str>) -> Vec<arrow::array::RecordBatch> {
    world.sql(text, account).await.unwrap()
}

fn arrow_text(batches: &[arrow::array::RecordBatch]) -> String {
    datafusion::arrow::util::pretty::pretty_format_batches(batches).unwrap().to_string()
}

#[tokio::test]
async fn only_the_hours_that_a_filter_can_touch_are_read() {
    let world = a_day();
    for (condition, hours) in [
        ("true", "hours=48 of 48"),
        ("account_id = 'acme'", "hours=24 of 24"),
        ("'acme' = account_id", "hours=24 of 24"),
        ("account_id = 'nobody'", "hours=0 of 0"),
        ("account_id in ('acme', 'nobody')", "hours=24 of 48"),
        ("account_id = 'acme' and end_time >= now() - interval '2 hours'", "hours=2 of 24"),
        ("account_id = 'acme' and end_time between '1970-01-01T05:00:00Z' and '1970-01-01T06:59:00Z'", "hours=2 of 24"),
        ("account_id = 'acme' and skill_id in (3, 9)", "hours=2 of 24"),
        ("account_id = 'acme' and (skill_id = 3 or end_time < '1970-01-01T01:00:00Z')", "hours=2 of 24"),
        ("account_id = 'acme' and end_time > '1980-01-01T00:00:00Z'", "hours=0 of 24"),
    ] {
        let plan = explained(&world, condition).await;
        assert!(plan.contains(&format!("SegmentsScan: {hours},")), "{condition}:\n{plan}");
    }
}

#[tokio::test]
async fn only_the_files_that_a_filter_can_touch_are_read() {
    // Each hour of the day has a file of its own for each account; half of the day is hot.
    let world = a_day_of_which(12, 48);
    for (condition, files, hours) in [
        ("account_id = 'acme' and end_time < '1970-01-01T02:00:00Z'", 2, 0),
        ("account_id = 'acme' and skill_id in (3, 9)", 2, 0),
        ("account_id = 'acme' and skill_id in (3, 23)", 1, 1),
        ("account_id = 'acme' and end_time >= '1970-01-01T12:00:00Z'", 0, 12),
        ("account_id = 'acme' and end_time >= '1970-01-01T11:00:00Z'", 1, 12),
        ("account_id = 'nobody'", 0, 0),
    ] {
        let plan = explained(&world, condition).await;
        let physical = plan.split_once("physical_plan").unwrap().1;
        assert_eq!(physical.matches(".parquet").count(), files, "{condition}:\n{plan}");
        let memory = physical.contains(&format!("SegmentsScan: hours={hours} of"));
        assert!(memory || (hours == 0 && files > 0), "{condition}:\n{plan}");
    }
}

#[tokio::test]
async fn what_is_passed_over_never_changes_an_answer() {
    for world in [a_day(), a_day_of_which(12, 48), a_day_of_which(0, 20), a_day_of_which(0, 48)] {
        check_answers(&world).await;
    }
}

async fn check_answers(world: &World) {
    for (condition, expected) in [
        ("true", 48),
        ("account_id = 'acme'", 24),
        ("account_id <> 'acme'", 24),
        ("account_id like 'a%' and skill_id > 20", 3),
        ("end_time < '1970-01-01T02:00:00Z'", 4),
        ("not (end_time < '1970-01-01T02:00:00Z')", 44),
        ("account_id = 'acme' and user_type = 'human' and skill_id % 2 = 0", 12),
    ] {
        let batches =
            rows(world, &format!("select sum(segment_index + 1) as n from segments where {condition}"), None).await;
        assert!(arrow_text(&batches).contains(&format!("| {expected} ")), "{condition}: {}", arrow_text(&batches));
    }
}
