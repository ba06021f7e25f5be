//! A data directory as it was at one moment, for whoever reads it while another process has it open.

use std::any::Any;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::backup::unpack_backup;
use crate::check::{Checked, check};
use crate::disk::directory::{LOCK, STAGING};
use crate::disk::{Disk, LocalDisk};
use crate::error::{Error, Result};
use crate::journal::contents::inspect;

/// The beginning of the name of a copy's folder in `staging/`.
const COPY: &str = "copy-";

/// The folder in it that is a data directory.
const DATA: &str = "data";

/// A copy of a data directory whose archive files are the directory's own, by a second name (hard links): it takes no
/// room but that of the journal, and stays whole whatever becomes of the originals. It stands in `staging/`, so that it
/// is on the same file system, and goes when the value is dropped.
#[derive(Debug)]
pub struct LinkedCopy {
    /// The directory that it is a copy of.
    of: PathBuf,
    folder: PathBuf,
    /// Shows the next process that opens the directory that this copy is in use.
    _lock: Box<dyn Any + Send + Sync>,
}

impl LinkedCopy {
    /// Makes room for a copy of the directory at `of`, with nothing in it yet.
    ///
    /// # Errors
    /// Where nothing can be written there.
    pub fn begin(of: &Path) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("{COPY}{}-{}", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let folder = of.join(STAGING).join(name);
        // What a process of the same number has left behind is in nobody's way.
        match fs::remove_dir_all(&folder) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", folder)(error)),
            _ => {}
        }
        LocalDisk.create_folder(&folder).map_err(Error::io("create", &folder))?;
        let lock = folder.join(LOCK);
        let locked = LocalDisk.lock(&lock).map_err(Error::io("lock", lock))?;
        let locked = locked.ok_or_else(|| Error::InUse { path: folder.clone(), url: None })?;
        Ok(Self { of: of.to_owned(), folder, _lock: locked })
    }

    /// Fills the copy with what [a backup without its archive](crate::Backup::write_without_archive_to) wrote. Where
    /// that fails, it is of no use any more.
    ///
    /// # Errors
    /// [`Error::Moved`] where a file of the backup's list is gone by now: another backup has the next one.
    /// [`Error::NoLinks`] where the file system has no second names for files.
    pub fn fill(&self, backup: impl Read) -> Result<()> {
        unpack_backup(backup, &self.path())?;
        self.link_files()
    }

    /// The copy, which opens as a data directory.
    pub fn path(&self) -> PathBuf {
        self.folder.join(DATA)
    }

    fn link_files(&self) -> Result<()> {
        let to = self.path();
        for file in inspect(&LocalDisk, &to.join(crate::disk::directory::JOURNAL))?.files {
            let path = file.path();
            let (original, link) = (self.of.join(&path), to.join(&path));
            if let Some(folder) = link.parent() {
                LocalDisk.create_folder(folder).map_err(Error::io("create", folder))?;
            }
            match fs::hard_link(&original, &link) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Error::Moved { path: original }),
                Err(source) => return Err(Error::NoLinks { path: original, source }),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    /// Verifies the copy as [`check`] does a directory that nobody has open: the files are the directory's own; the
    /// journal is what the process that has it open wrote of it. Problems name the directory's files.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub fn check(&self) -> Result<Checked> {
        let mut checked = check(&self.path())?;
        let (copy, of) = (self.path().display().to_string(), self.of.display().to_string());
        for problem in &mut checked.problems {
            *problem = problem.replace(&copy, &of);
        }
        checked.quarantined = crate::check::quarantined(&self.of)?;
        Ok(checked)
    }
}

impl Drop for LinkedCopy {
    fn drop(&mut self) {
        // Where this fails, the next process that opens the directory removes it.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Removes what is left of a copy in `staging/` that nobody has in use any more. One that is in use stays, and so does
/// one of another owner, who has to remove it himself.
pub(crate) fn remove_left_copy(disk: &dyn Disk, folder: &Path) {
    let is_copy = folder.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(COPY));
    if !is_copy || disk.lock(&folder.join(LOCK)).is_ok_and(|lock| lock.is_none()) {
        return;
    }
    if let Err(error) = remove_all(disk, folder) {
        tracing::warn!(%error, folder = %folder.display(), "what another process left there stays; remove it by hand");
    }
}

fn remove_all(disk: &dyn Disk, folder: &Path) -> io::Result<()> {
    for (path, is_folder) in disk.list(folder)? {
        if is_folder { remove_all(disk, &path)? } else { disk.remove(&path)? }
    }
    disk.remove_empty_folder(folder)
}
