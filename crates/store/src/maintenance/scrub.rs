//! Scrubbing: every file is compared with its checksum once a week, whether anybody reads it or not, so that damage is
//! found while a backup still has the rows. A file of which a read differed is compared at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::archive::file::ArchiveFile;
use crate::calendar::{DAY_MS, HOUR_MS};
use crate::error::Result;
use crate::journal::change::JournalChange;
use crate::shared::Shared;

/// A file is compared again after this time.
const EVERY_MS: i64 = 7 * DAY_MS;

/// A file that cannot be read is tried again after this time.
const AFTER_FAILURE_MS: i64 = HOUR_MS;

/// So much is read at a time, in whole files; and so much a second on the average.
const BYTES_AT_ONCE: u64 = 16 << 20;

/// So many files at a time.
const FILES_AT_ONCE: usize = 64;

/// Reads files bit by bit, so that it costs others little.
#[derive(Debug, Default)]
pub(crate) struct Scrub {
    rests_until: Mutex<Option<Instant>>,
}

impl Scrub {
    /// Compares some of the files that are due, unless it read others a moment ago.
    pub(super) fn go_on(&self, shared: &Shared) -> Result<()> {
        lose_suspects(shared)?;
        let mut rests_until = self.rests_until.lock();
        if rests_until.is_some_and(|until| Instant::now() < until) {
            return Ok(());
        }
        let bytes = scrub(shared)?;
        let rest = Duration::from_secs(1).mul_f64(bytes as f64 / BYTES_AT_ONCE as f64);
        *rests_until = (bytes > 0).then(|| Instant::now() + rest);
        Ok(())
    }
}

/// Compares the files of which a read differed, and gives up those that have changed.
fn lose_suspects(shared: &Shared) -> Result<()> {
    let (snapshot, now) = (shared.snapshot(), shared.options().clock.now());
    for file in snapshot.all_files().filter(|file| file.is_suspect() && !file.is_put_off(now)) {
        compared(shared, file, now)?;
    }
    Ok(())
}

/// Compares a file, and gives it up if it has changed or is gone. Tells whether it is whole.
fn compared(shared: &Shared, file: &Arc<ArchiveFile>, now: i64) -> Result<bool> {
    match file.compare() {
        Ok(()) => return Ok(true),
        Err(error) if error.is_of_lost_file() => shared.lose(file, error)?,
        Err(error) => {
            tracing::error!(%error, "a file of the archive cannot be compared with its checksum now");
            file.put_off(now.saturating_add(AFTER_FAILURE_MS));
        }
    }
    Ok(false)
}

/// Compares some of the files that are due, notes it in the journal, and gives up those that have changed. Tells how
/// many bytes were read.
pub(crate) fn scrub(shared: &Shared) -> Result<u64> {
    let now = shared.options().clock.now();
    let (mut read, mut whole) = (0, Vec::new());
    let snapshot = shared.snapshot();
    for file in snapshot.all_files().filter(|file| is_due(file, now)).take(FILES_AT_ONCE) {
        if compared(shared, file, now)? {
            whole.push(Arc::clone(file));
        }
        read += file.bytes();
        if read >= BYTES_AT_ONCE {
            break;
        }
    }
    note(shared, &whole, now)?;
    Ok(read)
}

/// Whether a file was not compared for too long, or never. A clock that was set back is not waited for.
fn is_due(file: &ArchiveFile, now: i64) -> bool {
    let is_fresh = file.verified().is_some_and(|verified| now.abs_diff(verified.at) < EVERY_MS.unsigned_abs());
    !is_fresh && !file.is_put_off(now)
}

/// Notes in the journal that files were compared, so that a start does not begin anew.
fn note(shared: &Shared, files: &[Arc<ArchiveFile>], now: i64) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let mut writer = shared.writer();
    let snapshot = writer.snapshot();
    let is_listed =
        |file: &&Arc<ArchiveFile>| snapshot.segments(file.account()).is_some_and(|segments| segments.files.has(file));
    let files: Vec<_> = files.iter().filter(is_listed).collect();
    if files.is_empty() {
        return Ok(());
    }
    files.iter().for_each(|file| file.set_verified_at(now));
    let verified = files.iter().filter_map(|file| Some((file.record().number, file.verified()?)));
    writer.make_sound()?;
    writer.commit_files(JournalChange { verified: verified.collect(), ..JournalChange::default() }, &[])
}
