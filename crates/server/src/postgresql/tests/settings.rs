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

#[tokio::test]
async fn what_is_set_for_the_time_of_a_transaction_frees_no_room_for_more() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.query("begin").await;
    let long = "x".repeat(20_000);
    for (number, expected) in [(1, "[SET] [SET]"), (2, "[SET] [SET]"), (3, "[SET] [SET]"), (4, "ERROR 54000")] {
        let statement = format!("set a.b{number} = '{long}'; set local a.b{number} = ''");
        assert_eq!(in_time(client.transcript(&statement)).await, expected, "{number}");
    }
}

#[tokio::test]
async fn what_has_no_effect_is_told_unless_the_client_wants_no_notice() {
    let server = Server::new();
    let mut client = started(&server, "search_path\0reporting\0").await;
    for (statement, expected) in [
        ("set search_path = reporting, public", "NOTICE 00000 [SET]"),
        ("show search_path", "reporting, public [SHOW]"),
        ("set work_mem = '64MB'", "NOTICE 00000 [SET]"),
        ("set extra_float_digits = 3", "[SET]"),
        ("set datestyle = iso", "[SET]"),
        ("set client_min_messages = warning", "[SET]"),
        ("set work_mem = '128MB'", "[SET]"),
        ("show work_mem", "128MB [SHOW]"),
        ("show nope", "ERROR 42704"),
        ("set server_version = '1'", "ERROR 55P02"),
        ("set a.b = 'x'; show a.b", "[SET] x [SHOW]"),
        ("show a.c", "ERROR 42704"),
    ] {
        assert_eq!(in_time(client.transcript(statement)).await, expected, "{statement}");
    }
    let all = in_time(client.query("show all")).await;
    assert!(all.iter().filter(|answer| answer.kind == 'D').count() > 200);
}

#[tokio::test]
async fn a_client_learns_of_settings_that_change_however_they_do() {
    let server = Server::new();
    let mut client = server.connect();
    client.start(b"user\0me\0database\0acme\0application_name\0tool\0\0").await;
    let reported = |answers: &[super::client::Answer]| {
        let statuses = answers.iter().filter(|answer| answer.kind == 'S');
        statuses.map(|answer| String::from_utf8_lossy(&answer.body).replace('\0', "=")).collect::<Vec<_>>()
    };
    let begun = reported(&in_time(client.until_ready()).await);
    for expected in ["application_name=tool=", "client_encoding=UTF8=", "TimeZone=UTC=", "session_authorization=me="] {
        assert!(begun.iter().any(|told| told == expected), "{begun:?}");
    }
    for (statement, expected) in [
        ("set time zone 'europe/berlin'", &["TimeZone=Europe/Berlin="][..]),
        ("set time zone 'Europe/Berlin'", &[]),
        ("begin; set local application_name = 'x'", &["application_name=x="]),
        ("commit", &["application_name=tool="]),
        ("set work_mem = 100", &[]),
        ("reset all", &["TimeZone=UTC="]),
    ] {
        assert_eq!(reported(&in_time(client.query(statement)).await), expected, "{statement}");
    }
}

#[tokio::test]
async fn times_are_shown_in_the_zone_of_the_client() {
    let server = Server::new();
    let mut client = started(&server, "TimeZone\0Europe/Berlin\0").await;
    let times = "select timestamptz '2018-01-18 08:00:00Z'";
    for (statement, expected) in [
        (times.to_owned(), "2018-01-18 09:00:00+01"),
        ("select array[timestamptz '2018-07-18 08:00:00Z']".to_owned(), "{\"2018-07-18 10:00:00+02\"}"),
        ("select timestamp '2018-01-18 08:00:00'".to_owned(), "2018-01-18 08:00:00"),
        (format!("set time zone -5.5; {times}"), "2018-01-18 02:30:00-05:30"),
        (format!("set time zone default; {times}"), "2018-01-18 09:00:00+01"),
        (format!("set time zone 'UTC'; {times}"), "2018-01-18 08:00:00+00"),
    ] {
        let answers = in_time(client.query(&statement)).await;
        assert_eq!(answers.iter().find_map(|answer| answer.text()).as_deref(), Some(expected), "{statement}");
    }
}

#[tokio::test]
async fn a_client_may_end_idle_sessions() {
    let server = Server::new();
    let client = started(&server, "idle_session_timeout\x001\0").await;
    let (code, text) = in_time(client.ended_with()).await;
    assert_eq!((code.as_str(), text.as_str()), ("FATAL 57P05", "terminating connection due to idle-session timeout"));
    let mut client = started(&server, "idle_in_transaction_session_timeout\x001\0").await;
    client.send(b'Q', b"begin\0").await;
    in_time(client.until_ready()).await;
    assert_eq!(in_time(client.ended_with()).await.0, "FATAL 25P03");
}
