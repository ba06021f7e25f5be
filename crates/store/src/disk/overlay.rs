//! A disk that leaves another one unchanged, for opening a data directory to read.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::{Mutex, MutexGuard};

use super::memory_file::MemoryFile;
use super::{Disk, DiskFile, InPlaceFile};

/// A view of another disk that never changes it: writes stay in memory, and cover the files below.
#[derive(Debug)]
pub(crate) struct OverlayDisk {
    below: Arc<dyn Disk>,
    overrides: Mutex<BTreeMap<PathBuf, Override>>,
}

/// The state of a path that covers the one below.
#[derive(Debug, Clone)]
enum Override {
    Removed,
    Written(Arc<MemoryFile>),
    /// The file that is below at another path.
    Moved(PathBuf),
}

impl OverlayDisk {
    pub(crate) fn over(below: Arc<dyn Disk>) -> Self {
        Self { below, overrides: Mutex::default() }
    }

    fn overrides(&self) -> MutexGuard<'_, BTreeMap<PathBuf, Override>> {
        self.overrides.lock()
    }

    fn override_of(&self, path: &Path) -> Option<Override> {
        self.overrides().get(path).cloned()
    }
}

impl Disk for OverlayDisk {
    fn create_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn list(&self, path: &Path) -> io::Result<Vec<(PathBuf, bool)>> {
        let below = match self.below.list(path) {
            // A folder that was created in the overlay alone is empty.
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            below => below?,
        };
        let overrides = self.overrides();
        let new =
            overrides.iter().filter(|(at, entry)| at.parent() == Some(path) && !matches!(entry, Override::Removed));
        let mut entries: BTreeSet<(PathBuf, bool)> = new.map(|(at, _)| (at.clone(), false)).collect();
        entries.extend(below.into_iter().filter(|(at, _)| !overrides.contains_key(at)));
        Ok(entries.into_iter().collect())
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.overrides().insert(path.to_owned(), Override::Written(Arc::new(MemoryFile::new(bytes))));
        Ok(())
    }

    fn sync(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn sync_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let moved = match self.override_of(from) {
            Some(Override::Removed) => return Err(io::ErrorKind::NotFound.into()),
            Some(moved) => moved,
            None => Override::Moved(from.to_owned()),
        };
        let mut overrides = self.overrides();
        overrides.insert(to.to_owned(), moved);
        overrides.insert(from.to_owned(), Override::Removed);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.open(path)?;
        self.overrides().insert(path.to_owned(), Override::Removed);
        Ok(())
    }

    fn remove_empty_folder(&self, _path: &Path) -> io::Result<()> {
        Ok(())
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn DiskFile>> {
        match self.override_of(path) {
            None => self.below.open(path),
            Some(Override::Moved(from)) => self.below.open(&from),
            Some(Override::Written(file)) => Ok(file),
            Some(Override::Removed) => Err(io::ErrorKind::NotFound.into()),
        }
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn Any + Send + Sync>>> {
        self.below.lock_to_read(path)
    }

    fn open_in_place(&self, path: &Path) -> io::Result<Box<dyn InPlaceFile>> {
        if let Some(Override::Written(file)) = self.override_of(path) {
            return Ok(Box::new(SharedFile(file)));
        }
        let bytes = match self.open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Bytes::new(),
            _ => super::read(self, path)?,
        };
        let file = Arc::new(MemoryFile::new(&bytes));
        self.overrides().insert(path.to_owned(), Override::Written(Arc::clone(&file)));
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
