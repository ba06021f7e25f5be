use std::sync::{Arc, Mutex, PoisonError};

use super::parquet;
use crate::rows::keys::{Admission, KeyHash, KeyHasher, KeyIndex};
use crate::{ArchiveFile, Error, Result};

/// Keys of files in memory at a time: some 64 MB of them.
const MOST_KEYS: usize = 2 << 20;

/// Finds keys in archive files whose rows are not in memory. A bloom filter rules most files out; of the others, the
/// keys are read, and kept as long as there is room.
#[derive(Debug)]
pub(crate) struct ArchivedKeys {
    hasher: KeyHasher,
    /// By number of the file, those used last at the end.
    read: Mutex<Vec<(u64, Arc<KeyIndex>)>>,
}

/// A row whose key is sought.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sought<'c> {
    pub(crate) row: usize,
    pub(crate) conversation: &'c str,
    pub(crate) hash: KeyHash,
    pub(crate) end_time: i64,
}

impl ArchivedKeys {
    pub(crate) fn new(hasher: KeyHasher) -> Self {
        Self { hasher, read: Mutex::default() }
    }

    /// The rows whose keys are in `file`, each with an end time that is stored there: its own, where that is.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the file is not what was written, and others where it cannot be read.
    pub(crate) fn find(&self, file: &ArchiveFile, sought: &[Sought<'_>]) -> Result<Vec<(usize, i64)>> {
        let keys = match self.kept(file) {
            Some(keys) => keys,
            None => {
                file.verify()?;
                let open = file.open().map_err(Error::io("open", file.path()))?;
                if !parquet::may_hold(open, sought.iter().map(|row| row.conversation))? {
                    return Ok(Vec::new());
                }
                self.read(file)?
            }
        };
        let stored = |row: &Sought<'_>| match keys.ask(row.hash, row.end_time) {
            Admission::New => None,
            Admission::Duplicate => Some((row.row, row.end_time)),
            Admission::Conflict { stored_end_time } => Some((row.row, stored_end_time)),
        };
        Ok(sought.iter().filter_map(stored).collect())
    }

    fn kept(&self, file: &ArchiveFile) -> Option<Arc<KeyIndex>> {
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let place = read.iter().position(|(number, _)| *number == file.record().number)?;
        let used = read.remove(place);
        let keys = Arc::clone(&used.1);
        read.push(used);
        Some(keys)
    }

    fn read(&self, file: &ArchiveFile) -> Result<Arc<KeyIndex>> {
        let mut keys = KeyIndex::new();
        let account = file.account().as_str();
        parquet::for_each_key(file.read()?, |conversation, index, end_time| {
            keys.insert(self.hasher.hash(account, conversation, index), end_time);
        })?;
        let keys = Arc::new(keys);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.push((file.record().number, Arc::clone(&keys)));
        let mut room = MOST_KEYS;
        let from_last = read.iter().rev().take_while(|(_, keys)| {
            let fits = room >= keys.len();
            room = room.saturating_sub(keys.len());
            fits
        });
        // The one just read stays, however large it is.
        let kept = from_last.count().max(1);
        let end = read.len() - kept;
        read.drain(..end);
        Ok(keys)
    }
}
