//! The bodies of requests, whose memory and time are limited.

use std::convert::Infallible;
use std::error::Error;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::Request;
use hyper::body::{Body, Frame, SizeHint};
use skillscope_store::memory_share;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};
use tonic::Status;
use tonic::server::NamedService;
use tower::Service;

/// What the bodies of all requests take while they come; less where [the share](PERCENT) is less.
const ALL_BYTES: usize = 256 << 20;

/// In hundredths of the memory.
pub(crate) const PERCENT: u64 = 3;

/// How long a client may send nothing of a body that it has begun.
const SILENCE: Duration = Duration::from_secs(30);

/// A service whose requests share a memory, and do not stand still.
#[derive(Debug, Clone)]
pub(super) struct Metered<S> {
    inner: S,
    memory: Arc<Semaphore>,
}

impl<S> Metered<S> {
    pub(super) fn new(inner: S) -> Self {
        let share = usize::try_from(memory_share(PERCENT)).unwrap_or(usize::MAX);
        Self { inner, memory: Arc::new(Semaphore::new(share.min(ALL_BYTES))) }
    }
}

impl<S: NamedService> NamedService for Metered<S> {
    const NAME: &'static str = S::NAME;
}

impl<S, B> Service<Request<B>> for Metered<S>
where
    S: Service<Request<MeteredBody<B>>, Error = Infallible>,
{
    type Response = S::Response;
    type Error = Infallible;
    type Future = S::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> S::Future {
        let memory = Arc::clone(&self.memory);
        self.inner.call(request.map(|body| MeteredBody::new(body, memory, SILENCE)))
    }
}

/// A body that ends with an error where there is no memory for it, or nothing more comes.
pub(super) struct MeteredBody<B> {
    body: Pin<Box<B>>,
    memory: Arc<Semaphore>,
    taken: Option<OwnedSemaphorePermit>,
    patience: Duration,
    silence: Pin<Box<Sleep>>,
    is_waiting: bool,
}

impl<B> MeteredBody<B> {
    fn new(body: B, memory: Arc<Semaphore>, patience: Duration) -> Self {
        Self {
            body: Box::pin(body),
            memory,
            taken: None,
            patience,
            silence: Box::pin(sleep(patience)),
            is_waiting: false,
        }
    }

    /// Takes memory for what has come. It is given back when the request has been read.
    fn take(&mut self, bytes: usize) -> Result<(), Status> {
        let full =
            || Status::resource_exhausted("the requests of all clients together take too much memory; try again");
        let bytes = u32::try_from(bytes).map_err(|_| full())?;
        let permit = Arc::clone(&self.memory).try_acquire_many_owned(bytes).map_err(|_| full())?;
        match &mut self.taken {
            Some(taken) => taken.merge(permit),
            None => self.taken = Some(permit),
        }
        Ok(())
    }
}

impl<B> Body for MeteredBody<B>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Data = Bytes;
    type Error = Box<dyn Error + Send + Sync>;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Poll::Ready(frame) = self.body.as_mut().poll_frame(context) else {
            // Silence begins when somebody waits for more.
            if !std::mem::replace(&mut self.is_waiting, true) {
                let end = Instant::now() + self.patience;
                self.silence.as_mut().reset(end);
            }
            std::task::ready!(self.silence.as_mut().poll(context));
            let status = Status::deadline_exceeded("the client sends nothing more of its request");
            return Poll::Ready(Some(Err(status.into())));
        };
        self.is_waiting = false;
        let Some(frame) = frame else { return Poll::Ready(None) };
        Poll::Ready(Some(match frame {
            Ok(frame) => {
                let taken = self.take(frame.data_ref().map_or(0, Bytes::len));
                taken.map(|()| frame).map_err(Into::into)
            }
            Err(error) => Err(error.into()),
        }))
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
    use http_body_util::{BodyExt, Full, StreamBody};

    use super::*;

    #[tokio::test]
    async fn bodies_share_a_memory_and_give_it_back() {
        let memory = Arc::new(Semaphore::new(10));
        let body = |bytes: &'static [u8]| {
            MeteredBody::new(Full::new(Bytes::from_static(bytes)), Arc::clone(&memory), Duration::from_secs(60))
        };
        let mut first = body(b"1234567");
        assert!(first.frame().await.unwrap().is_ok());
        let error = body(b"1234").frame().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("too much memory"), "{error}");
        drop(first);
        assert_eq!(body(b"1234").collect().await.unwrap().to_bytes(), "1234");
        assert_eq!(memory.available_permits(), 10);
    }

    #[tokio::test]
    async fn a_body_that_stands_still_is_an_error() {
        let never = StreamBody::new(futures::stream::pending::<Result<Frame<Bytes>, Infallible>>());
        let memory = Arc::new(Semaphore::new(10));
        let mut body = MeteredBody::new(never, memory, Duration::from_millis(1));
        let error = body.frame().await.unwrap().unwrap_err();
        assert!(error.to_string().contains("nothing more"), "{error}");
    }
}
