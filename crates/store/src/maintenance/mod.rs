//! The work between writes: sealing hours, merging files, letting go of memory, and removing what has expired.

pub(crate) mod compaction;
pub(crate) mod eviction;
pub(crate) mod retention;
pub(crate) mod sealing;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::maintenance::sealing::changed;
use crate::rows::run::Run;
use crate::{Partition, Result, Store};

/// Between two looks at whether something is due.
const PAUSE: Duration = Duration::from_secs(1);

/// After a failure.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(10);

/// The kinds of work that can take long.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) enum Job {
    Sealing,
    #[default]
    Compaction,
}

impl Store {
    /// Does one thing that is due, if there is one, and tells whether there was: merges runs in memory, lets events go
    /// ahead that wait where no more come, removes what has
    /// expired, lets go of hours that are not hot any more, makes totals of hot ones that found no room in memory, seals an hour, or merges small files.
    ///
    /// # Errors
    /// Where it cannot be done; nothing is lost, and it is tried again later.
    pub fn maintain(&self) -> Result<bool> {
        let mut last = self.one_job();
        // Runs can always be merged while much arrives: that holds up nothing else.
        let has_merged = self.merge_runs();
        let gave_up = self.give_up_idle();
        let has_done = self.maintain_files(&mut last);
        Ok(gave_up? || has_done? || has_merged)
    }

    /// Does what is due with files: one thing of each kind. What fails holds up nothing else.
    fn maintain_files(&self, last: &mut Job) -> Result<bool> {
        // Hours that are due without end hold up no merging, and the other way round.
        *last = match *last {
            Job::Sealing => Job::Compaction,
            Job::Compaction => Job::Sealing,
        };
        let long: [&dyn Fn() -> Result<bool>; 2] = match *last {
            Job::Sealing => [&|| self.seal_next(), &|| self.compact()],
            Job::Compaction => [&|| self.compact(), &|| self.seal_next()],
        };
        let mut done = false;
        let mut failed = None;
        let short: [&dyn Fn() -> Result<bool>; 4] =
            [&|| self.expire(), &|| self.evict(), &|| self.make_hot_totals(), &|| self.clean_up()];
        for job in short {
            match job() {
                Ok(was_due) => done |= was_due,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        for job in long {
            if done {
                break;
            }
            match job() {
                Ok(was_due) => done = was_due,
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        failed.map_or(Ok(done), Err)
    }

    /// Merges the small runs of each partition that has many; tells whether there was one. Writers are not held up.
    fn merge_runs(&self) -> bool {
        let snapshot = self.snapshot();
        snapshot.all_partitions().filter(|partition| self.merge_runs_of(partition)).count() > 0
    }

    fn merge_runs_of(&self, partition: &Partition) -> bool {
        let pieces = partition.runs_to_merge();
        // Runs that cannot be merged are as good as one: they stay apart.
        let Some(Ok(merged)) = (!pieces.is_empty()).then(|| Run::merged(pieces)) else { return false };
        let _writer = self.writer();
        let snapshot = self.snapshot();
        let (account, hour) = (partition.account(), partition.hour());
        let now = snapshot.partition(account, hour).map(|partition| partition.as_ref().clone());
        let Some(with_merged) = now.and_then(|partition| partition.with_merged(pieces, merged)) else { return false };
        self.publish(changed(&snapshot, account, hour, |_| with_merged));
        true
    }

    fn seal_next(&self) -> Result<bool> {
        let Some((account, hour)) = self.hour_to_seal(false) else { return Ok(false) };
        self.seal(&account, hour)?;
        Ok(true)
    }

    pub(crate) fn one_job(&self) -> MutexGuard<'_, Job> {
        self.job.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A thread that [maintains](Store::maintain) a store until the value is dropped.
#[derive(Debug)]
pub struct Maintenance {
    stopping: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Stop {
    is_stopping: Mutex<bool>,
    told: Condvar,
}

impl Stop {
    /// Waits for `time`, or until told to stop; tells whether to stop.
    fn wait(&self, time: Duration) -> bool {
        let guard = self.is_stopping.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.told.wait_timeout_while(guard, time, |is_stopping| !*is_stopping);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Maintenance {
    /// Starts maintaining `store`.
    ///
    /// # Errors
    /// Where no thread can be started.
    pub fn start(store: Arc<Store>) -> std::io::Result<Self> {
        let stopping = Arc::new(Stop::default());
        let told = Arc::clone(&stopping);
        let work = move || {
            loop {
                let pause = match catch_unwind(AssertUnwindSafe(|| store.maintain())) {
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
                };
                if told.wait(pause) {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("maintenance".to_owned()).spawn(work)?;
        Ok(Self { stopping, thread: Some(thread) })
    }
}

impl Drop for Maintenance {
    fn drop(&mut self) {
        *self.stopping.is_stopping.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stopping.told.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic of the thread has been told already.
            let _ = thread.join();
        }
    }
}
