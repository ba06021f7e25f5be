use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use super::memory_file::MemoryFile;
use super::{Disk, DiskFile, InPlaceFile};

/// Another disk, of which nothing changes: what is written stays in memory, above what is there.
#[derive(Debug)]
pub(crate) struct OverlayDisk {
    below: Arc<dyn Disk>,
    changes: Mutex<BTreeMap<PathBuf, Change>>,
}

/// What stands at a path instead of what is below.
#[derive(Debug, Clone)]
enum Change {
    Removed,
    Written(Arc<MemoryFile>),
    /// The file that is below at another path.
    Moved(PathBuf),
}

impl OverlayDisk {
    pub(crate) fn over(below: Arc<dyn Disk>) -> Self {
        Self { below, changes: Mutex::default() }
    }

    fn changes(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Change>> {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, path: &Path) -> Option<Change> {
        self.changes().get(path).cloned()
    }
}

impl Disk for OverlayDisk {
    fn create_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        let below = match self.below.list(path) {
            // A folder that is to be there is empty.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            below => below?,
        };
        let changes = self.changes();
        let new = changes.iter().filter(|(at, change)| at.parent() == Some(path) && !matches!(change, Change::Removed));
        let mut entries: BTreeSet<(PathBuf, bool)> = new.map(|(at, _)| (at.clone(), false)).collect();
        entries.extend(below.into_iter().filter(|(at, _)| !changes.contains_key(at)));
        Ok(entries.into_iter().collect())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.changes().insert(path.to_owned(), Change::Written(Arc::new(MemoryFile::new(bytes))));
        Ok(())
    }

    fn sync(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let moved = match self.change(from) {
            Some(Change::Removed) => return Err(io::ErrorKind::NotFound.into()),
            Some(change) => change,
            None => Change::Moved(from.to_owned()),
        };
        let mut changes = self.changes();
        changes.insert(to.to_owned(), moved);
        changes.insert(from.to_owned(), Change::Removed);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.open(path)?;
        self.changes().insert(path.to_owned(), Change::Removed);
        Ok(())
    }

    fn remove_empty_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        match self.change(path) {
            None => self.below.open(path),
            Some(Change::Moved(from)) => self.below.open(&from),
            Some(Change::Written(file)) => Ok(file),
            Some(Change::Removed) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        self.below.lock(path)
    }

    fn open_in_place(&self, path: &Path) -> io::Result<Box<dyn InPlaceFile>> {
        if let Some(Change::Written(file)) = self.change(path) {
            return Ok(Box::new(SharedFile(file)));
        }
        let bytes = match self.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Bytes::new(),
            _ => super::read(self, path)?,
        };
        let file = Arc::new(MemoryFile::new(&bytes));
        self.changes().insert(path.to_owned(), Change::Written(Arc::clone(&file)));
        Ok(Box::new(SharedFile(file)))
    }
}

/// A file in memory that the overlay keeps, too.
#[derive(Debug)]
struct SharedFile(Arc<MemoryFile>);

impl DiskFile for SharedFile {
    fn length(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        self.0.read_at(offset, length)
    }
}

impl InPlaceFile for SharedFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.0.set_length(length)
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
