//! Events that can have no effect: kept on disk, and counted.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use skillscope_segment::{DeadLetter, Impossible};

use crate::clock::Clock;
use crate::disk::InPlaceFile;
use crate::disk::directory::DataDirectory;
use crate::error::{Error, Result};

/// Keeps events that can have no effect, as NDJSON that can be imported again, and counts them.
#[derive(Debug)]
pub(crate) struct DeadLetterFile {
    directory: Arc<DataDirectory>,
    clock: Clock,
    /// By reason.
    counts: Mutex<BTreeMap<Impossible, u64>>,
    /// The last write is on disk whole.
    is_sound: AtomicBool,
}

impl DeadLetterFile {
    pub(crate) fn new(directory: Arc<DataDirectory>, clock: Clock) -> Self {
        Self { directory, clock, counts: Mutex::default(), is_sound: AtomicBool::new(false) }
    }

    /// How many dead letters there were since the start, by reason.
    pub(crate) fn counts(&self) -> BTreeMap<Impossible, u64> {
        self.counts.lock().clone()
    }

    /// Writes dead letters to the file of the day, durably. It is done before the commit of the events: where the
    /// commit fails, the events are sent again, and their dead letters stand in the file twice. That does no harm,
    /// since a repeated event changes nothing.
    pub(crate) fn keep(&self, letters: &[DeadLetter]) -> Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        let (folder, path) = (self.directory.dead_letters(), self.of_today());
        let disk = self.directory.disk();
        disk.create_folder(&folder).map_err(Error::io("create", &folder))?;
        let file = disk.open_in_place(&path).map_err(Error::io("open", &path))?;
        let end = file.length().map_err(Error::io("read", &path))?;
        if end == 0 {
            // This comes before the first line is written, so that it is tried again where it fails.
            for folder in [folder.as_path(), self.directory.path()] {
                disk.sync_folder(folder).map_err(Error::io("sync", folder))?;
            }
        }
        let mut lines = Vec::new();
        let was_sound = self.is_sound.swap(false, Ordering::Relaxed);
        if end > 0 && !was_sound {
            // The last line may lack its end on disk, although it is read as whole now: the process that wrote it may
            // have ended before its sync, or the sync may have failed.
            lines.push(b'\n');
        }
        for letter in letters {
            letter.write_line(&mut lines).map_err(Error::io("write", &path))?;
        }
        append_lines(file.as_ref(), end, &lines).map_err(Error::io("write", &path))?;
        self.is_sound.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// Counts dead letters that are durable, and logs the first of each kind.
    pub(crate) fn count(&self, letters: &[DeadLetter]) {
        if letters.is_empty() {
            return;
        }
        let mut counts = self.counts.lock();
        for DeadLetter { event, reason } in letters {
            let count = counts.entry(*reason).or_default();
            *count = count.saturating_add(1);
            if *count == 1 {
                let file = self.of_today();
                tracing::warn!(
                    account = %event.account_id, conversation = %event.conversation_id, sequence = event.sequence,
                    %reason, file = %file.display(),
                    "an event has no effect and was kept; others like it are kept without a word"
                );
            }
        }
    }

    /// The file for the dead letters of today.
    fn of_today(&self) -> PathBuf {
        let today = DateTime::<Utc>::from_timestamp_millis(self.clock.now()).unwrap_or_default();
        self.directory.dead_letters().join(format!("{}.ndjson", today.format("%Y-%m-%d")))
    }
}

/// Writes `lines` at the file's end, which is at `end`, durably.
fn append_lines(file: &dyn InPlaceFile, end: u64, lines: &[u8]) -> std::io::Result<()> {
    let written = file
        .set_length(end.saturating_add(lines.len() as u64))
        .and_then(|()| file.write_at(end, lines))
        .and_then(|()| file.sync());
    if written.is_err() {
        // A part of the lines may be there.
        let _ = file.set_length(end);
    }
    written
}
