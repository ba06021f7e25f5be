//! The body of a request, which tells how far the request is.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, Incoming, SizeHint};

use super::phase::Phase;

/// A body as it comes in.
pub(super) struct ReceivedBody {
    body: Incoming,
    has_ended: bool,
    phase: Arc<Phase>,
}

impl ReceivedBody {
    pub(super) fn new(body: Incoming, phase: Arc<Phase>) -> Self {
        Self { has_ended: body.is_end_stream(), body, phase }
    }
}

impl HttpBody for ReceivedBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.has_ended |= matches!(frame, Poll::Ready(None)) || self.body.is_end_stream();
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for ReceivedBody {
    fn drop(&mut self) {
        if !self.has_ended {
            self.phase.leave_body_unread();
        }
    }
}
