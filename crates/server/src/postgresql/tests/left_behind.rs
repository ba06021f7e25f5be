//! What clients leave on the server.

use super::client::{Server, in_time};

#[tokio::test]
async fn connections_that_have_gone_leave_nothing() {
    let server = Server::new();
    for account in 0..20 {
        let mut client = server.open(&format!("account-{account}")).await;
        client.query("select count(*) from pg_catalog.pg_class").await;
        client.close().await;
    }
    assert!(server.sessions.cancels.is_empty());
    assert_eq!(server.memory.taken(), 0);
}

#[tokio::test]
async fn prepared_statements_are_counted_and_all_of_them_freed() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    for number in 0..50 {
        client.send(b'P', format!("s{number}\0select {number}\0\0\0").as_bytes()).await;
        client.send(b'B', format!("p{number}\0s{number}\0\0\0\0\0\0\0").as_bytes()).await;
        client.send(b'S', b"").await;
        assert_eq!(in_time(client.kinds()).await, "12");
    }
    assert!(server.memory.taken() >= 100 << 10, "{}", server.memory.taken());
    for number in 0..50 {
        client.send(b'C', format!("Pp{number}\0").as_bytes()).await;
    }
    client.send(b'S', b"").await;
    in_time(client.until_ready()).await;
    client.query("deallocate all").await;
    assert_eq!(server.memory.taken(), 0);
    client.send(b'B', b"\0s7\0\0\0\0\0\0\0").await;
    client.send(b'S', b"").await;
    assert_eq!(in_time(client.until_ready()).await[0].error().0, "ERROR 26000");
    // The same name again takes the place of the statement before.
    for _ in 0..50 {
        client.send(b'P', b"again\0select 1\0\0\0").await;
    }
    client.send(b'S', b"").await;
    in_time(client.until_ready()).await;
    assert!(server.memory.taken() < 10 << 10, "{}", server.memory.taken());
    client.close().await;
    assert_eq!(server.memory.taken(), 0);
}

#[tokio::test]
async fn a_statement_counts_for_as_long_as_a_portal_has_it() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.send(b'P', format!("s\0select '{}'\0\0\0", "x".repeat(100 << 10)).as_bytes()).await;
    client.send(b'B', b"p\0s\0\0\0\0\0\0\0").await;
    client.send(b'C', b"Ss\0").await;
    client.send(b'S', b"").await;
    assert_eq!(in_time(client.kinds()).await, "123");
    assert!(server.memory.taken() >= 100 << 10, "{}", server.memory.taken());
    client.send(b'C', b"Pp\0").await;
    client.send(b'S', b"").await;
    in_time(client.until_ready()).await;
    assert_eq!(server.memory.taken(), 0);
}

#[tokio::test]
async fn a_client_leaves_only_so_much() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.send(b'P', b"s\0select $1\0\0\0").await;
    for number in 0..1_000 {
        client.send(b'B', format!("p{number}\0s\0\0\0\0\x01\0\0\0\x01x\0\0").as_bytes()).await;
    }
    client.send(b'S', b"").await;
    in_time(client.until_ready()).await;
    client.send(b'B', b"p\0s\0\0\0\0\x01\0\0\0\x01x\0\0").await;
    client.send(b'S', b"").await;
    let (code, text) = in_time(client.until_ready()).await[0].error();
    assert_eq!((code.as_str(), text.as_str()), ("ERROR 54000", "a connection has at most 1000 portals; close some"));
    client.query("discard all").await;
    assert_eq!(server.memory.taken(), 0);
    client.answers().await;
}
