//! Logging in as existing clients do.

use axum::body::Body;
use axum::http::Request;
use serde_json::{Value, json};
use skillscope_query::Scope;
use skillscope_segment::AccountId;

use super::door::{Answer, Door, report_of};
use crate::{NewToken, Oauth1Secrets, Permission, TokenAdministration};

struct House {
    door: Door,
    tokens: TokenAdministration,
}

fn wanted(name: &str) -> NewToken {
    let account = Scope::Account(AccountId::parse("acme").unwrap());
    NewToken { name: name.to_owned(), account, permissions: vec![Permission::Report], expires: None }
}

impl House {
    fn new() -> Self {
        let door = Door::new();
        let tokens = TokenAdministration::of(door.directory()).unwrap();
        Self { door, tokens }
    }

    fn add(&self, name: &str) -> String {
        let secret = self.tokens.add(wanted(name)).unwrap();
        self.door.app.access().reload().unwrap();
        secret.reveal().to_owned()
    }

    async fn log_in(&self, account: &str, body: &Value) -> Answer {
        let uri = format!("/api/account/{account}/login?v=1.3");
        let request = Request::post(uri).header("host", "localhost:8080").header("content-type", "Application/JSON");
        self.door.send(request.body(Body::from(body.to_string())).unwrap()).await
    }

    async fn get(&self, uri: &str, bearer: &str) -> Answer {
        let request = Request::get(uri).header("host", "localhost");
        let request = request.header("authorization", format!("Bearer {bearer}")).body(Body::empty()).unwrap();
        self.door.send(request).await
    }

    async fn status(&self, bearer: &str) -> u16 {
        self.get(&report_of("acme"), bearer).await.status.as_u16()
    }
}

fn bearer(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["bearer"].as_str().unwrap().to_owned()
}

fn password(name: &str, secret: &str) -> Value {
    json!({ "username": name, "password": secret })
}

#[tokio::test]
async fn a_bearer_opens_what_its_token_opens_until_that_is_revoked() {
    let house = House::new();
    let secret = house.add("wallboard");
    let answer = house.log_in("acme", &password("wallboard", &secret)).await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    assert_eq!(body["config"]["loginName"], "wallboard");
    assert_eq!(body["config"]["isAdmin"], false);
    assert_eq!(body["config"]["userId"].as_str().unwrap().len(), 16);
    assert_eq!(body["csdsCollectionResponse"]["baseURIs"][0]["baseURI"], "localhost:8080");
    assert_eq!(body["accountData"]["agentGroupsData"]["items"], json!([]));
    assert_eq!(body["sessionTTl"], "28800000");
    assert!(body["csrf"].is_null(), "clients would refresh a session by it");
    let bearer = bearer(&answer);
    assert_ne!(bearer, secret);
    assert_eq!(house.status(&bearer).await, 200);
    house.tokens.revoke("wallboard").unwrap();
    house.door.app.access().reload().unwrap();
    assert_eq!(house.status(&bearer).await, 401);
}

#[tokio::test]
async fn a_token_of_oauth_1_logs_in_with_all_that_it_signs_with() {
    let house = House::new();
    let Oauth1Secrets { consumer_key, consumer_secret, token, token_secret } =
        house.tokens.add_oauth1(wanted("bot")).unwrap();
    house.door.app.access().reload().unwrap();
    let body = json!({
        "username": "bot", "appKey": consumer_key, "secret": consumer_secret, "accessToken": token,
        "accessTokenSecret": token_secret,
    });
    let bearer = bearer(&house.log_in("acme", &body).await);
    assert_eq!(house.status(&bearer).await, 200);
    let expected = json!({ "tokens": true, "name": "bot", "account": "acme", "scopes": ["report"] });
    assert_eq!(house.get("/v1/me", &bearer).await.json(), expected);
    for changed in ["username", "appKey", "secret", "accessToken", "accessTokenSecret"] {
        let mut wrong = body.clone();
        wrong[changed] = json!("wrong");
        house.log_in("acme", &wrong).await.problem(401);
    }
    house.log_in("acme", &password("bot", &token_secret)).await.problem(401);
}

#[tokio::test]
async fn every_wrong_log_in_gets_the_same_answer() {
    let house = House::new();
    let (secret, other) = (house.add("wallboard"), house.add("other"));
    let mut answers = Vec::new();
    for (account, body) in [
        ("acme", password("wallboard", "wrong")),
        ("acme", password("wallboard", &other)),
        ("acme", password("nobody", &secret)),
        ("never", password("nobody", &secret)),
    ] {
        let answer = house.log_in(account, &body).await;
        answer.problem(401);
        answers.push((answer.headers.clone(), answer.body));
    }
    assert!(answers.iter().all(|answer| *answer == answers[0]));
    assert_eq!(house.door.app.access().failed_attempts(), 4);
    let refused = house.log_in("bolt", &password("wallboard", &secret)).await;
    let never = house.log_in("never", &password("wallboard", &secret)).await;
    refused.problem(403);
    assert_eq!(refused.body, never.body, "whether the account exists does not show");
}

#[tokio::test]
async fn a_body_that_is_no_log_in_is_refused_and_not_repeated() {
    let house = House::new();
    let secret = house.add("wallboard");
    for body in
        [json!({}), json!([]), json!({ "username": "wallboard", "pass": secret }), json!({ "password": secret })]
    {
        let problem = house.log_in("acme", &body).await.problem(400);
        assert!(!problem.to_string().contains(&secret), "{problem}");
    }
    let long = password("wallboard", &"x".repeat(17 << 10));
    house.log_in("acme", &long).await.problem(413);
    let request = Request::post("/api/account/acme/login").header("host", "localhost");
    house.door.send(request.body(Body::from("a=b")).unwrap()).await.problem(415);
    house.log_in("%20", &password("wallboard", &secret)).await.problem(400);
}

#[tokio::test]
async fn without_tokens_everybody_logs_in_and_opens_nothing_later() {
    let house = House::new();
    let bearer = bearer(&house.log_in("acme", &password("anybody", "anything")).await);
    assert_eq!(house.status(&bearer).await, 200);
    house.add("first");
    assert_eq!(house.status(&bearer).await, 401);
}
