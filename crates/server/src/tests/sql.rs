//! `POST /v1/sql`: rows as JSON, whose rows a statement sees, and which statements are refused.

use super::door::{Door, NOW, SEGMENTS, line};

#[tokio::test]
async fn rows_are_objects_with_times_as_rfc_3339_and_nulls() {
    let (door, _) = Door::moving(NOW);
    door.post(SEGMENTS, "application/x-ndjson", line("c-\u{fc}", -1, 679)).await;
    let rows = door.sql("select * from segments").await.json();
    let expected = serde_json::json!([{
        "account_id": "acme", "conversation_id": "c-\u{fc}", "segment_index": 0, "skill_id": -1,
        "start_time": "2018-01-18T08:51:55Z", "end_time": "2018-01-18T08:51:55Z",
        "start_reason": "new_conversation", "end_reason": "closed_by_consumer", "user_type": "none",
        "outcome": "abandoned", "abandoned_in_queue": true, "first_assigned_time": null,
        "first_agent_message_time": null, "time_to_first_agent_message_ms": null, "agent_messages": 0,
        "consumer_messages": 1, "last_agent_id": null, "source": null, "arrival_time": "2018-01-18T08:51:55.679Z",
    }]);
    assert_eq!(rows, expected);
}

#[tokio::test]
async fn times_without_a_zone_have_none_in_their_text() {
    let text = "select timestamp '2018-01-18 08:51:55.5' as a, now() as b, date_trunc('hour', now()) as c";
    let expected = serde_json::json!([
        { "a": "2018-01-18T08:51:55.500", "b": "2018-01-18T08:51:55.679Z", "c": "2018-01-18T08:00:00Z" }
    ]);
    assert_eq!(Door::new().sql(text).await.json(), expected);
}

#[tokio::test]
async fn no_rows_are_an_empty_array() {
    assert_eq!(Door::new().sql("select * from segments").await.text(), "[]");
}

#[tokio::test]
async fn explain_tells_which_hours_are_read() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1) + &line("c-2", 7, 7_200_000)).await;
    let text = "explain select max(start_time) from segments where account_id = 'acme' and end_time > now() - interval '1 hour'";
    let plan = door.sql(text).await.text();
    assert!(plan.contains("SegmentsScan: hours=1 of 2"), "{plan}");
}

#[tokio::test]
async fn an_account_in_the_body_sees_its_own_rows_alone() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1)).await;
    for (account, rows) in [("acme", 1), ("bolt", 0)] {
        let body = serde_json::json!({"query": "select count(*) as n from segments", "account": account});
        let answer = door.post("/v1/sql", "application/json", body.to_string()).await;
        assert_eq!(answer.json(), serde_json::json!([{ "n": rows }]), "{account}");
    }
}

#[tokio::test]
async fn what_is_no_account_is_refused() {
    let body = serde_json::json!({"query": "select 1", "account": "no/account"}).to_string();
    let problem = Door::new().post("/v1/sql", "application/json", body).await.problem(400);
    assert_eq!((&problem["parameter"], &problem["value"]), (&"account".into(), &"no/account".into()));
}

#[tokio::test]
async fn a_wrong_statement_is_the_clients_error() {
    let door = Door::new();
    for text in
        ["selec 1", "select nothing from segments", "delete from segments", "select 1/0", "select cast('x' as int)"]
    {
        let problem = door.sql(text).await.problem(400);
        assert_eq!(problem["title"], "Invalid SQL statement", "{text}");
    }
}

#[tokio::test]
async fn an_answer_has_a_largest_number_of_rows() {
    let door = Door::new();
    assert_eq!(door.sql("select * from generate_series(1, 100000)").await.json().as_array().unwrap().len(), 100_000);
    let problem = door.sql("select * from generate_series(1, 100001)").await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("LIMIT"), "{problem}");
}

#[tokio::test]
async fn the_body_is_a_json_object_with_a_query() {
    let door = Door::new();
    for body in ["", "select 1", "{}", r#"{"query": 1}"#, "[]"] {
        door.post("/v1/sql", "application/json", body).await.problem(400);
    }
    door.post("/v1/sql", "text/plain", "select 1").await.problem(415);
}

#[tokio::test]
async fn a_field_that_nobody_reads_is_refused() {
    let door = Door::new();
    for (body, field) in [
        (r#"{"query": "select 1", "acount": "acme"}"#, "acount"),
        (r#"{"query": "select 1", "Account": "acme"}"#, "Account"),
        (r#"{"sql": "select 1"}"#, "sql"),
    ] {
        let problem = door.post("/v1/sql", "application/json", body).await.problem(400);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(&format!("`{field}`")) && detail.contains("`query`, `account`, `format`"), "{detail}");
    }
    for (parameters, name) in [
        ("account=acme", "account"),
        ("x=1&Account=acme", "Account"),
        ("query=select+1", "query"),
        ("format=csv", "format"),
        ("parameters=[1]", "parameters"),
    ] {
        let path = format!("/v1/sql?{parameters}");
        let problem = door.post(&path, "application/json", r#"{"query": "select 1"}"#).await.problem(400);
        assert_eq!(problem["parameter"], name, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("in the body"), "{problem}");
    }
    let answer = door.post("/v1/sql?pretty=1", "application/json", r#"{"query": "select 1 as n"}"#).await;
    assert_eq!(answer.json(), serde_json::json!([{ "n": 1 }]));
}

#[tokio::test]
async fn queries_in_words_of_duckdb_are_answered() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1) + &line("c-2", 8, 1) + &line("c-3", 8, 1)).await;
    let counted = door.sql("from segments select skill_id, count(*) as n group by all order by all desc").await.json();
    assert_eq!(counted, serde_json::json!([{ "skill_id": 8, "n": 2 }, { "skill_id": 7, "n": 1 }]));
    let query = serde_json::json!({
        "query": "summarize from segments select skill_id, source where skill_id > $1", "parameters": [7],
    });
    let summary = door.post("/v1/sql", "application/json", query.to_string()).await.json();
    let expected = serde_json::json!([
        {
            "column_name": "skill_id", "column_type": "bigint", "min": "8", "max": "8", "approx_unique": 1, "avg": "8",
            "std": "0", "q25": "8", "q50": "8", "q75": "8", "count": 2, "null_percentage": 0.0,
        },
        {
            "column_name": "source", "column_type": "text", "min": null, "max": null, "approx_unique": 0, "avg": null,
            "std": null, "q25": null, "q50": null, "q75": null, "count": 2, "null_percentage": 100.0,
        },
    ]);
    assert_eq!(summary, expected);
    let by_url = door.get("/v1/sql?query=/**/FROM%20segments%20where%20skill_id=7;&format=json").await.json();
    assert_eq!(by_url.as_array().unwrap().len(), 1);
    let columns =
        "select column_name from information_schema.columns where table_name = 'segments' order by ordinal_position";
    let (columns, summary) = (door.sql(columns).await.json(), door.sql("summarize segments").await.json());
    let names = |rows: &serde_json::Value| {
        rows.as_array().unwrap().iter().map(|row| row["column_name"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(names(&columns), names(&summary));
}

#[tokio::test]
async fn arguments_of_a_report_are_parameters() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1) + &line("c-2", 8, 1)).await;
    let query =
        "select total from skill_report($1, $2, $3, null, $4) where skill_id is null and interval_start is null";
    for parameters in [
        serde_json::json!(["acme", "2018-01-18T08:51:55.679Z", 60, "7"]),
        serde_json::json!(["acme", "2018-01-18 08:51:55.679", "60", "7"]),
    ] {
        let body = serde_json::json!({ "query": query, "parameters": parameters }).to_string();
        let answer = door.post("/v1/sql", "application/json", body).await;
        assert_eq!(answer.json(), serde_json::json!([{ "total": 1 }]), "{parameters}");
    }
    let body =
        serde_json::json!({ "query": query, "parameters": ["acme", "2018-01-18T08:51:55Z", 0, "7"] }).to_string();
    let problem = door.post("/v1/sql", "application/json", body).await.problem(400);
    assert!(problem["detail"].as_str().unwrap().contains("timeframe"), "{problem}");
}
