//! The latest that a feed has to tell.

use std::time::Duration;

use axum::body::Bytes;
use tokio::time::Instant;

use super::super::problem::Problem;
use super::event;

/// The latest event of a feed. What came before is gone: whoever was slow has missed it.
#[derive(Debug)]
pub(super) struct Latest {
    /// The events so far.
    pub(super) events: u64,
    /// The last of them.
    pub(super) event: Bytes,
    /// The heartbeats so far.
    pub(super) beats: u64,
    /// Why nothing more comes, as the last event.
    pub(super) end: Option<Bytes>,
    /// When the last event or heartbeat came.
    pub(super) told: Instant,
    /// When the last event came, if it was an answer.
    answered: Option<Instant>,
}

impl Latest {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { events: 0, event: Bytes::new(), beats: 0, end: None, told: Instant::now(), answered: None }
    }

    /// Whether there is an answer that is younger than `age`.
    pub(super) fn is_younger(&self, age: Duration) -> bool {
        self.answered.is_some_and(|answered| answered.elapsed() < age)
    }

    /// Takes the next answer, or says why there is none.
    pub(super) fn take(&mut self, answer: Result<Bytes, Problem>) {
        let now = Instant::now();
        (self.event, self.answered) = match answer {
            Ok(event) => (event, Some(now)),
            Err(problem) => (event::problem(&problem), None),
        };
        self.events += 1;
        self.told = now;
    }

    /// Adds a heartbeat unless something has been told after `since`.
    pub(super) fn beat(&mut self, since: Instant) -> bool {
        let is_quiet = self.told == since;
        if is_quiet {
            self.beats += 1;
            self.told = Instant::now();
        }
        is_quiet
    }
}
