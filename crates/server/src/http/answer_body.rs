//! The body of an answer, as it goes out.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

/// Marks an answer that goes on for as long as its reader stays. It is sent as it comes, and says itself why it ends.
#[derive(Debug, Clone, Copy)]
pub(super) struct Live;

/// A body as it goes out. What it keeps is dropped when it has gone.
pub(super) struct AnswerBody<T> {
    body: Body,
    _kept: T,
}

impl<T> AnswerBody<T> {
    pub(super) fn new(body: Body, kept: T) -> Self {
        Self { body, _kept: kept }
    }
}

/// The same answer, which keeps `kept` until it has gone. One that is [there as a whole](is_whole) keeps nothing.
pub(super) fn keep_until_gone<T: Send + Unpin + 'static>(response: Response, kept: T) -> Response {
    if is_whole(&response) { response } else { response.map(|body| Body::new(AnswerBody::new(body, kept))) }
}

/// Whether all of an answer is there, and goes out at once.
pub(super) fn is_whole(response: &Response) -> bool {
    response.body().size_hint().exact().is_some()
}

/// Whether an answer goes on for as long as its reader stays.
pub(super) fn is_live(response: &Response) -> bool {
    response.extensions().get::<Live>().is_some()
}

impl<T: Unpin> HttpBody for AnswerBody<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
