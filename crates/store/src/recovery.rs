//! What a start does with the data directory that the last process left, however it ended.
//!
//! | left behind | becomes |
//! | --- | --- |
//! | a file in `staging/` | removed: nothing of it was acknowledged |
//! | rows in the journal | rows in memory |
//! | a file of the list | rows in memory where its hours are hot, else read from disk when asked for |
//! | a retired file | removed: its rows are in another file, or have expired |
//! | a file under `archive/` that no list knows | set aside: its rows are in the journal still |
//! | a file or journal entry whose checksum is wrong | named and set aside; everything else counts |
//! | a journal that cannot be read through | what can be read counts, and the list is made anew from the files |

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;

use crate::archive_file::{self, ArchiveFile};
use crate::directory::DataDirectory;
use crate::disk;
use crate::file_record::FileRecord;
use crate::journal::{Change, Contents, Entry, Journal};
use crate::journal_entry::decode_rows;
use crate::keys::{KeyColumns, KeyHash, KeyHasher, KeyIndex};
use crate::run::{Cut, Run, cut, mergeable};
use crate::store::Writer;
use crate::{Error, Result, Snapshot, StoreOptions, parquet_file};

/// A state that equals the acknowledged writes.
pub(crate) struct Recovered {
    pub(crate) writer: Writer,
    pub(crate) snapshot: Snapshot,
}

/// Repairs what is there and reads it.
pub(crate) fn recover(directory: &DataDirectory, options: &StoreOptions, hasher: KeyHasher) -> Result<Recovered> {
    let (journal, mut contents) = Journal::open(Arc::clone(&options.disk), &directory.journal())?;
    let must_rewrite = contents.is_incomplete || !contents.damaged.is_empty();
    keep_damaged(directory, &mut contents)?;
    if !journal.is_sound() {
        let place = directory.set_aside(&directory.journal())?;
        tracing::error!(journal = %place.display(), "the damaged journal was set aside");
    }
    if contents.is_incomplete {
        list_anew(directory, options, &mut contents)?;
    }
    let gone = remove_retired(directory, options, &contents.retired);
    contents.retired.retain(|file| !gone.contains(&file.number));
    let missing = sort_out_files(directory, &mut contents)?;
    let files = archive_files(directory, options, &contents.files)?;

    let mut recovery = Recovery { directory, options, hasher, keys: KeyIndex::new(), snapshot: Snapshot::default() };
    let entries = std::mem::take(&mut contents.entries);
    let (rows, undecodable) = decode(entries);
    for (name, bytes) in &undecodable {
        let place = directory.keep_damaged(name, bytes)?;
        tracing::error!(entry = name, place = %place.display(), "a journal entry cannot be read and was set aside");
    }
    let rows = if contents.is_incomplete { recovery.not_archived(rows, &files)? } else { rows };
    recovery.take_rows(rows)?;
    let corrupt = recovery.take_files(files)?;
    let Recovery { keys, snapshot, .. } = recovery;

    let mut writer = Writer { keys, journal, missing, retired: contents.retired, doubtful: Vec::new() };
    if must_rewrite || !undecodable.is_empty() {
        let change = rewritten(&snapshot, &mut writer)?;
        writer.journal.replace(change)?;
    } else if !gone.is_empty() || !corrupt.is_empty() {
        writer.journal.commit(Change { gone: gone.into_iter().collect(), lost: corrupt, ..Change::default() })?;
    }
    Ok(Recovered { writer, snapshot })
}

/// What a journal holds that was read before it is opened for writing.
fn rewritten(snapshot: &Snapshot, writer: &mut Writer) -> Result<Change<'static>> {
    let mut change = Change::default();
    for partition in snapshot.all_partitions() {
        for run in partition.open() {
            let (account, hour) = (partition.account().clone(), partition.hour());
            let cut = Cut { account, hour, run: run.as_ref().clone() };
            change.entries.extend(crate::store::entries(&[cut], &mut writer.journal)?);
        }
    }
    change.added = snapshot.all_files().map(|file| file.record().clone()).chain(writer.missing.clone()).collect();
    change.retired = writer.retired.clone();
    Ok(change)
}

fn keep_damaged(directory: &DataDirectory, contents: &mut Contents) -> Result<()> {
    for (name, bytes) in std::mem::take(&mut contents.damaged) {
        let place = directory.keep_damaged(&format!("journal {name}"), &bytes)?;
        tracing::error!(%name, place = %place.display(), "this part of the journal is corrupt and was set aside");
    }
    Ok(())
}

/// Completes the list of files with what stands in the archive. A file whose rows another one has taken over does not
/// count.
fn list_anew(directory: &DataDirectory, options: &StoreOptions, contents: &mut Contents) -> Result<()> {
    let listed: BTreeSet<_> = contents.files.iter().map(|file| directory.path().join(file.path())).collect();
    let mut replaced = BTreeSet::new();
    for path in directory.archived_files()? {
        if listed.contains(&path) {
            continue;
        }
        match record_of(directory, options, &path) {
            Ok((record, replaces)) => {
                tracing::warn!(file = %path.display(), "a file of the archive was put back on the list");
                replaced.extend(replaces);
                contents.files.push(record);
            }
            Err(error) => tracing::error!(file = %path.display(), %error, "a file of the archive is none of segments"),
        }
    }
    contents.files.retain(|file| !replaced.contains(&file.number));
    Ok(())
}

/// What the list should say of a file, and which files it has replaced.
fn record_of(directory: &DataDirectory, options: &StoreOptions, path: &Path) -> Result<(FileRecord, Vec<u64>)> {
    let bytes = disk::read(options.disk.as_ref(), path).map_err(Error::io("read", path))?;
    let (length, checksum) = (bytes.len() as u64, archive_file::checksum(&bytes));
    let replaces = parquet_file::replaces(bytes.clone())?;
    let mut record = None;
    for batch in parquet_file::decode(bytes)? {
        for cut in cut(&batch)? {
            let record = record.get_or_insert_with(|| FileRecord::empty(number_of(path), &cut));
            record.add(&cut);
        }
    }
    let misplaced = || Error::Corrupt { path: path.to_owned() };
    let mut record = record.ok_or_else(misplaced)?;
    (record.bytes, record.checksum, record.written) = (length, checksum, options.clock.now());
    if directory.path().join(record.path()) == path { Ok((record, replaces)) } else { Err(misplaced()) }
}

/// The number in `HH-N.parquet` or `HH-HH-N.parquet`, 0 where the name is another.
fn number_of(path: &Path) -> u64 {
    let number = path.file_stem().and_then(|stem| stem.to_str()?.rsplit('-').next()?.parse().ok());
    number.unwrap_or(0)
}

/// Removes files whose rows do not count any more, and tells which of them are gone.
fn remove_retired(directory: &DataDirectory, options: &StoreOptions, retired: &[FileRecord]) -> BTreeSet<u64> {
    let mut gone = BTreeSet::new();
    for file in retired {
        let removed = ArchiveFile::new(file.clone(), directory.path(), Arc::clone(&options.disk))
            .and_then(|file| file.remove().map_err(Error::io("remove", file.path())));
        match removed {
            Ok(()) => {
                gone.insert(file.number);
            }
            Err(error) => tracing::error!(%error, "a file whose rows do not count any more is still there"),
        }
    }
    gone
}

/// Sets aside what no list knows, and takes off the list, for now, what is not there.
fn sort_out_files(directory: &DataDirectory, contents: &mut Contents) -> Result<Vec<FileRecord>> {
    let known = contents.files.iter().chain(&contents.retired);
    let known: BTreeSet<_> = known.map(|file| directory.path().join(file.path())).collect();
    let present: BTreeSet<_> = directory.archived_files()?.into_iter().collect();
    for path in present.difference(&known) {
        let place = directory.set_aside(path)?;
        tracing::warn!(file = %path.display(), place = %place.display(), "a file that no list knows was set aside");
    }
    let (there, missing) = std::mem::take(&mut contents.files)
        .into_iter()
        .partition(|file| present.contains(&directory.path().join(file.path())));
    contents.files = there;
    for file in &missing {
        let file: &FileRecord = file;
        tracing::error!(file = %file.path().display(), rows = file.rows, "a file of the archive is missing");
    }
    Ok(missing)
}

fn archive_files(
    directory: &DataDirectory,
    options: &StoreOptions,
    records: &[FileRecord],
) -> Result<Vec<Arc<ArchiveFile>>> {
    let file = |record: &FileRecord| {
        Ok(Arc::new(ArchiveFile::new(record.clone(), directory.path(), Arc::clone(&options.disk))?))
    };
    records.iter().map(file).collect()
}

/// The rows of the entries, and the entries of which no rows can be made.
fn decode(entries: Vec<Entry>) -> (Vec<RecordBatch>, Vec<(String, Vec<u8>)>) {
    let (mut rows, mut undecodable) = (Vec::new(), Vec::new());
    for entry in entries {
        match decode_rows(&entry.rows) {
            Ok(batches) => rows.extend(batches),
            Err(_) => undecodable.push((format!("journal entry {} of {}", entry.number, entry.account), entry.rows)),
        }
    }
    (rows, undecodable)
}

struct Recovery<'d> {
    directory: &'d DataDirectory,
    options: &'d StoreOptions,
    hasher: KeyHasher,
    keys: KeyIndex,
    snapshot: Snapshot,
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

impl Recovery<'_> {
    /// Those rows of a damaged journal that no file has: it may not have told that an hour was sealed.
    fn not_archived(&self, batches: Vec<RecordBatch>, files: &[Arc<ArchiveFile>]) -> Result<Vec<RecordBatch>> {
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
            // One that cannot be read has no rows that would count twice.
            let Ok(bytes) = file.read() else { continue };
            parquet_file::for_each_key(bytes, |conversation, index, end_time| {
                archived.admit(self.hasher.hash(account.as_str(), conversation, index), end_time);
            })?;
        }
        let is_new = |(account, conversation, index, _): (&str, &str, u32, i64)| {
            Some(archived.end_time(self.hasher.hash(account, conversation, index)).is_none())
        };
        let mut new = Vec::with_capacity(batches.len());
        for batch in &batches {
            let keep: BooleanArray = KeyColumns::new(batch)?.rows().map(is_new).collect();
            new.push(filter_record_batch(batch, &keep)?);
        }
        Ok(new)
    }

    /// Takes the journal's rows in, all of which are in memory alone.
    fn take_rows(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
        let mut hours: BTreeMap<_, Vec<Arc<Run>>> = BTreeMap::new();
        for batch in &batches {
            let columns = KeyColumns::new(batch)?;
            for (account, conversation, index, end_time) in columns.rows() {
                self.keys.admit(self.hasher.hash(account, conversation, index), end_time);
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
        // They have waited already.
        self.snapshot = self.snapshot.with_rows(&cuts, i64::MIN);
        Ok(())
    }

    /// Takes the files in: those of hot hours with their rows, as far as there is room. Gives the numbers of those that
    /// are corrupt, which are set aside.
    fn take_files(&mut self, mut files: Vec<Arc<ArchiveFile>>) -> Result<Vec<u64>> {
        // The latest hours first: they are asked for most.
        files.sort_by_key(|file| std::cmp::Reverse((file.record().last_hour, file.record().number)));
        let (hot, cold): (Vec<_>, Vec<_>) =
            files.into_iter().partition(|file| file.record().hours().any(|hour| self.options.is_hot(hour)));
        for file in cold {
            self.put(file, None);
        }
        let mut corrupt = Vec::new();
        for (file, loaded) in self.load(&hot) {
            match loaded {
                Ok(loaded) => self.put(loaded.file, loaded.rows),
                Err(error @ (Error::Corrupt { .. } | Error::Parquet(_) | Error::Arrow(_) | Error::Segment(_))) => {
                    let place = self.directory.set_aside(&self.directory.path().join(file.path()))?;
                    tracing::error!(%error, place = %place.display(), rows = file.rows(), "a corrupt file was set aside");
                    corrupt.push(file.record().number);
                }
                Err(error) => {
                    tracing::error!(%error, "a file of the archive cannot be read now");
                    self.put(file, None);
                }
            }
        }
        Ok(corrupt)
    }

    fn put(&mut self, file: Arc<ArchiveFile>, rows: Option<Rows>) {
        let is_resident = rows.is_some();
        let account = file.account().clone();
        self.snapshot = self.snapshot.with(&account, |segments| {
            for cut in rows.iter().flat_map(|rows| &rows.cuts) {
                segments.change(&account, cut.hour, |partition| partition.with_sealed(cut.run.clone()));
            }
            segments.files_mut().insert(file, is_resident);
        });
        for (hash, end_time) in rows.into_iter().flat_map(|rows| rows.keys) {
            self.keys.admit(hash, end_time);
        }
    }

    /// Reads files on every processor, in their order.
    fn load(&self, files: &[Arc<ArchiveFile>]) -> Vec<(Arc<ArchiveFile>, Result<Loaded>)> {
        let (next, used) = (AtomicUsize::new(0), AtomicU64::new(0));
        let loaded = Mutex::new(Vec::with_capacity(files.len()));
        let work = || {
            while let Some(file) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                let rows = load(file, self.hasher, self.options.hot_bytes, &used);
                let result = rows.map(|rows| Loaded { file: Arc::clone(file), rows });
                loaded.lock().unwrap_or_else(PoisonError::into_inner).push((Arc::clone(file), result));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
                scope.spawn(work);
            }
        });
        loaded.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A file's rows; `None` where there is no room for them any more.
fn load(file: &ArchiveFile, hasher: KeyHasher, room: u64, used: &AtomicU64) -> Result<Option<Rows>> {
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
    let bytes =
        cuts.iter().map(|cut| cut.run.bytes + cut.run.rows() * crate::eviction::KEY_BYTES).sum::<usize>() as u64;
    used.fetch_add(bytes, Ordering::Relaxed);
    Ok(Some(Rows { cuts, keys }))
}
