//! A thread that maintains a store.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::store::Store;

/// Between two looks at whether something is due.
const PAUSE: Duration = Duration::from_secs(1);

/// After a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// Between two looks at what is [watched](Store::watch).
const PAUSE_OF_WATCH: Duration = Duration::from_secs(10);

/// A thread that [maintains](Store::maintain) a store until the value is dropped.
#[derive(Debug)]
pub struct Maintenance {
    stop: Arc<StopSignal>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct StopSignal {
    is_given: Mutex<bool>,
    changed: Condvar,
}

impl StopSignal {
    fn give(&self) {
        *self.is_given.lock() = true;
        self.changed.notify_all();
    }

    /// Waits for `time`, or for the signal; tells whether it was given.
    fn wait(&self, time: Duration) -> bool {
        let mut is_given = self.is_given.lock();
        self.changed.wait_while_for(&mut is_given, |is_given| !*is_given, time);
        *is_given
    }
}

impl Maintenance {
    /// Starts maintaining `store`.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(store: Arc<Store>) -> std::io::Result<Self> {
        let stop = Arc::new(StopSignal::default());
        let until = Arc::clone(&stop);
        let work = move || {
            let mut watched: Option<Instant> = None;
            loop {
                if watched.is_none_or(|watched| watched.elapsed() >= PAUSE_OF_WATCH) {
                    watch(&store);
                    watched = Some(Instant::now());
                }
                if until.wait(pause_after(&store)) {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("maintenance".to_owned()).spawn(work)?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

fn watch(store: &Store) {
    match catch_unwind(AssertUnwindSafe(|| store.watch())) {
        Ok(Ok(())) => {}
        // That it takes no writes was said when it began.
        Ok(Err(error)) if !store.accepts_writes() => tracing::debug!(%error, "the disk takes no writes"),
        Ok(Err(error)) => tracing::error!(%error, "a file that is too old is still there"),
        Err(_) => tracing::error!("the watch panicked; it is tried again"),
    }
}

/// Maintains `store` once, and tells how long to wait before the next time.
fn pause_after(store: &Store) -> Duration {
    match catch_unwind(AssertUnwindSafe(|| store.maintain())) {
        Ok(Ok(true)) => Duration::ZERO,
        Ok(Ok(false)) => PAUSE,
        Ok(Err(error)) => {
            tracing::error!(%error, "the archive could not be maintained; it is tried again");
            PAUSE_AFTER_FAILURE
        }
        Err(_) => {
            tracing::error!("maintenance panicked; it is tried again");
            PAUSE_AFTER_FAILURE
        }
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        self.stop.give();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was logged when it happened.
            let _ = thread.join();
        }
    }
}
