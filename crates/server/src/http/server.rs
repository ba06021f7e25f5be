//! The server of HTTP.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Arc, LazyLock, OnceLock};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::connection::{ConnectionServer, ConnectionTimes};
use super::options::HttpOptions;
use super::problem::Problem;
use super::router;
use super::starting::starting_routes;
use crate::App;
use crate::connections::{Door, DoorCounts, Encryption, Refusal};
use crate::listener::Listener;
use crate::stopping::GRACE;
use crate::tls::{Handshakes, Tls};

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

/// A server of HTTP, from before there is something to serve. Until [its routes](Self::routes) are live, it says that it
/// lives and is not ready, and answers everything else with 503.
pub struct HttpServer {
    door: Door,
    encryption: Option<Encryption>,
    routes: HttpRoutes,
}

/// What brings a server's routes to life. Cheap to clone.
#[derive(Clone)]
pub struct HttpRoutes {
    connections: Arc<ConnectionServer>,
    options: HttpOptions,
    door: DoorCounts,
    tls: Option<Tls>,
    app: Arc<OnceLock<App>>,
    /// What ends streams: nobody waits until they end by themselves.
    ending: CancellationToken,
}

impl HttpRoutes {
    /// From the next request on, `app` is served, over connections that are there already, too. Once is enough.
    pub fn go_live(&self, app: App) {
        if let Some(tls) = &self.tls {
            app.statistics().watch_certificate(tls);
        }
        app.statistics().http.watch_counts(self.door.clone());
        app.statistics().http.watch_late(self.connections.late());
        self.connections.go_live(router(app.clone(), self.options.clone(), &self.ending));
        let _ = self.app.set(app);
    }

    /// Lets the server say, from now on, that it is not ready.
    pub fn stop(&self) {
        if let Some(app) = self.app.get() {
            app.stop();
        }
    }
}

impl HttpServer {
    /// A server on `listener`, of whose runtime the caller is a part.
    ///
    /// # Errors
    /// Where the listener cannot be used.
    pub fn open(listener: impl Into<Listener>, options: HttpOptions) -> io::Result<Self> {
        let listener: Listener = listener.into();
        let tls = listener.tls.clone();
        let handshakes = tls.as_ref().map(|tls| Handshakes::new(tls, "http/1.1", options.header_timeout));
        let encryption = handshakes.transpose()?.map(|handshakes| Encryption::new(handshakes, &PLAIN));
        let refusal = Refusal::new(&REFUSAL).encrypted(encryption.as_ref());
        let door = Door::open(listener, options.connections, "--http-connections", refusal)?;
        let times = ConnectionTimes { header: options.header_timeout, idle: options.idle_timeout };
        let connections = Arc::new(ConnectionServer::new(starting_routes(), times, door.is_exposed()));
        let (app, ending) = (Arc::default(), CancellationToken::new());
        let routes = HttpRoutes { connections, options, door: door.counts(), tls, app, ending };
        Ok(Self { door, encryption, routes })
    }

    /// What brings its routes to life.
    pub fn routes(&self) -> HttpRoutes {
        self.routes.clone()
    }

    /// Serves until `shutdown` completes. From then on no connection is accepted, and answers under way are given ten
    /// seconds to end.
    pub async fn serve(self, shutdown: impl Future<Output = ()> + Send + 'static) {
        let Self { door, encryption, routes } = self;
        let (stopping, stopped) = watch::channel(false);
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                connection = door.accept() => {
                    let (server, encryption, stopped) = (Arc::clone(&routes.connections), encryption.clone(), stopped.clone());
                    tokio::spawn(async move { server.serve(connection, encryption, stopped).await });
                }
                () = &mut shutdown => break,
            }
        }
        drop((door, stopped));
        routes.stop();
        routes.ending.cancel();
        let _ = stopping.send(true);
        // Each connection holds a receiver until it ends.
        if tokio::time::timeout(GRACE, stopping.closed()).await.is_err() {
            tracing::warn!("some requests were not answered within {} s of shutdown", GRACE.as_secs());
        }
    }
}

/// Serves `app` by HTTP on `listener` from the beginning, until `shutdown` completes.
///
/// # Errors
/// Where the listener cannot be used.
pub async fn serve_http(
    listener: impl Into<Listener>,
    app: App,
    options: HttpOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let server = HttpServer::open(listener, options)?;
    server.routes().go_live(app);
    server.serve(shutdown).await;
    Ok(())
}
