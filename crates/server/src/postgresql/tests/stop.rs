//! What connections are told when the server stops.

use std::time::Duration;

use tokio::sync::oneshot;

use super::client::{Answer, Server, in_time};
use crate::stopping::Stopping;

const STOPS: (&str, &str) = ("FATAL 57P01", "terminating connection due to administrator command");

#[tokio::test]
async fn idle_connections_end_at_once_and_statements_have_their_time() {
    let (stop, told) = oneshot::channel::<()>();
    let told = async move { told.await.unwrap() };
    // Long enough that only what is idle can end before it.
    let server = Server::until(Stopping::with_grace(told, Duration::from_secs(3_600)));
    let (idle, mut busy) = (server.open("acme").await, server.open("acme").await);
    busy.send(b'P', b"\0select 7\0\0\0").await;
    busy.send(b'H', b"").await;
    assert_eq!(busy.next().await.unwrap().kind, '1');
    stop.send(()).unwrap();
    let (code, text) = in_time(idle.ended_with()).await;
    assert_eq!((code.as_str(), text.as_str()), STOPS);
    busy.send(b'B', b"\0\0\0\0\0\0\0\0").await;
    busy.send(b'E', b"\0\0\0\0\0").await;
    busy.send(b'S', b"").await;
    assert_eq!(in_time(busy.kinds()).await, "2DC");
    assert_eq!(in_time(busy.ended_with()).await.0, STOPS.0);
    let late = server.connect();
    assert_eq!(in_time(late.ended_with()).await.0, STOPS.0);
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended() {
    let (stop, told) = oneshot::channel::<()>();
    let told = async move { told.await.unwrap() };
    let server = Server::until(Stopping::with_grace(told, Duration::from_millis(1)));
    let mut client = server.open("acme").await;
    let endless = "select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value <> b.value + 1\0";
    let mut watcher = server.open("skillscope").await;
    client.send(b'Q', endless.as_bytes()).await;
    let running = "select count(*) from system.queries where state = 'running' and account_id = 'acme'";
    let mut is_running = async || {
        let answers = watcher.query(running).await;
        answers.iter().any(|answer| answer.kind == 'D' && answer.body.ends_with(b"\0\0\0\x011"))
    };
    in_time(async { while !is_running().await {} }).await;
    stop.send(()).unwrap();
    // The columns may have been told already.
    let error = in_time(async {
        loop {
            match client.next().await.expect("a reason") {
                Answer { kind: 'T', .. } => {}
                answer => return answer.error(),
            }
        }
    });
    let (code, text) = error.await;
    assert_eq!((code.as_str(), text.as_str()), STOPS);
}
