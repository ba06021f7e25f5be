//! Planning, on threads of its own.

use std::cell::RefCell;
use std::sync::Arc;

use datafusion::common::exec_err;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::spawn_blocking;

use super::interruption::Interruption;
use crate::{Error, Result};

/// The most planners that go on after their statements have ended. Each has a thread, and the memory of a plan.
const ABANDONED: usize = 8;

/// The most parsers at work. Parsing is short: one more waits.
const PARSERS: usize = 32;

/// The planners at work: those of statements, and some that go on after their statements have ended. And parsers, which
/// know of a statement only what its text says.
#[derive(Debug)]
pub(in crate::sql) struct Planners {
    planners: Arc<Semaphore>,
    parsers: Arc<Semaphore>,
}

impl Planners {
    /// Planners for so many statements at a time.
    pub(in crate::sql) fn new(statements: usize) -> Self {
        let planners = statements.saturating_add(ABANDONED).min(Semaphore::MAX_PERMITS);
        Self { planners: Arc::new(Semaphore::new(planners)), parsers: Arc::new(Semaphore::new(PARSERS)) }
    }

    /// Plans on a thread of its own: planning takes long, and waits for the disk. It looks now and then whether it is
    /// interrupted. Where it does not look for long, nobody has to wait for it: it goes on alone when this is dropped.
    pub(in crate::sql) async fn plan<T: Send + 'static>(
        &self,
        interruption: Interruption,
        plan: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Ok(place) = Arc::clone(&self.planners).try_acquire_owned() else {
            return Err(Error::StillPlanning { most: ABANDONED });
        };
        on_own_thread(place, interruption, plan).await
    }

    /// Parses on a thread of its own, like [`plan`](Self::plan).
    pub(in crate::sql) async fn parse<T: Send + 'static>(
        &self,
        interruption: Interruption,
        parse: impl FnOnce() -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let Ok(place) = Arc::clone(&self.parsers).acquire_owned().await else {
            return Err(Error::StillPlanning { most: PARSERS });
        };
        on_own_thread(place, interruption, parse).await
    }
}

async fn on_own_thread<T: Send + 'static>(
    place: OwnedSemaphorePermit,
    interruption: Interruption,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let working = spawn_blocking(move || {
        let _place = place;
        let _planning = Planning::enter(interruption);
        work()
    });
    working.await.unwrap_or_else(|error| Err(Error::of_join(&error)))
}

thread_local! {
    static INTERRUPTION: RefCell<Option<Interruption>> = const { RefCell::new(None) };
}

/// The planning of a statement on this thread.
struct Planning;

impl Planning {
    fn enter(interruption: Interruption) -> Self {
        INTERRUPTION.replace(Some(interruption));
        Self
    }
}

impl Drop for Planning {
    fn drop(&mut self) {
        INTERRUPTION.replace(None);
    }
}

/// An error where this thread plans a statement that has ended.
pub(in crate::sql) fn check_interruption() -> datafusion::error::Result<()> {
    let is_interrupted =
        INTERRUPTION.with_borrow(|interruption| interruption.as_ref().is_some_and(Interruption::is_interrupted));
    if is_interrupted { exec_err!("the statement was interrupted") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn planners_that_nobody_waits_for_are_counted_and_bounded() {
        let planners = Arc::new(Planners::new(1));
        let (hold, held) = mpsc::channel::<()>();
        let held = Arc::new(parking_lot::Mutex::new(held));
        for _ in 0..=ABANDONED {
            let (held, (started, has_started)) = (Arc::clone(&held), tokio::sync::oneshot::channel());
            let planners = Arc::clone(&planners);
            let planning = tokio::spawn(async move {
                let wait = move || {
                    let _ = started.send(());
                    let _ = held.lock().recv();
                    Ok(())
                };
                planners.plan(Interruption::default(), wait).await
            });
            has_started.await.unwrap();
            planning.abort();
        }
        let refused = planners.plan(Interruption::default(), || Ok(())).await.unwrap_err();
        assert!(matches!(refused, Error::StillPlanning { most: ABANDONED }));
        // As soon as one of them is done, the next may plan.
        drop(hold);
        while planners.plan(Interruption::default(), || Ok(())).await.is_err() {
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_planner_learns_that_its_statement_has_ended() {
        let (planners, interruption) = (Planners::new(1), Interruption::default());
        let check = || check_interruption().map_err(Error::of_sql);
        assert!(planners.plan(interruption.clone(), check).await.is_ok());
        interruption.interrupt();
        assert!(planners.plan(interruption, check).await.is_err());
        assert!(check_interruption().is_ok(), "this thread plans nothing");
    }
}
