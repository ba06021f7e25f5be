//! The server of HTTP.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, LazyLock};

use tokio::sync::watch;

use super::connection::{ConnectionServer, ConnectionTimes};
use super::options::HttpOptions;
use super::problem::Problem;
use super::router;
use crate::App;
use crate::connections::Door;
use crate::stopping::GRACE;

/// What one connection too many is told.
static REFUSAL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let problem = Problem::busy("there are too many connections, of all clients or of yours; try again in a moment");
    let body = serde_json::to_string(&problem).unwrap_or_default();
    let head = "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
                connection: close\r\n";
    format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
});

/// Serves HTTP on `listener` until `shutdown` completes. From then on no connection is accepted, and answers under way
/// are given ten seconds to end.
///
/// # Errors
/// Where the listener cannot be used.
pub async fn serve_http(
    listener: std::net::TcpListener,
    app: App,
    options: HttpOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let door = Door::open(listener, options.connections, "--http-connections", REFUSAL.as_slice())?;
    let times = ConnectionTimes { header: options.header_timeout, idle: options.idle_timeout };
    let server = Arc::new(ConnectionServer::new(router(app.clone(), options), times));
    let (stopping, stopped) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            connection = door.accept() => {
                let (server, stopped) = (Arc::clone(&server), stopped.clone());
                tokio::spawn(async move { server.serve(connection.patient(), stopped).await });
            }
            () = &mut shutdown => break,
        }
    }
    drop((door, stopped));
    app.stop();
    let _ = stopping.send(true);
    // Each connection holds a receiver until it ends.
    if tokio::time::timeout(GRACE, stopping.closed()).await.is_err() {
        tracing::warn!("some requests were not answered within {} s of shutdown", GRACE.as_secs());
    }
    Ok(())
}
