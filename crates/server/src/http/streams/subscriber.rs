//! One who follows a feed.

use axum::body::Bytes;
use futures::{Stream, stream};
use tokio::sync::watch;

use super::super::problem::Problem;
use super::event;
use super::latest::Latest;
use crate::statistics::OpenStream;

/// One who follows a feed, at its own pace.
pub(super) struct Subscriber {
    latest: watch::Receiver<Latest>,
    /// The number of the last event that it was told, or could have been.
    events: u64,
    /// The same of heartbeats.
    beats: u64,
    counted: OpenStream,
}

/// What a subscriber is told next.
enum Next {
    Goes(Bytes),
    Ends(Bytes),
}

impl Subscriber {
    /// A subscriber to whom so many events and heartbeats are no news.
    pub(super) fn new(latest: watch::Receiver<Latest>, events: u64, beats: u64, counted: OpenStream) -> Self {
        Self { latest, events, beats, counted }
    }

    /// What it is told, as text. It may take its time: what it misses meanwhile is left out.
    pub(super) fn into_stream(self) -> impl Stream<Item = Bytes> {
        stream::unfold(Some(self), |subscriber| async move {
            let mut subscriber = subscriber?;
            match subscriber.next().await {
                Next::Goes(text) => Some((text, Some(subscriber))),
                Next::Ends(text) => Some((text, None)),
            }
        })
    }

    async fn next(&mut self) -> Next {
        loop {
            if let Some(next) = self.news() {
                return next;
            }
            if self.latest.changed().await.is_err() {
                return Next::Ends(event::end(&Problem::internal("the stream cannot go on; ask again")));
            }
        }
    }

    /// What has been told since this was asked last.
    fn news(&mut self) -> Option<Next> {
        let latest = self.latest.borrow_and_update();
        if let Some(end) = &latest.end {
            return Some(Next::Ends(end.clone()));
        }
        let (events, beats) = (latest.events.saturating_sub(self.events), latest.beats.saturating_sub(self.beats));
        (self.events, self.beats) = (latest.events, latest.beats);
        if events > 0 {
            self.counted.send(events - 1);
            return Some(Next::Goes(latest.event.clone()));
        }
        (beats > 0).then(|| Next::Goes(Bytes::from_static(event::HEARTBEAT)))
    }
}
