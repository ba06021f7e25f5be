//! The PostgreSQL protocol, as far as clients need it to read.
//!
//! The database of a connection names the account that it sees; in the database `skillscope` it sees all.

mod answer;
#[cfg(any(test, feature = "fuzzing"))]
mod anything;
mod binary_value;
mod block;
mod bound;
mod cancels;
mod catalog;
mod client;
mod command;
mod connection;
mod copy;
mod cursors;
mod describe;
mod encryption;
mod error;
mod execute;
mod explain;
mod idle_limit;
mod incoming;
mod kept;
mod layout;
mod memory;
mod notice;
mod prepared;
mod queries;
mod rows;
mod scram;
mod session;
mod settings;
mod simple;
mod sql_prepared;
mod startup;
mod startup_packet;
mod statements;
#[cfg(test)]
mod tests;
mod transaction;
mod values;

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::App;
use crate::connections::{Connection as Accepted, ConnectionLimits, Door, Refusal};
use crate::listener::{Listener, serve_on_sql_threads};
use crate::stopping::Stopping;
use crate::tls::Handshakes;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use anything::take_anything;
pub(crate) use bound::{null_of, type_name, value_of_text};
use connection::{Connection, START_UP};
use encryption::{Encryption, PROTOCOL};
use memory::MessageMemory;
#[cfg(test)]
pub(crate) use memory::PERCENT as MEMORY_PERCENT;
use startup::Sessions;

/// How often the server checks that a client waiting for an answer is still connected.
const HANG_UP_PERIOD: Duration = Duration::from_millis(200);

/// What one connection too many is told: an `ErrorResponse`.
const TOO_MANY: &[u8] = b"E\0\0\0\x3bSFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0";

/// Serves the PostgreSQL protocol on `listener` until `shutdown` completes. From then on no connection is accepted,
/// idle ones end, and statements under way are given ten seconds.
///
/// # Errors
/// Where the listener cannot be used.
pub async fn serve_postgresql(
    listener: impl Into<Listener>,
    app: App,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (serving, listener) = (app.clone(), listener.into());
    let serve = async move || {
        let (memory, stopping) = (MessageMemory::of_process(), Stopping::after(shutdown));
        let handshakes = listener.tls.as_ref().map(|tls| Handshakes::new(tls, PROTOCOL, START_UP)).transpose()?;
        let encryption = Encryption::new(handshakes);
        let refusal = encryption.refusal(Refusal::new(TOO_MANY), &memory, &stopping);
        let door = Door::open(listener, limits, "--pg-connections", refusal)?;
        serving.statistics().postgresql.watch(&door);
        accept(door, Sessions::new(serving), memory, encryption, stopping).await
    };
    serve_on_sql_threads(&app, serve).await
}

async fn accept(
    door: Door,
    sessions: Sessions,
    memory: MessageMemory,
    encryption: Encryption,
    stopping: Stopping,
) -> io::Result<()> {
    // The set ends all connections when this task ends.
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = door.accept() => accepted,
            () = stopping.begun() => break,
        };
        let connection = Connection::new(sessions.clone(), &memory, encryption.clone(), stopping.clone());
        connections.spawn(serve_connection(accepted, connection));
        while connections.try_join_next().is_some() {}
    }
    drop(door);
    while connections.join_next().await.is_some() {}
    Ok(())
}

/// Serves a connection until its client goes. While a statement runs, the connection is not read, and would not see the
/// client go, so the socket is watched beside it. Dropping the connection ends its statement.
async fn serve_connection(accepted: Accepted, connection: Connection) {
    let watched = match second_handle(&accepted.stream) {
        Ok(watched) => watched,
        Err(error) => return tracing::warn!(%error, "a PostgreSQL connection could not be watched"),
    };
    let peer = accepted.peer;
    tokio::select! {
        served = connection.serve(accepted.patient(), peer) => {
            if let Err(error) = served {
                tracing::debug!(%error, "a PostgreSQL connection ended");
            }
        }
        () = hung_up(watched) => {}
    }
}

fn second_handle(socket: &TcpStream) -> io::Result<TcpStream> {
    let handle = rustix::io::dup(socket)?;
    TcpStream::from_std(std::net::TcpStream::from(handle))
}

async fn hung_up(socket: TcpStream) {
    loop {
        match socket.ready(Interest::READABLE).await {
            Ok(ready) if !ready.is_read_closed() => tokio::time::sleep(HANG_UP_PERIOD).await,
            _ => return,
        }
    }
}
