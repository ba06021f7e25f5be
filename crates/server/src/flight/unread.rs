//! Answers that nobody reads.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use arrow_flight::FlightData;
use futures::{FutureExt, Stream, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tonic::Status;

use super::messages::Batches;
use crate::stopping::Stopping;

/// An answer that ends, and its statement with it, when the client has read nothing of it for as long as `patience`, or
/// the time for answers under way is over. HTTP/2 asks for a message only when the client has room for it, so that
/// nothing else would notice.
pub(super) fn ended_when_unread(batches: Batches, patience: Duration, stopping: Stopping) -> Batches {
    Box::pin(Watched::new(batches, patience, stopping))
}

struct Watched {
    received: mpsc::Receiver<Result<FlightData, Status>>,
    /// Says why there are no more messages, if it is not that all have been sent.
    sending: Option<JoinHandle<Result<(), Status>>>,
}

impl Watched {
    fn new(mut batches: Batches, patience: Duration, stopping: Stopping) -> Self {
        let (messages, received) = mpsc::channel(1);
        let send_all = async move {
            while let Some(message) = batches.next().await {
                match timeout(patience, messages.send(message)).await {
                    Ok(Ok(())) => {}
                    // The client has gone.
                    Ok(Err(_)) => break,
                    Err(_) => return Err(Status::deadline_exceeded("the client reads nothing of the answer")),
                }
            }
            Ok(())
        };
        let sending = tokio::spawn(async move {
            tokio::select! {
                sent = send_all => sent,
                () = stopping.over() => Err(Status::unavailable("the server stops")),
            }
        });
        Self { received, sending: Some(sending) }
    }
}

impl Stream for Watched {
    type Item = Result<FlightData, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let Some(message) = std::task::ready!(self.received.poll_recv(context)) {
            return Poll::Ready(Some(message));
        }
        let Some(sending) = &mut self.sending else { return Poll::Ready(None) };
        let sent = std::task::ready!(sending.poll_unpin(context));
        self.sending = None;
        let sent = sent.unwrap_or_else(|_| Err(Status::internal("the answer broke off")));
        Poll::Ready(sent.err().map(Err))
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        if let Some(sending) = &self.sending {
            sending.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use futures::stream;
    use tonic::Code;

    use super::*;

    fn message() -> Result<FlightData, Status> {
        Ok(FlightData::default())
    }

    #[tokio::test]
    async fn an_answer_comes_as_it_is() {
        let end = Err(Status::internal("the end"));
        let batches: Batches = stream::iter([message(), message(), end]).boxed();
        let watched = Watched::new(batches, Duration::from_secs(3_600), Stopping::after(pending()));
        let codes: Vec<Option<Code>> = watched.map(|message| message.err().map(|status| status.code())).collect().await;
        assert_eq!(codes, [None, None, Some(Code::Internal)]);
    }

    #[tokio::test]
    async fn an_answer_that_nobody_reads_is_dropped_and_ends_with_an_error() {
        struct Held(mpsc::Sender<()>);
        let (held, mut dropped) = mpsc::channel(1);
        let held = Held(held);
        let batches: Batches = stream::repeat_with(move || {
            let _held = &held.0;
            message()
        })
        .boxed();
        let watched = Watched::new(batches, Duration::from_millis(1), Stopping::after(pending()));
        assert_eq!(dropped.recv().await, None, "the rows are dropped before anybody reads");
        let codes: Vec<Option<Code>> = watched.map(|message| message.err().map(|status| status.code())).collect().await;
        assert_eq!(codes, [None, Some(Code::DeadlineExceeded)]);
    }
}
