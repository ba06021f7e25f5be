//! Accounts of which nothing has come for long: told in the log when one falls quiet and when it is heard again, and
//! counted for those who watch the server.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use skillscope_segment::AccountId;
use skillscope_store::Store;

use crate::lines_per_minute::LinesPerMinute;

/// It is looked at least so often, in real time.
const LONGEST_BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// It is not looked more often.
const SHORTEST_BETWEEN_LOOKS: Duration = Duration::from_millis(100);

/// So many lines a minute tell of an account each. Of the others, their number is told.
const LINES: u32 = 20;

/// The accounts of which nothing has come for long.
pub(crate) struct QuietAccounts {
    after: Duration,
    /// Each with its last arrival, in milliseconds since the epoch.
    quiet: Mutex<BTreeMap<AccountId, Option<i64>>>,
    number: AtomicU64,
    lines: LinesPerMinute,
}

impl QuietAccounts {
    /// Calls an account quiet of which nothing has been accepted for longer than `after`.
    pub(crate) fn new(after: Duration) -> Self {
        let lines = LinesPerMinute::new(LINES, |number| {
            tracing::warn!(number, "more accounts fell quiet or were heard again; system.accounts has all of them");
        });
        Self { after, quiet: Mutex::default(), number: AtomicU64::new(0), lines }
    }

    /// How many there were at the last look.
    pub(crate) fn number(&self) -> u64 {
        self.number.load(Ordering::Relaxed)
    }

    /// How long it is between two looks.
    pub(crate) fn between_looks(&self) -> Duration {
        (self.after / 4).clamp(SHORTEST_BETWEEN_LOOKS, LONGEST_BETWEEN_LOOKS)
    }

    /// Looks which accounts are quiet now, and tells which have changed.
    pub(crate) fn look(&self, store: &Store) {
        let mut quiet = self.quiet.lock();
        for (account, feed) in store.feeds() {
            let (silence, arrival) = (store.silence(&feed), feed.last_arrival);
            let is_quiet = silence > self.after;
            match quiet.get(&account) {
                Some(before) if is_quiet && *before == arrival => continue,
                // It may have been heard, and have fallen quiet again, since the last look.
                Some(_) => self.tell_heard(&account),
                None => {}
            }
            if is_quiet {
                self.tell_quiet(&account, silence);
                quiet.insert(account, arrival);
            } else {
                quiet.remove(&account);
            }
        }
        self.number.store(quiet.len() as u64, Ordering::Relaxed);
    }

    fn tell_quiet(&self, account: &AccountId, silence: Duration) {
        if self.lines.admit() {
            let seconds = silence.as_secs();
            tracing::warn!(%account, seconds, "nothing has come of an account for longer than --quiet-after");
        }
    }

    fn tell_heard(&self, account: &AccountId) {
        if self.lines.admit() {
            tracing::info!(%account, "something has come of an account again that was quiet");
        }
    }
}
