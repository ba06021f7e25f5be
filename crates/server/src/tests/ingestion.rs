//! Segments over HTTP: the formats, compressed bodies, and the records and bodies that are refused.

use std::convert::Infallible;
use std::future::ready;
use std::io::Write;
use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::Request;
use futures::future::join_all;
use futures::{StreamExt, poll, stream};
use skillscope_segment::Format;

use super::door::{Door, MAX_BODY_BYTES, NOW, SEGMENTS, line, report_of, two_segments, written};
use crate::HttpOptions;

#[tokio::test]
async fn segments_are_taken_in_four_formats() {
    for (content_type, format) in [
        ("application/x-ndjson", Format::Ndjson),
        ("application/json; charset=utf-8", Format::Json),
        ("Application/vnd.apache.arrow.stream", Format::Arrow),
        ("application/vnd.apache.parquet", Format::Parquet),
    ] {
        let door = Door::new();
        let answer = door.post(SEGMENTS, content_type, two_segments(format)).await;
        let expected = serde_json::json!({"accepted": 2, "duplicates": 0, "rejected_count": 0, "rejected": []});
        assert_eq!(answer.json(), expected, "{content_type}");
        let again = door.post(SEGMENTS, content_type, two_segments(format)).await;
        let expected = serde_json::json!({"accepted": 0, "duplicates": 2, "rejected_count": 0, "rejected": []});
        assert_eq!(again.json(), expected, "{content_type}");
    }
}

#[tokio::test]
async fn a_rejected_record_is_listed_with_its_line_and_the_others_count() {
    let door = Door::new();
    let other_account = line("c-3", 7, 1).replacen('{', r#"{"account_id":"bolt","#, 1);
    let moved = line("c-1", 7, 2);
    let text = format!("{}oops\n{other_account}{moved}{}", line("c-1", 7, 1), line("c-2", 7, 1));
    let answer = door.post(SEGMENTS, "application/x-ndjson", text).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!((json["accepted"].as_u64(), json["rejected_count"].as_u64()), (Some(2), Some(3)), "{json}");
    let rejected = json["rejected"].as_array().unwrap();
    assert_eq!(rejected.iter().map(|record| record["line"].as_u64().unwrap()).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(rejected[1]["error"].as_str().unwrap().contains("bolt"), "{json}");
    assert!(rejected[2]["error"].as_str().unwrap().contains("first write"), "{json}");
}

async fn post_encoded(door: &Door, encoding: &str, body: Vec<u8>) -> super::door::Answer {
    let request = Request::post(SEGMENTS)
        .header("content-type", "application/x-ndjson")
        .header("content-encoding", encoding)
        .body(Body::from(body))
        .unwrap();
    door.send(request).await
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_body_may_be_compressed() {
    let door = Door::new();
    let zstd = zstd::encode_all(line("c-1", 7, 1).as_bytes(), 1).unwrap();
    assert_eq!(post_encoded(&door, "zstd", zstd).await.json()["accepted"], 1);
    assert_eq!(post_encoded(&door, "gzip", gzip(line("c-2", 7, 1).as_bytes())).await.json()["accepted"], 1);
    assert_eq!(post_encoded(&door, "identity", line("c-3", 7, 1).into()).await.json()["accepted"], 1);
    // Whoever does not tell is understood all the same.
    assert_eq!(post_encoded(&door, "identity", gzip(line("c-4", 7, 1).as_bytes())).await.json()["accepted"], 1);
    let zstd = zstd::encode_all(line("c-5", 7, 1).as_bytes(), 1).unwrap();
    assert_eq!(door.post(SEGMENTS, "application/x-ndjson", zstd).await.json()["accepted"], 1);
    post_encoded(&door, "gzip", b"not gzip".to_vec()).await.problem(400);
    let twice = post_encoded(&door, "gzip", gzip(&gzip(line("c-6", 7, 1).as_bytes()))).await.problem(400);
    assert!(twice["detail"].as_str().unwrap().contains("compressed with gzip"), "{twice}");
    assert_eq!(post_encoded(&door, "br", Vec::new()).await.problem(415)["parameter"], "content-encoding");
}

#[tokio::test]
async fn a_body_has_a_largest_size_also_once_decompressed() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", vec![b'\n'; MAX_BODY_BYTES + 1]).await.problem(413);
    post_encoded(&door, "gzip", gzip(&vec![b'\n'; MAX_BODY_BYTES + 1])).await.problem(413);
    post_encoded(&door, "identity", gzip(&vec![b'\n'; MAX_BODY_BYTES + 1])).await.problem(413);
    assert_eq!(door.post(SEGMENTS, "application/x-ndjson", vec![b'\n'; MAX_BODY_BYTES]).await.status, 200);
}

#[tokio::test]
async fn bodies_that_expand_far_do_not_wait_for_memory_on_the_threads_of_others() {
    let (body_memory, body_patience) = (2 * MAX_BODY_BYTES, Duration::from_secs(3600));
    let door = Door::with_http(HttpOptions { body_memory, body_patience, ..HttpOptions::default() });
    let plain = vec![b'\n'; MAX_BODY_BYTES];
    let compressed = zstd::encode_all(plain.as_slice(), 1).unwrap();
    // One that goes on has what there is for the account.
    let piece = stream::once(ready(Ok::<_, Infallible>(Bytes::from(plain))));
    let held = Request::post(SEGMENTS).header("content-type", "application/x-ndjson");
    let mut held = pin!(door.send(held.body(Body::from_stream(piece.chain(stream::pending()))).unwrap()));
    assert!(poll!(held.as_mut()).is_pending());
    // More than there are threads.
    for refused in join_all((0..100).map(|_| post_encoded(&door, "zstd", compressed.clone()))).await {
        let problem = refused.problem(503);
        assert!(problem["detail"].as_str().unwrap().contains("--body-memory"), "{problem}");
    }
    assert_eq!(door.post("/v1/accounts/bolt/segments", "application/x-ndjson", "\n").await.status, 200);
}

#[tokio::test]
async fn records_unfold_no_further_than_a_body_may() {
    let door = Door::new();
    let lines: String = (0..2000).map(|number| line(&format!("{}-{number}", "x".repeat(600)), 7, number + 1)).collect();
    for (content_type, format) in
        [("application/vnd.apache.parquet", Format::Parquet), ("application/vnd.apache.arrow.stream", Format::Arrow)]
    {
        let body = written(format, lines.clone());
        let is_small = body.len() <= MAX_BODY_BYTES;
        assert_eq!(is_small, format == Format::Parquet, "{}", body.len());
        let problem = door.post(SEGMENTS, content_type, body).await.problem(413);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("--max-body-bytes") || !is_small, "{problem}");
    }
    assert!(door.get(&report_of("acme")).await.text().contains(r#""skillsMetrics":{}"#), "nothing was stored");
}

/// A Parquet file whose schema has 7,000 groups, each in the one before.
fn deep_file() -> Vec<u8> {
    // The version, and a list of 7,001 structs.
    let mut metadata = vec![0x15, 2, 0x19, 0xFC, 0xD9, 0x36];
    for _ in 0..7_000 {
        // Repetition, name and number of children.
        metadata.extend([0x35, 0, 0x18, 1, b'g', 0x15, 2, 0]);
    }
    metadata.extend([0x15, 4, 0x25, 2, 0x18, 1, b'c', 0, 0]);
    let length = u32::try_from(metadata.len()).unwrap();
    [b"PAR1", &metadata[..], &length.to_le_bytes(), b"PAR1"].concat()
}

#[tokio::test]
async fn a_schema_of_very_many_levels_is_an_error_of_the_body() {
    let door = Door::new();
    let problem = door.post(SEGMENTS, "application/vnd.apache.parquet", deep_file()).await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("nested too deep"), "{problem}");
    assert_eq!(door.get("/healthz").await.status, 200);
}

#[tokio::test]
async fn new_segments_of_the_account_that_stands_for_all_are_rejected() {
    let door = Door::new();
    let answer = door.post("/v1/accounts/skillscope/segments", "application/x-ndjson", line("c-1", 7, 1)).await;
    let json = answer.json();
    assert_eq!((json["accepted"].as_u64(), json["rejected_count"].as_u64()), (Some(0), Some(1)), "{json}");
    assert!(json["rejected"][0]["error"].as_str().unwrap().contains("all accounts"), "{json}");
    assert_eq!(door.get(&report_of("skillscope")).await.status, 200, "what is stored of it can be read");
}

#[tokio::test]
async fn another_content_type_is_refused_and_the_right_ones_are_told() {
    let door = Door::new();
    let problem = door.post(SEGMENTS, "text/csv", "a,b").await.problem(415);
    assert!(problem["detail"].as_str().unwrap().contains("application/x-ndjson"), "{problem}");
    let untyped = Request::post(SEGMENTS).body(Body::empty()).unwrap();
    door.send(untyped).await.problem(415);
}

#[tokio::test]
async fn an_account_that_is_none_is_refused() {
    let door = Door::new();
    let problem =
        door.post("/v1/accounts/a%2Fb/segments", "application/x-ndjson", line("c-1", 7, 1)).await.problem(400);
    assert_eq!((problem["parameter"].as_str(), problem["value"].as_str()), (Some("account"), Some("a/b")));
}

#[tokio::test]
async fn a_body_of_another_format_is_an_error_of_the_whole() {
    let door = Door::new();
    for content_type in ["application/json", "application/vnd.apache.arrow.stream", "application/vnd.apache.parquet"] {
        door.post(SEGMENTS, content_type, "oops").await.problem(400);
    }
}

#[tokio::test]
async fn times_that_name_no_zone_are_of_the_one_in_the_query() {
    let door = Door::new();
    let at = |id: &str| line(id, 7, 1).replace(&(NOW - 1).to_string(), "\"2018-01-18 09:51:55.678\"");
    let without = door.post(SEGMENTS, "application/x-ndjson", at("c-1")).await.json();
    assert!(without["rejected"][0]["error"].as_str().unwrap().contains("names no time zone"), "{without}");
    let target = |zone: &str| format!("{SEGMENTS}?time_zone={zone}");
    let berlin = door.post(&target("Europe/Berlin"), "application/x-ndjson", at("c-2")).await;
    assert_eq!(berlin.json()["accepted"], 1);
    let unknown = door.post(&target("Europe/Atlantis"), "application/x-ndjson", at("c-3")).await.problem(400);
    assert_eq!(unknown["parameter"], "time_zone");
}
