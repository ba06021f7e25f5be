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
use crate::connections::{Door, Encryption, Refusal};
use crate::listener::Listener;
use crate::stopping::GRACE;
use crate::tls::Handshakes;

/// What one connection too many is told.
static REFUSAL: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let problem = Problem::busy("there are too many connections, of all clients or of yours; try again in a moment");
    problem.last_words()
});

/// What a client is told that speaks plain text where TLS is spoken.
static PLAIN: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let problem = Problem::not_encrypted("this port speaks HTTPS: write https:// in place of http:// in the URL");
    problem.last_words()
});

/// Serves HTTP on `listener` until `shutdown` completes. From then on no connection is accepted, and answers under way
/// are given ten seconds to end.
///
/// # Errors
/// Where the listener cannot be used.
pub async fn serve_http(
    listener: impl Into<Listener>,
    app: App,
    options: HttpOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener: Listener = listener.into();
    if let Some(tls) = &listener.tls {
        app.statistics().watch_certificate(tls);
    }
    let handshakes = listener.tls.as_ref().map(|tls| Handshakes::new(tls, "http/1.1", options.header_timeout));
    let encryption = handshakes.transpose()?.map(|handshakes| Encryption::new(handshakes, &PLAIN));
    let refusal = Refusal::new(&REFUSAL).encrypted(encryption.as_ref());
    let door = Door::open(listener, options.connections, "--http-connections", refusal)?;
    let times = ConnectionTimes { header: options.header_timeout, idle: options.idle_timeout };
    let server = Arc::new(ConnectionServer::new(router(app.clone(), options), times, door.is_exposed()));
    app.statistics().http.watch(&door);
    app.statistics().http.watch_late(server.late());
    let (stopping, stopped) = watch::channel(false);
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            connection = door.accept() => {
                let (server, encryption, stopped) = (Arc::clone(&server), encryption.clone(), stopped.clone());
                tokio::spawn(async move { server.serve(connection, encryption, stopped).await });
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
