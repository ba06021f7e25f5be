use std::fmt;
use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use bytes::Bytes;
use skillscope_segment::AccountId;
use twox_hash::XxHash3_64;

use super::parquet;
use crate::archive::totals::KeptTotals;
use crate::disk::{self, Disk, DiskFile};
use crate::journal::file_record::FileRecord;
use crate::{Error, Result};

/// A Parquet file of the archive, whose rows count as long as a snapshot has it.
#[derive(Debug)]
pub struct ArchiveFile {
    record: FileRecord,
    account: AccountId,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    /// Kept open once the file is removed, for those who still read it.
    removed: Mutex<Option<Arc<dyn DiskFile>>>,
    is_verified: AtomicBool,
    is_compacting: AtomicBool,
    /// Set when it was tried in vain, until the next start.
    is_left_alone: AtomicBool,
    /// Set when it has left the list because its rows are lost.
    is_given_up: AtomicBool,
    totals: KeptTotals,
}

/// What is being done with a file.
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
    pub(crate) fn new(record: FileRecord, root: &Path, disk: Arc<dyn Disk>) -> Result<Self> {
        Ok(Self {
            account: record.account()?,
            path: root.join(record.path()),
            record,
            disk,
            removed: Mutex::new(None),
            is_verified: AtomicBool::new(false),
            is_compacting: AtomicBool::new(false),
            is_left_alone: AtomicBool::new(false),
            is_given_up: AtomicBool::new(false),
            totals: KeptTotals::default(),
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

    /// What is being done with the file.
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

    pub(crate) fn kept_totals(&self) -> &KeptTotals {
        &self.totals
    }

    pub(crate) fn is_given_up(&self) -> bool {
        self.is_given_up.load(Ordering::Relaxed)
    }

    pub(crate) fn set_given_up(&self) {
        self.is_given_up.store(true, Ordering::Relaxed);
    }

    /// Opens the file, also if it has been removed since this value was had from a snapshot.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(&self) -> io::Result<Arc<dyn DiskFile>> {
        let removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        match &*removed {
            Some(file) => Ok(Arc::clone(file)),
            None => self.disk.open(&self.path),
        }
    }

    /// Removes the file from disk, and gives the folder that is to be synced, or the nearest one above it. Those who have
    /// this value can still read the file.
    pub(crate) fn remove(&self) -> io::Result<PathBuf> {
        let folder = self.path.parent().unwrap_or(&self.path);
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
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

    /// As if it had not been read yet.
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

/// Writes a file anew from a run, and records it. It is complete, durable and has been read back before it appears in
/// the archive.
pub(crate) fn write(
    disk: &dyn Disk,
    root: &Path,
    batch: &RecordBatch,
    replaces: &[u64],
    mut record: FileRecord,
) -> Result<FileRecord> {
    let bytes = parquet::encode(batch, replaces)?;
    (record.bytes, record.checksum) = (bytes.len() as u64, checksum(&bytes));
    let staged = root.join("staging").join(format!("{}.parquet", record.number));
    let placed = root.join(record.path());
    let written =
        write_and_verify(disk, &staged, &bytes, record.checksum).and_then(|()| place(disk, root, &staged, &placed));
    if written.is_err() {
        // Where this fails too, the next start does it.
        let _ = disk.remove(&staged);
    }
    written.map(|()| record)
}

fn write_and_verify(disk: &dyn Disk, path: &Path, bytes: &[u8], expected: u64) -> Result<()> {
    disk.write(path, bytes).map_err(Error::io("write", path))?;
    disk.sync(path).map_err(Error::io("sync", path))?;
    let back = disk::read(disk, path).map_err(Error::io("read back", path))?;
    if checksum(&back) == expected { Ok(()) } else { Err(Error::Corrupt { path: path.to_owned() }) }
}

/// Moves a finished file to its place in the archive, and makes the move itself durable.
fn place(disk: &dyn Disk, root: &Path, from: &Path, to: &Path) -> Result<()> {
    let Some(folder) = to.parent() else { return Ok(()) };
    disk.create_folder(folder).map_err(Error::io("create", folder))?;
    disk.rename(from, to).map_err(Error::io("move into place", to))?;
    // The folder's own entry may be new as well, up to the archive.
    for folder in folder.ancestors().take_while(|folder| *folder != root) {
        disk.sync_folder(folder).map_err(Error::io("sync", folder))?;
    }
    Ok(())
}
