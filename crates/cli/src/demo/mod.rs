//! The sample account that `serve --demo` serves: what has closed when the server starts, what is open then, and how it
//! goes on while somebody watches.

mod talk;

use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use skillscope_query::Clock;
use skillscope_segment::AccountId;
use skillscope_store::Store;
use skillscope_workload::{Workload, WorkloadOptions};
use tempfile::TempDir;
use tokio::time::{MissedTickBehavior, interval};

use self::talk::Talk;
use crate::arguments::check_not_before_1970;

/// The name of the sample account.
pub(crate) const ACCOUNT: &str = "demo";

const ROWS: u64 = 20_000;

const HOURS: u32 = 24;

/// At night the workload would leave a watcher with hardly anything to see: one more conversation every twelve seconds
/// has some seventeen open at once.
const LEAST_CONVERSATIONS_AN_HOUR: u32 = 300;

/// How often what has happened meanwhile is told.
const PACE: Duration = Duration::from_millis(250);

/// The sample account in a temporary data directory, which goes with this value.
pub(crate) struct Demo {
    directory: TempDir,
    workload: Workload,
    clock: Clock,
}

impl Demo {
    /// Makes the directory. The account's closed segments are of the 24 hours until the clock's now, and at now some
    /// conversations are open.
    pub(crate) fn at(clock: Clock) -> Result<Self> {
        let now = clock.now();
        check_not_before_1970(now, HOURS)?;
        let directory = tempfile::Builder::new().prefix("skillscope-demo-").tempdir();
        let directory = directory.context("cannot make a temporary directory for the sample")?;
        let workload = workload(now)?;
        let store = Store::open(directory.path())?;
        for batch in workload.batches(ROWS as usize) {
            store.append(&batch?)?;
        }
        store.append_events(Talk::of(&workload).due(now), false)?;
        Ok(Self { directory, workload, clock })
    }

    /// The data directory.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// Tells the store, which is of the demo's directory, each event when its time comes, until `stop` completes. Where
    /// the clock stands still, nothing happens any more.
    pub(crate) async fn go_on(&self, store: &Arc<Store>, stop: impl Future<Output = ()>) {
        if let Clock::Fixed(_) = self.clock {
            return;
        }
        let mut talk = Talk::of(&self.workload);
        // What was open at the start is in the directory.
        talk.due(self.workload.end());
        talk.note(Ok(()));
        let mut stop = pin!(stop);
        let mut ticks = interval(PACE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = &mut stop => return,
                _ = ticks.tick() => {}
            }
            let batch = talk.due(self.clock.now());
            if batch.is_empty() {
                continue;
            }
            let store = Arc::clone(store);
            // The directory must not go while something is written to it, so that this is waited for.
            let stored = tokio::task::spawn_blocking(move || store.append_events(batch, true)).await;
            talk.note(stored.map_err(anyhow::Error::from).and_then(|stored| Ok(stored.map(drop)?)));
        }
    }
}

fn workload(end: i64) -> Result<Workload> {
    Ok(Workload::new(WorkloadOptions {
        rows: ROWS,
        skills: 8,
        accounts: vec![AccountId::parse(ACCOUNT)?],
        hours: HOURS,
        end,
        seed: 1,
    }))
}
