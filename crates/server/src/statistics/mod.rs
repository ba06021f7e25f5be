//! What the server counts of its own work: requests, streams, connections, bodies and backups. The store and the query engine
//! count theirs. `metrics/` reads all of it, when somebody asks.

mod doors;
mod requests;
mod streams;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::tls::Tls;
pub(crate) use doors::DoorStatistics;
pub(crate) use requests::HttpStatistics;
pub(crate) use streams::{OpenStream, StreamStatistics};

/// What all doors count together.
#[derive(Default)]
pub(crate) struct Statistics {
    pub(crate) http: DoorStatistics,
    pub(crate) postgresql: DoorStatistics,
    pub(crate) flight: DoorStatistics,
    pub(crate) streams: Arc<StreamStatistics>,
    /// One for each kind.
    received_bytes: [AtomicU64; RecordKind::ALL.len()],
    backups_done: AtomicU64,
    backups_failed: AtomicU64,
    /// When the last one was done, in milliseconds since the epoch; 0 before.
    last_backup: AtomicU64,
    certificate: OnceLock<Tls>,
}

/// The kinds of records that are taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RecordKind {
    Segments,
    Events,
}

impl RecordKind {
    pub(crate) const ALL: [Self; 2] = [Self::Segments, Self::Events];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Segments => "segments",
            Self::Events => "events",
        }
    }
}

/// The backups that were sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BackupNumbers {
    pub(crate) done: u64,
    pub(crate) failed: u64,
    /// When the last one was done, in seconds since the epoch.
    pub(crate) last: Option<f64>,
}

impl Statistics {
    pub(crate) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// The doors, by the words by which `system.queries` names them.
    pub(crate) fn doors(&self) -> impl Iterator<Item = (&'static str, &DoorStatistics)> {
        [("http", &self.http), ("postgresql", &self.postgresql), ("flight-sql", &self.flight)].into_iter()
    }

    /// Counts a body with records, as it was sent.
    pub(crate) fn receive(&self, kind: RecordKind, bytes: u64) {
        if let Some(received) = self.received_bytes.get(kind as usize) {
            received.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    pub(crate) fn received_bytes(&self, kind: RecordKind) -> u64 {
        self.received_bytes.get(kind as usize).map_or(0, |received| received.load(Ordering::Relaxed))
    }

    /// Tells of the certificate that all doors show.
    pub(crate) fn watch_certificate(&self, tls: &Tls) {
        let _ = self.certificate.set(tls.clone());
    }

    /// The certificate that all doors show, if there is one.
    pub(crate) fn certificate(&self) -> Option<&Tls> {
        self.certificate.get()
    }

    /// Counts a backup whose last byte was sent, or that failed before.
    pub(crate) fn note_backup(&self, is_done: bool) {
        if !is_done {
            self.backups_failed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.last_backup.store(u64::try_from(now.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.backups_done.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn backups(&self) -> BackupNumbers {
        let last = self.last_backup.load(Ordering::Relaxed);
        BackupNumbers {
            done: self.backups_done.load(Ordering::Relaxed),
            failed: self.backups_failed.load(Ordering::Relaxed),
            last: (last > 0).then_some(last as f64 / 1000.0),
        }
    }
}
