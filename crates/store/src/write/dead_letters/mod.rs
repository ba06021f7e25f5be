//! Events that can have no effect: kept on disk, each once and up to a limit, and counted.

mod folder;
mod known;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, NaiveDate, Utc};
use parking_lot::Mutex;
use skillscope_segment::{DeadLetter, Impossible};

use crate::clock::Clock;
use crate::disk::InPlaceFile;
use crate::disk::directory::DataDirectory;
use crate::error::{Error, Result};
use crate::options::StoreOptions;
use known::KnownLetters;

/// What was not kept is told in the log at most once in so long.
const BETWEEN_COMPLAINTS: Duration = Duration::from_secs(60);

/// It is looked for files that are too old at most once in so long.
const BETWEEN_LOOKS: Duration = Duration::from_secs(3600);

/// Keeps events that can have no effect, as NDJSON that can be imported again, and counts them.
#[derive(Debug)]
pub(crate) struct DeadLetterFile {
    directory: Arc<DataDirectory>,
    clock: Clock,
    /// All files together have at most so many bytes.
    most_bytes: u64,
    /// Files of days longer ago than so many are removed.
    days: u32,
    counts: Mutex<Counts>,
    kept: Mutex<Kept>,
    looked: Mutex<Option<Instant>>,
}

#[derive(Debug, Default)]
struct Counts {
    by_reason: BTreeMap<Impossible, u64>,
    /// Letters that were not kept, and are not told yet.
    untold: u64,
    told: Option<Instant>,
}

/// What is known of the files.
#[derive(Debug, Default)]
struct Kept {
    /// The file of the last letters, and its length; `None` before the first.
    last: Option<(PathBuf, u64)>,
    /// The last write is on disk whole.
    is_sound: bool,
    /// The bytes of all files, and when they were counted.
    bytes: u64,
    counted: Option<Instant>,
    known: KnownLetters,
}

impl DeadLetterFile {
    pub(crate) fn new(directory: Arc<DataDirectory>, options: &StoreOptions) -> Self {
        Self {
            directory,
            clock: options.clock.clone(),
            most_bytes: options.dead_letter_bytes,
            days: options.dead_letter_days,
            counts: Mutex::default(),
            kept: Mutex::default(),
            looked: Mutex::default(),
        }
    }

    /// How many dead letters there were since the start, by reason.
    pub(crate) fn counts(&self) -> BTreeMap<Impossible, u64> {
        self.counts.lock().by_reason.clone()
    }

    /// Writes dead letters to the file of the day, durably, but for those that stand there already and those that there
    /// is no room for. It is done before the commit of the events: where the commit fails, the events are sent again,
    /// and their dead letters are known then.
    pub(crate) fn keep(&self, letters: &[DeadLetter]) -> Result<()> {
        if letters.is_empty() {
            return Ok(());
        }
        let mut kept = self.kept.lock();
        let (folder, path) = (self.directory.dead_letters(), self.of_today());
        let disk = self.directory.disk();
        disk.create_folder(&folder).map_err(Error::io("create", &folder))?;
        let file = disk.open_in_place(&path).map_err(Error::io("open", &path))?;
        let end = file.length().map_err(Error::io("read", &path))?;
        self.begin(&mut kept, file.as_ref(), &path, end)?;
        let (lines, hashes) = self.new_lines(&mut kept, letters, &path)?;
        if hashes.is_empty() {
            return Ok(());
        }
        if end == 0 {
            // This comes before the first line is written, so that it is tried again where it fails.
            for folder in [folder.as_path(), self.directory.path()] {
                disk.sync_folder(folder).map_err(Error::io("sync", folder))?;
            }
        }
        let was_sound = std::mem::replace(&mut kept.is_sound, false);
        let mut bytes = Vec::new();
        if end > 0 && !was_sound {
            // The last line may lack its end on disk, although it is read as whole now: the process that wrote it may
            // have ended before its sync, or the sync may have failed.
            bytes.push(b'\n');
        }
        bytes.extend(lines);
        append_lines(file.as_ref(), end, &bytes).map_err(Error::io("write", &path))?;
        kept.is_sound = true;
        kept.bytes = kept.bytes.saturating_add(bytes.len() as u64);
        kept.last = Some((path, end.saturating_add(bytes.len() as u64)));
        hashes.into_iter().for_each(|hash| kept.known.add(hash));
        Ok(())
    }

    /// Makes sure that the letters in the file of the day are known, and the bytes of all files.
    fn begin(&self, kept: &mut Kept, file: &dyn InPlaceFile, path: &Path, end: u64) -> Result<()> {
        let is_as_left = kept.last.as_ref().is_some_and(|(last, length)| last != path || end >= *length);
        if !is_as_left {
            // It is the first time, or somebody has cut or removed the file.
            kept.known = KnownLetters::default();
            kept.known.add_lines(file, end).map_err(Error::io("read", path))?;
            if end > 0 {
                // What is known counts as kept, so that it must be.
                file.sync().map_err(Error::io("sync", path))?;
            }
            kept.bytes = folder::bytes(&self.directory)?;
            kept.counted = Some(Instant::now());
            kept.last = Some((path.to_owned(), end));
        }
        Ok(())
    }

    /// The lines of the letters that are not known, as far as there is room for them, and their hashes.
    fn new_lines(&self, kept: &mut Kept, letters: &[DeadLetter], path: &Path) -> Result<(Vec<u8>, Vec<u64>)> {
        let (mut lines, mut hashes, mut line) = (Vec::new(), Vec::new(), Vec::new());
        let mut these = HashSet::new();
        let mut unkept = 0_u64;
        for letter in letters {
            line.clear();
            letter.write_line(&mut line).map_err(Error::io("write", path))?;
            let hash = kept.known.hash(line.strip_suffix(b"\n").unwrap_or(&line));
            if kept.known.has(hash) || these.contains(&hash) {
                continue;
            }
            let after = |kept: &Kept| kept.bytes.saturating_add((lines.len() + line.len()) as u64);
            let is_stale = || kept.counted.is_none_or(|counted| counted.elapsed() >= BETWEEN_COMPLAINTS);
            if after(kept) > self.most_bytes && is_stale() {
                // Somebody may have removed files.
                kept.bytes = folder::bytes(&self.directory)?;
                kept.counted = Some(Instant::now());
            }
            if after(kept) > self.most_bytes {
                unkept += 1;
                continue;
            }
            lines.extend_from_slice(&line);
            these.insert(hash);
            hashes.push(hash);
        }
        self.complain(unkept);
        Ok((lines, hashes))
    }

    /// Tells how many letters there was no room for, once in a while.
    fn complain(&self, unkept: u64) {
        let mut counts = self.counts.lock();
        counts.untold = counts.untold.saturating_add(unkept);
        if counts.untold > 0 && counts.told.is_none_or(|told| told.elapsed() >= BETWEEN_COMPLAINTS) {
            tracing::warn!(
                letters = counts.untold, most_bytes = self.most_bytes, folder = %self.directory.dead_letters().display(),
                "events had no effect and were not kept: their files may have no more bytes (--dead-letter-bytes)"
            );
            counts.untold = 0;
            counts.told = Some(Instant::now());
        }
    }

    /// Counts dead letters that are durable, and logs the first of each kind.
    pub(crate) fn count(&self, letters: &[DeadLetter]) {
        if letters.is_empty() {
            return;
        }
        let mut counts = self.counts.lock();
        for DeadLetter { event, reason } in letters {
            let count = counts.by_reason.entry(*reason).or_default();
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

    /// Removes files of days that are long before `now`, from time to time.
    pub(crate) fn expire(&self, now: i64) -> Result<()> {
        let mut looked = self.looked.lock();
        if looked.is_some_and(|looked| looked.elapsed() < BETWEEN_LOOKS) {
            return Ok(());
        }
        *looked = Some(Instant::now());
        if folder::remove_before(&self.directory, day_of(now), self.days)? {
            self.kept.lock().counted = None;
        }
        Ok(())
    }

    /// The file for the dead letters of today.
    fn of_today(&self) -> PathBuf {
        folder::file_of(&self.directory, day_of(self.clock.now()))
    }
}

fn day_of(time: i64) -> NaiveDate {
    DateTime::<Utc>::from_timestamp_millis(time).unwrap_or_default().date_naive()
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
