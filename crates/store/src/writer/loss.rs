//! Giving up a file that is corrupt or gone.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::Writer;
use crate::archive::file::ArchiveFile;
use crate::error::{Error, Result};
use crate::journal::change::JournalChange;
use crate::journal::entries::entries;
use crate::rows::partition::Partition;
use crate::rows::run::Cut;

impl Writer {
    /// Takes a file off the list that is corrupt or gone; a corrupt one is set aside. Where its rows are in memory,
    /// they go back to the journal and are sealed again. Tells whether the file was on the list.
    pub(crate) fn give_up(&mut self, file: &Arc<ArchiveFile>, error: &Error) -> Result<bool> {
        let snapshot = self.snapshot();
        let Some(segments) = snapshot.segments(file.account()).filter(|segments| segments.files.has(file)) else {
            return Ok(false);
        };
        self.make_sound()?;
        let account = file.account();
        let hours = match segments.files.is_resident(file) {
            true => segments.files.hours_of_same_files(file.record().first_hour),
            false => BTreeSet::new(),
        };
        let covered = |other: &&Arc<ArchiveFile>| hours.contains(&other.record().first_hour);
        let others = segments.files.resident.values().filter(covered);
        let others: Vec<Arc<ArchiveFile>> = others.filter(|other| !Arc::ptr_eq(other, file)).cloned().collect();
        let mut change = JournalChange { lost: vec![file.record().number], ..JournalChange::default() };
        for hour in &hours {
            let runs = segments.hours.get(hour).into_iter().flat_map(|partition| partition.sealed());
            for run in runs {
                let cut = Cut { account: account.clone(), hour: *hour, run: run.as_ref().clone() };
                change.entries.extend(entries(&[cut], &mut self.journal)?);
            }
        }
        self.commit_files(change, &others)?;
        file.set_given_up();
        self.statistics().files_lost.fetch_add(1, Ordering::Relaxed);
        let now = self.clock.now();
        self.publish(snapshot.with(account, |segments| {
            for hour in &hours {
                segments.change(account, *hour, |partition: Partition| partition.with_sealed_opened(now));
            }
            let files = segments.files_mut();
            others.iter().chain([file]).for_each(|file| files.remove(file));
        }));
        self.remove_retired()?;
        let rows = if hours.is_empty() { "do not count any more" } else { "are in memory, and are written again" };
        tracing::error!(%error, file = %file.path().display(), "a file was given up; its {} rows {rows}", file.rows());
        if matches!(error, Error::Corrupt { .. }) {
            let place = self.directory.set_aside(&self.directory.path().join(file.path()))?;
            tracing::warn!(place = %place.display(), "it was set aside");
        }
        Ok(true)
    }
}
