//! What time it is, as far as the machine's clock can be believed. What cannot be undone goes by it.

mod belief;

use std::sync::Arc;

use parking_lot::Mutex;

use self::belief::{Belief, Look, Remark, WITH_ROWS_MS, WITHOUT_ROWS_MS};
use crate::calendar::HOUR_MS;
use crate::clock::Clock;
use crate::disk::directory::DataDirectory;
use crate::options::StoreOptions;
use crate::snapshot::Snapshot;
use crate::writer::arrivals::Arrivals;

/// What time it is, by the clock, the time that passes, and the rows that arrive.
#[derive(Debug)]
pub(crate) struct Time {
    clock: Clock,
    arrivals: Arc<Arrivals>,
    state: Mutex<State>,
    /// Whether anything depends on it, so that doubts are worth a line in the log.
    matters: bool,
}

#[derive(Debug)]
struct State {
    belief: Belief,
    /// The steady clock at the last look.
    steady: i64,
}

impl Time {
    /// Begins with what the directory knows of the last run.
    pub(crate) fn of(
        directory: &DataDirectory,
        options: &StoreOptions,
        snapshot: &Snapshot,
        arrivals: Arc<Arrivals>,
    ) -> Self {
        let clock = options.clock.clone();
        let known = directory.recorded_time().or_else(|| latest_trace(snapshot));
        let state = State { belief: Belief::begin(clock.now(), known), steady: clock.steady() };
        Self { clock, arrivals, state: Mutex::new(state), matters: options.retention.removes_any() }
    }

    /// Up to when time has come, in milliseconds since the epoch.
    pub(crate) fn now(&self) -> i64 {
        let mut state = self.state.lock();
        let (clock, steady) = (self.clock.now(), self.clock.steady());
        let passed = steady.saturating_sub(state.steady).min(self.clock.longest_step());
        state.steady = steady;
        let remark = state.belief.look(Look { clock, passed, latest_row: self.arrivals.take() });
        if self.matters {
            remark.into_iter().for_each(say);
        }
        state.belief.now()
    }
}

fn say(remark: Remark) {
    match remark {
        Remark::Doubted(ahead) => tracing::warn!(
            "the clock is {} ahead of the time that has passed and of the newest data: by it nothing expires until it \
             is set right, or segments have come for {} h that agree with it, or {} h have passed",
            duration(ahead),
            WITH_ROWS_MS / HOUR_MS,
            WITHOUT_ROWS_MS / HOUR_MS,
        ),
        Remark::Believed => tracing::info!("the clock is believed again; what is older than --retain expires"),
    }
}

fn duration(ms: i64) -> String {
    if ms < HOUR_MS { format!("{} min", ms / 60_000) } else { format!("{} h", ms / HOUR_MS) }
}

/// The latest time that a directory without a record tells: when a file was written or, without files, a row ended.
fn latest_trace(snapshot: &Snapshot) -> Option<i64> {
    let written = snapshot.all_files().map(|file| file.written()).max();
    written.or_else(|| snapshot.all_partitions().map(|partition| *partition.end_times().end()).max())
}
