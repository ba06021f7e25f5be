//! Retention: files that have expired leave the archive, and stand in `expired/` for a day.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use skillscope_segment::AccountId;

use super::eviction::evict_hour;
use super::policy::retention::{is_expired, is_kept_long_enough};
use crate::archive::file::ArchiveFile;
use crate::calendar::HOUR_MS;
use crate::disk::directory::DataDirectory;
use crate::error::Result;
use crate::journal::change::JournalChange;
use crate::shared::Shared;

/// Files that are removed at a time: writers wait meanwhile.
const MOST_AT_ONCE: usize = 32;

/// Takes the files from the archive all of whose hours are older than their account's segments may become, by the
/// clock as far as it is believed; tells whether there were any.
pub(crate) fn expire(shared: &Shared) -> Result<bool> {
    let now = shared.time().now();
    let is_due = |file: &&Arc<ArchiveFile>| {
        is_expired(file.record().end(), shared.options().retention.age_ms(file.account()), now)
    };
    let snapshot = shared.snapshot();
    let expired: Vec<Arc<ArchiveFile>> = snapshot.all_files().filter(is_due).take(MOST_AT_ONCE).cloned().collect();
    if expired.is_empty() {
        return Ok(false);
    }
    let mut writer = shared.writer();
    writer.make_sound()?;
    for file in &expired {
        evict_hour(&mut writer, file.account(), file.record().first_hour)?;
    }
    expired.iter().for_each(|file| file.set_expired(Some(now)));
    if let Err(error) = writer.commit_files(JournalChange::default(), &expired) {
        expired.iter().for_each(|file| file.set_expired(None));
        return Err(error);
    }
    let mut snapshot = writer.snapshot().as_ref().clone();
    for file in &expired {
        tracing::info!(file = %file.path().display(), rows = file.rows(), "a file has expired");
        snapshot = snapshot.with(file.account(), |segments| segments.files_mut().remove(file));
    }
    writer.publish(snapshot);
    shared.statistics().files_expired.fetch_add(expired.len() as u64, Ordering::Relaxed);
    writer.remove_retired()?;
    Ok(true)
}

/// What is older than an account's segments may become.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expiring {
    /// Files of the archive, all of whose hours are too old.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Segments in them, and in hours that are too old and in no file yet.
    pub rows: u64,
}

/// What would expire at `now`, by account.
pub(crate) fn expiring(shared: &Shared, now: i64) -> BTreeMap<AccountId, Expiring> {
    let (snapshot, retention) = (shared.snapshot(), &shared.options().retention);
    let mut expiring = BTreeMap::<AccountId, Expiring>::new();
    for file in snapshot.all_files() {
        if is_expired(file.record().end(), retention.age_ms(file.account()), now) {
            let of_account = expiring.entry(file.account().clone()).or_default();
            of_account.files += 1;
            of_account.bytes += file.bytes();
            of_account.rows += file.rows();
        }
    }
    for partition in snapshot.all_partitions() {
        let end = partition.hour().saturating_add(HOUR_MS);
        let runs = partition.sealing().iter().chain(partition.open());
        let rows = runs.map(|run| run.batch.num_rows() as u64).sum::<u64>();
        if rows > 0 && is_expired(end, retention.age_ms(partition.account()), now) {
            expiring.entry(partition.account().clone()).or_default().rows += rows;
        }
    }
    expiring
}

/// Removes the files that have stood in `expired/` for a day. One that cannot be removed holds up no other.
pub(super) fn remove_expired(shared: &Shared) -> Result<()> {
    let (directory, now) = (shared.directory(), shared.time().now());
    let mut outcome = Ok(());
    for file in directory.expired_files()? {
        outcome = outcome.and(remove_if_due(directory, &file, now));
    }
    outcome
}

fn remove_if_due(directory: &DataDirectory, file: &Path, now: i64) -> Result<()> {
    match directory.expired_at(file) {
        // The clock was set back since.
        Some((hour, below)) if hour > now => directory.move_expired(file, now, below),
        Some((hour, _)) if is_kept_long_enough(hour, now) => {
            directory.remove_expired(file)?;
            tracing::info!(file = %file.display(), "a file that expired a day ago was removed");
            Ok(())
        }
        _ => Ok(()),
    }
}
