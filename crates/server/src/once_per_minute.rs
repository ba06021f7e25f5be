//! Lines of the log about what happens as often as somebody outside wants it to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

const PERIOD: Duration = Duration::from_secs(60);

/// Counts what happens, and logs at most once a minute how often it has since the last line.
pub(crate) struct OncePerMinute {
    log: Box<dyn Fn(u64) + Send + Sync>,
    state: Mutex<State>,
    total: AtomicU64,
}

#[derive(Default)]
struct State {
    last_line: Option<Instant>,
    since: u64,
    has_timer: bool,
}

impl OncePerMinute {
    /// `log` writes the line; it is given the number.
    pub(crate) fn new(log: impl Fn(u64) + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self { log: Box::new(log), state: Mutex::default(), total: AtomicU64::new(0) })
    }

    /// How often it has happened so far.
    pub(crate) fn total(&self) -> u64 {
        self.total.load(Ordering::Relaxed)
    }

    /// Counts one more. The first is logged at once, those that follow within a minute when it is over.
    pub(crate) fn note(self: &Arc<Self>) {
        self.total.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state.lock();
        state.since += 1;
        match state.last_line.map(|last| PERIOD.saturating_sub(last.elapsed())) {
            None | Some(Duration::ZERO) => {
                let number = state.begin_period();
                drop(state);
                (self.log)(number);
            }
            Some(left) if !state.has_timer => {
                state.has_timer = true;
                drop(state);
                self.log_after(left);
            }
            Some(_) => {}
        }
    }

    fn log_after(self: &Arc<Self>, left: Duration) {
        // Without a runtime, the next one that is counted brings the line.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let this = Arc::clone(self);
        runtime.spawn(async move {
            tokio::time::sleep(left).await;
            let number = this.state.lock().begin_period();
            if number > 0 {
                (this.log)(number);
            }
        });
    }
}

impl State {
    fn begin_period(&mut self) -> u64 {
        (self.last_line, self.has_timer) = (Some(Instant::now()), false);
        std::mem::take(&mut self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_is_logged_and_the_others_wait_for_the_minute_to_end() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&lines);
        let log = OncePerMinute::new(move |number| sink.lock().push(number));
        (0..1000).for_each(|_| log.note());
        assert_eq!(*lines.lock(), [1]);
        assert_eq!(log.state.lock().since, 999);
        // As if the minute were over.
        log.state.lock().last_line = Instant::now().checked_sub(PERIOD);
        log.note();
        assert_eq!((lines.lock().as_slice(), log.total()), ([1, 1000].as_slice(), 1001));
    }
}
