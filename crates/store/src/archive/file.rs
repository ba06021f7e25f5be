//! The handle to one file of the archive.

use std::fmt;
use std::io;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::Mutex;
use skillscope_segment::AccountId;
use twox_hash::XxHash3_64;

use crate::disk::directory::DataDirectory;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, Result};
use crate::journal::file_record::FileRecord;
use crate::journal::verified::{BlockChecksums, Verified};

/// A Parquet file of the archive, whose rows count as long as a snapshot has it.
#[derive(Debug)]
pub struct ArchiveFile {
    record: FileRecord,
    account: AccountId,
    path: PathBuf,
    disk: Arc<dyn Disk>,
    /// The file itself, kept open once it is removed from disk, for readers that still hold this value.
    removed: Mutex<Option<Arc<dyn DiskFile>>>,
    /// The checksums of its blocks, and when it was compared with its own: as noted in the journal, or later.
    verified: Mutex<Option<Verified>>,
    /// Set when it was compared with its checksum since it was opened, and no read of it differed since.
    is_verified: AtomicBool,
    /// Set when a read of it differed, or it was gone: it is compared with its checksum at once.
    is_suspect: AtomicBool,
    /// It is not looked at unasked before this time, in milliseconds since the epoch.
    put_off: AtomicI64,
    is_compacting: AtomicBool,
    /// Set when merging it failed; it is not tried again until the next start.
    is_left_alone: AtomicBool,
    /// Set when it has left the list because its rows are lost.
    is_given_up: AtomicBool,
    /// Set when it is about to leave the list because its rows are too old: when that was found.
    expired: Mutex<Option<i64>>,
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
            verified: Mutex::new(record.verified.clone()),
            expired: Mutex::new(record.expired),
            record,
            disk: Arc::clone(directory.disk()),
            removed: Mutex::new(None),
            is_verified: AtomicBool::new(false),
            is_suspect: AtomicBool::new(false),
            put_off: AtomicI64::new(i64::MIN),
            is_compacting: AtomicBool::new(false),
            is_left_alone: AtomicBool::new(false),
            is_given_up: AtomicBool::new(false),
        })
    }

    pub(crate) fn record(&self) -> &FileRecord {
        &self.record
    }

    /// The record with all that is known of the file's bytes now.
    pub(crate) fn listed(&self) -> FileRecord {
        FileRecord { verified: self.verified(), ..self.record.clone() }
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

    /// Whether it has the column `arrival_time`, which files of older programs lack.
    pub fn has_arrival_time(&self) -> bool {
        self.record.has_arrival_time
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

    /// When it was found that its rows are too old.
    pub(crate) fn expired(&self) -> Option<i64> {
        *self.expired.lock()
    }

    pub(crate) fn set_expired(&self, since: Option<i64>) {
        *self.expired.lock() = since;
    }

    /// The record of the file once it has left the list.
    pub(crate) fn retired_record(&self) -> FileRecord {
        FileRecord { expired: self.expired(), ..self.record.clone() }
    }

    /// Opens the file, even where it has been removed since the snapshot of this value was taken.
    pub(super) fn open_unverified(&self) -> Result<Arc<dyn DiskFile>> {
        let removed = self.removed.lock();
        match &*removed {
            Some(file) => Ok(Arc::clone(file)),
            None => self.disk.open(&self.path).map_err(|error| {
                if error.kind() == io::ErrorKind::NotFound {
                    self.suspect();
                }
                Error::io("open", &self.path)(error)
            }),
        }
    }

    /// Removes the file from disk. It can still be read through this value. Gives the folder to sync afterwards; where
    /// the folder is gone, too, the nearest one above it.
    pub(crate) fn remove(&self) -> io::Result<PathBuf> {
        self.leave(|| self.disk.remove(&self.path))
    }

    /// Moves the file to `place`, out of the archive. Else it is as with [`remove`](Self::remove).
    pub(crate) fn move_to(&self, place: &Path) -> io::Result<PathBuf> {
        self.leave(|| self.disk.rename(&self.path, place))
    }

    fn leave(&self, how: impl FnOnce() -> io::Result<()>) -> io::Result<PathBuf> {
        let folder = self.path.parent().unwrap_or(&self.path);
        let mut removed = self.removed.lock();
        match self.disk.open(&self.path) {
            Ok(file) => *removed = Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(folder.to_owned()),
            Err(error) => return Err(error),
        }
        how()?;
        // The folders of a day and of an account go with their last file.
        for folder in folder.ancestors().take(2) {
            if self.disk.remove_empty_folder(folder).is_err() {
                break;
            }
        }
        Ok(folder.to_owned())
    }

    pub(crate) fn verified(&self) -> Option<Verified> {
        self.verified.lock().clone()
    }

    /// Notes that the whole file was compared with its checksum, and was as it should be.
    pub(super) fn set_whole(&self, blocks: BlockChecksums) {
        let mut verified = self.verified.lock();
        let at = verified.as_ref().map_or(i64::MIN, |verified| verified.at);
        *verified = Some(Verified { at, blocks });
        self.set_verified();
    }

    /// Notes that all blocks were as they should be.
    pub(super) fn set_verified(&self) {
        self.is_suspect.store(false, Ordering::Relaxed);
        self.is_verified.store(true, Ordering::Relaxed);
    }

    /// Notes when the file was compared with its checksum.
    pub(crate) fn set_verified_at(&self, at: i64) {
        if let Some(verified) = &mut *self.verified.lock() {
            verified.at = at;
        }
    }

    /// Notes that a read of it differed, or that it is gone.
    pub(super) fn suspect(&self) {
        self.is_verified.store(false, Ordering::Relaxed);
        self.is_suspect.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_suspect(&self) -> bool {
        self.is_suspect.load(Ordering::Relaxed) && !self.is_given_up()
    }

    pub(super) fn is_verified(&self) -> bool {
        self.is_verified.load(Ordering::Relaxed)
    }

    /// Lets the file be for a while, since it cannot be read now.
    pub(crate) fn put_off(&self, until: i64) {
        self.put_off.store(until, Ordering::Relaxed);
    }

    pub(crate) fn is_put_off(&self, now: i64) -> bool {
        now < self.put_off.load(Ordering::Relaxed)
    }

    /// What is to be said of a file whose bytes differ, from some on up to others.
    pub(super) fn corrupt(&self, bytes: Option<Range<u64>>) -> Error {
        Error::Corrupt { path: self.path.clone(), bytes }
    }

    /// Forgets that the file was verified.
    #[cfg(test)]
    pub(crate) fn forget_verification(&self) {
        self.is_verified.store(false, Ordering::Relaxed);
    }
}

pub(crate) fn checksum(bytes: &[u8]) -> u64 {
    XxHash3_64::oneshot(bytes)
}
