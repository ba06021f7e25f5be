//! The door as it is, with sockets.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::client::{Client, Server, in_time};
use crate::connections::ConnectionLimits;
use crate::serve_postgresql;

async fn open(address: SocketAddr) -> Client<TcpStream> {
    let mut client = Client::over(TcpStream::connect(address).await.unwrap());
    client.start(b"user\0a\0database\0acme\0\0").await;
    client
}

#[tokio::test]
async fn clients_come_and_go_and_the_door_closes_behind_them() {
    let server = Server::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, told) = oneshot::channel::<()>();
    let limits = ConnectionLimits { most: 2, of_a_peer: None, unread_answer: Duration::from_secs(60) };
    let serving = serve_postgresql(listener, server.app.clone(), limits, async move { told.await.unwrap() });
    let serving = tokio::spawn(serving);
    let (mut one, mut other) = (open(address).await, open(address).await);
    in_time(one.until_ready()).await;
    in_time(other.until_ready()).await;
    let (code, text) = in_time(Client::over(TcpStream::connect(address).await.unwrap()).ended_with()).await;
    assert_eq!((code.as_str(), text.as_str()), ("FATAL 53300", "sorry, too many clients already"));
    // A hostile client is sent away, and its place is free again.
    one.raw(b"B\x3f\xff\xff\xff").await;
    assert_eq!(in_time(one.ended_with()).await.0, "FATAL 54000");
    in_time(other.answers()).await;
    stop.send(()).unwrap();
    assert_eq!(in_time(other.ended_with()).await.0, "FATAL 57P01");
    in_time(serving).await.unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

/// Rows that nobody reads fill the system's buffers. Then the connection ends, and its place is another's.
#[tokio::test]
async fn a_client_that_reads_no_rows_gives_its_place_up() {
    let server = Server::new();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let limits = ConnectionLimits { most: 1, of_a_peer: None, unread_answer: Duration::from_millis(100) };
    let _serving = tokio::spawn(serve_postgresql(listener, server.app.clone(), limits, std::future::pending()));
    let mut stalled = open(address).await;
    in_time(stalled.until_ready()).await;
    stalled.send(b'Q', b"select x, repeat('y', 10000) from generate_series(1, 1000000) as many(x)\0").await;
    let is_let_in = async || {
        let mut next = TcpStream::connect(address).await.unwrap();
        let mut kind = [0];
        // One that is refused may be closed before it has sent or read anything.
        let _ = next.write_all(b"\0\0\0\x1e\0\x03\0\0user\0a\0database\0acme\0\0").await;
        next.read_exact(&mut kind).await.is_ok() && kind == *b"R"
    };
    in_time(async { while !is_let_in().await {} }).await;
    drop(stalled);
}
