//! Retention: files that have expired are removed.

use std::sync::Arc;

use super::eviction::evict_hour;
use super::policy::retention::is_expired;
use crate::archive::file::ArchiveFile;
use crate::error::Result;
use crate::journal::change::JournalChange;
use crate::shared::Shared;

/// Files that are removed at a time: writers wait meanwhile.
const MOST_AT_ONCE: usize = 32;

/// Removes the files all of whose hours are older than their account's segments may become, by the store's clock; tells
/// whether there were any.
pub(crate) fn expire(shared: &Shared) -> Result<bool> {
    let now = shared.options().clock.now();
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
    writer.commit_files(JournalChange::default(), &expired)?;
    let mut snapshot = writer.snapshot().as_ref().clone();
    for file in &expired {
        tracing::info!(file = %file.path().display(), rows = file.rows(), "a file has expired");
        snapshot = snapshot.with(file.account(), |segments| segments.files_mut().remove(file));
    }
    writer.publish(snapshot);
    writer.remove_retired()?;
    Ok(true)
}
