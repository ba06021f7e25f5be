//! Anything at all as what a client sends.

use std::future::pending;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
use tokio::time::timeout;

use super::connection::Connection;
use super::encryption::Encryption;
use super::memory::MessageMemory;
use super::startup::Sessions;
use crate::App;
use crate::stopping::Stopping;

/// How long the server may take over it. It ends by itself where it has read everything.
const PATIENCE: Duration = Duration::from_secs(10);

const OPENING: &[u8] = b"\0\0\0\x23\0\x03\0\0user\0a\0database\0account-1\0\0";

/// Sends `bytes` over a connection, after a database has been opened or before, and reads what comes back.
pub(crate) async fn take_anything(app: App, opens: bool, bytes: &[u8]) {
    let (near, far) = duplex(64 << 10);
    let (sessions, memory) = (Sessions::new(app), MessageMemory::of_process());
    let connection = Connection::new(sessions, &memory, Encryption::new(None), Stopping::after(pending()));
    let (mut answers, mut sending) = tokio::io::split(near);
    let client = async {
        let send = async {
            let opening: &[u8] = if opens { OPENING } else { b"" };
            // The server may have ended the connection before the end.
            let _ = sending.write_all(opening).await;
            let _ = sending.write_all(bytes).await;
            let _ = sending.shutdown().await;
        };
        let read = async {
            let mut answer = vec![0; 64 << 10];
            while answers.read(&mut answer).await.is_ok_and(|read| read > 0) {}
        };
        tokio::join!(send, read);
    };
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    let _ = timeout(PATIENCE, async { tokio::join!(client, connection.serve(far, peer)) }).await;
}
