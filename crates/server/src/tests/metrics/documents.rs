//! The documents about metrics, against what a server exposes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::exposition::{Exposition, Family};
use super::promql::named;
use super::{busy, metrics};

const TABLE: &str = include_str!("../../../../../docs/metrics.md");
const DASHBOARD: &str = include_str!("../../../../../docs/grafana.json");
const ALERTS: &str = include_str!("../../../../../docs/alerts.yml");

/// A metric as a row of the table.
fn row(family: &Family) -> String {
    let labels: BTreeSet<&str> = family
        .samples
        .iter()
        .flat_map(|sample| sample.labels.keys())
        .map(String::as_str)
        .filter(|label| *label != "le")
        .collect();
    let labels: Vec<String> = labels.into_iter().map(|label| format!("`{label}`")).collect();
    // The text format calls an info a gauge.
    format!("| `{}` | {} | {} | {} |", family.name, family.kind, labels.join(", "), family.help)
}

#[tokio::test]
async fn the_table_has_every_metric_and_no_other() {
    let exposed = metrics(&busy().await).await;
    let rows: Vec<String> = exposed.families.iter().map(row).collect();
    let told: BTreeSet<&str> = TABLE.lines().filter(|line| line.starts_with("| `")).collect();
    let missing: Vec<&String> = rows.iter().filter(|row| !told.contains(row.as_str())).collect();
    assert!(
        missing.is_empty(),
        "docs/metrics.md lacks\n{}",
        missing.into_iter().cloned().collect::<Vec<_>>().join("\n")
    );
    let known: BTreeSet<&str> = rows.iter().map(String::as_str).collect();
    let surplus: Vec<&&str> = told.iter().filter(|row| !known.contains(**row)).collect();
    assert!(surplus.is_empty(), "docs/metrics.md tells of what is not there: {surplus:#?}");
}

#[tokio::test]
async fn every_query_of_the_dashboard_finds_what_it_asks_for() {
    let exposed = metrics(&busy().await).await;
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let rows: Vec<&str> =
        panels.iter().filter(|panel| panel["type"] == "row").map(|panel| panel["title"].as_str().unwrap()).collect();
    let subjects = ["Health", "Traffic", "Latency", "Ingestion", "Conversations", "Storage", "Memory", "SQL"];
    assert_eq!(rows, subjects);
    let mut queries = 0;
    for panel in panels.iter().filter(|panel| panel["type"] != "row") {
        let title = panel["title"].as_str().unwrap();
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{title}");
        let targets = panel["targets"].as_array().unwrap();
        assert!(!targets.is_empty(), "{title}");
        for target in targets {
            queries += 1;
            let query = target["expr"].as_str().unwrap();
            assert!(query.contains("instance=~\"$instance\""), "{title}: {query}");
            finds(title, query, &exposed);
        }
    }
    assert!(queries > 30, "{queries} queries were checked");
    let identifiers: BTreeSet<u64> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(identifiers.len(), panels.len());
}

#[tokio::test]
async fn every_alert_finds_what_it_asks_for() {
    let exposed = metrics(&busy().await).await;
    let rules: Vec<&str> = ALERTS.lines().filter_map(|line| line.trim().strip_prefix("expr: ")).collect();
    let alerts = ALERTS.lines().filter(|line| line.trim().starts_with("- alert: ")).count();
    assert_eq!(rules.len(), alerts);
    assert!(alerts >= 10, "{alerts} alerts were checked");
    for rule in rules {
        finds("an alert", rule, &exposed);
    }
}

fn finds(what: &str, query: &str, exposed: &Exposition) {
    let named = named(query);
    assert!(!named.is_empty(), "{what} asks for nothing: {query}");
    let missing = named.missing(exposed);
    assert!(missing.is_empty(), "{what} asks for {missing:?}, which no server tells: {query}");
}
