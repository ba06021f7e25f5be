//! Rows that are taken a few at a time.

use std::time::Duration;

use skillscope_query::{Scope, SqlLimits};

use super::client::{Server, in_time};

fn execute(most: i32) -> Vec<u8> {
    [&b"p\0"[..], &most.to_be_bytes()].concat()
}

#[tokio::test]
async fn a_portal_is_suspended_after_the_rows_that_were_asked_for() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.send(b'P', b"s\0select * from generate_series(1, 5)\0\0\0").await;
    client.send(b'B', b"p\0s\0\0\0\0\0\0\0").await;
    client.send(b'E', &execute(2)).await;
    client.send(b'S', b"").await;
    assert_eq!(in_time(client.kinds()).await, "12DDs");
    client.send(b'E', &execute(2)).await;
    client.send(b'E', &execute(2)).await;
    client.send(b'S', b"").await;
    assert_eq!(in_time(client.kinds()).await, "DDsDC");
    // There is nothing left.
    client.send(b'E', &execute(2)).await;
    client.send(b'S', b"").await;
    assert_eq!(in_time(client.kinds()).await, "C");
}

#[tokio::test]
async fn a_client_may_ask_for_more_rows_than_there_are() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.send(b'P', b"s\0select * from generate_series(1, 300)\0\0\0").await;
    for most in [i32::MAX, 0, -1, i32::MIN] {
        client.send(b'B', b"p\0s\0\0\0\0\0\0\0").await;
        client.send(b'E', &execute(most)).await;
        client.send(b'S', b"").await;
        let kinds = in_time(client.kinds()).await;
        assert_eq!(kinds.trim_start_matches(['1', '2']), format!("{}C", "D".repeat(300)), "{most}");
    }
}

#[tokio::test]
async fn an_error_among_the_rows_ends_the_portal() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.send(b'P', b"s\0select 10 / (value - 1) from generate_series(1, 2)\0\0\0").await;
    client.send(b'B', b"p\0s\0\0\0\0\0\0\0").await;
    client.send(b'E', &execute(0)).await;
    client.send(b'S', b"").await;
    assert_eq!(in_time(client.kinds()).await, "12E");
    client.answers().await;
}

#[tokio::test]
async fn a_suspended_portal_outlives_a_reader_that_stalls() {
    let server = Server::with_limits(SqlLimits { stall: Duration::from_millis(1), ..SqlLimits::default() });
    let mut client = server.open("skillscope").await;
    client.send(b'P', b"s\0select * from generate_series(1, 100000000)\0\0\0").await;
    client.send(b'B', b"p\0s\0\0\0\0\0\0\0").await;
    client.send(b'E', &execute(2)).await;
    client.send(b'S', b"").await;
    assert_eq!(in_time(client.kinds()).await, "12DDs");
    let mut state = async |door: &str| {
        let text = format!(
            "select coalesce(max(state), 'gone') from system.queries where door = '{door}' and query not like '%state%'"
        );
        let answers = client.query(&text).await;
        let row = answers.iter().find(|answer| answer.kind == 'D').expect("a row");
        String::from_utf8_lossy(&row.body).into_owned()
    };
    in_time(async { while !state("postgresql").await.ends_with("unread") {} }).await;
    // From now on it waits as long as another statement that is ended for it.
    let rows = "select * from generate_series(1, 100000000)";
    let _stalled = server.app.engine().sql(Scope::All, "http").run(rows, Vec::new()).await.unwrap();
    in_time(async { while !state("http").await.ends_with("gone") {} }).await;
    for _ in 0..20 {
        client.send(b'E', &execute(8_192)).await;
        client.send(b'S', b"").await;
        assert!(in_time(client.kinds()).await.ends_with("Ds"));
    }
}

#[tokio::test]
async fn portals_end_with_their_transaction_however_it_is_ended() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    for is_simple in [true, false] {
        client.query("begin").await;
        client.send(b'P', b"s\0select * from generate_series(1, 5)\0\0\0").await;
        client.send(b'B', b"p\0s\0\0\0\0\0\0\0").await;
        client.send(b'E', &execute(2)).await;
        client.send(b'S', b"").await;
        assert_eq!(in_time(client.kinds()).await, "12DDs");
        if is_simple {
            client.query("commit").await;
        } else {
            client.send(b'P', b"\0commit\0\0\0").await;
            client.send(b'B', b"\0\0\0\0\0\0\0\0").await;
            client.send(b'E', b"\0\0\0\0\0").await;
            client.send(b'S', b"").await;
            assert_eq!(in_time(client.kinds()).await, "12C");
        }
        client.send(b'E', &execute(2)).await;
        client.send(b'S', b"").await;
        assert_eq!(in_time(client.until_ready()).await[0].error().1, "Portal not found for name: p");
    }
}

#[tokio::test]
async fn a_statement_may_have_many_levels() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    for text in [
        format!("select {}1{}", "(".repeat(150), ")".repeat(150)),
        format!("{}select 1 as n{};", "select * from (".repeat(40), ") t".repeat(40)),
        format!("select {} or 0 = 0", (0..250).map(|n| format!("{n} = 1")).collect::<Vec<_>>().join(" or ")),
    ] {
        client.send(b'Q', format!("{text}\0").as_bytes()).await;
        assert_eq!(in_time(client.kinds()).await, "TDC", "{text}");
    }
}
