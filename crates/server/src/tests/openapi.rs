//! The OpenAPI document against what the server does.

use axum::body::Body;
use axum::http::Request;
use serde_json::Value;
use skillscope_query::Metric;

use super::door::{Answer, Door, SEGMENTS, line, report_of};
use super::events::{EVENTS, event};
use super::history::{HISTORY, open_conversation};
use super::now::{QUEUE_HEALTH, open_conversations};

async fn document(door: &Door) -> Value {
    door.get("/openapi.json").await.json()
}

/// The operations in the document: method, path, and what it says of them.
fn operations(document: &Value) -> Vec<(String, String, Value)> {
    let paths = document["paths"].as_object().unwrap();
    let methods = |item: &Value| item.as_object().unwrap().clone();
    paths
        .iter()
        .flat_map(|(path, item)| {
            methods(item).into_iter().map(|(method, operation)| (method.to_uppercase(), path.clone(), operation))
        })
        .collect()
}

#[tokio::test]
async fn the_document_is_openapi_3_1_and_lists_every_route() {
    let document = document(&Door::new()).await;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut listed: Vec<String> =
        operations(&document).into_iter().map(|(method, path, _)| format!("{method} {path}")).collect();
    listed.sort();
    assert_eq!(
        listed,
        [
            "GET /api/account/{account}/service/baseURI.json",
            "GET /api/account/{account}/service/{service}/baseURI.json",
            "GET /csdr/account/{account}/service/baseURI.json",
            "GET /healthz",
            "GET /metrics",
            "GET /openapi.json",
            "GET /operations/api/account/{account}/msgqueuehealth/current",
            "GET /operations/api/account/{account}/msgskillsegments",
            "GET /readyz",
            "GET /v1/accounts/{account}/names",
            "GET /v1/accounts/{account}/now",
            "GET /v1/accounts/{account}/report",
            "GET /v1/me",
            "GET /v1/sql",
            "POST /api/account/{account}/login",
            "POST /v1/accounts/{account}/events",
            "POST /v1/accounts/{account}/history",
            "POST /v1/accounts/{account}/segments",
            "POST /v1/accounts/{account}/tables/{name}",
            "POST /v1/backup",
            "POST /v1/sql",
        ]
    );
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own() {
    let document = document(&Door::new()).await;
    let names: Vec<Value> = operations(&document).into_iter().map(|(_, _, it)| it["operationId"].clone()).collect();
    let different: std::collections::HashSet<&str> =
        names.iter().map(|name| name.as_str().expect("an operation has a name")).collect();
    assert_eq!(different.len(), names.len(), "{names:?}");
    // From these, programs make names of functions and classes.
    let is_part = |letter: char| letter.is_ascii_lowercase() || letter == '_';
    assert!(different.iter().all(|name| name.chars().all(is_part)), "{names:?}");
}

#[tokio::test]
async fn bytes_are_described_as_bytes() {
    let document = document(&Door::new()).await;
    let binary = serde_json::json!({ "type": "string", "format": "binary" });
    for (method, path, body) in [
        ("POST", "/v1/sql", "responses/200"),
        ("GET", "/v1/sql", "responses/200"),
        ("POST", "/v1/accounts/{account}/segments", "requestBody"),
    ] {
        let (.., operation) = operations(&document).into_iter().find(|(m, p, _)| m == method && p == path).unwrap();
        let content = &operation.pointer(&format!("/{body}")).unwrap()["content"];
        for media_type in ["application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"] {
            assert_eq!(content[media_type]["schema"], binary, "{method} {path} {media_type}");
        }
    }
}

#[tokio::test]
async fn a_reports_metrics_are_described_all_of_them_and_no_others() {
    let described = &document(&Door::new()).await["components"]["schemas"]["MetricsBody"];
    let sorted = |mut keys: Vec<String>| {
        keys.sort();
        keys
    };
    let metrics = sorted(Metric::ALL.iter().map(|metric| metric.json_key.to_owned()).collect());
    assert_eq!(sorted(described["properties"].as_object().unwrap().keys().cloned().collect()), metrics);
    let required = described["required"].as_array().unwrap().iter();
    assert_eq!(sorted(required.map(|key| key.as_str().unwrap().to_owned()).collect()), metrics);
}

#[tokio::test]
async fn every_operation_is_there() {
    let door = Door::new();
    for (method, path, _) in operations(&document(&door).await) {
        let uri = path.replace("{account}", "acme").replace("{service}", "agentVep").replace("{name}", "skills");
        let request = Request::builder().method(method.as_str()).uri(uri).body(Body::empty()).unwrap();
        let status = door.send(request).await.status.as_u16();
        assert!(![404, 405].contains(&status), "{method} {path} answers {status}");
    }
}

/// The schema that the document has for an answer.
fn schema(document: &Value, method: &str, path: &str, answer: &Answer) -> Value {
    let (_, _, operation) =
        operations(document).into_iter().find(|(m, p, _)| m == method && p == path).expect("the operation is listed");
    let response = &operation["responses"][answer.status.as_str()];
    let content = &response["content"][answer.header("content-type").unwrap()];
    assert!(content.is_object(), "{method} {path} {} is not described: {response}", answer.status);
    content["schema"].clone()
}

/// Asserts that `value` is as `schema` says; properties that the schema does not know are errors.
fn conforms(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        let name = reference.strip_prefix("#/components/schemas/").unwrap();
        return conforms(document, &document["components"]["schemas"][name], value);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let matching = choices.iter().filter(|choice| conforms(document, choice, value).is_ok()).count();
        return if matching == 1 { Ok(()) } else { Err(format!("{matching} choices of {schema} take {value}")) };
    }
    let types: Vec<&str> = match &schema["type"] {
        Value::String(one) => vec![one],
        Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
        _ => return Ok(()),
    };
    let actual = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    if !types.contains(&actual) {
        return Err(format!("{value} is no {types:?}"));
    }
    for item in value.as_array().into_iter().flatten() {
        conforms(document, &schema["items"], item)?;
    }
    let Some(object) = value.as_object() else { return Ok(()) };
    for name in schema["required"].as_array().into_iter().flatten() {
        object.get(name.as_str().unwrap()).ok_or_else(|| format!("{name} is missing in {value}"))?;
    }
    for (name, member) in object {
        match (&schema["properties"][name], &schema["additionalProperties"]) {
            (Value::Null, Value::Null) if schema["properties"].is_object() => {
                return Err(format!("{name} is not described"));
            }
            (Value::Null, additional) => conforms(document, additional, member)?,
            (property, _) => conforms(document, property, member)?,
        }
    }
    Ok(())
}

#[tokio::test]
async fn every_answer_is_as_the_document_says() {
    let door = Door::new();
    let document = document(&door).await;
    let report = "/operations/api/account/{account}/msgskillsegments";
    let host = "/api/account/{account}/service/{service}/baseURI.json";
    let segments = "/v1/accounts/{account}/segments";
    let events = "/v1/accounts/{account}/events";
    let history = "/v1/accounts/{account}/history";
    let names = "/v1/accounts/{account}/names";
    let now = "/v1/accounts/{account}/now";
    let queue_health = "/operations/api/account/{account}/msgqueuehealth/current";
    door.post("/v1/accounts/open/events", "application/x-ndjson", open_conversations()).await;
    let ndjson = "application/x-ndjson";
    for (table, csv) in [("skills", "skill_id,name\n7,Billing\n"), ("agents", "agent_id,name\nann,Ann\n")] {
        door.post(&format!("/v1/accounts/acme/tables/{table}"), "text/csv", csv).await;
    }
    let cases = [
        ("POST", segments, door.post(SEGMENTS, ndjson, line("c-1", 7, 1) + "oops\n").await),
        ("POST", segments, door.post("/v1/accounts/%20/segments", ndjson, "").await),
        ("POST", segments, door.post(SEGMENTS, "text/csv", "").await),
        ("POST", segments, door.post(SEGMENTS, ndjson, vec![0; super::door::MAX_BODY_BYTES + 1]).await),
        ("POST", events, door.post(EVENTS, ndjson, "oops\n").await),
        ("POST", events, door.post(EVENTS, "text/csv", "").await),
        ("POST", history, door.post(HISTORY, "application/json", open_conversation("c-1", 60_000)).await),
        ("POST", history, door.post(HISTORY, "application/json", "oops").await),
        ("GET", report, door.get(&report_of("acme")).await),
        ("GET", report, door.get(&format!("{}&interval=30", report_of("acme"))).await),
        ("GET", report, door.get(&format!("{}&interval=31", report_of("acme"))).await),
        ("GET", names, door.get("/v1/accounts/acme/names").await),
        ("GET", now, door.get("/v1/accounts/open/now").await),
        ("GET", now, door.get("/v1/accounts/open/now?skillIds=x").await),
        ("GET", queue_health, door.get(&QUEUE_HEALTH.replace("acme", "open")).await),
        ("GET", queue_health, door.get(&QUEUE_HEALTH.replace("v=1", "")).await),
        ("GET", names, door.get("/v1/accounts/bolt/names").await),
        ("GET", names, door.get("/v1/accounts/%20/names").await),
        ("GET", "/v1/me", door.get("/v1/me").await),
        ("GET", host, door.get("/api/account/acme/service/agentVep/baseURI.json").await),
        ("GET", host, door.get("/api/account/acme/service/none/baseURI.json").await),
        ("POST", "/v1/sql", door.sql("select * from segments").await),
        ("POST", "/v1/sql", door.sql("oops").await),
        ("GET", "/v1/sql", door.get("/v1/sql?query=select+1+as+n").await),
        ("GET", "/v1/sql", door.get("/v1/sql").await),
        ("POST", "/v1/sql", door.post("/v1/sql", "text/plain", "").await),
        ("GET", "/healthz", door.get("/healthz").await),
        ("GET", "/readyz", door.get("/readyz").await),
        ("GET", "/openapi.json", door.get("/openapi.json").await),
    ];
    for (method, path, answer) in cases {
        let schema = schema(&document, method, path, &answer);
        if let Err(error) = conforms(&document, &schema, &answer.json()) {
            panic!("{method} {path} {}: {error}", answer.status);
        }
    }
}

#[tokio::test]
async fn every_parameter_in_the_document_is_one_that_the_server_reads() {
    let door = Door::new();
    let document = document(&door).await;
    for (path, needed) in [
        ("/operations/api/account/{account}/msgskillsegments", [("timeframe", "60"), ("v", "1")].as_slice()),
        ("/operations/api/account/{account}/msgqueuehealth/current", &[("v", "1")]),
        ("/v1/accounts/{account}/report", &[("timeframe", "60"), ("v", "1"), ("at", "1516265515679")]),
        ("/v1/accounts/{account}/now", &[]),
    ] {
        let (.., operation) = operations(&document).into_iter().find(|(_, listed, _)| listed == path).unwrap();
        let parameters = operation["parameters"].as_array().unwrap();
        for parameter in parameters.iter().filter(|parameter| parameter["in"] == "query") {
            let name = parameter["name"].as_str().unwrap();
            let others = needed.iter().filter(|(needed, _)| *needed != name);
            let others: String = others.map(|(name, value)| format!("{name}={value}&")).collect();
            let uri = format!("{}?{others}", path.replace("{account}", "acme"));
            let without = door.get(&uri).await.status.as_u16();
            assert_eq!(without, if parameter["required"] == true { 400 } else { 200 }, "{path} {name}");
            let accept = if name == "every" { "text/event-stream" } else { "application/json" };
            let wrong = Request::get(format!("{uri}{name}=oops")).header("accept", accept).body(Body::empty()).unwrap();
            assert_eq!(door.send(wrong).await.problem(400)["parameter"], name, "{path}");
        }
    }
}

#[tokio::test]
async fn the_record_in_the_document_is_the_record_that_is_read() {
    let document = document(&Door::new()).await;
    let record = &document["components"]["schemas"]["SegmentBody"];
    let names = |values: &mut dyn Iterator<Item = String>| values.collect::<std::collections::BTreeSet<String>>();
    let schema = skillscope_segment::record_schema();
    let columns = names(&mut schema.fields().iter().map(|field| field.name().clone()));
    assert_eq!(names(&mut record["properties"].as_object().unwrap().keys().cloned()), columns);
    // The account may come from the path.
    let needed = schema.fields().iter().filter(|field| !field.is_nullable() && field.name() != "account_id");
    let needed = names(&mut needed.map(|field| field.name().clone()));
    assert_eq!(
        names(&mut record["required"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned())),
        needed
    );
    assert_eq!(record["properties"]["user_type"]["enum"], serde_json::json!(["bot", "human", "mixed", "none"]));
    let sample: Value = serde_json::from_str(&line("c-1", 7, 1)).unwrap();
    assert_eq!(conforms(&document, record, &sample), Ok(()));
}

#[tokio::test]
async fn the_events_in_the_document_are_those_that_are_read() {
    let door = Door::new();
    let document = document(&door).await;
    let record = &document["components"]["schemas"]["EventBody"];
    let types = record["properties"]["type"]["enum"].as_array().unwrap();
    assert_eq!(types.len(), 7);
    for (sequence, kind) in types.iter().enumerate() {
        let fields = serde_json::json!({
            "type": kind, "skill_id": 7, "agent_id": "ann", "user_type": "bot", "takeover": true, "sender": "system",
            "reason": "agent", "by": "system", "source": "APP",
        });
        let line = event("c-1", sequence as u64, 0, fields);
        assert_eq!(conforms(&document, record, &serde_json::from_str(&line).unwrap()), Ok(()));
        assert_eq!(door.post(EVENTS, "application/x-ndjson", line).await.json()["accepted"], 1, "{kind}");
    }
    let accepted = |field: &str| record["properties"][field]["enum"].as_array().unwrap().clone();
    assert_eq!(accepted("user_type"), ["human", "bot"]);
    assert_eq!(accepted("reason"), ["skill", "agent"]);
    assert_eq!(accepted("by"), ["consumer", "agent", "system"]);
    assert_eq!(accepted("sender"), ["consumer", "agent", "system"]);
}
