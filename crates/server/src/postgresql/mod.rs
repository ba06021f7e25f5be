//! The PostgreSQL protocol, as far as clients need it to read.
//!
//! The database of a connection names the account that it sees; in the database `skillscope` it sees all.

mod cancels;
mod catalog_rewrite;
mod command;
mod connection;
mod copy;
mod error;
mod prepared;
mod queries;
mod rows;
mod session;
mod startup;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use datafusion_postgres::pgwire::tokio::process_socket;
use tokio::io::Interest;
use tokio::net::TcpStream;

use crate::App;
use crate::connections::{ConnectionLimits, Door};
use crate::listener::serve_on_sql_threads;
use cancels::Cancels;
use connection::Connection;

/// How often the server checks that a client waiting for an answer is still connected.
const HANG_UP_PERIOD: Duration = Duration::from_millis(200);

/// What one connection too many is told: an `ErrorResponse`.
const TOO_MANY: &[u8] = b"E\0\0\0\x3bSFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0";

/// Serves the PostgreSQL protocol on `listener` until `shutdown` completes.
///
/// # Errors
/// Where the listener cannot be used.
pub async fn serve_postgresql(
    listener: std::net::TcpListener,
    app: App,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let serving = app.clone();
    let serve = async move || accept(Door::open(listener, limits, "--pg-connections", TOO_MANY)?, serving).await;
    serve_on_sql_threads(&app, serve, shutdown).await
}

async fn accept(door: Door, app: App) -> io::Result<()> {
    let cancels = Arc::new(Cancels::default());
    // The set ends all connections when this task ends.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = door.accept().await;
        let connection = Connection::new(app.clone(), Arc::clone(&cancels));
        connections.spawn(async move {
            serve_connection(accepted.stream, connection).await;
            drop(accepted.slot);
        });
        while connections.try_join_next().is_some() {}
    }
}

/// Serves a connection until its client goes. While a statement runs, the protocol does not read the socket and would
/// not see the client go, so the socket is watched beside it. Dropping the connection ends its statement.
async fn serve_connection(socket: TcpStream, connection: Connection) {
    let watched = match second_handle(&socket) {
        Ok(watched) => watched,
        Err(error) => return tracing::warn!(%error, "a PostgreSQL connection could not be watched"),
    };
    tokio::select! {
        served = process_socket(socket, None, Arc::new(connection)) => {
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
