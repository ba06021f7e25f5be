//! The names of skills and agents, from whatever tables and views there are.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::door::{Door, SEGMENTS, line};

const NAMES: &str = "/v1/accounts/acme/names";

/// Keeps a small table, of one account or of `*` for all.
async fn keep(door: &Door, account: &str, table: &str, csv: &str) {
    let answer = door.post(&format!("/v1/accounts/{account}/tables/{table}"), "text/csv", csv.to_owned()).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
}

/// Carries out a statement that defines, of one account or of all.
async fn define(door: &Door, account: Option<&str>, query: &str) {
    let body = json!({ "account": account, "query": query });
    let answer = door.post("/v1/sql", "application/json", body.to_string()).await;
    assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.text());
}

async fn names_of(door: &Door, account: &str) -> Value {
    let answer = door.get(&format!("/v1/accounts/{account}/names")).await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn the_names_are_those_of_the_tables_in_order() {
    let door = Door::new();
    assert_eq!(door.get(NAMES).await.text(), r#"{"skills":{},"agents":{}}"#);
    keep(&door, "acme", "skills", "skill_id,name\n12,Billing\n9,\"Cards, lost\"\n-1,None\n3,\n,Nothing\n").await;
    keep(&door, "acme", "agents", "name,agent_id,team\nBob,b,1\nAnn,a1,2\nCy,9,2\n").await;
    let answer = door.get(NAMES).await;
    assert_eq!(
        answer.text(),
        r#"{"skills":{"-1":"None","9":"Cards, lost","12":"Billing"},"agents":{"9":"Cy","a1":"Ann","b":"Bob"}}"#
    );
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[tokio::test]
async fn an_account_has_its_own_names_or_else_those_for_all() {
    let door = Door::new();
    keep(&door, "*", "skills", "skill_id,name\n7,Everybody's\n").await;
    keep(&door, "acme", "skills", "skill_id,name\n8,Acme's\n").await;
    keep(&door, "bolt", "agents", "agent_id,name\nann,Ann\n").await;
    assert_eq!(names_of(&door, "acme").await, json!({ "skills": { "8": "Acme's" }, "agents": {} }));
    assert_eq!(names_of(&door, "bolt").await, json!({ "skills": { "7": "Everybody's" }, "agents": { "ann": "Ann" } }));
}

#[tokio::test]
async fn a_view_for_all_gives_each_account_what_is_its_own() {
    let door = Door::new();
    door.post(SEGMENTS, "application/x-ndjson", line("c-1", 7, 1) + &line("c-2", 7, 2)).await;
    door.post("/v1/accounts/bolt/segments", "application/x-ndjson", line("c-1", 8, 1)).await;
    let query = "create view skills as select skill_id, account_id || ' ' || skill_id as name from segments";
    define(&door, None, query).await;
    define(&door, None, "create view agents as select 70000 as agent_id, 'Ann' as name").await;
    assert_eq!(names_of(&door, "acme").await, json!({ "skills": { "7": "acme 7" }, "agents": { "70000": "Ann" } }));
    assert_eq!(names_of(&door, "bolt").await["skills"], json!({ "8": "bolt 8" }));
}

#[tokio::test]
async fn what_cannot_be_a_name_is_left_out() {
    let door = Door::new();
    for (query, expected) in [
        ("select 7 as number, 'x' as name", json!({})),
        ("select 7 as skill_id, 8 as name", json!({})),
        ("select 7.5 as skill_id, 'x' as name", json!({})),
        ("select true as skill_id, 'x' as name", json!({})),
        ("select array[7] as skill_id, 'x' as name", json!({})),
        ("select 7 as skill_id, cast(null as text) as name", json!({})),
        ("select 7 as skill_id, 'x' as name limit 0", json!({})),
        ("select '7' as skill_id, 'x' as name union all select 'seven', 'y'", json!({ "7": "x" })),
        ("select cast(7 as smallint) as skill_id, 'x' as name, 1 as other", json!({ "7": "x" })),
        // The numeric of a number that is larger than any skill's.
        ("select cast(9223372036854775808 as numeric(20, 0)) as skill_id, 'x' as name", json!({})),
        ("select * from (values (7, 'b'), (7, 'a'), (7, 'c')) as v (skill_id, name)", json!({ "7": "a" })),
    ] {
        define(&door, Some("acme"), &format!("create or replace view skills as {query}")).await;
        assert_eq!(names_of(&door, "acme").await, json!({ "skills": expected, "agents": {} }), "{query}");
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_told_with_its_name() {
    let door = Door::new();
    keep(&door, "acme", "teams", "skill_id,name\n7,Billing\n").await;
    define(&door, Some("acme"), "create view skills as select 1 / (skill_id - 7) as skill_id, name from teams").await;
    door.get(NAMES).await.problem(400);
    define(&door, Some("acme"), "create or replace view skills as select skill_id, name from teams").await;
    assert_eq!(names_of(&door, "acme").await["skills"], json!({ "7": "Billing" }));
    // The table that the view names is replaced by one that has no such column, and then goes.
    for is_gone in [false, true] {
        if is_gone {
            define(&door, Some("acme"), "drop table teams").await;
        } else {
            keep(&door, "acme", "teams", "number,name\n7,Billing\n").await;
        }
        let problem = door.get(NAMES).await.problem(400);
        assert_eq!((&problem["parameter"], &problem["value"]), (&json!("table"), &json!("skills")));
        assert!(problem["detail"].as_str().unwrap().contains("the view \"skills\" cannot be read"), "{problem}");
    }
    assert_eq!(door.get("/v1/accounts/a%2Fb/names").await.problem(400)["parameter"], "account");
}

#[tokio::test]
async fn there_are_only_so_many_names() {
    let door = Door::new();
    for (number, bytes, is_answered) in [(100_000, 1, true), (100_001, 1, false), (100_000, 200, false)] {
        let series = format!("generate_series(1, {number}) as g (i)");
        let query = format!(
            "create or replace view skills as select i as skill_id, repeat('x', {bytes}) as name from {series}"
        );
        define(&door, Some("acme"), &query).await;
        let answer = door.get(NAMES).await;
        if is_answered {
            assert_eq!(answer.json()["skills"].as_object().unwrap().len(), number);
        } else {
            let problem = answer.problem(400);
            assert_eq!(problem["value"], "skills");
            assert!(problem["detail"].as_str().unwrap().contains("100000 names"), "{problem}");
        }
    }
}
