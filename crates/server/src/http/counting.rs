//! Counting requests.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::{Frame, SizeHint};

use crate::statistics::{CountedRequest, HttpStatistics};

/// Counts a request from its head to the end of its answer.
pub(super) async fn count(State(statistics): State<Arc<HttpStatistics>>, request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>();
    let mut counted = statistics.begin(path.map(MatchedPath::as_str), request.method());
    let response = next.run(request).await;
    counted.answered(response.status());
    // A body whose length is known is there already.
    if response.body().size_hint().exact().is_some() {
        return response;
    }
    response.map(|body| Body::new(CountedBody { body, _counted: counted }))
}

/// A body as it goes out. Its request has ended when it has gone.
struct CountedBody {
    body: Body,
    _counted: CountedRequest,
}

impl HttpBody for CountedBody {
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
