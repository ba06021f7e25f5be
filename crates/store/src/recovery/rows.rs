//! The rows of the journal and of hot files, put in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use parking_lot::Mutex;
use skillscope_segment::AccountId;

use crate::archive::file::ArchiveFile;
use crate::archive::parquet;
use crate::error::{Error, Result};
use crate::options::StoreOptions;
use crate::rows::keys::{KEY_BYTES, KeyColumns, KeyHash, KeyHasher, KeyIndex};
use crate::rows::run::{Cut, Run, cut, mergeable};
use crate::snapshot::Snapshot;

/// The rows of the journal and of hot files, as they are put in memory.
pub(super) struct RecoveredRows<'d> {
    pub(super) options: &'d StoreOptions,
    pub(super) hasher: KeyHasher,
    pub(super) keys: KeyIndex,
    pub(super) snapshot: Snapshot,
}

/// A file's rows, ready to be put in memory.
struct Loaded {
    file: Arc<ArchiveFile>,
    /// `None` where there was no room for them.
    rows: Option<Rows>,
}

struct Rows {
    cuts: Vec<Cut>,
    keys: Vec<(KeyHash, i64)>,
}

impl RecoveredRows<'_> {
    /// The rows of a damaged journal that no file has. The journal may have lost the commit that sealed an hour.
    pub(super) fn not_archived(
        &self,
        batches: Vec<RecordBatch>,
        files: &[Arc<ArchiveFile>],
    ) -> Result<Vec<RecordBatch>> {
        let mut hours = BTreeSet::new();
        for batch in &batches {
            hours.extend(cut(batch)?.into_iter().map(|cut| (cut.account, cut.hour)));
        }
        let mut archived = KeyIndex::new();
        for file in files {
            let account = file.account();
            if !file.record().hours().any(|hour| hours.contains(&(account.clone(), hour))) {
                continue;
            }
            let bytes = match file.read() {
                // The file will not count.
                Err(error) if error.is_of_lost_file() => continue,
                bytes => bytes?,
            };
            parquet::for_each_key(bytes, |conversation, index, end_time| {
                archived.insert(self.hasher.hash(account.as_str(), conversation, index), end_time);
            })?;
        }
        // The same entry may have been found twice, too.
        let mut is_new = |(account, conversation, index, end_time): (&str, &str, u32, i64)| {
            Some(archived.insert(self.hasher.hash(account, conversation, index), end_time))
        };
        let mut new = Vec::with_capacity(batches.len());
        for batch in &batches {
            let keep: BooleanArray = KeyColumns::new(batch)?.rows().map(&mut is_new).collect();
            new.push(filter_record_batch(batch, &keep)?);
        }
        Ok(new)
    }

    /// Takes the journal's rows in, all of which are in memory alone.
    pub(super) fn take_rows(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        let mut hours: BTreeMap<_, Vec<Arc<Run>>> = BTreeMap::new();
        for batch in &batches {
            let columns = KeyColumns::new(batch)?;
            for (account, conversation, index, end_time) in columns.rows() {
                self.keys.insert(self.hasher.hash(account, conversation, index), end_time);
            }
            for cut in cut(batch)? {
                hours.entry((cut.account, cut.hour)).or_default().push(Arc::new(cut.run));
            }
        }
        let mut cuts = Vec::with_capacity(hours.len());
        for ((account, hour), runs) in hours {
            for runs in mergeable(runs) {
                cuts.push(Cut { account: account.clone(), hour, run: Run::merged(&runs)? });
            }
        }
        // They are sealed at once: they have waited already.
        self.snapshot = self.snapshot.with_rows(&cuts, i64::MIN);
        Ok(())
    }

    /// Takes the files in, and the rows of hot hours too, as far as there is room. Gives the files that are corrupt,
    /// which do not count.
    pub(super) fn take_files(&mut self, mut files: Vec<Arc<ArchiveFile>>) -> Vec<Arc<ArchiveFile>> {
        // The latest hours first, since most questions are about them.
        files.sort_by_key(|file| std::cmp::Reverse((file.record().last_hour, file.record().number)));
        let (hot, cold): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| file.record().hours().any(|hour| self.options.is_hot(hour)));
        let mut accounts: BTreeMap<AccountId, Vec<Loaded>> = BTreeMap::new();
        let mut corrupt = Vec::new();
        for file in cold {
            accounts.entry(file.account().clone()).or_default().push(Loaded { file, rows: None });
        }
        for (file, loaded) in self.load(&hot) {
            let rows = match loaded {
                Ok(rows) => rows,
                Err(error @ Error::Corrupt { .. }) => {
                    tracing::error!(%error, file = %file.path().display(), "a file of the archive is corrupt");
                    corrupt.push(file);
                    continue;
                }
                // Also where its bytes are as they were written and no rows can be made of them: another version of
                // this program may be able to.
                Err(error) => {
                    tracing::error!(%error, file = %file.path().display(), "a file of the archive cannot be read now");
                    None
                }
            };
            accounts.entry(file.account().clone()).or_default().push(Loaded { file, rows });
        }
        for (account, files) in accounts {
            self.put(&account, files);
        }
        corrupt
    }

    fn put(&mut self, account: &AccountId, files: Vec<Loaded>) {
        let Self { keys, snapshot, .. } = self;
        *snapshot = snapshot.with(account, |segments| {
            for Loaded { file, rows } in files {
                let is_resident = rows.is_some();
                segments.files_mut().insert(file, is_resident);
                for cut in rows.iter().flat_map(|rows| &rows.cuts) {
                    segments.change(account, cut.hour, |partition| partition.with_sealed(cut.run.clone()));
                }
                for (hash, end_time) in rows.into_iter().flat_map(|rows| rows.keys) {
                    keys.insert(hash, end_time);
                }
            }
        });
    }

    /// Reads files on every processor, in their order.
    fn load(&self, files: &[Arc<ArchiveFile>]) -> Vec<(Arc<ArchiveFile>, Result<Option<Rows>>)> {
        let (next, used) = (AtomicUsize::new(0), AtomicU64::new(0));
        let loaded = Mutex::new(Vec::with_capacity(files.len()));
        let work = || {
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let rows = load(file, self.hasher, self.options.hot_bytes, &used);
                loaded.lock().push((Arc::clone(file), rows));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        loaded.into_inner()
    }
}

/// A file's rows; `None` where there is no room for them any more.
fn load(file: &Arc<ArchiveFile>, hasher: KeyHasher, room: u64, used: &AtomicU64) -> Result<Option<Rows>> {
    if used.load(Ordering::Relaxed) > room {
        return Ok(None);
    }
    let (mut cuts, mut keys) = (Vec::new(), Vec::with_capacity(usize::try_from(file.rows()).unwrap_or(0)));
    for batch in file.read_rows()? {
        let columns = KeyColumns::new(&batch)?;
        keys.extend(
            columns
                .rows()
                .map(|(account, conversation, index, end_time)| (hasher.hash(account, conversation, index), end_time)),
        );
        cuts.extend(cut(&batch)?);
    }
    let bytes = cuts.iter().map(|cut| cut.run.bytes + cut.run.rows() * KEY_BYTES).sum::<usize>() as u64;
    used.fetch_add(bytes, Ordering::Relaxed);
    Ok(Some(Rows { cuts, keys }))
}
