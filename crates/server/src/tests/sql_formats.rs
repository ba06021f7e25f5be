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
            "[{\"n\":1,\"word\":\"a\",\"at\":\"2018-01-18T08:51:55.500\"},{\"n\":2,\"word\":null,\"at\":null}]",
        ),
        (
            "application/x-ndjson",
            "application/x-ndjson",
            "{\"n\":1,\"word\":\"a\",\"at\":\"2018-01-18T08:51:55.500\"}\n{\"n\":2,\"word\":null,\"at\":null}\n",
        ),
        ("text/csv", "text/csv; charset=utf-8", "n,word,at\n1,a,2018-01-18T08:51:55.500\n2,,\n"),
        ("text/*", "text/csv; charset=utf-8", "n,word,at\n1,a,2018-01-18T08:51:55.500\n2,,\n"),
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
async fn columns_of_one_name_are_keys_that_differ() {
    let door = Door::new();
    let same = "select * from (values (1, 2, 3, 4)) a(x, y, x_2, z) join (values (5, 6)) b(x, y) on true";
    for (accept, expected) in [
        ("application/json", r#"[{"x":1,"y":2,"x_2":3,"z":4,"x_3":5,"y_2":6}]"#),
        ("application/x-ndjson", "{\"x\":1,\"y\":2,\"x_2\":3,\"z\":4,\"x_3\":5,\"y_2\":6}\n"),
        ("text/csv", "x,y,x_2,z,x,y\n1,2,3,4,5,6\n"),
    ] {
        assert_eq!(ask(&door, accept, same).await.text(), expected, "{accept}");
    }
    assert_eq!(ask(&door, "application/json", "select 1, 1").await.text(), r#"[{"1":1,"1_2":1}]"#);
    let answer = ask(&door, "application/vnd.apache.arrow.stream", "select 1, 1").await;
    let schema = StreamReader::try_new(&answer.body[..], None).unwrap().schema();
    assert_eq!(schema.fields().iter().map(|field| field.name().as_str()).collect::<Vec<_>>(), ["1", "1"]);
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1)).await;
    let joined = "select a.skill_id, b.skill_id from segments a join segments b using (conversation_id)";
    assert_eq!(ask(&door, "application/json", joined).await.text(), r#"[{"skill_id":7,"skill_id_2":7}]"#);
    assert_eq!(ask(&door, "text/csv", joined).await.text(), "skill_id,skill_id\n7,7\n");
}

#[tokio::test]
async fn a_value_that_no_text_tells_is_an_error() {
    let door = Door::new();
    let time = "select arrow_cast(9223372036854775807, 'Timestamp(Millisecond, Some(\"UTC\"))') x";
    for query in [
        time,
        "select arrow_cast(-9223372036854775807, 'Timestamp(Second, None)') x",
        "select arrow_cast(2147483647, 'Date32') x",
        "select arrow_cast(9223372036854775807, 'Date64') x",
        "select arrow_cast(-1, 'Time64(Microsecond)') x",
        "select arrow_cast(9223372036854775807, 'Duration(Second)') x",
        "select make_array(arrow_cast(9223372036854775807, 'Timestamp(Millisecond, None)')) x",
        "select named_struct('a', arrow_cast(9223372036854775807, 'Timestamp(Millisecond, None)')) x",
    ] {
        for accept in ["application/json", "application/x-ndjson"] {
            let problem = ask(&door, accept, query).await.problem(400);
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("the column x") && detail.contains("beyond the calendar"), "{query}: {detail}");
        }
    }
    ask(&door, "text/csv", time).await.problem(400);
    // Arrow tells it.
    assert_eq!(ask(&door, "application/vnd.apache.arrow.stream", time).await.status, 200);
    for (query, expected) in [
        ("select 'NaN'::float x, 'inf'::float y", r#"[{"x":null,"y":null}]"#),
        ("select decode('00ff', 'hex') x", r#"[{"x":"00ff"}]"#),
        ("select 12.50::decimal(6, 2) x", r#"[{"x":12.50}]"#),
        (
            "select arrow_cast(253402300800000, 'Timestamp(Millisecond, Some(\"UTC\"))') x",
            r#"[{"x":"+10000-01-01T00:00:00Z"}]"#,
        ),
    ] {
        let answer = ask(&door, "application/json", query).await.text();
        assert!(serde_json::from_str::<serde_json::Value>(&answer).is_ok(), "{answer}");
        assert_eq!(answer, expected, "{query}");
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
        let request = Request::post("/v1/sql")
            .header("host", "localhost")
            .header("content-type", "application/json")
            .body(Body::from(body))
            .unwrap();
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
