//! Arrow Flight SQL: rows as Arrow batches, dictionaries kept.
//!
//! A request is of the account that its header `account` names, or of all without it. Everything is served on the threads for
//! SQL, so that no wallboard waits for it.

mod metadata;
mod prepared;
mod service;

use std::future::Future;
use std::io;

use arrow_flight::flight_service_server::FlightServiceServer;
use skillscope_query::Scope;
use tokio::net::TcpListener;
use tonic::transport::Server;
use tonic::transport::server::TcpIncoming;

use crate::App;
use service::FlightDoor;

/// Where statements come from that come in here, in `system.queries`.
const DOOR: &str = "flight-sql";

/// Serves Arrow Flight SQL on `listener` until `shutdown` completes.
///
/// # Errors
/// Where the listener fails.
pub async fn serve_flight_sql(
    listener: std::net::TcpListener,
    app: App,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    listener.set_nonblocking(true)?;
    let operator = app.engine().sql(Scope::All, DOOR);
    let serving = operator.spawn(async move {
        let incoming = TcpIncoming::from(TcpListener::from_std(listener)?).with_nodelay(Some(true));
        let service = FlightServiceServer::new(FlightDoor::new(app));
        Server::builder().add_service(service).serve_with_incoming(incoming).await.map_err(io::Error::other)
    });
    tokio::select! {
        served = serving => served.unwrap_or_else(|error| Err(io::Error::other(error))),
        () = shutdown => Ok(()),
    }
}
