//! What waits for threads that have more to do than they can.
//!
//! A burst is waited for: it is over soon. Where a backlog stays, everybody would wait for as long as it is, and what is
//! done at last is wanted by nobody. So whoever comes to a backlog that has stayed for some time waits for a moment only,
//! and is then told to come again; those whose turn comes have waited for a moment, too. A backlog that comes again soon
//! after its end is the same one.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// A backlog that has stayed for so many times what a piece of work takes is no burst; and at least for this long.
const TIMES: u32 = 10;
const LEAST_BACKLOG: Duration = Duration::from_millis(250);

/// Then nobody waits for longer than a piece of work takes, or than this.
const LEAST_PATIENCE: Duration = Duration::from_millis(10);

/// A backlog that has stayed is over once nobody has waited for so long.
const CALM: Duration = Duration::from_secs(1);

/// By how much of its difference one piece of work changes what work is believed to take.
const SHARE: u32 = 8;

/// Places for work, and those who wait for one.
#[derive(Debug)]
pub(super) struct Backlog {
    places: Arc<Semaphore>,
    state: Arc<Mutex<State>>,
    /// Whether there has been a backlog for too long.
    has_stayed: Arc<watch::Sender<bool>>,
}

#[derive(Debug, Default)]
struct State {
    waiting: usize,
    /// Since when somebody has been waiting all the time.
    since: Option<Instant>,
    /// Since when nobody has.
    calm: Option<Instant>,
    /// How long work takes.
    takes: Duration,
}

/// The error where there is more to do than can be done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Overloaded;

/// A place, for as long as the work takes.
#[derive(Debug)]
pub(crate) struct Place {
    begun: Instant,
    state: Arc<Mutex<State>>,
    _place: OwnedSemaphorePermit,
}

impl Backlog {
    pub(super) fn new(places: usize) -> Self {
        let (places, state) = (Arc::new(Semaphore::new(places)), Arc::default());
        Self { places, state, has_stayed: Arc::new(watch::Sender::new(false)) }
    }

    /// Waits for a place.
    pub(super) async fn place(&self) -> Result<Place, Overloaded> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(self.taken(place));
        }
        let (arrived, _waiting) = (Instant::now(), Waiting::enter(self));
        let patience = async {
            // The sender is there for as long as this is.
            let _ = self.has_stayed.subscribe().wait_for(|has_stayed| *has_stayed).await;
            let patience = self.state.lock().takes.max(LEAST_PATIENCE);
            tokio::time::sleep_until((arrived + patience).into()).await;
        };
        tokio::select! {
            biased;
            place = Arc::clone(&self.places).acquire_owned() => place.map(|place| self.taken(place)).map_err(|_| Overloaded),
            () = patience => Err(Overloaded),
        }
    }

    fn taken(&self, place: OwnedSemaphorePermit) -> Place {
        Place { begun: Instant::now(), state: Arc::clone(&self.state), _place: place }
    }
}

/// Somebody who waits.
struct Waiting<'a>(&'a Backlog);

impl<'a> Waiting<'a> {
    fn enter(backlog: &'a Backlog) -> Self {
        let mut state = backlog.state.lock();
        state.waiting += 1;
        if state.calm.take().is_some_and(|calm| calm.elapsed() > CALM) {
            state.since = None;
        }
        let since = *state.since.get_or_insert_with(Instant::now);
        let has_stayed = since.elapsed() > (state.takes * TIMES).max(LEAST_BACKLOG);
        drop(state);
        backlog.has_stayed.send_if_modified(|known| std::mem::replace(known, has_stayed) != has_stayed);
        Self(backlog)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.waiting = state.waiting.saturating_sub(1);
        if state.waiting == 0 && *self.0.has_stayed.borrow() {
            state.calm = Some(Instant::now());
        } else if state.waiting == 0 {
            state.since = None;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let took = self.begun.elapsed();
        let mut state = self.state.lock();
        state.takes = (state.takes * (SHARE - 1) + took) / SHARE;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::poll;

    use super::*;

    /// A backlog of one place, whose first one who waits has done so for `age`.
    async fn backlog(age: Duration) -> (Backlog, Place) {
        let backlog = Backlog::new(1);
        let place = backlog.place().await.unwrap();
        backlog.state.lock().since = Instant::now().checked_sub(age);
        backlog.state.lock().waiting += 1;
        (backlog, place)
    }

    #[tokio::test]
    async fn a_burst_is_waited_for() {
        let (backlog, place) = backlog(Duration::ZERO).await;
        let mut waiting: Vec<_> = (0..100).map(|_| Box::pin(backlog.place())).collect();
        for one in &mut waiting {
            assert!(poll!(one).is_pending());
        }
        drop(place);
        for one in waiting {
            one.await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_backlog_that_stays_is_not() {
        let (backlog, place) = backlog(Duration::from_secs(60)).await;
        assert_eq!(backlog.place().await.unwrap_err(), Overloaded);
        let mut next = pin!(backlog.place());
        assert!(poll!(next.as_mut()).is_pending(), "for a moment it is waited for");
        drop(place);
        assert!(next.await.is_ok());
    }

    #[tokio::test]
    async fn once_nobody_has_waited_for_long_it_begins_anew() {
        let (backlog, place) = backlog(Duration::from_secs(60)).await;
        backlog.state.lock().waiting -= 1;
        assert_eq!(backlog.place().await.unwrap_err(), Overloaded);
        assert_eq!(backlog.place().await.unwrap_err(), Overloaded, "it is the same backlog");
        backlog.state.lock().calm = Instant::now().checked_sub(2 * CALM);
        let mut next = pin!(backlog.place());
        assert!(poll!(next.as_mut()).is_pending());
        assert!(!*backlog.has_stayed.borrow());
        drop(place);
        next.await.unwrap();
    }

    #[tokio::test]
    async fn a_burst_leaves_nothing_behind() {
        let (backlog, place) = backlog(Duration::ZERO).await;
        backlog.state.lock().waiting -= 1;
        let mut next = Box::pin(backlog.place());
        assert!(poll!(&mut next).is_pending());
        drop(place);
        next.await.unwrap();
        assert!(backlog.state.lock().since.is_none() && backlog.state.lock().calm.is_none());
    }

    #[tokio::test]
    async fn what_takes_long_is_waited_for_longer() {
        let (backlog, place) = backlog(Duration::from_secs(60)).await;
        backlog.state.lock().takes = Duration::from_secs(30);
        let mut next = pin!(backlog.place());
        assert!(poll!(next.as_mut()).is_pending());
        assert!(!*backlog.has_stayed.borrow(), "a minute is two of these");
        drop(place);
        next.await.unwrap();
    }
}
