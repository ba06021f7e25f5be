//! The keys of rows that are in the archive alone.

use std::sync::Arc;

use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Weighter};

use super::bounded::bounded;
use super::file::ArchiveFile;
use super::parquet;
use crate::error::Result;
use crate::rows::keys::{Admission, KeyHash, KeyHasher, KeyIndex};

/// Keys of files in memory at a time: some 64 MB of them, and as many as the largest file has.
const MOST_KEYS: u64 = 2 << 20;

/// Files of which keys are in memory, about.
const FILES: usize = 64;

/// Finds keys in archive files whose rows are not in memory. A bloom filter rules most files out; of the others, the
/// keys are read, and kept as long as there is room.
#[derive(Debug)]
pub(crate) struct ArchivedKeys {
    hasher: KeyHasher,
    /// By number of the file.
    read: Cache<u64, Arc<KeyIndex>, ByKeys>,
}

/// Weighs the keys of a file by their number.
#[derive(Debug, Clone)]
struct ByKeys;

impl Weighter<u64, Arc<KeyIndex>> for ByKeys {
    fn weight(&self, _file: &u64, keys: &Arc<KeyIndex>) -> u64 {
        // Keys without weight would never be let go, and keys that weigh more than all the room would not be kept.
        (keys.len() as u64).clamp(1, MOST_KEYS)
    }
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
        let options = bounded(FILES, MOST_KEYS);
        let read = Cache::with_options(options, ByKeys, DefaultHashBuilder::default(), DefaultLifecycle::default());
        Self { hasher, read }
    }

    /// The rows whose keys are in `file`, each with an end time that is stored there: its own, where that is.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the file has changed since it was written, and others where it cannot be read.
    pub(crate) fn find(&self, file: &Arc<ArchiveFile>, sought: &[Sought<'_>]) -> Result<Vec<(usize, i64)>> {
        let number = file.record().number;
        let keys = match self.read.get(&number) {
            Some(keys) => keys,
            None => {
                file.verify()?;
                if !parquet::may_hold(file.open()?, sought.iter().map(|row| row.conversation))? {
                    return Ok(Vec::new());
                }
                let keys = self.read(file)?;
                self.read.insert(number, Arc::clone(&keys));
                keys
            }
        };
        let stored = |row: &Sought<'_>| match keys.ask(row.hash, row.end_time) {
            Admission::New => None,
            Admission::Duplicate => Some((row.row, row.end_time)),
            Admission::Conflict { stored_end_time } => Some((row.row, stored_end_time)),
        };
        Ok(sought.iter().filter_map(stored).collect())
    }

    /// Memory that the keys take.
    pub(crate) fn bytes(&self) -> usize {
        self.read.iter().map(|(_, keys)| keys.bytes()).sum()
    }

    fn read(&self, file: &Arc<ArchiveFile>) -> Result<Arc<KeyIndex>> {
        let mut keys = KeyIndex::new();
        let account = file.account().as_str();
        parquet::for_each_key(file.read()?, |conversation, index, end_time| {
            keys.insert(self.hasher.hash(account, conversation, index), end_time);
        })?;
        Ok(Arc::new(keys))
    }
}
