//! Rows that are taken a few at a time.

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
