//! The threads on which statements run.

use std::future::Future;
use std::io;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tracing::Instrument;

use crate::{Error, Result};

/// The stack of a thread. Deep expressions are run level by level. Only the part that is used becomes memory.
const STACK_BYTES: usize = 64 << 20;

/// Threads that run statements and nothing else. Every other thread of the process goes before them, so that reports do
/// not wait for analysts.
#[derive(Debug)]
pub(in crate::sql) struct Workers {
    /// `None` while it is dropped.
    runtime: Option<Runtime>,
    /// A thread that no statement keeps busy. It ends statements.
    watch: Option<Runtime>,
}

impl Workers {
    pub(in crate::sql) fn start() -> io::Result<Self> {
        // More than there are processors, because a statement may hold its thread for a while.
        let threads = 2 * std::thread::available_parallelism().map_or(2, NonZeroUsize::get);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("sql")
            .thread_stack_size(STACK_BYTES)
            .on_thread_start(step_back)
            .enable_all()
            .build()?;
        let watch = Builder::new_multi_thread().worker_threads(1).thread_name("sql-watch").enable_all().build()?;
        Ok(Self { runtime: Some(runtime), watch: Some(watch) })
    }

    /// Runs `work` on these threads. What it logs tells the trace of the request that it is for.
    pub(in crate::sql) fn spawn<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> SqlTask<T> {
        SqlTask(self.runtime.as_ref().map(|runtime| runtime.spawn(work.in_current_span())))
    }

    /// Runs work that watches a statement.
    pub(in crate::sql) fn spawn_watch<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> SqlTask<T> {
        SqlTask(self.watch.as_ref().map(|runtime| runtime.spawn(work)))
    }
}

/// Work on the threads for SQL. Dropping this ends it.
#[derive(Debug)]
pub struct SqlTask<T>(Option<JoinHandle<T>>);

impl<T> Future for SqlTask<T> {
    /// An error where the work was ended, or panicked.
    type Output = Result<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Result<T>> {
        let Some(task) = &mut self.0 else { return Poll::Ready(Err(Error::Killed)) };
        task.poll_unpin(context).map_err(|error| Error::of_join(&error))
    }
}

impl<T> Drop for SqlTask<T> {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Drop for Workers {
    fn drop(&mut self) {
        // Nobody is left to read the rows of the statements that still run.
        self.runtime.take().into_iter().chain(self.watch.take()).for_each(Runtime::shutdown_background);
    }
}

/// Lowers the priority of this thread (on Linux it is the thread's own) as far as it goes.
fn step_back() {
    const LOWEST: i32 = 19;
    if let Err(error) = rustix::process::setpriority_process(None, LOWEST) {
        tracing::warn!(%error, "SQL runs at the same priority as reports");
    }
}
