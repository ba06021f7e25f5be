//! Threads for work that blocks.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread;

use tokio::sync::oneshot;
use tracing::Span;

use super::fair_queue::FairQueue;
use super::{INGESTION, step_back};

type Work = Box<dyn FnOnce() + Send>;

/// A number of threads for work that waits for the disk or computes for long.
pub(crate) struct BlockingThreads(Arc<FairQueue<Work>>);

/// Whoever waits for the outcome of some work.
pub(crate) struct Client<T>(oneshot::Sender<T>);

/// Why work was not done.
#[derive(Debug)]
pub(crate) enum NotDone {
    /// Too much waits already.
    Full,
    /// It panicked, or the server is closing.
    GivenUp,
}

impl<T> Client<T> {
    /// Whether nobody waits any more.
    pub(crate) fn has_gone(&self) -> bool {
        self.0.is_closed()
    }
}

impl BlockingThreads {
    /// Starts `number` threads.
    ///
    /// # Errors
    /// Where the system has no more threads.
    pub(crate) fn start(name: &str, number: usize) -> io::Result<Self> {
        let threads = Self(Arc::new(FairQueue::new()));
        for _ in 0..number {
            let queue = Arc::clone(&threads.0);
            let run = move || {
                step_back(INGESTION);
                while let Some(work) = queue.pop() {
                    // The panic has been logged. Whoever waits is told by the end of its channel.
                    let _ = catch_unwind(AssertUnwindSafe(work));
                }
            };
            thread::Builder::new().name(name.to_owned()).spawn(run)?;
        }
        Ok(threads)
    }

    /// Runs `work` when it is the owner's turn. Nobody waits for it. Where too much waits already, it is dropped, and
    /// the answer is false. What it logs tells the trace of the request that it is for.
    pub(crate) fn spawn(&self, owner: &str, work: impl FnOnce() + Send + 'static) -> bool {
        let span = Span::current();
        self.0.push(owner, Box::new(move || span.in_scope(work))).is_ok()
    }

    /// Runs `work` when it is the owner's turn, and waits for it. Work whose client has gone before its turn is not
    /// begun.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        owner: &str,
        work: impl FnOnce(&Client<T>) -> T + Send + 'static,
    ) -> Result<T, NotDone> {
        let (client, outcome) = oneshot::channel();
        let client = Client(client);
        let is_taken = self.spawn(owner, move || {
            if !client.has_gone() {
                let outcome = work(&client);
                let _ = client.0.send(outcome);
            }
        });
        if !is_taken {
            return Err(NotDone::Full);
        }
        outcome.await.map_err(|_| NotDone::GivenUp)
    }
}

impl Drop for BlockingThreads {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_ends_its_own_work_alone() {
        let threads = BlockingThreads::start("test", 1).unwrap();
        assert!(threads.run::<()>("a", |_| panic!("on purpose")).await.is_err());
        assert_eq!(threads.run("a", |_| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn work_that_nobody_waits_for_is_not_begun() {
        let threads = BlockingThreads::start("test", 1).unwrap();
        let (go, gate) = std::sync::mpsc::channel::<()>();
        let first = threads.run("a", move |_| gate.recv());
        let mut first = std::pin::pin!(first);
        assert!(futures::poll!(first.as_mut()).is_pending());
        let second = Box::pin(threads.run("a", |_| unreachable!("nobody waits")));
        let mut second = second;
        assert!(futures::poll!(second.as_mut()).is_pending());
        drop(second);
        go.send(()).unwrap();
        first.await.unwrap().unwrap();
        assert_eq!(threads.run("a", |_| 7).await.unwrap(), 7);
    }
}
