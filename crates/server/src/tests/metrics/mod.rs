//! `/metrics`: what is counted, how it is written, and what documents say of it.

mod documents;
mod exposition;
mod promql;

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use futures::TryStreamExt;
use serde_json::json;
use skillscope_query::Scope;

use self::exposition::Exposition;
use super::connections::{HEALTH, SHORT, ask, at_most, patient, rest, send, serve};
use super::door::{Answer, Door, SEGMENTS, line, report_of};
use super::events::{EVENTS, event};
use crate::HttpOptions;
use crate::tls::TestCertificate;

const NDJSON: &str = "application/x-ndjson";

async fn metrics(door: &Door) -> Exposition {
    Exposition::of_prometheus(&door.get("/metrics").await.text())
}

async fn accepting(door: &Door, accept: &str) -> Answer {
    let request = Request::get("/metrics").header("host", "localhost").header("accept", accept);
    door.send(request.header("accept-encoding", "gzip").body(Body::empty()).unwrap()).await
}

/// A server that has done something of everything.
async fn busy() -> Door {
    let door = Door::new();
    door.post(SEGMENTS, NDJSON, line("c-1", 7, 1) + &line("c-2", 8, 2) + "oops\n").await;
    door.post(SEGMENTS, NDJSON, line("c-1", 7, 1)).await;
    let started = json!({ "type": "conversation_started", "skill_id": 7, "source": "APP" });
    door.post(EVENTS, NDJSON, event("c-3", 0, 9_000, started) + "{}\n").await;
    door.post(EVENTS, NDJSON, event("c-4", 0, 8_000, json!({ "type": "returned_to_queue" }))).await;
    door.get(&report_of("acme")).await;
    door.get("/nothing/here").await;
    door.sql("select * from segments").await;
    door.sql("oops").await;
    for protocol in ["postgresql", "flight-sql"] {
        let rows = door.app.engine().sql(Scope::All, protocol).run("select 1", Vec::new()).await.unwrap();
        rows.try_collect::<Vec<_>>().await.unwrap();
    }
    let certificate = TestCertificate::valid((2018, 1, 1), (2040, 1, 2));
    door.app.statistics().watch_certificate(&certificate.tls());
    door.app.tell_of_quiet_accounts(Duration::from_secs(3600));
    door.post("/v1/backup", "text/plain", "").await;
    // Its end is noted once its last byte has gone.
    while door.app.statistics().backups().done == 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    door
}

#[tokio::test]
async fn records_are_counted_by_kind_and_by_what_became_of_them() {
    let door = busy().await;
    let metrics = metrics(&door).await;
    let records =
        |kind, outcome| metrics.value("skillscope_ingestion_records_total", &[("kind", kind), ("outcome", outcome)]);
    assert_eq!(["accepted", "duplicate", "rejected"].map(|outcome| records("segments", outcome)), [2.0, 1.0, 1.0]);
    assert_eq!(["accepted", "duplicate", "rejected"].map(|outcome| records("events", outcome)), [2.0, 0.0, 1.0]);
    let sent = 2 * line("c-1", 7, 1).len() + line("c-2", 8, 2).len() + "oops\n".len();
    assert_eq!(metrics.value("skillscope_ingestion_received_bytes_total", &[("kind", "segments")]), sent as f64);
    assert_eq!(metrics.value("skillscope_segments_stored_total", &[]), 2.0);
    assert_eq!(metrics.value("skillscope_segments", &[("location", "memory")]), 2.0);
    assert_eq!(metrics.value("skillscope_dead_letters_total", &[("reason", "not_started")]), 1.0);
    assert_eq!(metrics.value("skillscope_dead_letters_total", &[("reason", "too_late")]), 0.0);
    assert_eq!(metrics.value("skillscope_conversations_open", &[]), 1.0);
    // The newest segment ended a millisecond before the instant of the tests, and the newest event is eight seconds old.
    let lag = |kind| metrics.value("skillscope_ingestion_lag_seconds", &[("kind", kind)]);
    assert_eq!(((lag("events") - lag("segments")) * 1000.0).round(), 7999.0);
    // One commit for the two segments and one for each write of events; a repeat needs none.
    assert_eq!(metrics.value("skillscope_journal_commits_total", &[("outcome", "done")]), 3.0);
    assert_eq!(metrics.value("skillscope_journal_commits_total", &[("outcome", "failed")]), 0.0);
}

#[tokio::test]
async fn requests_are_counted_by_their_routes_and_unknown_paths_make_no_series() {
    let door = busy().await;
    for path in ["/nothing/else", "/v1/accounts/acme/secrets", "/metrics/more"] {
        door.get(path).await;
    }
    door.post(&report_of("acme"), "text/plain", "").await;
    let metrics = metrics(&door).await;
    let requests = |route, method, status| {
        metrics.value("skillscope_http_requests_total", &[("route", route), ("method", method), ("status", status)])
    };
    let report = "/operations/api/account/{account}/msgskillsegments";
    assert_eq!(requests("/v1/accounts/{account}/segments", "POST", "200"), 2.0);
    assert_eq!(requests("/v1/accounts/{account}/events", "POST", "200"), 2.0);
    assert_eq!(requests(report, "GET", "200"), 1.0);
    assert_eq!(requests(report, "POST", "405"), 1.0);
    assert_eq!((requests("/v1/sql", "POST", "200"), requests("/v1/sql", "POST", "400")), (1.0, 1.0));
    assert_eq!(requests("other", "GET", "404"), 4.0);
    let routes = metrics.samples().filter(|sample| sample.name == "skillscope_http_requests_total");
    let named: std::collections::BTreeSet<_> = routes.map(|sample| sample.labels["route"].clone()).collect();
    assert!(!named.iter().any(|route| route.contains("acme") || route.contains("nothing")), "{named:?}");
    let count =
        |route| metrics.value("skillscope_http_request_duration_seconds_count", &[("route", route), ("method", "GET")]);
    assert_eq!((count(report), count("other")), (1.0, 4.0));
    assert!(
        metrics.value("skillscope_http_request_duration_seconds_sum", &[("route", report), ("method", "GET")]) > 0.0
    );
    // This request itself is under way.
    assert_eq!(metrics.value("skillscope_http_requests_in_progress", &[]), 1.0);
}

#[tokio::test]
async fn statements_are_counted_by_door_and_outcome() {
    let metrics = metrics(&busy().await).await;
    let statements =
        |door, outcome| metrics.value("skillscope_sql_statements_total", &[("door", door), ("outcome", outcome)]);
    assert_eq!((statements("http", "answered"), statements("http", "wrong")), (1.0, 1.0));
    assert_eq!((statements("postgresql", "answered"), statements("flight-sql", "answered")), (1.0, 1.0));
    assert_eq!(metrics.value("skillscope_sql_returned_rows_total", &[("door", "http")]), 2.0);
    assert_eq!(metrics.value("skillscope_sql_statement_duration_seconds_count", &[("door", "http")]), 2.0);
    assert_eq!(metrics.value("skillscope_backups_total", &[("outcome", "done")]), 1.0);
}

#[tokio::test]
async fn connections_are_counted_by_door_and_by_how_they_ended() {
    let door = Door::new();
    let address = serve(&door, at_most(1, HttpOptions { header_timeout: SHORT, ..patient() }));
    let mut unfinished = send(address, "GET /healthz HTT").await;
    assert!(ask(address, HEALTH).await.starts_with("HTTP/1.1 503"));
    rest(&mut unfinished).await;
    while metrics(&door).await.value("skillscope_connections", &[("door", "http")]) > 0.0 {
        tokio::task::yield_now().await;
    }
    let metrics = metrics(&door).await;
    let of_door = |name: &str| metrics.value(name, &[("door", "http")]);
    assert_eq!(of_door("skillscope_connections_limit"), 1.0);
    assert_eq!(of_door("skillscope_connections_accepted_total"), 1.0);
    assert_eq!(of_door("skillscope_connections_turned_away_total"), 1.0);
    let broken_off =
        |reason| metrics.value("skillscope_connections_broken_off_total", &[("door", "http"), ("reason", reason)]);
    assert_eq!((broken_off("late"), broken_off("unread")), (1.0, 0.0));
    // The other doors are closed.
    assert_eq!(metrics.value("skillscope_connections_limit", &[("door", "postgresql")]), 0.0);
}

#[tokio::test]
async fn health_is_told() {
    let door = Door::new();
    let told = |metrics: &Exposition| {
        ["skillscope_ready", "skillscope_disk_accepts_writes", "skillscope_outcome_identity_breaches_total"]
            .map(|name| metrics.value(name, &[]))
    };
    let before = metrics(&door).await;
    assert_eq!(told(&before), [1.0, 1.0, 0.0]);
    assert_eq!(before.value("skillscope_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), 1.0);
    assert_eq!(before.value("skillscope_authentication_required", &[]), 0.0);
    assert_eq!(before.find("skillscope_ingestion_lag_seconds", &[("kind", "segments")]), None);
    assert!(before.value("process_resident_memory_bytes", &[]) > 1e6);
    assert!(before.value("process_open_fds", &[]) <= before.value("process_max_fds", &[]));
    door.app.stop();
    assert_eq!(told(&metrics(&door).await), [0.0, 1.0, 0.0]);
}

#[tokio::test]
async fn the_end_of_the_certificate_is_told() {
    // The second day of 2040.
    let ends = metrics(&busy().await).await.value("skillscope_tls_certificate_expires_timestamp_seconds", &[]);
    assert_eq!(ends, 2_209_075_200.0);
    assert_eq!(metrics(&Door::new()).await.find("skillscope_tls_certificate_expires_timestamp_seconds", &[]), None);
}

#[tokio::test]
async fn prometheus_is_given_what_it_asks_for_and_others_what_all_know() {
    let door = busy().await;
    let of_2 = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let of_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,\
                application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.3,\
                text/plain;version=0.0.4;q=0.2,*/*;q=0.1";
    for accept in [of_2, of_3, "application/openmetrics-text"] {
        let answer = accepting(&door, accept).await;
        assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
        assert_eq!(answer.header("content-encoding"), None);
        let families = Exposition::of_open_metrics(&answer.text()).families;
        let unit = |name: &str| families.iter().find(|family| family.name == name).unwrap().unit.clone();
        assert_eq!(unit("skillscope_http_request_duration_seconds").as_deref(), Some("seconds"));
        assert_eq!(unit("skillscope_ingestion_received_bytes").as_deref(), Some("bytes"));
        for family in &families {
            let ends = family.unit.as_ref().is_none_or(|unit| family.name.ends_with(&format!("_{unit}")));
            assert!(ends, "{} is in {:?}", family.name, family.unit);
        }
    }
    let of_browser = "text/html,application/xhtml+xml,*/*;q=0.8";
    for accept in ["*/*", "text/plain", of_browser, "image/png", "application/openmetrics-text;q=0"] {
        let answer = accepting(&door, accept).await;
        assert_eq!(
            (answer.status.as_u16(), answer.header("content-type")),
            (200, Some("text/plain; version=0.0.4; charset=utf-8"))
        );
        Exposition::of_prometheus(&answer.text());
    }
}

#[tokio::test]
async fn names_and_units_are_as_prometheus_asks() {
    let metrics = metrics(&busy().await).await;
    for family in &metrics.families {
        let name = family.name.as_str();
        assert!(name.starts_with("skillscope_") || name.starts_with("process_"), "{name}");
        assert_eq!(name.ends_with("_total"), family.kind == "counter", "{name}");
        assert!(!["_count", "_sum", "_bucket"].iter().any(|ending| name.ends_with(ending)), "{name}");
        let bare = name.trim_end_matches("_total");
        let words: Vec<&str> = bare.split('_').collect();
        let foreign = ["ms", "milliseconds", "minutes", "hours", "kb", "mb", "kilobytes", "megabytes", "percent"];
        assert!(!words.iter().any(|word| foreign.contains(word)), "{name}");
        for unit in ["seconds", "bytes"] {
            assert!(!words.contains(&unit) || bare.ends_with(unit), "{name}");
        }
        let is_sized = family.kind != "histogram" || bare.ends_with("_seconds") || bare.ends_with("_bytes");
        assert!(is_sized, "{name}");
        assert!(family.help.ends_with('.') || family.help.ends_with(')'), "{name}: {}", family.help);
        // Whatever comes from outside stays outside.
        assert!(family.samples.iter().flat_map(|sample| sample.labels.values()).all(|value| !value.contains("acme")));
    }
}

#[tokio::test]
async fn metrics_come_while_statements_and_reports_keep_their_threads() {
    let door = busy().await;
    let threads = door.app.threads();
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = std::sync::Arc::new(parking_lot::Mutex::new(held));
    let processors = std::thread::available_parallelism().map_or(2, usize::from).max(2);
    let kept: Vec<_> = (0..processors)
        .map(|_| {
            let held = std::sync::Arc::clone(&held);
            threads.reports.handle().spawn(async move { held.lock().recv().is_err() })
        })
        .collect();
    let statements: Vec<_> = (0..2 * processors)
        .map(|_| {
            let held = std::sync::Arc::clone(&held);
            door.app.engine().spawn(async move { held.lock().recv().is_err() })
        })
        .collect();
    let answer = accepting(&door, "application/openmetrics-text").await;
    assert_eq!(answer.status, 200);
    drop(hold);
    futures::future::join_all(kept).await;
    futures::future::join_all(statements).await;
}
