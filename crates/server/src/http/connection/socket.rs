//! The socket of a connection, which does not wait for requests forever.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::ConnectionTimes;
use super::phase::Phase;
use crate::connections::PatientSocket;
use crate::tls::Wire;

/// A socket that fails to read once the next request has taken too long.
pub(super) struct HttpSocket {
    socket: Wire<PatientSocket>,
    phase: Arc<Phase>,
    times: ConnectionTimes,
    /// The requests that have been seen.
    requests: u64,
    awaited: Awaited,
    /// When that has taken too long.
    end: Pin<Box<Sleep>>,
    is_late: bool,
}

/// What is awaited of the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Awaited {
    /// Nothing is known yet.
    Unknown,
    /// The first byte of a request.
    Request,
    /// The rest of its head.
    Head,
}

impl HttpSocket {
    pub(super) fn new(socket: Wire<PatientSocket>, phase: Arc<Phase>, times: ConnectionTimes) -> Self {
        // A connection is made for a request, which follows at once.
        let end = Box::pin(sleep(times.header));
        Self { socket, phase, times, requests: 0, awaited: Awaited::Head, end, is_late: false }
    }

    /// Whether it was closed because half a request had come.
    pub(super) fn is_unfinished(&self) -> bool {
        self.is_late && self.awaited == Awaited::Head
    }

    /// Whether it was closed because no request came.
    pub(super) fn is_late(&self) -> bool {
        self.is_late
    }

    /// Whether it was closed because nobody read the answer.
    pub(super) fn is_unread(&self) -> bool {
        self.socket.stream().is_out_of_patience()
    }

    fn await_anew(&mut self, awaited: Awaited) {
        self.awaited = awaited;
        let time = if awaited == Awaited::Head { self.times.header } else { self.times.idle };
        self.end.as_mut().reset(Instant::now() + time);
    }

    fn written<T>(&mut self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_ready() && self.awaited == Awaited::Request {
            // The last answer was still on its way.
            self.await_anew(Awaited::Request);
        }
        outcome
    }
}

impl AsyncRead for HttpSocket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.socket).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.phase.hear();
        }
        if self.requests != self.phase.requests() {
            self.requests = self.phase.requests();
            self.awaited = Awaited::Unknown;
        }
        if self.phase.is_under_way() {
            return outcome;
        }
        if outcome.is_ready() {
            if buffer.filled().len() > before && self.awaited != Awaited::Head {
                self.await_anew(Awaited::Head);
            }
            return outcome;
        }
        if self.awaited == Awaited::Unknown {
            self.await_anew(Awaited::Request);
        }
        if self.end.as_mut().poll(context).is_ready() {
            self.is_late = true;
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "no request came in time")));
        }
        Poll::Pending
    }
}

impl AsyncWrite for HttpSocket {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.written(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.socket).poll_write_vectored(context, pieces);
        self.written(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
