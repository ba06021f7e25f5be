//! Arrow Flight SQL: SQL whose rows come as Arrow batches and keep their dictionaries.
//!
//! The header `account` of a request names the account that it sees; without the header it sees all.

mod error;
mod messages;
mod metadata;
mod prepared;
mod service;

use std::future::Future;
use std::io;

use arrow_flight::flight_service_server::FlightServiceServer;
use futures::StreamExt;
use tonic::transport::Server;
use tonic::transport::server::{Connected, TcpConnectInfo};

use crate::App;
use crate::connections::{ConnectionLimits, Door, PatientSocket};
use crate::listener::serve_on_sql_threads;
use service::FlightDoor;

/// Serves Arrow Flight SQL on `listener` until `shutdown` completes.
///
/// # Errors
/// Where the listener fails.
pub async fn serve_flight_sql(
    listener: std::net::TcpListener,
    app: App,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = FlightServiceServer::new(FlightDoor::new(app.clone()));
    let serve = async move || {
        let door = Door::open(listener, limits, "--flight-connections", b"")?;
        let incoming = door.connections().map(|connection| io::Result::Ok(connection.patient()));
        Server::builder().add_service(service).serve_with_incoming(incoming).await.map_err(io::Error::other)
    };
    serve_on_sql_threads(&app, serve, shutdown).await
}

impl Connected for PatientSocket {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        TcpConnectInfo { local_addr: None, remote_addr: Some(self.peer()) }
    }
}
