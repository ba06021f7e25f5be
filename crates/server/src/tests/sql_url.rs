//! `GET /v1/sql`, and the fields that its parameters are in the body of a POST.

use arrow::array::AsArray;
use arrow::datatypes::{Int64Type, TimestampMillisecondType};
use arrow::ipc::reader::StreamReader;
use axum::body::Body;
use axum::http::Request;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::json;

use super::door::{Answer, Door, SEGMENTS, line};

/// A URL with these parameters.
fn url(parameters: &[(&str, &str)]) -> String {
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    format!("/v1/sql?{query}")
}

async fn get(door: &Door, parameters: &[(&str, &str)]) -> Answer {
    door.get(&url(parameters)).await
}

#[tokio::test]
async fn a_url_asks_as_a_body_does() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1)).await;
    let count = ("query", "select count(*) as n from segments");
    assert_eq!(get(&door, &[count]).await.json(), json!([{ "n": 1 }]));
    assert_eq!(get(&door, &[count, ("account", "bolt")]).await.json(), json!([{ "n": 0 }]));
    let answer = get(&door, &[count, ("format", "csv")]).await;
    assert_eq!(answer.text(), "n\n1\n");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("content-disposition"), Some("attachment; filename=\"answer.csv\""));
    assert_eq!(get(&door, &[count]).await.header("content-disposition"), None);
}

#[tokio::test]
async fn the_named_format_wins_over_the_header() {
    let door = Door::new();
    for (format, content_type) in [
        ("json", "application/json"),
        ("ndjson", "application/x-ndjson"),
        ("csv", "text/csv; charset=utf-8"),
        ("arrow", "application/vnd.apache.arrow.stream"),
        ("parquet", "application/vnd.apache.parquet"),
    ] {
        let uri = url(&[("query", "select 1 as n"), ("format", format)]);
        let request = Request::get(uri).header("accept", "image/png").body(Body::empty()).unwrap();
        assert_eq!(door.send(request).await.header("content-type"), Some(content_type));
        let body = json!({ "query": "select 1 as n", "format": format }).to_string();
        assert_eq!(door.post("/v1/sql", "application/json", body).await.header("content-type"), Some(content_type));
    }
    let problem = get(&door, &[("query", "select 1"), ("format", "xml")]).await.problem(400);
    assert_eq!((&problem["parameter"], &problem["value"]), (&"format".into(), &"xml".into()));
    assert!(problem["detail"].as_str().unwrap().contains("json, ndjson, csv, arrow, parquet"), "{problem}");
}

/// The rows of a Parquet file.
fn parquet_rows(file: Vec<u8>) -> Vec<arrow::array::RecordBatch> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file)).unwrap().build().unwrap();
    reader.map(Result::unwrap).collect()
}

#[tokio::test]
async fn parquet_is_one_file_whose_columns_differ_in_their_names() {
    let door = Door::new();
    let query = "select 1 as n, 2 as n, timestamp '2018-01-18 08:51:55.5' - timestamp '2018-01-18 08:51:54' as span, \
                 arrow_cast(1516265515500, 'Timestamp(Millisecond, Some(\"UTC\"))') as at, null as nothing";
    let answer = get(&door, &[("query", query), ("format", "parquet")]).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let batches = parquet_rows(answer.body);
    let schema = batches[0].schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["n", "n_2", "span", "at", "nothing"]);
    assert_eq!(batches[0].column(1).as_primitive::<Int64Type>().value(0), 2);
    assert_eq!(batches[0].column(3).as_primitive::<TimestampMillisecondType>().value(0), 1_516_265_515_500);
    // A long one has several row groups, and is whole.
    let noise: Vec<String> = (0..20).map(|salt| format!("md5(value::text || '{salt}')")).collect();
    let query = format!("select value, {} as x from generate_series(1, 100000)", noise.join(" || "));
    let file = get(&door, &[("query", &query), ("format", "parquet")]).await.body;
    let groups = ParquetRecordBatchReaderBuilder::try_new(bytes::Bytes::from(file.clone())).unwrap();
    assert!(groups.metadata().num_row_groups() > 1, "a row group is kept in memory at a time");
    assert_eq!(parquet_rows(file).iter().map(|batch| batch.num_rows()).sum::<usize>(), 100_000);
}

#[tokio::test]
async fn a_mark_says_that_csv_is_utf_8_where_it_is_asked_for() {
    let door = Door::new();
    let word = ("query", "select '\u{fc}' as word");
    assert_eq!(get(&door, &[word, ("format", "csv")]).await.body, "word\n\u{fc}\n".as_bytes());
    assert_eq!(get(&door, &[word, ("format", "csv"), ("bom", "true")]).await.body, "\u{feff}word\n\u{fc}\n".as_bytes());
    assert_eq!(get(&door, &[word, ("bom", "true")]).await.json(), json!([{ "word": "\u{fc}" }]));
    assert_eq!(get(&door, &[word, ("bom", "1")]).await.problem(400)["parameter"], "bom");
}

#[tokio::test]
async fn parameters_are_values_of_the_types_that_the_statement_wants() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1) + &line("c-2", 8, 2)).await;
    for (query, parameters, expected) in [
        ("select skill_id from segments where skill_id = $1", "[7]", json!([{ "skill_id": 7 }])),
        ("select skill_id from segments where skill_id = $1", "[\"7\"]", json!([{ "skill_id": 7 }])),
        ("select skill_id from segments where skill_id > $1", "[7.5]", json!([{ "skill_id": 8 }])),
        ("select count(*) as n from segments where skill_id = any($1)", "[[7, 8, null]]", json!([{ "n": 2 }])),
        ("select count(*) as n from segments where outcome = any($1)", "[[\"abandoned\"]]", json!([{ "n": 2 }])),
        ("select count(*) as n from segments where end_time > $1", "[\"2018-01-18\"]", json!([{ "n": 2 }])),
        (
            "select count(*) as n from segments where last_agent_id is not distinct from $1",
            "[null]",
            json!([{ "n": 2 }]),
        ),
        ("select $1 as a, $2 as b, $3 as c", "[\"it's\", 1.5, true]", json!([{ "a": "it's", "b": 1.5, "c": true }])),
        (
            "select $1::bigint as a, $2::boolean as b",
            "[9007199254740993, false]",
            json!([{ "a": 9_007_199_254_740_993_i64, "b": false }]),
        ),
        ("select skill_id from segments order by skill_id limit $1", "[1]", json!([{ "skill_id": 7 }])),
    ] {
        let answer = get(&door, &[("query", query), ("parameters", parameters)]).await;
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        assert_eq!(answer.json(), expected, "{query}");
        let values: serde_json::Value = serde_json::from_str(parameters).unwrap();
        let body = json!({ "query": query, "parameters": values }).to_string();
        assert_eq!(door.post("/v1/sql", "application/json", body).await.json(), expected, "{query}");
    }
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let door = Door::new();
    let one = ("query", "select * from segments where skill_id = $1");
    for (parameters, name, part) in [
        (&[][..], "query", "the statement to run"),
        (&[("query", " ")], "query", "the statement to run"),
        (&[("query", "select 1"), ("acount", "acme")], "acount", "no such parameter"),
        (&[("query", "select 1"), ("query", "select 2")], "query", "more than once"),
        (&[("query", "select 1"), ("account", "")], "account", ""),
        (&[one, ("parameters", "7")], "parameters", "a JSON array"),
        (&[one, ("parameters", "[7")], "parameters", "a JSON array"),
        (&[one, ("parameters", "[7, 8]")], "parameters", "has 1 parameters, and 2 values"),
        (&[one, ("parameters", "[\"seven\"]")], "parameters", "the value of $1: invalid input syntax for type bigint"),
        (&[one, ("parameters", "[{}]")], "parameters", "the value of $1"),
        (&[("query", "select 1"), ("parameters", "[1]")], "parameters", "has 0 parameters, and 1 values"),
    ] {
        let problem = get(&door, parameters).await.problem(400);
        assert_eq!(problem["parameter"], name, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(part), "{problem}");
    }
}

#[tokio::test]
async fn a_url_only_reads() {
    let door = Door::new();
    for query in [
        "select kill_query(1)",
        "select KILL_QUERY(id) from system.queries",
        "select 1 where exists (select 1 from segments where kill_query(1))",
        "with x as (select kill_query(1) as k) select * from x",
        "explain analyze select kill_query(1)",
        "delete from segments",
        "drop table segments",
        "create view v as select 1",
        "create table t as select 1",
        "copy (select 1) to '/tmp/x.csv'",
        "set datafusion.execution.batch_size = 1",
        "prepare p as select 1",
    ] {
        assert_ne!(get(&door, &[("query", query)]).await.status, 200, "{query}");
        if !query.to_lowercase().contains("kill_query") {
            continue;
        }
        let problem = get(&door, &[("query", query)]).await.problem(400);
        assert!(problem["detail"].as_str().unwrap().contains("only statements that read"), "{problem}");
        assert_eq!(door.sql(query).await.status, 200, "{query}");
    }
    for query in ["select 1", "explain select 1", "show tables", "describe segments", "table segments", "values (1)"] {
        assert_eq!(get(&door, &[("query", query)]).await.status, 200, "{query}");
    }
}

#[tokio::test]
async fn head_tells_what_there_would_be() {
    let door = Door::new();
    let head = async |uri: String| door.send(Request::head(uri).body(Body::empty()).unwrap()).await;
    let answer = head(url(&[("query", "select 1 as n"), ("format", "csv")])).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (200, 0));
    assert_eq!(answer.header("content-type"), Some("text/csv; charset=utf-8"));
    assert_eq!(answer.header("content-length"), Some("4"), "n and 1, each on a line");
    let long = "select repeat('x', 100) as x from generate_series(1, 100000)";
    assert_eq!(head(url(&[("query", long), ("format", "csv")])).await.header("content-length"), None);
    assert_eq!(head(url(&[("query", "selec")])).await.status, 400);
    assert_eq!(head("/v1/sql".to_owned()).await.status, 400);
}

#[tokio::test]
async fn arrow_has_every_type_of_the_statement() {
    let query = "select 1 as n, 'a' as word, array[1, 2] as list, named_struct('a', 1) as parts";
    let answer = get(&Door::new(), &[("query", query), ("format", "arrow")]).await;
    let schema = StreamReader::try_new(&answer.body[..], None).unwrap().schema();
    let types: Vec<String> = schema.fields().iter().map(|field| field.data_type().to_string()).collect();
    assert_eq!(types[..2], ["Int64", "Utf8"]);
    assert!(types[2].starts_with("List(") && types[3].starts_with("Struct("), "{types:?}");
}
