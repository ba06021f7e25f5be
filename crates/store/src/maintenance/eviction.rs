//! Eviction: rows leave memory, and are read from the archive from then on.

use std::sync::Arc;

use skillscope_segment::AccountId;

use super::policy::eviction::{SealedHour, next_to_evict};
use super::policy::pressure::Gift;
use super::pressure::gift;
use crate::calendar::day_of;
use crate::error::Result;
use crate::rows::partition::Partition;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::writer::Writer;

/// Lets go of the oldest hour in memory that is not hot any more or, where there is no room, of one of the account that
/// takes most; tells whether there was one. Its rows are read from the archive from now on. Which hour it is, is found
/// out before writers are held up.
pub(crate) fn evict(shared: &Shared) -> Result<bool> {
    let snapshot = shared.snapshot();
    let together = |sealed: SealedHour<'_>| {
        let segments = snapshot.segments(sealed.account);
        segments.map(|segments| segments.files.hours_of_same_files(sealed.hour)).unwrap_or_default()
    };
    let given = || match gift(shared, &snapshot) {
        Some(Gift::Evict(hour)) => Some(hour),
        Some(Gift::Seal(_)) | None => None,
    };
    let next = next_to_evict(sealed_hours(&snapshot), &shared.options().hot(), together).or_else(given);
    let Some(SealedHour { account, hour }) = next else { return Ok(false) };
    evict_hour(&mut shared.writer(), account, hour)?;
    Ok(true)
}

fn sealed_hours(snapshot: &Snapshot) -> impl Iterator<Item = SealedHour<'_>> {
    let sealed = snapshot.all_partitions().filter(|partition| !partition.sealed().is_empty());
    sealed.map(|partition| SealedHour { account: partition.account(), hour: partition.hour() })
}

/// Lets go of the archived rows of an hour, and of the other hours whose rows are in the same files.
pub(super) fn evict_hour(writer: &mut Writer, account: &AccountId, hour: i64) -> Result<()> {
    let snapshot = writer.snapshot();
    let Some(segments) = snapshot.segments(account) else { return Ok(()) };
    let hours = segments.files.hours_of_same_files(hour);
    let partitions: Vec<_> = hours.iter().filter_map(|hour| segments.hours.get(hour)).collect();
    writer.forget_keys(partitions.iter().flat_map(|partition| partition.sealed()).map(Arc::as_ref))?;
    writer.publish(snapshot.with(account, |segments| {
        for hour in &hours {
            segments.change(account, *hour, Partition::without_sealed);
        }
        let files: Vec<_> = segments.files.resident_of_day(day_of(hour)).cloned().collect();
        for file in files.iter().filter(|file| hours.contains(&file.record().first_hour)) {
            segments.files_mut().evict(file);
        }
    }));
    Ok(())
}
