//! What is looked after beside the rows: whether the disk takes writes, what time it is, and what has been kept long
//! enough for somebody to look into it.

use super::retention::remove_expired;
use crate::error::{Error, Result};
use crate::shared::Shared;
use crate::store::Store;

/// After a failure, a disk that takes so many bytes is well again.
const TRIAL_BYTES: usize = 1 << 20;

impl Store {
    /// Whether the disk takes writes, as far as the last ones tell. Once it does not, only
    /// [`watch`](Self::watch) finds that it does again.
    pub fn accepts_writes(&self) -> bool {
        self.shared().health().takes_writes()
    }

    /// Looks whether the disk takes writes, records what time it is, and removes the files that expired more than a
    /// day ago, and those of events without effect that are too old. Imports do not: they may be reading these files.
    ///
    /// # Errors
    /// Where a file cannot be removed, or the disk takes no writes.
    pub fn watch(&self) -> Result<()> {
        let shared = self.shared();
        match try_disk(shared) {
            Ok(()) => shared.health().note_success(),
            Err(error) => {
                shared.health().note_failure(&error);
                return Err(error);
            }
        }
        let letters = self.appends().expire_dead_letters(shared.time().now());
        if let Err(error) = shared.directory().count_quarantined() {
            tracing::debug!(%error, "it is not known how many files were set aside");
        }
        remove_expired(shared).and(letters)
    }
}

/// Writes something small or, after a failure, as much as a write may take.
fn try_disk(shared: &Shared) -> Result<()> {
    shared.directory().record_time(shared.time().now())?;
    if !shared.health().takes_writes() {
        shared.writer().make_sound()?;
        shared.directory().try_to_write(TRIAL_BYTES)?;
    }
    Ok(())
}

/// Notes a failure of maintenance that says something about the disk as a whole: it is full or lets nobody write, or
/// the journal could not be written.
pub(super) fn note_failure(shared: &Shared, error: &Error) {
    if error.is_of_full_disk() || !shared.writer().is_sound() {
        shared.health().note_failure(error);
    }
}
