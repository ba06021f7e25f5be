//! Arrow Flight SQL: SQL whose rows come as Arrow batches.
//!
//! The header `account` of a request names the account that it sees; without the header it sees all.
//!
//! ```text
//! door.rs  the methods of Flight ─▶ service.rs  those of Flight SQL ─▶ prepared.rs  a statement in its ticket
//!    │                                   │
//! actions.rs ─▶ running.rs           sent_schema.rs  columns as they were told
//! ```

mod actions;
mod admission;
#[cfg(any(test, feature = "fuzzing"))]
mod anything;
mod bound_values;
mod door;
mod error;
mod handshake;
mod incoming;
mod keys;
mod messages;
mod metadata;
mod prepared;
mod question_marks;
mod request_body;
mod running;
mod sent_schema;
mod service;
mod session_options;
mod socket;
mod sql_info;
mod type_info;
mod unread;

use std::any::Any;
use std::future::Future;
use std::io;
use std::time::Duration;

use arrow_flight::flight_service_server::FlightServiceServer;
use hyper::Response;
use tonic::Status;
use tonic::body::Body;
use tonic::transport::Server;
use tower_http::catch_panic::CatchPanicLayer;

use crate::App;
use crate::connections::{ConnectionLimits, Door, Encryption, Refusal};
use crate::listener::{Listener, serve_on_sql_threads};
use crate::stopping::Stopping;
use crate::tls::Handshakes;
use admission::Admitting;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) use anything::take_anything;
use door::FlightDoor;
use incoming::{PLAIN, sockets};
use request_body::Metered;
#[cfg(test)]
pub(crate) use request_body::PERCENT as MEMORY_PERCENT;
use service::FlightSql;
use socket::FIRST_WORD;

/// The longest message of a client, once it is unfolded.
const MESSAGE_BYTES: usize = 4 << 20;

/// Requests at a time over one connection.
const REQUESTS: u32 = 100;

/// What the headers of a request take.
const HEADER_BYTES: u32 = 16 << 10;

/// After how long without a word a client is asked whether it is still there.
const IDLE: Duration = Duration::from_secs(60);

/// How long it may take to answer that.
const ANSWER: Duration = Duration::from_secs(20);

/// How long clients may take to read why their answers end.
const FAREWELL: Duration = Duration::from_secs(2);

/// Serves Arrow Flight SQL on `listener` until `shutdown` completes. From then on no request is accepted, and answers
/// under way are given ten seconds.
///
/// # Errors
/// Where the listener fails.
pub async fn serve_flight_sql(
    listener: impl Into<Listener>,
    app: App,
    limits: ConnectionLimits,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (serving, listener) = (app.clone(), listener.into());
    let serve = async move || {
        let handshakes = listener.tls.as_ref().map(|tls| Handshakes::new(tls, "h2", FIRST_WORD)).transpose()?;
        let encryption = handshakes.map(|handshakes| Encryption::new(handshakes, PLAIN));
        let door = Door::open(listener, limits, "--flight-connections", Refusal::new(b""))?;
        serving.statistics().flight.watch(&door);
        let incoming = sockets(door, encryption);
        let stopping = Stopping::after(shutdown);
        let access = serving.access().clone();
        let service = FlightSql::new(serving, limits.unread_answer, stopping.clone());
        let service = FlightServiceServer::new(FlightDoor::new(service));
        let (begun, over) = (stopping.clone(), stopping);
        let serving = Server::builder()
            .layer(CatchPanicLayer::custom(panicked))
            .max_concurrent_streams(REQUESTS)
            .http2_max_header_list_size(HEADER_BYTES)
            .http2_keepalive_interval(Some(IDLE))
            .http2_keepalive_timeout(Some(ANSWER))
            .add_service(Admitting::new(Metered::new(service.max_decoding_message_size(MESSAGE_BYTES)), access))
            .serve_with_incoming_shutdown(incoming, async move { begun.begun().await });
        let out_of_patience = async {
            over.over().await;
            tokio::time::sleep(FAREWELL).await;
        };
        tokio::select! {
            served = serving => served.map_err(io::Error::other),
            () = out_of_patience => Ok(()),
        }
    };
    serve_on_sql_threads(&app, serve).await
}

/// The answer to a request whose handler panicked. The hook for panics has told of it in the log.
fn panicked(_panic: Box<dyn Any + Send>) -> Response<Body> {
    Status::internal("the server met an error of its own; its log tells more").into_http()
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use hyper::Request;
    use tonic::Code;
    use tower::{Layer, ServiceExt, service_fn};

    use super::*;

    #[tokio::test]
    async fn a_client_is_told_of_a_handler_that_panics() {
        let defect = service_fn(|_: Request<Body>| async { panic!("a defect") as Result<Response<Body>, Infallible> });
        let door = CatchPanicLayer::custom(panicked).layer(defect);
        let answer = door.oneshot(Request::new(Body::empty())).await.unwrap();
        let status = Status::from_header_map(answer.headers()).unwrap();
        assert_eq!(status.code(), Code::Internal);
        assert!(status.message().contains("its log tells more"), "{status}");
    }
}
