//! The feeds that somebody follows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio_util::sync::CancellationToken;

use super::super::problem::Problem;
use super::feed::Feed;
use super::followed::Followed;
use super::subscriber::Subscriber;
use crate::statistics::StreamStatistics;

/// A question, and how often it is asked.
type Key<Q> = (Q, Duration);

/// A feed for each question that somebody follows, and no other. Cheap to clone.
pub(in crate::http) struct Feeds<Q: Followed>(Arc<Shared<Q>>);

struct Shared<Q: Followed> {
    source: Q::Source,
    open: Mutex<HashMap<Key<Q>, Arc<Feed>>>,
    /// Cancelled when the server stops.
    ending: CancellationToken,
    statistics: Arc<StreamStatistics>,
}

impl<Q: Followed> Feeds<Q> {
    /// No feeds yet. All of them end with `ending`.
    pub(in crate::http) fn new(
        source: Q::Source,
        ending: CancellationToken,
        statistics: Arc<StreamStatistics>,
    ) -> Self {
        Self(Arc::new(Shared { source, open: Mutex::default(), ending, statistics }))
    }

    /// Subscribes to the answers to a question. Takes a task of the current runtime where nobody else does.
    pub(super) fn subscribe(&self, question: Q, every: Duration) -> Subscriber {
        let key = (question, every);
        let mut open = self.0.open.lock();
        if let Some(feed) = open.get(&key) {
            return feed.subscribe(&self.0.statistics);
        }
        let feed = Feed::new(every);
        let subscriber = feed.subscribe(&self.0.statistics);
        open.insert(key.clone(), Arc::clone(&feed));
        tokio::spawn(Arc::clone(&self.0).run(key, feed));
        subscriber
    }

    /// How many there are.
    #[cfg(test)]
    pub(super) fn number(&self) -> usize {
        self.0.open.lock().len()
    }
}

impl<Q: Followed> Clone for Feeds<Q> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<Q: Followed> Shared<Q> {
    /// Runs a feed until nobody follows it, or the server stops.
    async fn run(self: Arc<Self>, key: Key<Q>, feed: Arc<Feed>) {
        tokio::select! {
            biased;
            () = self.ending.cancelled() => {
                self.open.lock().remove(&key);
                feed.end(&Problem::busy("the server is shutting down"));
            }
            () = self.unused(&key, &feed) => {}
            () = feed.beat() => {}
            () = feed.answer(&key.0, &self.source) => {}
        }
    }

    /// Completes once a feed that nobody follows has been forgotten.
    async fn unused(&self, key: &Key<Q>, feed: &Feed) {
        loop {
            feed.left().await;
            // Whoever subscribes does so under the same lock.
            let mut open = self.open.lock();
            if feed.is_unused() {
                open.remove(key);
                return;
            }
        }
    }
}
