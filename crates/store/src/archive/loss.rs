//! Changes to the list of archive files.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::disk::sync_nearest_folder;
use crate::journal::change::Change;
use crate::journal::entries::entries;
use crate::journal::file_record::FileRecord;
use crate::rows::partition::Partition;
use crate::rows::run::Cut;
use crate::store::Writer;
use crate::{ArchiveFile, Error, Result, Store};

impl Store {
    pub(crate) fn archive_file(&self, record: FileRecord) -> Result<Arc<ArchiveFile>> {
        Ok(Arc::new(ArchiveFile::new(record, self.directory.path(), Arc::clone(&self.options.disk))?))
    }

    /// Commits a change of the list, by which the files `retired` leave it. Where that fails, whether the files that it
    /// adds are on the list is not known: they stay until the journal was written anew, without them.
    pub(crate) fn commit_files(
        &self,
        writer: &mut Writer,
        mut change: Change<'_>,
        retired: &[Arc<ArchiveFile>],
    ) -> Result<()> {
        let mut added = Vec::with_capacity(change.added.len());
        for record in &change.added {
            added.push(self.archive_file(record.clone())?);
        }
        change.retired = retired.iter().map(|file| file.record().clone()).collect();
        match writer.journal.commit(change) {
            Ok(()) => writer.retired.extend_from_slice(retired),
            Err(error) => {
                writer.doubtful.append(&mut added);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Removes the files from the disk that are not on the list any more; tells whether there were any. One that cannot
    /// be removed is tried again later.
    pub(crate) fn remove_retired(&self, writer: &mut Writer) -> Result<bool> {
        if writer.retired.is_empty() {
            return Ok(false);
        }
        let gone = self.removed(&writer.retired)?;
        if gone.is_empty() {
            return Ok(false);
        }
        writer.journal.commit(Change { gone: gone.clone(), ..Change::default() })?;
        writer.retired.retain(|file| !gone.contains(&file.record().number));
        Ok(true)
    }

    /// Removes files, durably, and tells the numbers of those that are gone.
    fn removed(&self, files: &[Arc<ArchiveFile>]) -> Result<Vec<u64>> {
        let mut gone = Vec::with_capacity(files.len());
        let mut folders = BTreeSet::new();
        for file in files {
            match file.remove() {
                Ok(folder) => {
                    gone.push(file.record().number);
                    folders.insert(folder);
                }
                Err(error) => tracing::error!(file = %file.path().display(), %error, "a retired file is still there"),
            }
        }
        for folder in folders {
            sync_nearest_folder(self.options.disk.as_ref(), &folder)?;
        }
        Ok(gone)
    }

    /// Writes the journal anew if it has to be, and removes retired files; tells whether there were any.
    pub(crate) fn clean_up(&self) -> Result<bool> {
        let mut writer = self.writer();
        self.make_sound(&mut writer)?;
        self.remove_retired(&mut writer)
    }

    /// The files of `files` whose rows count: each is compared with its checksum once. One that is corrupt or gone is
    /// given up, and named in the log.
    ///
    /// # Errors
    /// Where a file cannot be read now.
    pub fn readable(&self, files: Vec<Arc<ArchiveFile>>) -> Result<Vec<Arc<ArchiveFile>>> {
        let mut readable = Vec::with_capacity(files.len());
        for file in files {
            match file.verify() {
                Ok(()) => readable.push(file),
                Err(error) => self.lose(&file, error)?,
            }
        }
        Ok(readable)
    }

    /// Gives a file up that could not be read because it is corrupt or gone.
    ///
    /// # Errors
    /// `error` where that is not why; or where the file had left the list before.
    pub(crate) fn lose(&self, file: &Arc<ArchiveFile>, error: Error) -> Result<()> {
        if !error.is_of_lost_file() {
            return Err(error);
        }
        let is_listed = self.give_up(&mut self.writer(), file, &error)?;
        // It left the list earlier, and its rows may be in another file by now.
        if is_listed || file.is_given_up() { Ok(()) } else { Err(error) }
    }

    /// Takes a file off the list that is corrupt, which is set aside then, or gone. Where its rows are in memory, they
    /// go back to the journal and are sealed again. Tells whether the file was on the list.
    pub(crate) fn give_up(&self, writer: &mut Writer, file: &Arc<ArchiveFile>, error: &Error) -> Result<bool> {
        let snapshot = self.snapshot();
        let Some(segments) = snapshot.segments(file.account()).filter(|segments| segments.files.has(file)) else {
            return Ok(false);
        };
        self.make_sound(writer)?;
        let account = file.account();
        let hours = match segments.files.is_resident(file) {
            true => self.hours_of_same_files(account, file.record().first_hour),
            false => BTreeSet::new(),
        };
        let covered = |other: &&Arc<ArchiveFile>| hours.contains(&other.record().first_hour);
        let others = segments.files.resident.values().filter(covered);
        let others: Vec<Arc<ArchiveFile>> = others.filter(|other| !Arc::ptr_eq(other, file)).cloned().collect();
        let mut change = Change { lost: vec![file.record().number], ..Change::default() };
        for hour in &hours {
            let runs = segments.hours.get(hour).into_iter().flat_map(|partition| partition.sealed());
            for run in runs {
                let cut = Cut { account: account.clone(), hour: *hour, run: run.as_ref().clone() };
                change.entries.extend(entries(&[cut], &mut writer.journal)?);
            }
        }
        self.commit_files(writer, change, &others)?;
        file.set_given_up();
        let now = self.options.clock.now();
        self.publish(snapshot.with(account, |segments| {
            for hour in &hours {
                segments.change(account, *hour, |partition: Partition| partition.with_sealed_opened(now));
            }
            let files = segments.files_mut();
            others.iter().chain([file]).for_each(|file| files.remove(file));
        }));
        self.remove_retired(writer)?;
        let rows = if hours.is_empty() { "do not count any more" } else { "are in memory, and are written again" };
        tracing::error!(%error, file = %file.path().display(), "a file was given up; its {} rows {rows}", file.rows());
        if matches!(error, Error::Corrupt { .. }) {
            let place = self.directory.set_aside(&self.directory.path().join(file.path()))?;
            tracing::warn!(place = %place.display(), "it was set aside");
        }
        Ok(true)
    }
}
