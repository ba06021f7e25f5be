//! Listening, which is the same for every protocol.

use std::future::Future;
use std::io;

use tokio::net::TcpListener;

use crate::App;
use crate::tls::Tls;

/// A socket that listens, and how what is said over its connections is encrypted.
#[derive(Debug)]
pub struct Listener {
    socket: std::net::TcpListener,
    pub(crate) tls: Option<Tls>,
}

impl Listener {
    /// A listener over whose connections TLS is spoken. With no certificate, it is plain text.
    pub fn new(socket: std::net::TcpListener, tls: Option<Tls>) -> Self {
        Self { socket, tls }
    }

    /// The same socket for the asynchronous runtime of the caller.
    ///
    /// # Errors
    /// Where the system refuses a setting of the socket.
    pub(crate) fn into_tokio(self) -> io::Result<TcpListener> {
        self.socket.set_nonblocking(true)?;
        TcpListener::from_std(self.socket)
    }
}

/// A listener for plain text.
impl From<std::net::TcpListener> for Listener {
    fn from(socket: std::net::TcpListener) -> Self {
        Self::new(socket, None)
    }
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
