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
    /// The requests whose answers have gone.
    answered: u64,
    /// The status with which hyper answers a request that it cannot read.
    swallowed: Option<u16>,
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
        Self {
            socket,
            phase,
            times,
            requests: 0,
            answered: 0,
            swallowed: None,
            awaited: Awaited::Head,
            end,
            is_late: false,
        }
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

    /// The status with which hyper would have answered a request that it cannot read. There is no body in its answers,
    /// and no reason, so they are kept back.
    pub(super) fn swallowed_status(&self) -> Option<u16> {
        self.swallowed
    }

    /// Whether half a request has come, and nothing else is under way.
    pub(super) fn is_within_head(&self) -> bool {
        self.owes_nothing() && self.phase.has_heard() && self.awaited == Awaited::Head
    }

    /// The socket alone.
    pub(super) fn into_inner(self) -> Wire<PatientSocket> {
        self.socket
    }

    /// Whether no request waits for an answer. What is written then is hyper's own about a request that it has not handed
    /// on.
    fn owes_nothing(&self) -> bool {
        self.answered == self.phase.requests()
    }

    /// Takes what hyper writes of its own, and keeps it back.
    fn swallow(&mut self, pieces: &[IoSlice<'_>]) -> usize {
        const STATUS: std::ops::Range<usize> = 9..12;
        let head = pieces.iter().find(|piece| !piece.is_empty());
        let status =
            head.and_then(|head| head.get(STATUS)).and_then(|status| str::from_utf8(status).ok()?.parse().ok());
        self.swallowed = self.swallowed.or(status);
        pieces.iter().map(|piece| piece.len()).sum()
    }

    fn await_anew(&mut self, awaited: Awaited) {
        self.awaited = awaited;
        let time = if awaited == Awaited::Head { self.times.header } else { self.times.idle };
        self.end.as_mut().reset(Instant::now() + time);
    }

    fn written<T>(&mut self, outcome: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if outcome.is_pending() {
            self.phase.note_stuck(true);
        }
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
        if self.owes_nothing() {
            return Poll::Ready(Ok(self.swallow(&[IoSlice::new(bytes)])));
        }
        let outcome = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.written(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.owes_nothing() {
            return Poll::Ready(Ok(self.swallow(pieces)));
        }
        let outcome = Pin::new(&mut self.socket).poll_write_vectored(context, pieces);
        self.written(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.socket).poll_flush(context);
        if self.phase.note_stuck(outcome.is_pending()) && outcome.is_ready() {
            // A body that waited for this has been asked already.
            context.waker().wake_by_ref();
        }
        // It is called once everything has been written that there is.
        if outcome.is_ready() && !self.phase.is_under_way() {
            self.answered = self.phase.requests();
        }
        outcome
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
