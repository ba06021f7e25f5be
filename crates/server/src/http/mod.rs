//! Reports, ingestion, SQL and operation over HTTP, and the OpenAPI document that describes them.

mod backup;
mod cors;
mod events;
mod health;
mod host_lookup;
mod ingestion;
mod negotiation;
mod openapi;
mod options;
mod path_variables;
mod problem;
mod report;
mod request_body;
mod router;
mod segments;
mod sql;
mod state;

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::sync::watch;

use crate::App;
use crate::listener::to_tokio;
pub use cors::{CorsOrigins, InvalidOrigin};
pub use options::HttpOptions;
pub(crate) use router::router;

/// How long the answers under way may still take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves HTTP on `listener` until `shutdown` completes. From then on no connection is accepted, and answers under way
/// are given ten seconds to end.
///
/// # Errors
/// Where the listener fails.
pub async fn serve_http(
    listener: std::net::TcpListener,
    app: App,
    options: HttpOptions,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let listener = to_tokio(listener)?;
    let (stopping, mut stopped) = watch::channel(false);
    let routes = router(app.clone(), options);
    let told_to_stop = async move {
        shutdown.await;
        app.stop();
        let _ = stopping.send(true);
    };
    let out_of_patience = async move {
        // There is an error only where the server has ended already.
        let _ = stopped.wait_for(|stopping| *stopping).await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = axum::serve(listener, routes).with_graceful_shutdown(told_to_stop) => served,
        () = out_of_patience => {
            tracing::warn!("some requests were not answered within {} s of shutdown", GRACE.as_secs());
            Ok(())
        }
    }
}
