//! The endpoint of the report: its answers, its parameters, and the host look-up of existing clients.

use std::sync::atomic::Ordering;

use axum::body::Body;
use axum::http::{Request, Version};
use serde_json::json;

use tower::ServiceExt;

use super::door::{Answer, Door, HOST, NOW, SEGMENTS, line, report_of};
use crate::{HttpOptions, TrustedProxies};

const HOUR: i64 = 3_600_000;

#[tokio::test]
async fn a_stored_segment_is_in_the_next_report() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1)).await;
    let answer = door.get(&report_of("acme")).await;
    assert_eq!(answer.status, 200);
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(
        answer.text(),
        concat!(
            r#"{"skillsMetrics":{"7":{"totalSkillConversationSegments":1,"skillSegmentsAbandonedByConsumers":1,"#,
            r#""skillSegmentsAbandonedByConsumersInQueue":1,"skillSegmentsWithNonResponsiveConsumers":0,"#,
            r#""skillSegmentsWithNonResponsiveAgents":0,"interactiveSkillSegments":0,"#,
            r#""avgTimetoFirstAgentMessageFromAgentAssignment":0}},"metricsTotal":{"totalSkillConversationSegments":1,"#,
            r#""skillSegmentsAbandonedByConsumers":1,"skillSegmentsAbandonedByConsumersInQueue":1,"#,
            r#""skillSegmentsWithNonResponsiveConsumers":0,"skillSegmentsWithNonResponsiveAgents":0,"#,
            r#""interactiveSkillSegments":0,"avgTimetoFirstAgentMessageFromAgentAssignment":0}}"#
        )
    );
}

#[tokio::test]
async fn a_refused_parameter_is_named_with_its_value_and_the_rule() {
    let door = Door::new();
    let answer = door.get("/operations/api/account/acme/msgskillsegments?timeframe=60&interval=31&v=1").await;
    let problem = answer.problem(400);
    assert_eq!(problem["parameter"], "interval");
    assert_eq!(problem["value"], "31");
    assert_eq!(problem["detail"], "it divides the timeframe, which is 60");
    assert_eq!(answer.header("cache-control"), Some("no-store"));

    let problem = door.get("/operations/api/account/acme/msgskillsegments?v=1").await.problem(400);
    assert_eq!(problem["parameter"], "timeframe");
    assert!(problem.get("value").is_none(), "a missing parameter has no value: {problem}");
}

#[tokio::test]
async fn parameters_are_percent_decoded() {
    let door = Door::new();
    let base = "/operations/api/account/acme/msgskillsegments?timeframe=60&v=1";
    assert_eq!(door.get(&format!("{base}&skillIds=%34%2C153")).await.status, 200);
    // A plus is a space in a query.
    assert_eq!(door.get(&format!("{base}&skillIds=4,+153")).await.problem(400)["value"], "4, 153");
    assert_eq!(door.get(&format!("{base}&userType=%ff")).await.problem(400)["parameter"], "userType");
}

#[tokio::test]
async fn an_account_that_nobody_has_heard_of_has_an_empty_report() {
    let door = Door::new();
    for account in ["nobody", "undefined", "-._-", &"x".repeat(64)] {
        let answer = door.get(&report_of(account)).await;
        assert_eq!(answer.status, 200, "{account}");
        assert_eq!(answer.json()["skillsMetrics"], serde_json::json!({}));
        assert_eq!(answer.json()["metricsTotal"]["totalSkillConversationSegments"], 0);
    }
}

#[tokio::test]
async fn a_name_that_is_no_accounts_is_refused_as_it_is_where_segments_come_in() {
    let door = Door::new();
    let long = "x".repeat(65);
    let names = [
        ("%C3%A4%2F..", "ä/.."),
        ("%7Baccount%7D", "{account}"),
        ("$ACCOUNT", "$ACCOUNT"),
        ("%20", " "),
        ("..", ".."),
        ("*", "*"),
        ("%00", "\0"),
        (&long, &long),
        // Nothing at all: a variable that is not set.
        ("", ""),
    ];
    for (in_url, named) in names {
        let report = door.get(&report_of(in_url)).await.problem(400);
        let ingestion = format!("/v1/accounts/{in_url}/segments");
        let ingestion = door.post(&ingestion, "application/x-ndjson", line("c-1", 7, 1)).await.problem(400);
        for problem in [report, ingestion] {
            assert_eq!(problem["parameter"], "account", "{problem}");
            assert_eq!(problem["value"], named, "{problem}");
        }
    }
    for path in [report_of("%ff"), report_of("a%C3"), "/api/account/%ff/service/agentVep/baseURI.json".to_owned()] {
        let problem = door.get(&path).await.problem(400);
        assert_eq!(problem["parameter"], "account", "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("UTF-8"), "{problem}");
    }
}

#[tokio::test]
async fn existing_clients_find_the_host_that_they_asked() {
    let door = Door::new();
    let of = |service: &str| json!({ "service": service, "account": "acme", "baseURI": HOST });
    for service in ["leDataReporting", "agentVep"] {
        for end in ["?version=1.0", "", "/", "/?version=1.0"] {
            let answer = door.get(&format!("/api/account/acme/service/{service}/baseURI.json{end}")).await;
            assert_eq!(answer.json(), of(service));
        }
    }
    for list in ["/api/account/acme/service/baseURI.json", "/csdr/account/acme/service/baseURI.json"] {
        for end in ["?version=1.0", "", "/?version=1.0"] {
            let answer = door.get(&format!("{list}{end}")).await;
            assert_eq!(answer.json(), json!({ "baseURIs": [of("leDataReporting"), of("agentVep")] }));
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
    door.get("/api/account/acme/service/other/baseURI.json").await.problem(404);
}

#[tokio::test]
async fn a_look_up_needs_a_host() {
    for path in ["/api/account/a/service/agentVep/baseURI.json", "/csdr/account/a/service/baseURI.json"] {
        for version in [Version::HTTP_10, Version::HTTP_11] {
            let request = Request::get(path).version(version).body(Body::empty()).unwrap();
            let response = Door::new().routes().oneshot(request).await.unwrap();
            assert_eq!(response.status(), 400, "{path} {version:?}");
        }
    }
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_host_is_the_one_that_the_client_saw() {
    let trusted_proxies = TrustedProxies::parse(&["127.0.0.0/8".to_owned()]).unwrap();
    let (behind, direct) = (Door::with_http(HttpOptions { trusted_proxies, ..HttpOptions::default() }), Door::new());
    for (door, expected) in [(&behind, "wall.example"), (&direct, HOST)] {
        let request = Request::get("/api/account/acme/service/baseURI.json")
            .header("x-forwarded-for", "203.0.113.9")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "wall.example");
        let answer = door.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.json()["baseURIs"][1]["baseURI"], expected);
    }
}

#[tokio::test]
async fn a_slash_at_the_end_of_the_familys_routes_is_none() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1)).await;
    let (plain, with_slash) = (report_of("acme"), report_of("acme").replace('?', "/?"));
    assert_eq!(door.get(&with_slash).await.body, door.get(&plain).await.body);
    assert_eq!(door.get(&with_slash).await.status, 200);
    // As it is not for any other, and not twice.
    for path in ["/v1/sql/", "/healthz/", "/operations/api/account/acme/msgskillsegments//?v=1&timeframe=60"] {
        door.get(path).await.problem(404);
    }
}

/// What the fuzz target begins with, and what a fuzzer finds easily.
#[tokio::test]
async fn any_query_string_is_answered_or_refused() {
    let door = Door::new();
    let seeds = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds/report_query");
    let seeds = seeds.read_dir().unwrap().map(|seed| std::fs::read_to_string(seed.unwrap().path()).unwrap());
    let many =
        ["&".repeat(60_000), "v=1&".repeat(15_000), format!("v=1&timeframe=60&skillIds={}", "1,".repeat(30_000))];
    let mut answered = 0;
    for query in seeds.chain(many) {
        let answer = door.get(&format!("/operations/api/account/acme/msgskillsegments?{query}")).await;
        match answer.status.as_u16() {
            200 => answered += 1,
            _ => drop(answer.problem(400)),
        }
    }
    assert!(answered >= 3, "{answered} were answered");
}

/// A report of many skills is computed elsewhere, and of very many in turns.
#[tokio::test]
async fn a_large_report_is_what_its_parts_are() {
    const SKILLS: i64 = 3_000;
    let door = Door::new();
    let skills: Vec<i64> = (1..=SKILLS).collect();
    for some in skills.chunks(200) {
        let lines: String = some.iter().map(|skill| line(&format!("c-{skill}"), *skill, 1)).collect();
        assert_eq!(door.post(SEGMENTS, "application/x-ndjson", lines).await.json()["rejected_count"], 0);
    }
    let whole = door.get(&(report_of("acme") + "&interval=30")).await;
    let small = door.get(&(report_of("acme") + "&interval=30&skillIds=1,3000")).await.json();
    let gzip = Request::get(report_of("acme") + "&interval=30").header("accept-encoding", "gzip");
    let gzip = door.send(gzip.body(Body::empty()).unwrap()).await;
    assert_eq!(gzip.header("content-encoding"), Some("gzip"));
    let mut text = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(gzip.body.as_slice()), &mut text).unwrap();
    assert!(text == whole.body, "compressed it is the same");
    let whole = whole.json();
    assert_eq!(whole["timeframeSummary"]["skillsMetrics"].as_object().unwrap().len() as i64, SKILLS);
    assert_eq!(whole["timeframeSummary"]["metricsTotal"]["totalSkillConversationSegments"], SKILLS);
    for skill in ["1", "3000"] {
        let of = |report: &serde_json::Value| report["metricsByIntervals"][0]["skillsMetrics"][skill].clone();
        assert!(of(&whole).is_object());
        assert_eq!(of(&whole), of(&small), "{skill}");
    }
}

/// Two segments ended at the same time; one of them came two minutes later.
#[tokio::test]
async fn the_past_is_told_as_it_was_and_as_it_was_known() {
    let (door, now) = Door::moving(NOW - HOUR);
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, HOUR + 1_000)).await;
    let live = door.get(&report_of("acme")).await.text();
    now.store(NOW - HOUR + 120_000, Ordering::Relaxed);
    door.post(SEGMENTS, "application/x-ndjson", line("c-2", 7, HOUR + 1_000)).await;
    let past = format!("/v1/accounts/acme/report?timeframe=60&v=1&at={}", NOW - HOUR);
    let total = |answer: &Answer| answer.json()["metricsTotal"]["totalSkillConversationSegments"].clone();
    let all = door.get(&past).await;
    assert_eq!(total(&all), 2);
    assert_eq!(all.header("cache-control"), Some("no-store"));
    assert_eq!(door.get(&format!("{past}&asKnown=false")).await.text(), all.text());
    let known = door.get(&format!("{past}&asKnown=true")).await;
    assert_eq!((total(&known), known.text()), (serde_json::json!(1), live));
    for (as_known, expected) in [("true", 1), ("false", 2), ("null", 2)] {
        let report = format!("skill_report('acme', {}, 60, as_known => {as_known})", NOW - HOUR);
        let rows = door.sql(&format!("select total from {report} where skill_id is null")).await.json();
        assert_eq!(rows, json!([{ "total": expected }]), "{as_known}");
    }
    // An hour later in the zone of the offset, whose plus may come as a space.
    let text = "2018-01-18T08:51:55.679";
    for at in [format!("{text}+01:00"), format!("{text}%2B01:00"), "2018-01-18T07:51:55.679Z".to_owned()] {
        let answer = door.get(&format!("/v1/accounts/acme/report?timeframe=60&v=1&at={at}")).await;
        assert_eq!(answer.text(), all.text(), "{at}");
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_question_about_the_past_is_named() {
    let door = Door::new();
    let base = "/v1/accounts/acme/report?timeframe=60&v=1";
    let cases = [
        ("", "at", None),
        ("&at=yesterday", "at", Some("yesterday")),
        ("&at=", "at", Some("")),
        ("&at=1&at=2", "at", Some("2")),
        ("&at=1&asKnown=yes", "asKnown", Some("yes")),
        ("&at=1&asknown=true", "asKnown", Some("true")),
        ("&at=1&interval=7", "interval", Some("7")),
    ];
    for (rest, parameter, value) in cases {
        let problem = door.get(&format!("{base}{rest}")).await.problem(400);
        assert_eq!(problem["parameter"], parameter, "{rest}");
        assert_eq!(problem.get("value").and_then(|value| value.as_str()), value, "{rest}");
    }
}
