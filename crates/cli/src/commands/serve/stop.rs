//! The signals that end a server.

use std::time::Duration;

use anyhow::{Context, Result};
use skillscope_server::HttpRoutes;
use tokio::signal::unix::{SignalKind, signal};

use crate::systemd;

/// Completes `delay` after SIGINT or SIGTERM. Meanwhile what is `serving` says that it is not ready.
pub(super) fn stop_signal(delay: Duration, serving: HttpRoutes) -> Result<impl Future<Output = ()> + Send + 'static> {
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        tracing::info!("shutting down; a second signal ends the process at once");
        systemd::stopping(delay);
        serving.stop();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            std::process::exit(1);
        });
        tokio::time::sleep(delay).await;
    })
}
