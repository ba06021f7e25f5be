//! How the connections of a door learn that the server stops.

use std::future::Future;
use std::time::Duration;

use tokio::sync::watch;

/// How long the answers under way may still take once the server is told to stop.
pub(crate) const GRACE: Duration = Duration::from_secs(10);

/// How far the stopping has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Serving,
    Draining,
    Over,
}

/// Tells when a door stops: first what is idle, then, after [`GRACE`], everything. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Stopping(watch::Receiver<Phase>);

impl Stopping {
    /// Stops once `shutdown` completes. Takes a task of the current runtime.
    pub(crate) fn after(shutdown: impl Future<Output = ()> + Send + 'static) -> Self {
        Self::with_grace(shutdown, GRACE)
    }

    pub(crate) fn with_grace(shutdown: impl Future<Output = ()> + Send + 'static, grace: Duration) -> Self {
        let (phase, stopping) = watch::channel(Phase::Serving);
        tokio::spawn(async move {
            tokio::select! {
                () = shutdown => {}
                // Nobody waits for it any more.
                () = phase.closed() => return,
            }
            let _ = phase.send(Phase::Draining);
            tokio::select! {
                () = tokio::time::sleep(grace) => {}
                () = phase.closed() => return,
            }
            let _ = phase.send(Phase::Over);
            phase.closed().await;
        });
        Self(stopping)
    }

    /// Whether the server has been told to stop.
    pub(crate) fn has_begun(&self) -> bool {
        *self.0.borrow() >= Phase::Draining
    }

    /// Completes when the server is told to stop.
    pub(crate) async fn begun(&self) {
        self.reached(Phase::Draining).await;
    }

    /// Completes when the time for answers under way is over.
    pub(crate) async fn over(&self) {
        self.reached(Phase::Over).await;
    }

    async fn reached(&self, wanted: Phase) {
        let mut phase = self.0.clone();
        // Without its sender the runtime ends, and everything with it.
        let _ = phase.wait_for(|phase| *phase >= wanted).await;
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn first_it_begins_and_then_it_is_over() {
        let (stop, told) = oneshot::channel::<()>();
        let stopping = Stopping::with_grace(async { told.await.unwrap() }, Duration::from_millis(1));
        assert!(!stopping.has_begun());
        stop.send(()).unwrap();
        stopping.begun().await;
        assert!(stopping.has_begun());
        stopping.over().await;
        // Who comes late learns it too.
        stopping.clone().over().await;
    }
}
