//! Listening, which is the same for every protocol.

use std::future::Future;
use std::io;

use tokio::net::TcpListener;

use crate::App;

/// The same listener for the asynchronous runtime of the caller.
///
/// # Errors
/// Where the system refuses a setting of the socket.
pub(crate) fn to_tokio(listener: std::net::TcpListener) -> io::Result<TcpListener> {
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

/// Runs `serve` on the SQL threads, so that a report never waits for a statement, or for the writing of its rows.
///
/// # Errors
/// The errors of `serve`.
pub(crate) async fn serve_on_sql_threads<S: Future<Output = io::Result<()>> + Send>(
    app: &App,
    serve: impl FnOnce() -> S + Send + 'static,
) -> io::Result<()> {
    let serving = app.engine().spawn(async move { serve().await });
    serving.await.unwrap_or_else(|error| Err(io::Error::other(error)))
}
