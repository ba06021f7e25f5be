//! The door as it is, with sockets.

use std::net::SocketAddr;
use std::time::Duration;

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
