//! What a server reads again when it is told to.

use anyhow::{Context, Result};
use skillscope_server::{Access, Tls};
use tokio::signal::unix::{SignalKind, signal};

use crate::systemd;

/// Reads again what may have changed, whenever SIGHUP comes. Takes a task of the current runtime.
///
/// # Errors
/// Where the system has no such signal.
pub(super) fn when_told(tls: Option<Tls>, access: Access) -> Result<()> {
    let mut hang_ups = signal(SignalKind::hangup()).context("cannot wait for SIGHUP")?;
    tokio::spawn(async move {
        while hang_ups.recv().await.is_some() {
            systemd::reloading();
            let (tls, access) = (tls.clone(), access.clone());
            // The files may be on a disk that does not answer.
            let _ = tokio::task::spawn_blocking(move || reload(tls.as_ref(), &access)).await;
            systemd::reloaded();
        }
    });
    Ok(())
}

fn reload(tls: Option<&Tls>, access: &Access) {
    match access.reload() {
        Ok(()) => tracing::info!("SIGHUP: the tokens were read again"),
        Err(error) => tracing::warn!(%error, "SIGHUP: the tokens cannot be read; those of before stay"),
    }
    match tls.map(|tls| (tls.file(), tls.reload())) {
        None => tracing::info!("SIGHUP: there is no certificate (--tls-cert) to read again"),
        Some((file, Ok(()))) => tracing::info!("SIGHUP: the certificate in {} was read again", file.display()),
        Some((_, Err(error))) => {
            tracing::warn!(%error, "SIGHUP: the certificate was read again and is not taken; the one of before stays");
        }
    }
}
