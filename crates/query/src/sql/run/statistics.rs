//! What is counted of statements, by the door by which they came.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use parking_lot::Mutex;
use skillscope_store::{Distribution, Histogram};

use crate::{ErrorKind, Result};

/// How a statement ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatementOutcome {
    /// All of its rows were taken.
    Answered,
    /// It is not as a statement has to be.
    Wrong,
    /// Its client left before its end, or did not want all of its rows.
    Abandoned,
    /// It was ended on request.
    Killed,
    /// It took longer than it may, or nobody took its rows.
    TimedOut,
    /// It needed more memory or disk space than it may have.
    OutOfMemory,
    /// Too many others ran, or waited.
    TurnedAway,
    /// It failed for a reason that is the server's.
    Failed,
}

impl StatementOutcome {
    /// Every outcome.
    pub const ALL: [Self; 8] = [
        Self::Answered,
        Self::Wrong,
        Self::Abandoned,
        Self::Killed,
        Self::TimedOut,
        Self::OutOfMemory,
        Self::TurnedAway,
        Self::Failed,
    ];

    /// A word for the outcome.
    pub fn word(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Wrong => "wrong",
            Self::Abandoned => "abandoned",
            Self::Killed => "killed",
            Self::TimedOut => "timed_out",
            Self::OutOfMemory => "out_of_memory",
            Self::TurnedAway => "turned_away",
            Self::Failed => "failed",
        }
    }

    fn of_error(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::Parameter
            | ErrorKind::Syntax
            | ErrorKind::UnknownTable
            | ErrorKind::UnknownColumn
            | ErrorKind::Value
            | ErrorKind::Statement
            | ErrorKind::NotPermitted
            | ErrorKind::NameTaken
            | ErrorKind::WrongKind
            | ErrorKind::TooMuch
            | ErrorKind::ReadOnly => Self::Wrong,
            ErrorKind::OutOfMemory => Self::OutOfMemory,
            ErrorKind::TimeLimit => Self::TimedOut,
            ErrorKind::TooManyQueries => Self::TurnedAway,
            ErrorKind::Killed => Self::Killed,
            ErrorKind::Archive | ErrorKind::NotStored | ErrorKind::Internal => Self::Failed,
        }
    }
}

/// The statements that came by one door.
#[derive(Debug, Clone)]
pub struct DoorCounts {
    /// The door.
    pub door: &'static str,
    /// How many ended in each way.
    pub outcomes: Vec<(StatementOutcome, u64)>,
    /// How long each took, in seconds, from its arrival until its last row was taken.
    pub seconds: Distribution,
    /// The rows that were computed for clients.
    pub rows: u64,
}

/// Counts of all doors.
#[derive(Debug, Default)]
pub(in crate::sql) struct StatementStatistics(Mutex<BTreeMap<&'static str, Arc<DoorStatistics>>>);

impl StatementStatistics {
    /// The counts of a door.
    pub(in crate::sql) fn door(&self, door: &'static str) -> Arc<DoorStatistics> {
        Arc::clone(self.0.lock().entry(door).or_insert_with(|| Arc::new(DoorStatistics::new())))
    }

    /// What was counted so far, by door.
    pub(in crate::sql) fn read(&self) -> Vec<DoorCounts> {
        self.0.lock().iter().map(|(door, statistics)| statistics.read(door)).collect()
    }
}

/// Counts of one door.
#[derive(Debug)]
pub(in crate::sql) struct DoorStatistics {
    /// One for each outcome.
    outcomes: [AtomicU64; StatementOutcome::ALL.len()],
    times: Histogram,
    rows: AtomicU64,
}

impl DoorStatistics {
    fn new() -> Self {
        let outcomes = StatementOutcome::ALL.map(|_| AtomicU64::new(0));
        Self { outcomes, times: Histogram::of_seconds(), rows: AtomicU64::new(0) }
    }

    /// A statement has arrived.
    pub(in crate::sql) fn arrived(self: &Arc<Self>, counted: Counted) -> Arrived {
        Arrived { door: Arc::clone(self), start: Instant::now(), counted, outcome: StatementOutcome::Abandoned }
    }

    pub(in crate::sql) fn add_rows(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    fn note(&self, outcome: StatementOutcome, start: Instant) {
        if let Some(count) = self.outcomes.get(outcome as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.times.add_since(start);
    }

    fn read(&self, door: &'static str) -> DoorCounts {
        let counts = self.outcomes.iter().map(|count| count.load(Ordering::Relaxed));
        DoorCounts {
            door,
            outcomes: StatementOutcome::ALL.into_iter().zip(counts).collect(),
            seconds: self.times.read(),
            rows: self.rows.load(Ordering::Relaxed),
        }
    }
}

/// Which work for a statement is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sql) enum Counted {
    /// Running it, however that ends.
    Run,
    /// What comes before, such as parsing, where that is the end of it: a statement that is wrong never runs.
    Failure,
}

/// A statement that has arrived. It is counted when this is dropped: its client has left, if it has not
/// [ended](Self::ended).
#[derive(Debug)]
pub(in crate::sql) struct Arrived {
    door: Arc<DoorStatistics>,
    start: Instant,
    counted: Counted,
    outcome: StatementOutcome,
}

impl Arrived {
    /// It is not as a statement has to be.
    pub(in crate::sql) fn wrong(&mut self) {
        self.outcome = StatementOutcome::Wrong;
    }

    pub(in crate::sql) fn ended<T>(&mut self, result: &Result<T>) {
        self.outcome = match result {
            Ok(_) => StatementOutcome::Answered,
            Err(error) => StatementOutcome::of_error(error.kind()),
        };
    }
}

impl Drop for Arrived {
    fn drop(&mut self) {
        use StatementOutcome::{Abandoned, Answered};
        if self.counted == Counted::Run || ![Answered, Abandoned].contains(&self.outcome) {
            self.door.note(self.outcome, self.start);
        }
    }
}
