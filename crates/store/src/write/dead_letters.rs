use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use chrono::{DateTime, Utc};
use skillscope_segment::{DeadLetter, Impossible};

use crate::{Error, Result, Store};

/// Events that can have no effect.
pub(crate) type DeadLetters = Vec<DeadLetter>;

impl Store {
    /// How many events could have no effect since the start, by reason.
    pub fn dead_letters(&self) -> BTreeMap<Impossible, u64> {
        self.dead_letters.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The folder that they are kept in.
    pub fn dead_letter_folder(&self) -> PathBuf {
        self.directory.dead_letters()
    }

    /// Writes dead letters to the file of the day, durably, as events that can be imported again. Where the commit
    /// after it fails they may stand there twice: events that are repeated change nothing.
    pub(crate) fn keep_dead_letters(&self, letters: &[DeadLetter]) -> Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        let (folder, path) = (self.directory.dead_letters(), self.dead_letter_file());
        let disk = self.options.disk.as_ref();
        disk.create_folder(&folder).map_err(Error::io("create", &folder))?;
        let file = disk.open_in_place(&path).map_err(Error::io("open", &path))?;
        let end = file.length().map_err(Error::io("read", &path))?;
        if end == 0 {
            // Before there is a line in it: where this fails, it is tried again.
            for folder in [folder.as_path(), self.directory.path()] {
                disk.sync_folder(folder).map_err(Error::io("sync", folder))?;
            }
        }
        let mut lines = Vec::new();
        let was_sound = self.is_dead_letter_file_sound.swap(false, Ordering::Relaxed);
        if end > 0 && !was_sound {
            // What an earlier process wrote, or this one in vain, may have no end on disk, whatever is read of it now.
            lines.push(b'\n');
        }
        for letter in letters {
            letter.write_line(&mut lines).map_err(Error::io("write", &path))?;
        }
        let written = file
            .set_length(end.saturating_add(lines.len() as u64))
            .and_then(|()| file.write_at(end, &lines))
            .and_then(|()| file.sync());
        if let Err(error) = written {
            // What stands there now may be anything.
            let _ = file.set_length(end);
            return Err(Error::io("write", &path)(error));
        }
        self.is_dead_letter_file_sound.store(true, Ordering::Relaxed);
        Ok(())
    }

    /// The file for the dead letters of today.
    fn dead_letter_file(&self) -> PathBuf {
        let today = DateTime::<Utc>::from_timestamp_millis(self.options.clock.now()).unwrap_or_default();
        self.directory.dead_letters().join(format!("{}.ndjson", today.format("%Y-%m-%d")))
    }

    /// Counts dead letters that are durable, and tells of the first of each kind.
    pub(crate) fn count_dead_letters(&self, letters: &[DeadLetter]) {
        if letters.is_empty() {
            return;
        }
        let mut counts = self.dead_letters.lock().unwrap_or_else(PoisonError::into_inner);
        for DeadLetter { event, reason } in letters {
            let count = counts.entry(*reason).or_default();
            *count = count.saturating_add(1);
            if *count == 1 {
                let file = self.dead_letter_file();
                tracing::warn!(
                    account = %event.account_id, conversation = %event.conversation_id, sequence = event.sequence,
                    %reason, file = %file.display(),
                    "an event has no effect and was kept; others like it are kept without a word"
                );
            }
        }
    }
}
