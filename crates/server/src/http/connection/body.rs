//! The body of a request, which tells how far the request is; and that of an answer which goes on.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
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

/// The body of an answer that goes on. It is asked for more once all before it has been sent: hyper would ask, and keep
/// what it gets, for as long as that is little.
pub(super) struct LiveBody {
    body: Body,
    phase: Arc<Phase>,
}

impl LiveBody {
    pub(super) fn new(body: Body, phase: Arc<Phase>) -> Self {
        Self { body, phase }
    }
}

impl HttpBody for LiveBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        // The socket wakes the connection once it is no longer so.
        if self.phase.is_stuck() {
            return Poll::Pending;
        }
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use http_body_util::BodyExt;

    use super::*;

    #[tokio::test]
    async fn what_goes_on_waits_until_all_before_it_has_been_sent() {
        let phase = Arc::new(Phase::default());
        let mut body = LiveBody::new(Body::from("next"), Arc::clone(&phase));
        assert!(!phase.note_stuck(true));
        assert!(body.frame().now_or_never().is_none());
        assert!(phase.note_stuck(false));
        assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "next");
    }
}
