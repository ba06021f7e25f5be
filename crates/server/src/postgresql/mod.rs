//! The PostgreSQL protocol, as far as clients need it to read.
//!
//! A connection is of the account that its database names, or of all with the database `skillscope`. It is served on the
//! threads for SQL, so that no wallboard waits for it.

mod command;
mod connection;
mod copy;
mod error;
mod query;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use datafusion_postgres::pgwire::tokio::process_socket;
use skillscope_query::Scope;
use tokio::io::Interest;
use tokio::net::{TcpListener, TcpStream};

use crate::App;
use connection::{Cancels, Connection};

/// Where statements come from that come in here, in `system.queries`.
const DOOR: &str = "postgresql";

/// How often the server looks whether a client that waits for an answer is still there.
const HANG_UP_PERIOD: Duration = Duration::from_millis(200);

/// After a connection could not be accepted, for example because too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves the PostgreSQL protocol on `listener` until `shutdown` completes.
///
/// # Errors
/// Where the listener cannot be used.
pub async fn serve_postgresql(
    listener: std::net::TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let operator = app.engine().sql(Scope::All, DOOR);
    let accepting = operator.spawn(accept(listener, app));
    tokio::select! {
        accepted = accepting => accepted.unwrap_or_else(|error| Err(io::Error::other(error))),
        () = shutdown => Ok(()),
    }
}

async fn accept(listener: std::net::TcpListener, app: App) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let cancels = Arc::new(Cancels::default());
    // Connections end with this task.
    let mut connections = tokio::task::JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((socket, _)) => {
                connections.spawn(serve_connection(socket, Connection::new(app.clone(), Arc::clone(&cancels))));
            }
            Err(error) => {
                tracing::warn!(%error, "a PostgreSQL connection could not be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
        while connections.try_join_next().is_some() {}
    }
}

/// Serves a connection until its client goes. While a statement runs nothing is read of the socket, so that somebody else
/// has to look whether the client is there: dropping the connection ends its statement.
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
