//! How a start repairs the data directory that the last process left, however it ended.
//!
//! | left behind | becomes |
//! | --- | --- |
//! | a file in `staging/` | removed: nothing of it was acknowledged |
//! | rows in the journal | rows in memory |
//! | conversations in the journal | followed on from where they were |
//! | a file of the list | rows in memory where its hours are hot, else read from disk when asked for |
//! | a retired file | removed: its rows are in another file, or have expired |
//! | a file under `archive/` that no list knows | set aside: its rows are in the journal or in other files |
//! | a file of the list that is not there | off the list, and named |
//! | a file or journal entry whose checksum is wrong | named and set aside; everything else counts |
//! | a journal that cannot be read through | all that can be found in it counts, and the list is made anew from the files |
//!
//! At the end the journal is written anew: the last process may not have synced all of its pages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arrow::array::{BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use parking_lot::Mutex;
use skillscope_segment::{AccountId, Segmenter};

use crate::archive::file::{ArchiveFile, checksum};
use crate::archive::parquet;
use crate::disk;
use crate::disk::directory::DataDirectory;
use crate::error::{Error, Result};
use crate::journal::Journal;
use crate::journal::change::Entry;
use crate::journal::contents::Contents;
use crate::journal::file_record::FileRecord;
use crate::journal::value::decode_rows;
use crate::options::StoreOptions;
use crate::rows::keys::{KEY_BYTES, KeyColumns, KeyHash, KeyHasher, KeyIndex};
use crate::rows::run::{Cut, Run, cut, mergeable};
use crate::snapshot::Snapshot;
use crate::writer::{Recovered, Writer};

/// Repairs what is there and reads it.
pub(crate) fn recover(directory: &Arc<DataDirectory>, options: &StoreOptions, hasher: KeyHasher) -> Result<Writer> {
    let path = directory.journal();
    let (mut journal, mut contents) = Journal::open(Arc::clone(&options.disk), &path)?;
    let archived = directory.archived_files()?;
    // Without a journal there is no list of files either: it is made anew.
    contents.is_incomplete |= contents.is_missing && !archived.is_empty();
    keep_damaged(directory, &mut contents)?;
    for file in archived.iter().chain(&directory.quarantined_files()?) {
        journal.pass_over_file(number_of(file));
    }
    if contents.is_incomplete {
        list_anew(directory, options, &mut contents)?;
    } else if archived.is_empty() && contents.files.len() >= MANY_FILES {
        return Err(Error::ArchiveIsEmpty { path: directory.archive(), files: contents.files.len() });
    }
    sort_out_files(directory, &mut contents)?;
    let files = archive_files(directory, &contents.files)?;

    let segmenter = segmenter(options, &mut contents)?;
    let mut recovery = Recovery { options, hasher, keys: KeyIndex::new(), snapshot: Snapshot::default() };
    let rows = decode(directory, std::mem::take(&mut contents.entries))?;
    let rows = if contents.is_incomplete { recovery.not_archived(rows, &files)? } else { rows };
    recovery.take_rows(rows)?;
    let corrupt = recovery.take_files(files);
    let Recovery { keys, snapshot, .. } = recovery;

    let retired = archive_files(directory, &contents.retired)?;
    let recovered = Recovered { snapshot, keys, journal, segmenter, retired };
    let mut writer = Writer::new(Arc::clone(directory), options.clock.clone(), hasher, recovered);
    match writer.write_journal_anew() {
        // Retired files are removed by the first clean-up: now it is certain that they are retired.
        Ok(()) => set_corrupt_aside(directory, &corrupt)?,
        // Everything can be read; the next write tries again.
        Err(error) => tracing::error!(%error, "the journal could not be written anew"),
    }
    Ok(writer)
}

/// No file of ours has such a number, even after a million a second for ten thousand years.
const MOST_FILES: u64 = 1 << 58;

/// Of so many files on the list, some should be in the archive.
const MANY_FILES: usize = 10;

fn keep_damaged(directory: &DataDirectory, contents: &mut Contents) -> Result<()> {
    for (name, bytes) in std::mem::take(&mut contents.damaged) {
        let place = directory.keep_damaged(&format!("journal {name}"), &bytes)?;
        tracing::error!(%name, place = %place.display(), "this part of the journal is corrupt and was set aside");
    }
    if let Some(bytes) = contents.whole_file.take() {
        let place = directory.keep_damaged("journal.redb", &bytes)?;
        tracing::error!(place = %place.display(), "the damaged journal was kept");
    }
    Ok(())
}

/// Completes the list with the files in the archive. A file whose rows another one has taken over does not count.
fn list_anew(directory: &DataDirectory, options: &StoreOptions, contents: &mut Contents) -> Result<()> {
    let path_of = |file: &FileRecord| directory.path().join(file.path());
    let listed: BTreeSet<_> = contents.files.iter().map(path_of).collect();
    let retired: BTreeSet<_> = contents.retired.iter().map(path_of).collect();
    let mut replaced = BTreeSet::new();
    for path in directory.archived_files()?.into_iter().filter(|path| !retired.contains(path)) {
        match record_of(directory, options, &path) {
            Ok((record, replaces)) => {
                replaced.extend(replaces);
                if !listed.contains(&path) {
                    tracing::warn!(file = %path.display(), "a file of the archive was put back on the list");
                    contents.files.push(record);
                }
            }
            Err(error @ Error::Io { .. }) => return Err(error),
            Err(error) => tracing::error!(file = %path.display(), %error, "a file of the archive is none of segments"),
        }
    }
    contents.files.retain(|file| !replaced.contains(&file.number));
    Ok(())
}

/// The line for a file that the list lacks, and the numbers of the files that it has replaced.
fn record_of(directory: &DataDirectory, options: &StoreOptions, path: &Path) -> Result<(FileRecord, Vec<u64>)> {
    let bytes = disk::read(options.disk.as_ref(), path).map_err(Error::io("read", path))?;
    let (length, checksum) = (bytes.len() as u64, checksum(&bytes));
    let replaces = parquet::replaces(bytes.clone())?;
    let mut record = None;
    for batch in parquet::decode(bytes)? {
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

/// The number in `HH-N.parquet` or `HH-HH-N.parquet`, also where more follows it; 0 where the name has another form.
fn number_of(path: &Path) -> u64 {
    let behind = path.file_name().and_then(|name| name.to_str()?.split('.').next()?.rsplit('-').next()?.parse().ok());
    behind.filter(|number| *number < MOST_FILES).unwrap_or(0)
}

fn set_corrupt_aside(directory: &DataDirectory, files: &[Arc<ArchiveFile>]) -> Result<()> {
    for file in files {
        let place = directory.set_aside(&directory.path().join(file.path()))?;
        tracing::error!(place = %place.display(), rows = file.rows(), "a corrupt file was set aside");
    }
    Ok(())
}

/// Sets aside files that are on no list, and takes files off the list that are missing. A missing file that comes back
/// later is set aside then: its rows may have been delivered again meanwhile. Importing it adds the rows that were not.
fn sort_out_files(directory: &DataDirectory, contents: &mut Contents) -> Result<()> {
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
        tracing::error!(file = %file.path().display(), rows = file.rows, "a file of the archive is missing; if it is found, import it");
    }
    Ok(())
}

fn archive_files(directory: &DataDirectory, records: &[FileRecord]) -> Result<Vec<Arc<ArchiveFile>>> {
    records.iter().map(|record| Ok(Arc::new(ArchiveFile::new(record.clone(), directory)?))).collect()
}

/// The rows of the entries. One of which no rows can be made is set aside.
fn decode(directory: &DataDirectory, entries: Vec<Entry>) -> Result<Vec<RecordBatch>> {
    let mut rows = Vec::new();
    for entry in entries {
        match decode_rows(&entry.rows) {
            Ok(batches) => rows.extend(batches),
            Err(error) => {
                let place = directory.keep_damaged(&format!("journal entry {}", entry.number), &entry.rows)?;
                tracing::error!(%error, place = %place.display(), "an entry of the journal was set aside");
            }
        }
    }
    Ok(rows)
}

/// The conversations of the journal.
fn segmenter(options: &StoreOptions, contents: &mut Contents) -> Result<Segmenter> {
    let mut segmenter = Segmenter::new(options.event_wait_ms);
    let now = options.clock.now();
    for (account, watermark) in &contents.watermarks {
        segmenter.restore_watermark(account, *watermark, now)?;
    }
    for (_, record) in std::mem::take(&mut contents.conversations) {
        segmenter.restore(&record.account, &record.conversation, record.state, now)?;
    }
    segmenter.finish_restoring();
    Ok(segmenter)
}

struct Recovery<'d> {
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
    /// The rows of a damaged journal that no file has. The journal may have lost the commit that sealed an hour.
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
    fn take_rows(&mut self, batches: Vec<RecordBatch>) -> Result<()> {
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
    fn take_files(&mut self, mut files: Vec<Arc<ArchiveFile>>) -> Vec<Arc<ArchiveFile>> {
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
                Err(error @ (Error::Corrupt { .. } | Error::Parquet(_) | Error::Arrow(_) | Error::Segment(_))) => {
                    tracing::error!(%error, file = %file.path().display(), "a file of the archive is corrupt");
                    corrupt.push(file);
                    continue;
                }
                Err(error) => {
                    tracing::error!(%error, "a file of the archive cannot be read now");
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
    let bytes = cuts.iter().map(|cut| cut.run.bytes + cut.run.rows() * KEY_BYTES).sum::<usize>() as u64;
    used.fetch_add(bytes, Ordering::Relaxed);
    Ok(Some(Rows { cuts, keys }))
}
