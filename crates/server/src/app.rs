//! What every protocol serves: the store and the query engine.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use skillscope_query::Engine;
use skillscope_store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::access::Access;
use crate::quiet_accounts::QuietAccounts;
use crate::statistics::Statistics;
use crate::threads::Threads;

/// How long a backup without the archive waits for another, which takes a moment.
const SHORT_BACKUP_PATIENCE: Duration = Duration::from_secs(30);

/// The store and the query engine, which all protocols share. Cheap to clone.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    store: Arc<Store>,
    engine: Engine,
    threads: Threads,
    access: Access,
    backups: Arc<Semaphore>,
    /// Those without the archive, which take a moment and hold up no other.
    short_backups: Arc<Semaphore>,
    stopping: AtomicBool,
    /// Unless nobody is told of them.
    quiet: OnceLock<QuietAccounts>,
    statistics: Arc<Statistics>,
}

impl App {
    /// Serves what is in `store`, with answers from `engine`, to those who have `access`.
    ///
    /// # Errors
    /// Where the system has no more threads.
    pub fn new(store: Arc<Store>, engine: Engine, access: Access) -> io::Result<Self> {
        let (threads, backups) = (Threads::start()?, Arc::new(Semaphore::new(1)));
        let (short_backups, stopping, statistics) =
            (Arc::new(Semaphore::new(1)), AtomicBool::new(false), Statistics::new());
        let quiet = OnceLock::new();
        let shared = Shared { store, engine, threads, access, backups, short_backups, stopping, quiet, statistics };
        Ok(Self(Arc::new(shared)))
    }

    /// Tells from now on of accounts of which nothing has come for longer than `after`: in the log, among the metrics
    /// and at `/readyz`. This is for the threads of a runtime, and ends with the last of the server.
    pub fn tell_of_quiet_accounts(&self, after: Duration) {
        let quiet = self.0.quiet.get_or_init(|| QuietAccounts::new(after));
        quiet.look(&self.0.store);
        let (between_looks, weak) = (quiet.between_looks(), Arc::downgrade(&self.0));
        tokio::spawn(async move {
            tokio::time::sleep(between_looks).await;
            while let Some(shared) = weak.upgrade() {
                shared.quiet.get().into_iter().for_each(|quiet| quiet.look(&shared.store));
                drop(shared);
                tokio::time::sleep(between_looks).await;
            }
        });
    }

    /// How many accounts there are of which nothing has come for long; `None` where that is not looked for.
    pub(crate) fn quiet_accounts(&self) -> Option<u64> {
        self.0.quiet.get().map(QuietAccounts::number)
    }

    pub(crate) fn store(&self) -> Arc<Store> {
        Arc::clone(&self.0.store)
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.0.engine
    }

    pub(crate) fn access(&self) -> &Access {
        &self.0.access
    }

    pub(crate) fn threads(&self) -> &Threads {
        &self.0.threads
    }

    /// The right to make a backup, with the archive or without, until it is dropped; `None` while another has it. For
    /// one without the archive, it is waited a while.
    pub(crate) async fn begin_backup(&self, with_archive: bool) -> Option<OwnedSemaphorePermit> {
        if with_archive {
            return Arc::clone(&self.0.backups).try_acquire_owned().ok();
        }
        let turn = Arc::clone(&self.0.short_backups).acquire_owned();
        tokio::time::timeout(SHORT_BACKUP_PATIENCE, turn).await.ok()?.ok()
    }

    /// What the server counts of its own work.
    pub(crate) fn statistics(&self) -> &Arc<Statistics> {
        &self.0.statistics
    }

    /// Why no requests should be sent here, if so.
    pub(crate) fn not_ready(&self) -> Option<&'static str> {
        if self.0.stopping.load(Ordering::Relaxed) {
            return Some("the server is shutting down");
        }
        let refuses = "the disk refuses writes; reports and SQL go on, and it is tried again";
        (!self.0.store.accepts_writes()).then_some(refuses)
    }

    /// Lets the server say, from now on, that it is not ready.
    pub(crate) fn stop(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }
}
