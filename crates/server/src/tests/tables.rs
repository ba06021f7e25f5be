//! Small tables over HTTP, and the views that stand on them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, ListArray, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use arrow::ipc::writer::{FileWriter, StreamWriter};
use axum::body::Body;
use axum::http::Request;
use datafusion::parquet::arrow::ArrowWriter;
use serde_json::json;

use super::door::{Answer, Door, SEGMENTS, line};

const SKILLS: &str = "/v1/accounts/acme/tables/skills";

const CSV: &str = "skill_id,name,since\n7,Billing,2018-01-17\n8,\"Cards, lost\",\n";

async fn ask(door: &Door, account: Option<&str>, query: &str) -> Answer {
    let body = json!({ "account": account, "query": query });
    door.post("/v1/sql", "application/json", body.to_string()).await
}

fn batch() -> RecordBatch {
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![7, 8]));
    let names: ArrayRef = Arc::new(StringArray::from(vec!["Billing", "Cards"]));
    RecordBatch::try_from_iter([("skill_id", ids), ("name", names)]).unwrap()
}

#[tokio::test]
async fn a_table_is_replaced_and_joins_the_segments() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1)).await.text();
    let told = door.post(SKILLS, "text/csv", CSV).await.json();
    let column = |name: &str, kind: &str| json!({ "name": name, "type": kind });
    let columns = [column("skill_id", "bigint"), column("name", "text"), column("since", "date")];
    assert_eq!(told, json!({ "table": "skills", "rows": 2, "columns": columns }));
    let joined = "select name, count(*) as n from segments join skills using (skill_id) group by name";
    assert_eq!(ask(&door, Some("acme"), joined).await.json(), json!([{ "name": "Billing", "n": 1 }]));
    assert_eq!(door.post(SKILLS, "text/csv; charset=utf-8", "skill_id,name\n7,Loans\n").await.json()["rows"], 1);
    assert_eq!(ask(&door, Some("acme"), joined).await.json(), json!([{ "name": "Loans", "n": 1 }]));
    // It is acme's own.
    ask(&door, Some("bolt"), "select * from skills").await.problem(400);
    ask(&door, None, "select * from skills").await.problem(400);
    let for_all = door.post("/v1/accounts/*/tables/SKILLS", "text/csv", CSV).await.json();
    assert_eq!(for_all["table"], "skills");
    assert_eq!(ask(&door, Some("bolt"), "select count(*) as n from skills").await.json()[0]["n"], 2);
    assert_eq!(ask(&door, Some("acme"), "select count(*) as n from skills").await.json()[0]["n"], 1);
}

#[tokio::test]
async fn every_format_is_taken_and_what_it_is_shows_in_its_bytes() {
    let door = Door::new();
    let batch = batch();
    let mut stream = StreamWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
    stream.write(&batch).unwrap();
    let stream = stream.into_inner().unwrap();
    let mut file = FileWriter::try_new(Vec::new(), batch.schema_ref()).unwrap();
    file.write(&batch).unwrap();
    let file = file.into_inner().unwrap();
    let mut parquet = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    let parquet = parquet.into_inner().unwrap();
    for (content_type, bytes) in [
        ("application/vnd.apache.arrow.stream", &stream),
        ("application/vnd.apache.arrow.file", &file),
        ("application/vnd.apache.parquet", &parquet),
        ("application/vnd.apache.arrow.stream", &file),
    ] {
        let told = door.post(SKILLS, content_type, bytes.clone()).await;
        assert_eq!(told.json()["rows"], 2, "{content_type}: {}", told.text());
    }
    let compressed = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, CSV.as_bytes()).unwrap();
        encoder.finish().unwrap()
    };
    let request = Request::builder().method("POST").uri(SKILLS).header("host", "127.0.0.1:8080");
    let request = request.header("content-type", "text/csv").header("content-encoding", "gzip");
    assert_eq!(door.send(request.body(Body::from(compressed)).unwrap()).await.json()["rows"], 2);
}

#[tokio::test]
async fn what_is_wrong_is_told_and_the_old_table_stays() {
    let door = Door::new();
    door.post(SKILLS, "text/csv", CSV).await.json();
    for (body, reason) in [
        ("", "it is empty"),
        ("a,a\n", "two columns have the name \"a\""),
        ("a,b\n1\n", "line 2 has 1 fields, and the first line has 2"),
    ] {
        let problem = door.post(SKILLS, "text/csv", body).await.problem(400);
        assert_eq!(problem["type"], "urn:skillscope:problem:invalid-body");
        assert!(problem["detail"].as_str().unwrap().starts_with(reason), "{problem}");
    }
    let lists: ArrayRef = Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(1)])]));
    let batch = RecordBatch::try_from_iter([("tags", lists)]).unwrap();
    let mut parquet = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
    parquet.write(&batch).unwrap();
    let parquet = parquet.into_inner().unwrap();
    let problem = door.post(SKILLS, "application/vnd.apache.parquet", parquet).await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("column \"tags\""), "{problem}");
    for name in ["segments", "metrics_by_hour", "pg_class", "a%20b", "1a", "x%2Fy", &"x".repeat(64)] {
        let uri = format!("/v1/accounts/acme/tables/{name}");
        let problem = door.post(&uri, "text/csv", CSV).await.problem(400);
        assert_eq!(problem["parameter"], "name", "{problem}");
    }
    let problem = door.post("/v1/accounts/a%2Fb/tables/skills", "text/csv", CSV).await.problem(400);
    assert_eq!(problem["parameter"], "account");
    door.post(SKILLS, "application/json", "[]").await.problem(415);
    door.post(SKILLS, "text/csv", vec![b'x'; super::door::MAX_BODY_BYTES + 1]).await.problem(413);
    assert_eq!(ask(&door, Some("acme"), "select count(*) as n from skills").await.json()[0]["n"], 2);
}

#[tokio::test]
async fn views_are_statements_over_http() {
    let door = Door::new();
    door.post(SKILLS, "text/csv", CSV).await.json();
    let made = ask(&door, Some("acme"), "create view named as select name from skills where skill_id = 7").await;
    assert_eq!(made.json(), json!([]));
    assert_eq!(ask(&door, Some("acme"), "select * from named").await.json(), json!([{ "name": "Billing" }]));
    let taken = ask(&door, Some("acme"), "create view named as select 1 as x").await.problem(400);
    assert_eq!(taken["detail"], "relation \"named\" already exists");
    let problem = door.post(SKILLS.replace("skills", "named").as_str(), "text/csv", CSV).await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("is not a table"), "{problem}");
    ask(&door, Some("acme"), "drop table skills").await.json();
    let broken = ask(&door, Some("acme"), "select * from named").await.problem(400);
    assert!(broken["detail"].as_str().unwrap().contains("the view \"named\" cannot be read"), "{broken}");
    let temporary = ask(&door, Some("acme"), "create temp view t as select 1 as x").await.problem(400);
    assert!(temporary["detail"].as_str().unwrap().contains("PostgreSQL's protocol"), "{temporary}");
    let refused = ask(&door, Some("acme"), "insert into skills values (1, 'x')").await.problem(400);
    assert!(refused["detail"].as_str().unwrap().starts_with("rows are never changed in SQL"), "{refused}");
}
