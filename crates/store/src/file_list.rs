//! Changes to the list of archive files.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::file_record::FileRecord;
use crate::journal::Change;
use crate::partition::Partition;
use crate::run::Cut;
use crate::store::{Writer, entries};
use crate::{ArchiveFile, Error, Result, Store};

impl Store {
    pub(crate) fn archive_file(&self, record: FileRecord) -> Result<Arc<ArchiveFile>> {
        Ok(Arc::new(ArchiveFile::new(record, self.directory.path(), Arc::clone(&self.options.disk))?))
    }

    /// Commits a change of the list. Where that fails, whether the files that it adds are on the list is not known: they
    /// stay until the journal was written anew, without them.
    pub(crate) fn commit_files(&self, writer: &mut Writer, change: Change<'_>) -> Result<()> {
        let (added, retired) = (change.added.clone(), change.retired.clone());
        match writer.journal.commit(change) {
            Ok(()) => writer.retired.extend(retired),
            Err(error) => {
                writer.doubtful.extend(added);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Removes retired files from the disk. One that cannot be removed is tried again later.
    pub(crate) fn remove_retired(&self, writer: &mut Writer, files: &[Arc<ArchiveFile>]) -> Result<()> {
        let gone = self.removed(files)?;
        if gone.is_empty() {
            return Ok(());
        }
        writer.journal.commit(Change { gone: gone.clone(), ..Change::default() })?;
        writer.retired.retain(|file| !gone.contains(&file.number));
        Ok(())
    }

    /// Removes files, durably, and tells the numbers of those that are gone.
    fn removed(&self, files: &[Arc<ArchiveFile>]) -> Result<Vec<u64>> {
        let mut gone = Vec::with_capacity(files.len());
        let mut folders = BTreeSet::new();
        for file in files {
            match file.remove() {
                Ok(folder) => {
                    gone.push(file.record().number);
                    folders.extend(folder);
                }
                Err(error) => tracing::error!(file = %file.path().display(), %error, "a retired file is still there"),
            }
        }
        for folder in folders {
            self.options.disk.sync_folder(&folder).map_err(Error::io("sync", folder))?;
        }
        Ok(gone)
    }

    /// Tries again to remove retired files; tells whether there were any that are gone now.
    pub(crate) fn clean_up(&self) -> Result<bool> {
        let mut writer = self.writer();
        let mut files = Vec::with_capacity(writer.retired.len());
        for record in &writer.retired {
            files.push(self.archive_file(record.clone())?);
        }
        // Before anything is written: on a full disk, there may be room for it then.
        let gone = self.removed(&files)?;
        self.make_sound(&mut writer)?;
        if gone.is_empty() {
            return Ok(false);
        }
        writer.journal.commit(Change { gone: gone.clone(), ..Change::default() })?;
        writer.retired.retain(|file| !gone.contains(&file.number));
        Ok(true)
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
                Err(error) if error.is_of_lost_file() => self.give_up(&mut self.writer(), &file, &error)?,
                Err(error) => return Err(error),
            }
        }
        Ok(readable)
    }

    /// Takes a file off the list that is corrupt, which is set aside then, or gone. Where its rows are in memory, they
    /// go back to the journal and are sealed again.
    pub(crate) fn give_up(&self, writer: &mut Writer, file: &Arc<ArchiveFile>, error: &Error) -> Result<()> {
        let snapshot = self.snapshot();
        let Some(segments) = snapshot.segments(file.account()).filter(|segments| segments.files.has(file)) else {
            return Ok(());
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
        change.retired = others.iter().map(|other| other.record().clone()).collect();
        for hour in &hours {
            let runs = segments.hours.get(hour).into_iter().flat_map(|partition| partition.sealed());
            for run in runs {
                let cut = Cut { account: account.clone(), hour: *hour, run: run.as_ref().clone() };
                change.entries.extend(entries(&[cut], &mut writer.journal)?);
            }
        }
        self.commit_files(writer, change)?;
        let now = self.options.clock.now();
        self.publish(snapshot.with(account, |segments| {
            for hour in &hours {
                segments.change(account, *hour, |partition: Partition| partition.with_sealed_opened(now));
            }
            let files = segments.files_mut();
            others.iter().chain([file]).for_each(|file| files.remove(file));
        }));
        self.remove_retired(writer, &others)?;
        let rows = if hours.is_empty() { "do not count any more" } else { "are in memory, and are written again" };
        tracing::error!(%error, file = %file.path().display(), "a file was given up; its {} rows {rows}", file.rows());
        if matches!(error, Error::Corrupt { .. }) {
            let place = self.directory.set_aside(&self.directory.path().join(file.path()))?;
            tracing::warn!(place = %place.display(), "it was set aside");
        }
        Ok(())
    }
}
