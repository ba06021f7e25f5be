//! The number of the last commit that was acknowledged, noted beside the journal.
//!
//! Damage of the newest pages of the journal looks like a commit that a crash cut short, and is passed over in the same
//! way: the commit before counts. This note tells the two apart. It is written after the commit is durable and is never
//! synced itself, so that it costs nothing: after a crash of the machine it may be older than the journal, which means
//! nothing, and it is never newer.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use twox_hash::XxHash3_64;

use crate::disk::{self, Disk, InPlaceFile};

const LENGTH: u64 = 16;

/// The file of the note, as it is written to.
#[derive(Debug)]
pub(super) struct CommitRecord {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Option<Box<dyn InPlaceFile>>,
}

impl CommitRecord {
    pub(super) fn beside(journal: &Path, disk: Arc<dyn Disk>) -> Self {
        Self { disk, path: path_beside(journal), file: None }
    }

    /// Notes that a commit is durable. A failure is of no consequence: the note is older then.
    pub(super) fn note(&mut self, commits: u64) {
        let file = match self.file.take() {
            Some(file) => file,
            None => {
                let Ok(file) = self.disk.open_in_place(&self.path) else { return };
                if !file.length().is_ok_and(|length| length == LENGTH) && file.set_length(LENGTH).is_err() {
                    return;
                }
                file
            }
        };
        let number = commits.to_le_bytes();
        let note = [number, XxHash3_64::oneshot(&number).to_le_bytes()].concat();
        if file.write_at(0, &note).is_ok() {
            self.file = Some(file);
        }
    }
}

/// The number of the last commit of `journal` that is known to be durable; `None` where that is not known.
pub(super) fn noted(disk: &dyn Disk, journal: &Path) -> Option<u64> {
    let bytes = disk::read(disk, &path_beside(journal)).ok()?;
    let (number, checksum) = bytes.split_first_chunk::<8>()?;
    (checksum == XxHash3_64::oneshot(number).to_le_bytes()).then(|| u64::from_le_bytes(*number))
}

fn path_beside(journal: &Path) -> PathBuf {
    journal.with_extension("commits")
}
