//! The handle to one file of the archive.

use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::array::RecordBatch;
use bytes::Bytes;
use parking_lot::Mutex;
use skillscope_segment::AccountId;
use twox_hash::XxHash3_64;

use super::parquet;
use crate::disk::directory::DataDirectory;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, Result};
use crate::journal::file_record::FileRecord;

/// A Parquet file of the archive, whose rows count as long as a snapshot has it.
#[derive(Debug)]
pub struct ArchiveFile {
    record: FileRecord,
    account: AccountId,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    /// The file itself, kept open once it is removed from disk, for readers that still hold this value.
    removed: Mutex<Option<Arc<dyn DiskFile>>>,
    is_verified: AtomicBool,
    is_compacting: AtomicBool,
    /// Set when merging it failed; it is not tried again until the next start.
    is_left_alone: AtomicBool,
    /// Set when it has left the list because its rows are lost.
    is_given_up: AtomicBool,
}

/// The work on a file that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileState {
    /// Its rows count, and it stays as it is.
    Sealed,
    /// Its rows count, and are being written to a larger file.
    Compacting,
}

impl fmt::Display for FileState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sealed => "sealed",
            Self::Compacting => "compacting",
        })
    }
}

impl ArchiveFile {
    pub(crate) fn new(record: FileRecord, directory: &DataDirectory) -> Result<Self> {
        Ok(Self {
            account: record.account()?,
            path: directory.path().join(record.path()),
            record,
            disk: Arc::clone(directory.disk()),
            removed: Mutex::new(None),
            is_verified: AtomicBool::new(false),
            is_compacting: AtomicBool::new(false),
            is_left_alone: AtomicBool::new(false),
            is_given_up: AtomicBool::new(false),
        })
    }

    pub(crate) fn record(&self) -> &FileRecord {
        &self.record
    }

    /// The account that all rows are of.
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The file's path below the data directory.
    pub fn path(&self) -> PathBuf {
        self.record.path()
    }

    /// The first and the last hour of `end_time` in the file, as the first milliseconds of them since the epoch.
    pub fn hours(&self) -> RangeInclusive<i64> {
        self.record.first_hour..=self.record.last_hour
    }

    /// The number of rows.
    pub fn rows(&self) -> u64 {
        self.record.rows
    }

    /// The file's length.
    pub fn bytes(&self) -> u64 {
        self.record.bytes
    }

    /// XXH3 (64 bits) of the file's bytes.
    pub fn checksum(&self) -> u64 {
        self.record.checksum
    }

    /// When it was written, in milliseconds since the epoch.
    pub fn written(&self) -> i64 {
        self.record.written
    }

    /// The lowest and the highest `end_time`, in milliseconds since the epoch.
    pub fn end_times(&self) -> RangeInclusive<i64> {
        self.record.end_times()
    }

    /// The lowest and the highest `skill_id`.
    pub fn skills(&self) -> RangeInclusive<i64> {
        self.record.skills()
    }

    /// The work on the file that is under way.
    pub fn state(&self) -> FileState {
        if self.is_compacting.load(Ordering::Relaxed) { FileState::Compacting } else { FileState::Sealed }
    }

    pub(crate) fn set_compacting(&self, is_compacting: bool) {
        self.is_compacting.store(is_compacting, Ordering::Relaxed);
    }

    pub(crate) fn can_be_merged(&self) -> bool {
        !self.is_left_alone.load(Ordering::Relaxed)
    }

    pub(crate) fn forbid_merging(&self) {
        self.is_left_alone.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    pub(crate) fn set_given_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    /// Opens the file, even where it has been removed since the snapshot of this value was taken.
    ///
    /// # Errors
    /// The system's error.
    pub fn open(&self) -> io::Result<Arc<dyn DiskFile>> {
        let removed = self.removed.lock();
        match &*removed {
            Some(file) => Ok(Arc::clone(file)),
            None => self.disk.open(&self.path),
        }
    }

    /// Removes the file from disk. It can still be read through this value. Gives the folder to sync afterwards; where
    /// the folder is gone, too, the nearest one above it.
    pub(crate) fn remove(&self) -> io::Result<PathBuf> {
        let folder = self.path.parent().unwrap_or(&self.path);
        let mut removed = self.removed.lock();
        match self.disk.open(&self.path) {
            Ok(file) => *removed = Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(folder.to_owned()),
            Err(error) => return Err(error),
        }
        self.disk.remove(&self.path)?;
        // The folders of a day and of an account go with their last file.
        for folder in folder.ancestors().take(2) {
            if self.disk.remove_empty_folder(folder).is_err() {
                break;
            }
        }
        Ok(folder.to_owned())
    }

    /// Compares the file with its checksum, the first time that it is read.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where they differ, [`Error::Io`] where the file cannot be read.
    pub fn verify(&self) -> Result<()> {
        if self.is_verified.load(Ordering::Relaxed) { Ok(()) } else { self.read().map(drop) }
    }

    /// The file's bytes, compared with the checksum.
    pub(crate) fn read(&self) -> Result<Bytes> {
        let read =
            |file: Arc<dyn DiskFile>| file.read_at(0, usize::try_from(file.length()?).map_err(io::Error::other)?);
        let bytes = self.open().and_then(read).map_err(Error::io("read", &self.path))?;
        if bytes.len() as u64 != self.record.bytes || checksum(&bytes) != self.record.checksum {
            return Err(Error::Corrupt { path: self.path.clone() });
        }
        self.is_verified.store(true, Ordering::Relaxed);
        Ok(bytes)
    }

    /// Forgets that the file was verified.
    #[cfg(test)]
    pub(crate) fn forget_verification(&self) {
        self.is_verified.store(false, Ordering::Relaxed);
    }

    /// The file's rows.
    pub(crate) fn read_rows(&self) -> Result<Vec<RecordBatch>> {
        parquet::decode(self.read()?)
    }
}

pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}
