//! Reports, ingestion, SQL and operation over HTTP, and the OpenAPI document that describes them.

mod backup;
mod cors;
mod events;
mod health;
mod host_lookup;
mod ingestion;
mod negotiation;
mod openapi;
mod path_variables;
mod problem;
mod report;
mod router;
mod segments;
mod sql;

use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::App;
pub use cors::{CorsOrigins, InvalidOrigin};
pub use problem::Problem;
pub use router::router;

/// How long requests that are being answered may still take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(10);

/// Serves `app` on `listener` until `shutdown` completes: then no connection is taken any more, and the ones open are
/// answered to their end, for at most ten seconds.
///
/// # Errors
/// Where the listener fails.
pub async fn serve(
    listener: std::net::TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let listener = TcpListener::from_std(listener)?;
    let (stopping, mut stopped) = watch::channel(false);
    let routes = router(app.clone());
    let told_to_stop = async move {
        shutdown.await;
        app.stop();
        let _ = stopping.send(true);
    };
    let out_of_patience = async move {
        // An error would mean that the server has ended already, and then nobody waits here.
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
