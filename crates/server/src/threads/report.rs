//! Threads for reports.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use futures::{FutureExt, StreamExt, stream};
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{JoinError, JoinHandle};

use super::{REPORTS, step_back};

/// A report of more cells is very large: only some are computed at a time.
const LARGE_CELLS: u64 = 1 << 18;

/// Pieces of a body that are ready before the client has read the ones before them.
const PIECES_AHEAD: usize = 2;

/// The stack of a thread. Plans are walked recursively. Only the part that is used becomes memory.
const STACK_BYTES: usize = 16 << 20;

/// Threads for reports that take long, and for the writing and compressing of what is long.
pub(crate) struct ReportThreads {
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
    /// Turns of very large reports. They leave a thread to the others.
    turns: Arc<Semaphore>,
}

/// A task that ends when this is dropped.
struct Task<T>(JoinHandle<T>);

impl ReportThreads {
    /// Starts as many threads as there are `processors`.
    ///
    /// # Errors
    /// Where the system has no more threads.
    pub(crate) fn start(processors: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(processors)
            .max_blocking_threads(processors)
            .thread_name("report")
            .thread_stack_size(STACK_BYTES)
            .on_thread_start(|| step_back(REPORTS))
            .enable_all()
            .build()?;
        let turns = Arc::new(Semaphore::new(processors.div_ceil(2)));
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime), turns })
    }

    /// The threads as a runtime.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Computes what has about so many `cells`. It ends when this is dropped.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        cells: u64,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, JoinError> {
        let turns = Arc::clone(&self.turns);
        Task(self.handle.spawn(async move {
            // An error would mean that there are no turns any more.
            let _turn = if cells > LARGE_CELLS { turns.acquire_owned().await.ok() } else { None };
            work.await
        }))
        .await
    }

    /// The same body, made on these threads, a little ahead of its reader.
    pub(crate) fn ahead(&self, body: Body) -> Body {
        let (pieces, made) = mpsc::channel(PIECES_AHEAD);
        let mut body = body.into_data_stream();
        let task = Task(self.handle.spawn(async move {
            while let Some(piece) = body.next().await {
                if pieces.send(piece).await.is_err() {
                    return;
                }
            }
        }));
        let next = |(mut made, task): (mpsc::Receiver<_>, Option<Task<()>>)| async move {
            if let Some(piece) = made.recv().await {
                return Some((piece, (made, task)));
            }
            // There are no more pieces, either because the body is whole or because the task has panicked.
            match task?.await {
                Ok(()) => None,
                Err(error) => Some((Err(axum::Error::new(error)), (made, None))),
            }
        };
        Body::from_stream(stream::unfold((made, Some(task)), next).fuse())
    }
}

impl Drop for ReportThreads {
    fn drop(&mut self) {
        // It may be dropped where nothing may block.
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl<T> Future for Task<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.poll_unpin(context)
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
