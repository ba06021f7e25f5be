//! Settings, from the start of a connection on.

use super::client::{Client, Server, in_time};

async fn start(server: &Server, parameters: &str) -> Client {
    let mut client = server.connect();
    client.start(format!("user\0a\0database\0acme\0{parameters}\0").as_bytes()).await;
    client
}

async fn started(server: &Server, parameters: &str) -> Client {
    let mut client = start(server, parameters).await;
    in_time(client.until_ready()).await;
    client
}

async fn shown(client: &mut Client, setting: &str) -> String {
    in_time(client.query(&format!("show {setting}"))).await.iter().find_map(|answer| answer.text()).unwrap()
}

#[tokio::test]
async fn a_connection_begins_with_the_settings_that_it_asks_for() {
    let server = Server::new();
    for parameters in [
        "options\0-c statement_timeout=1000\0",
        "options\0-cstatement_timeout=1s\0",
        "options\0--statement-timeout=1000ms\0",
        "statement_timeout\x001000\0",
        // What the packet says itself is the last word.
        "options\0-c statement_timeout=7\0statement_timeout\x001000\0",
    ] {
        let mut client = started(&server, parameters).await;
        assert_eq!(shown(&mut client, "statement_timeout").await, "1s", "{parameters:?}");
    }
    let mut client = started(&server, "").await;
    assert_eq!(shown(&mut client, "statement_timeout").await, "0");
    let options = "options\0-c application_name=my\\ tool -c lock_timeout=2min\0DateStyle\0ISO, DMY\0_pq_.x\0y\0";
    let mut client = started(&server, options).await;
    assert_eq!(shown(&mut client, "application_name").await, "my tool");
    assert_eq!(shown(&mut client, "lock_timeout").await, "2min");
    assert_eq!(shown(&mut client, "datestyle").await, "ISO, DMY");
}

#[tokio::test]
async fn settings_that_there_are_not_end_the_connection() {
    let server = Server::new();
    for (parameters, code, text) in [
        ("acount\0a\0", "FATAL 42704", "unrecognized configuration parameter \"acount\""),
        ("options\0-c nope=1\0", "FATAL 42704", "unrecognized configuration parameter \"nope\""),
        ("options\0-c statement_timeout=soon\0", "FATAL 22023", "invalid value for parameter \"statement_timeout\""),
        ("statement_timeout\0-1\0", "FATAL 22023", "outside the valid range"),
        ("options\0-c statement_timeout\0", "FATAL 42601", "-c statement_timeout requires a value"),
        ("options\0fast\0", "FATAL 42601", "invalid command-line argument for server process: fast"),
    ] {
        let (found, message) = in_time(start(&server, parameters).await.ended_with()).await;
        assert_eq!(found, code, "{message}");
        assert!(message.contains(text), "{message}");
    }
}

#[tokio::test]
async fn a_time_limit_of_the_start_ends_statements() {
    let server = Server::new();
    let mut client = started(&server, "options\0-c statement_timeout=50\0").await;
    let endless = "select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b \
                   where a.value <> b.value + 1";
    let answers = in_time(client.query(endless)).await;
    // The columns may have been told before.
    let error = answers.iter().find(|answer| answer.kind == 'E').expect("an error").error();
    assert_eq!(error.0, "ERROR 57014");
    client.query("set statement_timeout = 0").await;
    client.answers().await;
}

#[tokio::test]
async fn settings_are_set_and_go_back() {
    let server = Server::new();
    let mut client = started(&server, "options\0-c statement_timeout=1000\0").await;
    for (statement, expected) in [
        ("set statement_timeout = '2min'", "2min"),
        ("set session statement_timeout to 1500", "1500ms"),
        ("reset statement_timeout", "1s"),
        ("set statement_timeout to 7", "7ms"),
        ("set statement_timeout to default", "1s"),
        ("set local statement_timeout = 9", "1s"),
        ("begin; set local statement_timeout = 9", "9ms"),
        ("commit", "1s"),
        ("begin; set statement_timeout = 10", "10ms"),
        ("rollback", "1s"),
        ("begin; set statement_timeout = 11; commit", "11ms"),
        ("reset all", "1s"),
        ("set statement_timeout = 12; discard all", "1s"),
    ] {
        let answers = in_time(client.query(statement)).await;
        assert!(answers.iter().all(|answer| answer.kind != 'E'), "{statement}: {answers:?}");
        assert_eq!(shown(&mut client, "statement_timeout").await, expected, "{statement}");
    }
    for (statement, code) in [
        ("set statement_timeout = 'soon'", "ERROR 22023"),
        ("set statement_timeout = -1", "ERROR 22023"),
        ("set nope = 1", "ERROR 42704"),
        ("reset nope", "ERROR 42704"),
    ] {
        assert_eq!(in_time(client.query(statement)).await[0].error().0, code, "{statement}");
    }
    assert_eq!(shown(&mut client, "statement_timeout").await, "1s");
}
