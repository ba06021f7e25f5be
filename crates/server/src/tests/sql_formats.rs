//! The formats of `POST /v1/sql`, and answers that are too long to be held back.

use arrow::ipc::reader::StreamReader;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::door::{Answer, Door, SEGMENTS, line};

async fn ask(door: &Door, accept: &str, query: &str) -> Answer {
    let body = serde_json::json!({ "query": query }).to_string();
    let request = Request::post("/v1/sql").header("content-type", "application/json").header("accept", accept);
    door.send(request.body(Body::from(body)).unwrap()).await
}

const ROWS: &str =
    "select * from (values (1, 'a', timestamp '2018-01-18 08:51:55.5'), (2, null, null)) t(n, word, at) order by n";

#[tokio::test]
async fn the_header_accept_names_the_format() {
    let door = Door::new();
    for (accept, content_type, expected) in [
        (
            "application/json",
            "application/json",
            "[{\"n\":1,\"word\":\"a\",\"at\":\"2018-01-18T08:51:55.500Z\"},{\"n\":2,\"word\":null,\"at\":null}]",
        ),
        (
            "application/x-ndjson",
            "application/x-ndjson",
            "{\"n\":1,\"word\":\"a\",\"at\":\"2018-01-18T08:51:55.500Z\"}\n{\"n\":2,\"word\":null,\"at\":null}\n",
        ),
        ("text/csv", "text/csv; charset=utf-8", "n,word,at\n1,a,2018-01-18T08:51:55.500Z\n2,,\n"),
        ("text/*", "text/csv; charset=utf-8", "n,word,at\n1,a,2018-01-18T08:51:55.500Z\n2,,\n"),
    ] {
        let answer = ask(&door, accept, ROWS).await;
        assert_eq!(answer.header("content-type"), Some(content_type), "{accept}");
        assert_eq!(answer.text(), expected, "{accept}");
    }
    let answer = ask(&door, "application/vnd.apache.arrow.stream", ROWS).await;
    let batches: Vec<_> = StreamReader::try_new(&answer.body[..], None).unwrap().map(Result::unwrap).collect();
    assert_eq!(batches.iter().map(|batch| batch.num_rows()).sum::<usize>(), 2);
    assert_eq!(batches[0].schema().field(1).name(), "word");
}

#[tokio::test]
async fn the_best_liked_of_several_formats_is_taken() {
    let door = Door::new();
    for (accept, content_type) in [
        ("*/*", "application/json"),
        ("text/html, */*;q=0.8", "application/json"),
        ("application/*", "application/json"),
        ("text/csv;q=0.5, application/x-ndjson;q=0.6", "application/x-ndjson"),
        ("application/json;q=0, */*", "application/x-ndjson"),
        ("TEXT/CSV", "text/csv; charset=utf-8"),
    ] {
        assert_eq!(ask(&door, accept, "select 1").await.header("content-type"), Some(content_type), "{accept}");
    }
    let problem = ask(&door, "image/png", "select 1").await.problem(406);
    assert!(problem["detail"].as_str().unwrap().contains("text/csv"), "{problem}");
    assert_eq!(problem["parameter"], "accept");
}

#[tokio::test]
async fn words_of_segments_are_text_in_arrow() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1)).await;
    let answer = ask(&door, "application/vnd.apache.arrow.stream", "select * from segments").await;
    let reader = StreamReader::try_new(&answer.body[..], None).unwrap();
    let schema = reader.schema();
    for name in ["account_id", "conversation_id", "outcome", "user_type", "start_reason", "end_reason", "source"] {
        assert_eq!(*schema.field_with_name(name).unwrap().data_type(), arrow::datatypes::DataType::Utf8, "{name}");
    }
}

#[tokio::test]
async fn names_of_columns_come_also_without_rows() {
    let answer = ask(&Door::new(), "text/csv", "select skill_id, outcome from segments").await;
    assert_eq!(answer.text(), "skill_id,outcome\n");
}

/// Rows of 100 bytes each, so that a long answer is sent before its end is known.
fn long(rows: u64, value: &str) -> String {
    format!("select value, repeat('x', 88) as x, {value} as n from generate_series(1, {rows})")
}

#[tokio::test]
async fn a_long_answer_is_whole() {
    let door = Door::new();
    let answer = ask(&door, "application/x-ndjson", &long(100_000, "1")).await;
    assert!(answer.body.len() > 10_000_000);
    assert_eq!(answer.text().lines().count(), 100_000);
    let answer = ask(&door, "application/json", &long(100_000, "1")).await;
    assert_eq!(answer.json().as_array().unwrap().len(), 100_000);
}

#[tokio::test]
async fn a_long_answer_that_fails_is_broken_off_and_says_why_at_its_end() {
    let door = Door::new();
    // The one fails at its 90,000th row, the other has too many.
    for (query, reason) in
        [(long(100_000, "1 / (90000 - value)"), "Divide by zero"), (long(100_001, "1"), "more than 100000 rows")]
    {
        let body = serde_json::json!({ "query": query }).to_string();
        let request =
            Request::post("/v1/sql").header("content-type", "application/json").body(Body::from(body)).unwrap();
        let mut body = door.routes().oneshot(request).await.unwrap().into_body();
        let (mut bytes, mut is_broken) = (Vec::new(), false);
        while let Some(frame) = body.frame().await {
            match frame {
                Ok(frame) => bytes.extend_from_slice(&frame.into_data().unwrap()),
                Err(_) => is_broken = true,
            }
        }
        assert!(is_broken, "the end of the connection tells that something is missing");
        let text = String::from_utf8(bytes).unwrap();
        let last: serde_json::Value = serde_json::from_str(text.trim_end().lines().last().unwrap()).unwrap();
        assert!(last["detail"].as_str().unwrap().contains(reason), "{last}");
        assert!(serde_json::from_str::<serde_json::Value>(&text).is_err(), "nobody takes it for an answer");
    }
}
