//! Nothing that a client sends makes the server panic, or answer 500.

use axum::body::Body;
use axum::http::Request;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use skillscope_segment::Format;

use super::door::{Door, SEGMENTS, line, two_segments};
use super::events::{EVENTS, event as event_line};
use super::history::HISTORY;

const TEXTS: [&str; 22] = [
    "1",
    "60",
    "1440",
    "all",
    "human",
    "bot",
    "-1",
    "0",
    "4,153",
    ",",
    "9223372036854775808",
    "-9223372036854775808",
    "",
    "1.5",
    "NaN",
    "%00",
    "%ff",
    "%",
    "+",
    "%F0%9F%92%A9",
    "null",
    "..%2F..%2Fetc",
];

fn any_query() -> impl Strategy<Value = String> {
    let name = select(vec!["timeframe", "v", "interval", "skillIds", "userType", "every", "x", "", "%74imeframe"]);
    let value = prop_oneof![3 => select(TEXTS.to_vec()).prop_map(str::to_owned), 1 => "[!-~&&[^#\"<>`{}|\\\\^]]{0,20}"];
    let pair = (name, value).prop_map(|(name, value)| format!("{name}={value}"));
    let free = "[!-~&&[^#\"<>`{}|\\\\^]]{0,30}";
    // Often enough the required parameters are right, so that the others are looked at.
    let pairs = (any::<bool>(), vec(prop_oneof![4 => pair, 1 => free], 0..5));
    pairs.prop_map(
        |(valid, pairs)| if valid { format!("timeframe=60&v=1&{}", pairs.join("&")) } else { pairs.join("&") },
    )
}

/// An Arrow stream or a Parquet file of two segments, with some bytes changed, or its end missing.
fn damaged_binary() -> impl Strategy<Value = Vec<u8>> {
    let format = select(vec![Format::Arrow, Format::Parquet]);
    let changes = vec((any::<prop::sample::Index>(), any::<u8>()), 0..3);
    (format, changes, proptest::option::of(any::<prop::sample::Index>())).prop_map(|(format, changes, end)| {
        let mut bytes = two_segments(format);
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes.truncate(end.map_or(bytes.len(), |end| end.index(bytes.len())));
        bytes
    })
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    let json = prop_oneof![
        Just(serde_json::json!(null)),
        Just(serde_json::json!([])),
        Just(serde_json::json!(-1)),
        Just(serde_json::json!(1e300)),
        Just(serde_json::json!("text")),
        Just(serde_json::json!(u64::MAX)),
    ];
    let field = select(vec![
        "conversation_id",
        "segment_index",
        "skill_id",
        "start_time",
        "end_time",
        "outcome",
        "abandoned_in_queue",
        "first_assigned_time",
        "time_to_first_agent_message_ms",
        "agent_messages",
        "source",
        "account_id",
    ]);
    let damaged_record = (field, json, any::<bool>()).prop_map(|(field, value, in_array)| {
        let mut record: serde_json::Value = serde_json::from_str(&line("c", 1, 1)).unwrap();
        record[field] = value;
        (if in_array { format!("[{record}]") } else { record.to_string() }).into_bytes()
    });
    let statement = select(vec![
        "select 1",
        "select * from segments",
        "select count(*) from segments group by",
        "select -9223372036854775808 / -1",
        "select cast(1e300 as bigint)",
        "select repeat('x', 10)",
        "select interval '1 month' * 3",
        "select array[1, null]",
        "select date_bin(interval '0 minutes', end_time) from segments",
        "select chr(0)",
        "select substr('ä', 2, -1)",
        "select to_timestamp('x')",
        "select now() - interval '400000 years'",
        "select 1 % 0",
        "select power(10, 400)",
        "show tables",
        "describe segments",
        "explain select 1",
        "explain analyze select 1",
        "select \u{0}",
        "values (1), (2)",
        "select * from information_schema.columns",
        "with recursive t as (select 1) select * from t",
        "select $1",
    ]);
    let query = statement.prop_map(|text| serde_json::json!({ "query": text }).to_string().into_bytes());
    prop_oneof![
        vec(any::<u8>(), 0..200),
        ".{0,80}".prop_map(String::into_bytes),
        damaged_record,
        query,
        damaged_binary()
    ]
}

/// Events of which every field may be anything that it can be.
fn any_events() -> impl Strategy<Value = Vec<u8>> {
    let kinds = select(vec![
        serde_json::json!({ "type": "conversation_started", "skill_id": 7 }),
        serde_json::json!({ "type": "agent_assigned", "agent_id": "ann", "user_type": "bot", "takeover": true }),
        serde_json::json!({ "type": "returned_to_queue" }),
        serde_json::json!({ "type": "message", "sender": "agent" }),
        serde_json::json!({ "type": "transferred", "skill_id": 8, "reason": "agent" }),
        serde_json::json!({ "type": "conversation_closed", "by": "consumer" }),
        serde_json::json!({ "type": "conversation_resumed", "skill_id": -1 }),
        serde_json::json!({ "type": "oops" }),
    ]);
    let sequence = prop_oneof![0..6_u64, any::<u64>()];
    let age = prop_oneof![0..200_000_i64, any::<i32>().prop_map(i64::from)];
    let event = (select(vec!["c-1", "c-2", ""]), sequence, age, kinds);
    vec(event.prop_map(|(id, sequence, age, fields)| event_line(id, sequence, age, fields)), 1..12)
        .prop_map(|lines| lines.concat().into_bytes())
}

/// Method, URI, content type, content encoding and body.
type Parts = (String, String, Option<String>, Option<&'static str>, Vec<u8>);

const MEDIA_TYPES: [&str; 4] = [
    "application/json",
    "application/x-ndjson",
    "application/vnd.apache.arrow.stream",
    "application/vnd.apache.parquet",
];

/// A request with anything anywhere.
fn any_request() -> impl Strategy<Value = Parts> {
    let segment = prop_oneof![
        select(vec!["acme", "%ff", "a%2Fb", "..", "%00", "%20"]).prop_map(str::to_owned),
        "[a-z0-9._~-]{1,80}",
    ];
    let templates = vec![
        "/operations/api/account/{}/msgskillsegments",
        "/api/account/{}/service/agentVep/baseURI.json",
        "/api/account/acme/service/{}/baseURI.json",
        "/api/account/{}/service/baseURI.json/",
        "/v1/accounts/{}/segments",
        "/v1/accounts/{}/events",
        "/v1/accounts/{}/history",
        "/v1/sql",
        "/healthz",
        "/readyz",
        "/{}",
    ];
    let uri = (segment, select(templates), any_query())
        .prop_map(|(segment, template, query)| format!("{}?{query}", template.replace("{}", &segment)));
    let content_type = prop_oneof![4 => select(MEDIA_TYPES.to_vec()).prop_map(str::to_owned), 1 => "[ -~]{0,20}"];
    let encoding = proptest::option::of(select(vec!["gzip", "zstd", "identity", "x"]));
    let method = select(vec!["GET", "POST", "HEAD", "PUT", "OPTIONS", "BREW"]).prop_map(str::to_owned);
    (method, uri, proptest::option::of(content_type), encoding, any_body())
}

/// A request that gets past the first checks.
fn plausible_request() -> impl Strategy<Value = Parts> {
    let report = any_query().prop_map(|query| {
        let uri = format!("/operations/api/account/acme/msgskillsegments?{query}");
        ("GET".to_owned(), uri, None, None, Vec::new())
    });
    let post = |uri: &'static str, content_type: String, body| {
        ("POST".to_owned(), uri.to_owned(), Some(content_type), None, body)
    };
    let media_type = select(MEDIA_TYPES.to_vec()).prop_map(str::to_owned);
    let ingestion = (media_type, any_body()).prop_map(move |(media_type, body)| post(SEGMENTS, media_type, body));
    let events = any_events().prop_map(move |body| post(EVENTS, "application/x-ndjson".to_owned(), body));
    let history = any_body().prop_map(move |body| post(HISTORY, "application/json".to_owned(), body));
    let sql = any_body().prop_map(move |body| post("/v1/sql", "application/json".to_owned(), body));
    prop_oneof![report, ingestion, events, history, sql]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_request_is_answered_with_500(requests in vec(prop_oneof![any_request(), plausible_request()], 40)) {
        let door = Door::new();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(async {
            door.post(SEGMENTS, "application/x-ndjson", line("c-0", 7, 1)).await;
            for (method, uri, content_type, encoding, body) in requests {
                let mut request = Request::builder().method(method.as_str()).uri(&uri).header("host", "localhost");
                if let Some(content_type) = &content_type {
                    request = request.header("content-type", content_type);
                }
                if let Some(encoding) = encoding {
                    request = request.header("content-encoding", encoding);
                }
                let Ok(request) = request.body(Body::from(body.clone())) else { continue };
                let answer = door.send(request).await;
                let status = answer.status.as_u16();
                prop_assert!(status < 500, "{method} {uri} {content_type:?} {encoding:?} {body:?}: {}", answer.text());
                if status >= 400 && method != "HEAD" {
                    answer.problem(status);
                }
            }
            Ok(())
        })?;
    }
}
