//! One connection of HTTP: its requests one after the other, and the times that it may take.
//!
//! ```text
//!  accepted ─▶ a request is awaited ──────▶ under way ──▶ awaited again, or closed
//!              head: `header`               body: `body`, by whoever reads it
//!              between requests: `idle`     answer: the socket's own patience
//! ```

mod body;
mod ends;
mod phase;
mod socket;
mod unread_request;

use std::convert::Infallible;
use std::future::poll_fn;
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use std::{io, pin};

use axum::body::Body;
use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::CONNECTION;
use axum::response::Response;
use futures::FutureExt;
use futures::future::BoxFuture;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::watch;
use tower::ServiceExt;

use crate::connections::{Connection, Encryption, PatientSocket};
use crate::http::answer_body::{AnswerBody, is_live};
use crate::http::problem::Problem;
use crate::http::router::Routes;
use crate::once_per_minute::OncePerMinute;
use crate::tls::Wire;
use body::{LiveBody, ReceivedBody};
pub(crate) use ends::Ends;
use phase::{Phase, UnderWay};
use socket::HttpSocket;
use unread_request::refusal;

/// The most bytes of a request's first line and headers. A list of skills in the first line may be long: a URL has up
/// to 64 KiB.
const MAX_HEAD_BYTES: usize = 80 << 10;

/// The most headers of a request, and the longest URL. Both are hyper's own.
const MAX_HEADERS: usize = 100;
const MAX_URL_BYTES: usize = u16::MAX as usize - 1;

/// How long the rest of a body that nobody wants is read and dropped, so that the client gets to the answer.
const LINGER: Duration = Duration::from_secs(5);

/// How long a connection on which nothing has come is kept once the server is told to stop.
const SILENCE: Duration = Duration::from_millis(500);

/// How long a connection may wait for its client.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConnectionTimes {
    /// For the whole of a request's first line and headers, from its first byte or from the connection's beginning.
    pub(super) header: Duration,
    /// For the next request.
    pub(super) idle: Duration,
}

/// What serves the connections.
pub(super) struct ConnectionServer {
    /// What is answered as long as nothing is live.
    starting: Routes,
    live: OnceLock<Routes>,
    times: ConnectionTimes,
    /// Whether other machines can reach the listener.
    is_exposed: bool,
    /// Connections whose request did not come in time.
    unfinished: Arc<OncePerMinute>,
    /// Connections whose answer was not read.
    unread: Arc<OncePerMinute>,
}

impl ConnectionServer {
    /// Answers by the routes `starting` until others [go live](Self::go_live).
    pub(super) fn new(starting: Routes, times: ConnectionTimes, is_exposed: bool) -> Self {
        let unfinished = OncePerMinute::new(|number| {
            tracing::warn!(number, "connections were closed: their requests were not complete within --header-timeout");
        });
        let unread = OncePerMinute::new(|number| {
            tracing::warn!(number, "connections were closed: nobody read their answers within --answer-timeout");
        });
        Self { starting, live: OnceLock::new(), times, is_exposed, unfinished, unread }
    }

    /// Answers by these routes from the next request on, over connections that are there already, too.
    pub(super) fn go_live(&self, routes: Routes) {
        // There is one time at which a server is ready.
        let _ = self.live.set(routes);
    }

    fn routes(&self) -> &Routes {
        self.live.get().unwrap_or(&self.starting)
    }

    /// Counts the connections whose request did not come in time.
    pub(super) fn late(&self) -> Arc<OncePerMinute> {
        Arc::clone(&self.unfinished)
    }

    /// Serves a connection until it ends. Once `stopped` says so, it ends with the request under way.
    pub(super) async fn serve(
        &self,
        connection: Connection,
        encryption: Option<Encryption>,
        stopped: watch::Receiver<bool>,
    ) {
        let peer = connection.peer;
        let wire = match encryption {
            None => Wire::Plain(connection.patient()),
            Some(encryption) => tokio::select! {
                wire = encryption.of(connection.patient(), peer) => match wire {
                    Some(wire) => wire,
                    None => return,
                },
                () = silence_after(stopped.clone()) => return,
            },
        };
        self.serve_wire(wire, stopped).await;
    }

    async fn serve_wire(&self, wire: Wire<PatientSocket>, mut stopped: watch::Receiver<bool>) {
        let ends =
            Ends { peer: wire.stream().peer().ip(), is_encrypted: wire.is_encrypted(), is_exposed: self.is_exposed };
        let phase = Arc::new(Phase::default());
        let socket = TokioIo::new(HttpSocket::new(wire, Arc::clone(&phase), self.times));
        let service = service_fn(|request| answer(self.routes(), &phase, ends, request));
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).max_header_size(MAX_HEAD_BYTES);
        // The socket knows the difference between half a request and none. Where hyper has no time-out of its own, it
        // does not read before something comes.
        builder.header_read_timeout(self.times.header.saturating_add(self.times.idle));
        let mut connection = builder.serve_connection(socket, service);
        let mut is_stopping = false;
        let ended = loop {
            tokio::select! {
                ended = poll_fn(|context| connection.poll_without_shutdown(context)) => break ended,
                _ = stopped.wait_for(|stopping| *stopping), if !is_stopping => {
                    is_stopping = true;
                    pin::Pin::new(&mut connection).graceful_shutdown();
                }
                // A connection that was made ahead of its first request does not hold up the end.
                () = tokio::time::sleep(SILENCE), if is_stopping && !phase.has_heard() => {
                    if !phase.has_heard() {
                        return;
                    }
                }
            }
        };
        let mut socket = connection.into_parts().io.into_inner();
        match ended {
            Ok(()) => {
                // The client may be gone.
                let _ = close(socket, phase.has_unread_body()).await;
            }
            Err(error) => {
                tracing::debug!(%error, "a connection of HTTP ended");
                if socket.is_unfinished() {
                    self.unfinished.note();
                }
                if socket.is_unread() {
                    self.unread.note();
                } else if socket.is_late() {
                    // Over TLS, a connection that just breaks off may be an attack.
                    let _ = tokio::time::timeout(SILENCE, socket.shutdown()).await;
                }
                if let Some(problem) = refusal(&error, &socket) {
                    let _ = tell(socket.into_inner(), &problem).await;
                }
            }
        }
    }
}

/// Completes a moment after the server was told to stop.
async fn silence_after(mut stopped: watch::Receiver<bool>) {
    let _ = stopped.wait_for(|stopping| *stopping).await;
    tokio::time::sleep(SILENCE).await;
}

/// Answers a request by the routes.
fn answer(
    routes: &Routes,
    phase: &Arc<Phase>,
    ends: Ends,
    request: Request<Incoming>,
) -> BoxFuture<'static, Result<Response<AnswerBody<UnderWay>>, Infallible>> {
    phase.begin_request();
    let (phase, under_way) = (Arc::clone(phase), phase.under_way());
    let mut request = request.map(|body| Body::new(ReceivedBody::new(body, Arc::clone(&phase))));
    request.extensions_mut().insert(ends);
    let answer = routes.clone().oneshot(request);
    async move {
        let mut response = answer.await?;
        if phase.has_unread_body() {
            // The rest is dropped, and the connection with it: the client is not to send its next request over it.
            response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if is_live(&response) {
            response = response.map(|body| Body::new(LiveBody::new(body, phase)));
        }
        Ok(response.map(|body| AnswerBody::new(body, under_way)))
    }
    .boxed()
}

/// Says why a request is not read, and closes the connection.
async fn tell(mut socket: impl AsyncRead + AsyncWrite + Unpin, problem: &Problem) -> io::Result<()> {
    socket.write_all(&problem.last_words()).await?;
    close(socket, true).await
}

/// Closes a connection. A client that is still sending a body may only read the answer when all is sent, and would lose
/// it if the rest met a closed socket.
async fn close(mut socket: impl AsyncRead + AsyncWrite + Unpin, is_sending: bool) -> io::Result<()> {
    socket.shutdown().await?;
    if is_sending {
        let drop_rest = async {
            let mut rest = vec![0; 16 << 10];
            while socket.read(&mut rest).await? > 0 {}
            Ok(())
        };
        return tokio::time::timeout(LINGER, drop_rest).await.unwrap_or(Ok(()));
    }
    Ok(())
}
