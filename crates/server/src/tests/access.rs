//! Who may enter over HTTP, and where to.

use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use skillscope_query::Scope;
use skillscope_segment::AccountId;

use super::door::{Answer, Door, SEGMENTS, line, report_of};
use super::events::EVENTS;
use super::now::QUEUE_HEALTH;
use super::streams::Followed;
use crate::{CallerLimits, HttpOptions, NewToken, Permission, TokenAdministration};

/// A server with tokens.
struct Guarded {
    door: Door,
    tokens: TokenAdministration,
}

const ALL: [Permission; 4] = [Permission::Report, Permission::Ingest, Permission::Sql, Permission::Admin];

fn account(name: &str) -> Scope {
    Scope::Account(AccountId::parse(name).unwrap())
}

impl Guarded {
    /// A server whose first token, which opens everything, has been added.
    fn new() -> (Self, String) {
        Self::with(HttpOptions::default())
    }

    fn with(options: HttpOptions) -> (Self, String) {
        let door = Door::with_http(options);
        let tokens = TokenAdministration::of(door.directory()).unwrap();
        let guarded = Self { door, tokens };
        let all = guarded.add("all", Scope::All, &ALL);
        (guarded, all)
    }

    fn add(&self, name: &str, account: Scope, permissions: &[Permission]) -> String {
        let wanted = NewToken { name: name.to_owned(), account, permissions: permissions.to_vec(), expires: None };
        let secret = self.tokens.add(wanted).unwrap();
        self.door.app.access().reload().unwrap();
        secret.reveal().to_owned()
    }

    fn revoke(&self, name: &str) {
        self.tokens.revoke(name).unwrap();
        self.door.app.access().reload().unwrap();
    }

    async fn send(&self, token: &str, method: &str, uri: &str, body: &str) -> Answer {
        let content_type = match uri {
            "/v1/sql" => "application/json",
            table if table.contains("/tables/") => "text/csv",
            _ => "application/x-ndjson",
        };
        let request = Request::builder().method(method).uri(uri).header("content-type", content_type);
        let request =
            if token.is_empty() { request } else { request.header("authorization", format!("Bearer {token}")) };
        self.door.send(request.header("host", "localhost").body(Body::from(body.to_owned())).unwrap()).await
    }
}

/// Every route that asks for a token: what it asks for, and a request that it answers.
fn guarded_routes() -> [(Permission, &'static str, String, &'static str); 10] {
    [
        (Permission::Report, "GET", report_of("acme"), ""),
        (Permission::Report, "GET", "/v1/accounts/acme/names".to_owned(), ""),
        (Permission::Report, "GET", "/v1/accounts/acme/now".to_owned(), ""),
        (Permission::Report, "GET", QUEUE_HEALTH.to_owned(), ""),
        (Permission::Ingest, "POST", SEGMENTS.to_owned(), ""),
        (Permission::Ingest, "POST", EVENTS.to_owned(), ""),
        (Permission::Sql, "POST", "/v1/sql".to_owned(), r#"{"query":"select 1 as one"}"#),
        (Permission::Sql, "GET", "/v1/sql?query=select+1+as+one".to_owned(), ""),
        (Permission::Admin, "POST", "/v1/backup".to_owned(), ""),
        (Permission::Admin, "POST", "/v1/accounts/acme/tables/skills".to_owned(), "skill_id,name\n7,Billing\n"),
    ]
}

#[tokio::test]
async fn a_route_opens_to_tokens_of_its_scope_alone() {
    let (guarded, _) = Guarded::new();
    for permission in ALL {
        let token = guarded.add(permission.as_str(), Scope::All, &[permission]);
        for (asked, method, uri, body) in guarded_routes() {
            let answer = guarded.send(&token, method, &uri, body).await;
            if asked == permission {
                assert_eq!(answer.status, 200, "{permission} at {uri}: {}", answer.text());
            } else {
                let problem = answer.problem(403);
                assert!(problem["detail"].as_str().unwrap().contains(asked.as_str()), "{problem}");
            }
        }
    }
}

#[tokio::test]
async fn every_token_is_told_what_it_opens() {
    let (guarded, all) = Guarded::new();
    let acme = guarded.add("acme's", account("acme"), &[Permission::Admin, Permission::Ingest]);
    let me = async |token: &str| guarded.send(token, "GET", "/v1/me", "").await;
    let answer = me(&acme).await;
    let expected =
        serde_json::json!({ "tokens": true, "name": "acme's", "account": "acme", "scopes": ["ingest", "admin"] });
    assert_eq!(answer.json(), expected);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let scopes = ["report", "ingest", "sql", "admin"];
    let expected = serde_json::json!({ "tokens": true, "name": "all", "account": "*", "scopes": scopes });
    assert_eq!(me(&all).await.json(), expected);
    guarded.revoke("acme's");
    for wrong in ["", "skt_wrong", &acme] {
        me(wrong).await.problem(401);
    }
}

#[tokio::test]
async fn where_there_are_no_tokens_everybody_is_told_so_until_there_are() {
    let door = Door::new();
    let scopes = ["report", "ingest", "sql", "admin"];
    let expected = serde_json::json!({ "tokens": false, "name": null, "account": "*", "scopes": scopes });
    assert_eq!(door.get("/v1/me").await.json(), expected);
    let guarded = Guarded { tokens: TokenAdministration::of(door.directory()).unwrap(), door };
    guarded.add("first", Scope::All, &[Permission::Sql]);
    guarded.door.get("/v1/me").await.problem(401);
}

#[tokio::test]
async fn no_token_and_every_wrong_one_get_the_same_answer_at_every_route() {
    let (guarded, _) = Guarded::new();
    guarded.add("gone", Scope::All, &ALL);
    let gone = guarded.add("soon gone", Scope::All, &ALL);
    guarded.revoke("soon gone");
    for (_, method, uri, body) in guarded_routes() {
        let without = guarded.send("", method, &uri, body).await;
        without.problem(401);
        assert!(without.header("www-authenticate").unwrap().starts_with("Bearer"));
        let wrong = guarded.send("skt_wrong", method, &uri, body).await;
        let revoked = guarded.send(&gone, method, &uri, body).await;
        wrong.problem(401);
        assert_eq!((wrong.status, wrong.body), (revoked.status, revoked.body));
    }
}

#[tokio::test]
async fn whether_another_account_exists_does_not_show() {
    let (guarded, all) = Guarded::new();
    let token = guarded.add("acme's", account("acme"), &ALL);
    guarded.send(&all, "POST", "/v1/accounts/there/segments", &line("c-1", 7, 1)).await.text();
    let sql = |name: &str| format!(r#"{{"query":"select 1","account":"{name}"}}"#);
    let asked = async |name: &str| {
        let mut answers = Vec::new();
        for (method, uri, body) in [
            ("GET", report_of(name), String::new()),
            ("GET", format!("/v1/accounts/{name}/names"), String::new()),
            ("GET", format!("/v1/accounts/{name}/now"), String::new()),
            ("GET", QUEUE_HEALTH.replace("acme", name), String::new()),
            ("POST", format!("/v1/accounts/{name}/segments"), line("c-2", 7, 1)),
            ("POST", format!("/v1/accounts/{name}/events"), String::new()),
            ("POST", format!("/v1/accounts/{name}/history"), String::new()),
            ("POST", format!("/v1/accounts/{name}/tables/skills"), "skill_id\n7\n".to_owned()),
            ("POST", "/v1/sql".to_owned(), sql(name)),
            ("GET", format!("/v1/sql?query=select+1&account={name}"), String::new()),
        ] {
            let answer = guarded.send(&token, method, &uri, &body).await;
            answer.problem(403);
            answers.push((answer.headers, answer.body));
        }
        answers
    };
    assert_eq!(asked("there").await, asked("never").await);
    guarded.send(&token, "POST", "/v1/backup", "").await.problem(403);
    guarded.send(&token, "POST", "/v1/accounts/*/tables/skills", "skill_id\n7\n").await.problem(403);
    let seen = guarded.send(&token, "POST", "/v1/sql", r#"{"query":"select count(*) as n from segments"}"#).await;
    assert_eq!(seen.json()[0]["n"], 0, "what is seen without naming an account is the token's own");
}

#[tokio::test]
async fn what_probes_look_ups_and_the_page_ask_needs_no_token() {
    let (guarded, _) = Guarded::new();
    for uri in ["/", "/healthz", "/readyz", "/openapi.json", "/api/account/acme/service/agentVep/baseURI.json"] {
        assert_eq!(guarded.send("", "GET", uri, "").await.status, 200, "{uri}");
    }
}

#[tokio::test]
async fn the_document_tells_what_each_route_asks_for() {
    let (guarded, _) = Guarded::new();
    let document = guarded.door.get("/openapi.json").await.json();
    for (permission, method, uri, _) in guarded_routes() {
        let path = uri.split('?').next().unwrap().replace("/acme/", "/{account}/").replace("/skills", "/{name}");
        let operation = &document["paths"][&path][method.to_lowercase()];
        assert_eq!(operation["security"], serde_json::json!([{ "token": [permission.as_str()] }]), "{path}");
        assert!(operation["responses"]["401"].is_object(), "{path}");
    }
    assert!(document["paths"]["/healthz"]["get"]["security"].is_null());
    assert_eq!(document["components"]["securitySchemes"]["token"]["scheme"], "bearer");
}

#[tokio::test]
async fn an_answer_under_way_ends_with_its_token() {
    let (guarded, _) = Guarded::new();
    let token = guarded.add("analyst", Scope::All, &[Permission::Sql]);
    let query = r#"{"query":"select repeat('x', 1000) as x from generate_series(1, 90000) a"}"#;
    let request = Request::post("/v1/sql").header("host", "localhost").header("content-type", "application/json");
    let request = request.header("authorization", format!("Bearer {token}")).body(Body::from(query)).unwrap();
    let mut body = tower::ServiceExt::oneshot(guarded.door.routes(), request).await.unwrap().into_body();
    assert!(body.frame().await.unwrap().is_ok());
    guarded.revoke("analyst");
    let broken = loop {
        match body.frame().await {
            Some(Ok(_)) => {}
            Some(Err(error)) => break error.to_string(),
            None => panic!("the answer came to its end"),
        }
    };
    assert!(broken.contains("revoked"), "{broken}");
}

#[tokio::test]
async fn a_stream_ends_with_its_token_and_says_so() {
    let (guarded, _) = Guarded::with(HttpOptions {
        of_a_token: CallerLimits { concurrency: 1, ..CallerLimits::default() },
        ..HttpOptions::default()
    });
    let token = guarded.add("wallboard", account("acme"), &[Permission::Report]);
    let request = |account| {
        let uri = format!("{}&every=60", report_of(account));
        let request = Request::get(uri).header("host", "localhost").header("accept", "text/event-stream");
        request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
    };
    guarded.door.send(request("bolt")).await.problem(403);
    let response = tower::ServiceExt::oneshot(guarded.door.routes(), request("acme")).await.unwrap();
    let mut followed = Followed::new(response);
    for begins in ["retry: ", "event: report\n"] {
        assert!(followed.frame().await.unwrap().starts_with(begins.as_bytes()));
    }
    guarded.send(&token, "GET", &report_of("acme"), "").await.problem(429);
    guarded.revoke("wallboard");
    let end = followed.frame().await.unwrap();
    let data = str::from_utf8(&end).unwrap().strip_prefix("event: end\ndata: ").unwrap();
    let problem: serde_json::Value = serde_json::from_str(data).unwrap();
    assert_eq!(problem["status"], 401);
    assert_eq!(problem["detail"], "the token has been revoked or has expired");
    assert_eq!(followed.frame().await, None);
    guarded.send(&token, "GET", &report_of("acme"), "").await.problem(401);
}

#[tokio::test]
async fn an_expired_token_opens_nothing() {
    let (guarded, _) = Guarded::new();
    let expires = Some(skillscope_query::Clock::System.now() + 1000);
    let wanted = NewToken { name: "short".to_owned(), account: Scope::All, permissions: ALL.to_vec(), expires };
    let token = guarded.tokens.add(wanted).unwrap().reveal().to_owned();
    guarded.door.app.access().reload().unwrap();
    let status = async || guarded.send(&token, "GET", &report_of("acme"), "").await.status.as_u16();
    assert_eq!(status().await, 200);
    while status().await == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(status().await, 401);
}

#[tokio::test]
async fn statements_of_everybody_are_for_operators() {
    let (guarded, operator) = Guarded::new();
    let reader = guarded.add("reader", Scope::All, &[Permission::Sql]);
    let acme = guarded.add("acme's", account("acme"), &[Permission::Sql]);
    let app = &guarded.door.app;
    let theirs = app.engine().sql(account("bolt"), "test");
    let _rows = theirs.run("select * from generate_series(1, 1000000)", Vec::new()).await.unwrap();
    let listed = async |token: &str| {
        let query = r#"{"query":"select id from system.queries where account_id = 'bolt'"}"#;
        guarded.send(token, "POST", "/v1/sql", query).await.json()
    };
    let seen = listed(&operator).await;
    let id = seen[0]["id"].as_i64().expect("an operator sees it");
    let kill = format!(r#"{{"query":"select kill_query({id}) as killed"}}"#);
    for token in [&reader, &acme] {
        assert_eq!(listed(token).await.as_array().unwrap().len(), 0);
        assert_eq!(guarded.send(token, "POST", "/v1/sql", &kill).await.json()[0]["killed"], false);
    }
    assert_eq!(guarded.send(&operator, "POST", "/v1/sql", &kill).await.json()[0]["killed"], true);
}

#[tokio::test]
async fn a_token_that_asks_too_often_is_asked_to_wait_and_others_are_not() {
    let of_a_token = CallerLimits { rate: std::num::NonZeroU32::new(2), ..CallerLimits::default() };
    let (guarded, token) = Guarded::with(HttpOptions { of_a_token, ..HttpOptions::default() });
    let other = guarded.add("other", account("acme"), &[Permission::Report]);
    let ask = async |token: &str| guarded.send(token, "GET", &report_of("acme"), "").await;
    // However slow the machine is, three in a row do not take a second, or else more are asked.
    let refused = loop {
        let answer = ask(&token).await;
        if answer.status != 200 {
            break answer;
        }
    };
    let problem = refused.problem(429);
    assert!(problem["detail"].as_str().unwrap().contains("--token-rate"), "{problem}");
    assert_eq!(refused.header("retry-after"), Some("1"));
    assert_eq!(ask(&other).await.status, 200);
    // Whoever is not let in costs the token nothing, and is told nothing else.
    ask("not-a-token").await.problem(401);
}

#[tokio::test]
async fn a_token_has_so_many_requests_under_way() {
    let of_a_token = CallerLimits { concurrency: 1, ..CallerLimits::default() };
    let (guarded, token) = Guarded::with(HttpOptions { of_a_token, ..HttpOptions::default() });
    let other = guarded.add("other", account("acme"), &[Permission::Report]);
    let statement = r#"{"query":"select repeat('x', 1000) as x from generate_series(1, 20000)"}"#;
    let request = Request::post("/v1/sql").header("host", "localhost").header("content-type", "application/json");
    let request = request.header("authorization", format!("Bearer {token}")).body(Body::from(statement)).unwrap();
    let unread = tower::ServiceExt::oneshot(guarded.door.routes(), request).await.unwrap();
    assert_eq!(unread.status(), 200);
    let refused = guarded.send(&token, "GET", &report_of("acme"), "").await;
    assert!(refused.problem(429)["detail"].as_str().unwrap().contains("--token-concurrency"));
    assert!(refused.header("retry-after").is_some());
    assert_eq!(guarded.send(&other, "GET", &report_of("acme"), "").await.status, 200);
    drop(unread);
    assert_eq!(guarded.send(&token, "GET", &report_of("acme"), "").await.status, 200);
}

#[tokio::test]
async fn with_tokens_the_server_answers_to_any_name() {
    let (guarded, token) = Guarded::new();
    let request = |token: &str| {
        let request = Request::get(report_of("acme")).header("host", "reports.example");
        request.header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap()
    };
    assert_eq!(guarded.door.send(request(&token)).await.status, 200);
    guarded.door.send(request("no-token")).await.problem(401);
}

#[tokio::test]
async fn views_are_made_by_those_who_have_the_scope_admin() {
    let (guarded, all) = Guarded::new();
    let reader = guarded.add("reader", Scope::All, &[Permission::Sql]);
    let acme = guarded.add("acme's", account("acme"), &[Permission::Sql, Permission::Admin]);
    let sql = |query: &str| serde_json::json!({ "query": query }).to_string();
    for text in ["create view v as select 1 as x", "drop view if exists v", "drop table skills"] {
        let problem = guarded.send(&reader, "POST", "/v1/sql", &sql(text)).await.problem(403);
        assert!(problem["detail"].as_str().unwrap().contains("scope admin"), "{problem}");
    }
    guarded.send(&all, "POST", "/v1/sql", &sql("create view v as select 1 as x")).await.text();
    let own = guarded.send(&acme, "POST", "/v1/sql", &sql("create view v as select 2 as x")).await;
    assert_eq!(own.status, 200, "{}", own.text());
    let seen = async |token: &str| {
        guarded.send(token, "POST", "/v1/sql", &sql("select x from v")).await.json()[0]["x"].clone()
    };
    assert_eq!((seen(&acme).await, seen(&reader).await), (2.into(), 1.into()));
    guarded.send(&acme, "POST", "/v1/sql", &sql("drop view v")).await.text();
    guarded.send(&acme, "POST", "/v1/sql", &sql("drop view v")).await.problem(403);
    assert_eq!(seen(&acme).await, 1);
}
