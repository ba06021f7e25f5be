//! Threads for reports.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::Body;
use futures::FutureExt;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::Semaphore;
use tokio::task::{JoinError, JoinHandle};
use tracing::Instrument;

use super::backlog::{Backlog, Place};
use super::{REPORTS, ahead, step_back};

/// A report of more cells is very large: only some are computed at a time.
const LARGE_CELLS: u64 = 1 << 18;

/// The stack of a thread. Plans are walked recursively. Only the part that is used becomes memory.
const STACK_BYTES: usize = 16 << 20;

/// Threads for reports that take long, and for the writing and compressing of what is long.
pub(crate) struct ReportThreads {
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    handle: Handle,
    /// Turns of very large reports. They leave a thread to the others.
    turns: Arc<Semaphore>,
    backlog: Backlog,
}

/// Why a report was not computed.
#[derive(Debug)]
pub(crate) enum NotComputed {
    /// More are asked for than can be computed.
    Overloaded,
    /// It panicked, or the server is closing.
    GivenUp,
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
        // One may wait for the disk. With more, each would take longer.
        let backlog = Backlog::new(processors + 1);
        Ok(Self { handle: runtime.handle().clone(), runtime: Some(runtime), turns, backlog })
    }

    /// The threads as a runtime.
    pub(crate) fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Computes what has about so many `cells`. It ends when this is dropped. The place comes with what was computed, for
    /// the work that is left to be done with it.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        cells: u64,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<(T, Arc<Place>), NotComputed> {
        // An error would mean that there are no turns any more.
        let turn = if cells > LARGE_CELLS { Arc::clone(&self.turns).acquire_owned().await.ok() } else { None };
        let place = self.backlog.place().await.map_err(|_| NotComputed::Overloaded)?;
        let work = async move {
            let _turn = turn;
            (work.await, Arc::new(place))
        };
        let computing = Task(self.handle.spawn(work.in_current_span()));
        computing.await.map_err(|_| NotComputed::GivenUp)
    }

    /// The same body, made on these threads, a little ahead of its reader. It keeps its place while it is made, so that no
    /// more of them are begun than can be; but not while it waits for a slow reader.
    pub(crate) fn ahead(&self, body: Body, place: Option<Arc<Place>>) -> Body {
        ahead(body, place, |making| Task(self.handle.spawn(making)))
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
