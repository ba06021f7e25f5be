//! The events that all who ask the same share.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use super::super::problem::Problem;
use super::event;
use super::followed::Followed;
use super::latest::Latest;
use super::subscriber::Subscriber;
use crate::statistics::StreamStatistics;

/// How long a stream may be without a word.
const HEARTBEAT: Duration = Duration::from_secs(15);

/// The events of one question, as often as some subscribers want them.
pub(super) struct Feed {
    latest: watch::Sender<Latest>,
    /// Somebody has come to whom the last answer is too old.
    hurry: Notify,
    every: Duration,
}

impl Feed {
    pub(super) fn new(every: Duration) -> Arc<Self> {
        Arc::new(Self { latest: watch::Sender::new(Latest::new()), hurry: Notify::new(), every })
    }

    /// One more subscriber, who is told the last answer if it would not have another by now.
    pub(super) fn subscribe(&self, statistics: &Arc<StreamStatistics>) -> Subscriber {
        let latest = self.latest.subscribe();
        // What comes from now on is news in any case.
        let (is_fresh, events, beats) = {
            let known = latest.borrow();
            (known.is_younger(self.every), known.events, known.beats)
        };
        if !is_fresh {
            self.hurry.notify_one();
        }
        Subscriber::new(latest, events.saturating_sub(u64::from(is_fresh)), beats, statistics.open())
    }

    /// Whether nobody subscribes.
    pub(super) fn is_unused(&self) -> bool {
        self.latest.receiver_count() == 0
    }

    /// Completes when nobody subscribes, though somebody may do so again.
    pub(super) async fn left(&self) {
        self.latest.closed().await;
    }

    /// Answers for ever. Whatever comes of one answer, the next is tried in time.
    pub(super) async fn answer<Q: Followed>(&self, question: &Q, source: &Q::Source) {
        let mut turns = interval(self.every);
        turns.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                _ = turns.tick() => {}
                () = self.hurry.notified() => {
                    // It may have come meanwhile.
                    if self.latest.borrow().is_younger(self.every) {
                        continue;
                    }
                    turns.reset();
                }
            }
            // A fault of ours costs one answer, and not the feed with all who follow it.
            let answer = AssertUnwindSafe(question.answer(source)).catch_unwind().await;
            let answer =
                answer.unwrap_or_else(|_| Err(Problem::internal("this answer was given up; see the server's log")));
            // Whoever is in a hurry gets this one.
            let _ = self.hurry.notified().now_or_never();
            self.latest.send_modify(|latest| latest.take(answer));
        }
    }

    /// Says for ever that it is there, where it has nothing else to say for long.
    pub(super) async fn beat(&self) {
        loop {
            let told = self.latest.borrow().told;
            sleep_until(told + HEARTBEAT).await;
            self.latest.send_if_modified(|latest| latest.beat(told));
        }
    }

    /// Tells all subscribers why nothing more comes.
    pub(super) fn end(&self, reason: &Problem) {
        self.latest.send_modify(|latest| latest.end = Some(event::end(reason)));
    }
}
