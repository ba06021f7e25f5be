//! What systemd is told of a server, where systemd started it (`Type=notify`). Elsewhere nothing is told.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sd_notify::NotifyState;

/// Whether systemd knows that requests are answered.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// The server reads what is stored, which may take longer than systemd waits by default.
pub(crate) fn recovering() {
    tell(&[NotifyState::Status("reading what is stored")]);
}

/// Requests are answered. From now on systemd hears from the server as often as the unit's `WatchdogSec=` asks: a server
/// whose threads for connections all stand still is started anew.
pub(crate) fn ready() {
    IS_READY.store(true, Ordering::Relaxed);
    tell(&[NotifyState::Ready, NotifyState::Status("serving")]);
    if let Some(most) = sd_notify::watchdog_enabled() {
        tokio::spawn(async move {
            let mut period = tokio::time::interval(most / 3);
            loop {
                period.tick().await;
                tell(&[NotifyState::Watchdog]);
            }
        });
    }
}

/// What SIGHUP asks for begins.
pub(crate) fn reloading() {
    if let (true, Ok(now)) = (IS_READY.load(Ordering::Relaxed), NotifyState::monotonic_usec_now()) {
        tell(&[NotifyState::Reloading, now]);
    }
}

/// It has been done.
pub(crate) fn reloaded() {
    if IS_READY.load(Ordering::Relaxed) {
        tell(&[NotifyState::Ready]);
    }
}

/// No more requests are taken after `left`.
pub(crate) fn stopping(left: Duration) {
    // The time in which the answers under way end comes on top.
    let micros = u32::try_from(left.as_micros()).unwrap_or(u32::MAX).saturating_add(30_000_000);
    tell(&[NotifyState::Stopping, NotifyState::ExtendTimeoutUsec(micros), NotifyState::Status("shutting down")]);
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "systemd cannot be told how the server is");
    }
}
