//! Changes of the list of archive files, and removing files that are on it no longer.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Writer;
use crate::archive::file::ArchiveFile;
use crate::disk::directory::ARCHIVE;
use crate::disk::sync_nearest_folder;
use crate::error::{Error, Result};
use crate::journal::change::JournalChange;

impl Writer {
    /// Commits a change of the list of files, by which the files `retired` leave it.
    ///
    /// # Errors
    /// Whether the files that it adds are on the list is not known then: they stay on disk until the journal was
    /// written anew, without them.
    pub(crate) fn commit_files(&mut self, mut change: JournalChange<'_>, retired: &[Arc<ArchiveFile>]) -> Result<()> {
        let mut added = Vec::with_capacity(change.added.len());
        for record in &change.added {
            added.push(Arc::new(ArchiveFile::new(record.clone(), &self.directory)?));
        }
        change.retired = retired.iter().map(|file| file.retired_record()).collect();
        match self.journal.commit(change) {
            Ok(()) => self.retired.extend_from_slice(retired),
            Err(error) => {
                self.doubtful.append(&mut added);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Removes the files from the disk that are not on the list any more, or moves those to `expired/` that have
    /// expired; tells whether there were any. One that cannot be removed is tried again later.
    pub(crate) fn remove_retired(&mut self) -> Result<bool> {
        if self.retired.is_empty() {
            return Ok(false);
        }
        let gone = self.removed()?;
        if gone.is_empty() {
            return Ok(false);
        }
        self.journal.commit(JournalChange { gone: gone.clone(), ..JournalChange::default() })?;
        self.retired.retain(|file| !gone.contains(&file.record().number));
        Ok(true)
    }

    /// Removes retired files, durably, and gives the numbers of the files that are gone.
    fn removed(&self) -> Result<Vec<u64>> {
        let mut gone = Vec::with_capacity(self.retired.len());
        let (mut entered, mut folders) = (BTreeSet::new(), BTreeSet::new());
        for file in &self.retired {
            let left = match file.expired() {
                Some(since) => self.keep_for_a_while(file, since, &mut entered),
                None => file.remove().map_err(Error::io("remove", file.path())),
            };
            match left {
                Ok(folder) => {
                    gone.push(file.record().number);
                    folders.insert(folder);
                }
                Err(error) => tracing::error!(file = %file.path().display(), %error, "a retired file is still there"),
            }
        }
        // Files of a day share their folders. A moved file's new name is durable before its old one is gone.
        for folder in entered.into_iter().chain(folders) {
            sync_nearest_folder(self.directory.disk().as_ref(), &folder)?;
        }
        Ok(gone)
    }

    /// Moves a file that has expired to where it can be taken back from; gives the folder to sync, and adds the ones to
    /// sync before.
    fn keep_for_a_while(&self, file: &ArchiveFile, since: i64, entered: &mut BTreeSet<PathBuf>) -> Result<PathBuf> {
        let place = self.directory.expired_place(since, file.path().strip_prefix(ARCHIVE).unwrap_or(&file.path()))?;
        let folder = file.move_to(&place).map_err(Error::io("move away", file.path()))?;
        entered.extend(self.directory.folders_of(&place).map(Path::to_owned));
        Ok(folder)
    }
}
