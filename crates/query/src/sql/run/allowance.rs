//! How long a statement may take, where the time in which its rows wait for their client does not count.

use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::{Instant, sleep};

/// How often a statement whose rows wait is looked at, once it has little time left.
const STEP: Duration = Duration::from_millis(100);

/// The time that a statement has been at work, and has not waited for its client.
#[derive(Debug)]
pub(in crate::sql) struct Allowance(Mutex<State>);

#[derive(Debug)]
struct State {
    begun: Instant,
    /// Since when its rows have been waiting.
    since: Option<Instant>,
    waited: Duration,
}

impl Allowance {
    pub(super) fn new() -> Self {
        Self(Mutex::new(State { begun: Instant::now(), since: None, waited: Duration::ZERO }))
    }

    /// Its rows wait for the client from now on, or do not any more.
    pub(super) fn wait(&self, is_waiting: bool) {
        let mut state = self.0.lock();
        match (is_waiting, state.since) {
            (true, None) => state.since = Some(Instant::now()),
            (false, Some(since)) => {
                state.waited += since.elapsed();
                state.since = None;
            }
            _ => {}
        }
    }

    fn worked(&self) -> Duration {
        let state = self.0.lock();
        let waiting = state.since.map(|since| since.elapsed()).unwrap_or_default();
        state.begun.elapsed().saturating_sub(state.waited + waiting)
    }

    /// Completes when the statement has been at work for `limit`.
    pub(in crate::sql) async fn used_up(&self, limit: Duration) {
        while let Some(left) = limit.checked_sub(self.worked()).filter(|left| !left.is_zero()) {
            sleep(left.max(STEP.min(limit))).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn the_time_in_which_rows_wait_does_not_count() {
        let (allowance, limit) = (Allowance::new(), Duration::from_millis(20));
        allowance.wait(true);
        let mut used_up = pin!(allowance.used_up(limit));
        assert!(timeout(5 * limit, &mut used_up).await.is_err());
        allowance.wait(false);
        used_up.await;
        assert!(allowance.worked() >= limit);
    }
}
