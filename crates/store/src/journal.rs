use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use redb::{Builder, Database, ReadableTable, StorageBackend, TableDefinition, WriteTransaction};

use crate::disk::{self, Disk, DiskFile, InPlaceFile};
use crate::file_record::FileRecord;
use crate::journal_entry::{all_values, framed, unframed};
use crate::{Error, Result};

/// Rows that no archive file has yet: account, hour of `end_time`, number of the entry → rows.
const ENTRIES: TableDefinition<(&str, i64, u64), &[u8]> = TableDefinition::new("entries");

/// The archive files whose rows count: number → [`FileRecord`].
const FILES: TableDefinition<u64, &[u8]> = TableDefinition::new("files");

/// Files whose rows do not count any more, and which may still be on disk: number → [`FileRecord`].
const RETIRED: TableDefinition<u64, &[u8]> = TableDefinition::new("retired");

/// Named numbers.
const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");

const NEXT_FILE: &str = "next file";

/// Names of entries begin with this.
const ENTRY: &str = "entry ";

/// Memory for pages that are read or written.
const CACHE_BYTES: usize = 32 << 20;

/// The rows that are not archived yet and the list of archive files, in one redb database, so that both change together
/// or not at all. A commit is durable when it returns.
#[derive(Debug)]
pub(crate) struct Journal {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// `None` after a failure: what the file holds then is not known for certain, so that it is written to no more.
    database: Option<Database>,
    next_entry: u64,
    next_file: u64,
}

/// The rows of one entry, encoded.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) account: String,
    pub(crate) hour: i64,
    pub(crate) number: u64,
    pub(crate) rows: Vec<u8>,
}

/// What one commit changes.
#[derive(Debug, Default)]
pub(crate) struct Change<'a> {
    pub(crate) entries: Vec<Entry>,
    /// The entries of an account and hour with numbers below the last one leave the journal.
    pub(crate) sealed: Option<(&'a str, i64, u64)>,
    /// Files that join the list.
    pub(crate) added: Vec<FileRecord>,
    /// Files that leave the list, and are known as retired from then on.
    pub(crate) retired: Vec<FileRecord>,
    /// Retired files that are not on disk any more.
    pub(crate) gone: Vec<u64>,
    /// Files that leave the list because they are corrupt or gone.
    pub(crate) lost: Vec<u64>,
    /// Whether this is all that the journal holds.
    pub(crate) is_whole: bool,
}

/// Everything that a journal holds.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    pub(crate) entries: Vec<Entry>,
    pub(crate) files: Vec<FileRecord>,
    pub(crate) retired: Vec<FileRecord>,
    /// What could not be read, by name, with the bytes that stand there.
    pub(crate) damaged: Vec<(String, Vec<u8>)>,
    /// Whether there was no journal at all.
    pub(crate) is_missing: bool,
    /// Whether something may be missing of which not even the name is known.
    pub(crate) is_incomplete: bool,
    /// The number for the next file.
    pub(crate) next_file: u64,
    /// All of the file, where it is damaged.
    pub(crate) whole_file: Option<Bytes>,
}

impl Entry {
    /// An entry of which only the rows are known.
    fn found(rows: &[u8]) -> Self {
        Self { account: String::new(), hour: 0, number: 0, rows: rows.to_owned() }
    }
}

impl Journal {
    /// Reads the journal at `path` to its end; an empty one where there is none. It has to be [written
    /// anew](Self::replace) before anything is committed: what the last process could not sync may be in the system's
    /// memory alone.
    ///
    /// Every page's checksum is verified. Where one is wrong, whatever can still be found in the rest is read.
    pub(crate) fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<(Self, Contents)> {
        let mut journal = Self { disk, path: path.to_owned(), database: None, next_entry: 1, next_file: 1 };
        let is_there = match journal.disk.open(path).and_then(|file| file.length()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            length => length.map_err(Error::io("open", path))? > 0,
        };
        let contents = match is_there {
            true => read_or_salvage(path, || journal.disk.open_in_place(path))?,
            // The first one is written when it is known what belongs in it.
            false => Contents { is_missing: true, ..Contents::default() },
        };
        let entries = contents.entries.iter().map(|entry| entry.number);
        journal.next_entry = entries.max().map_or(1, |last| last.saturating_add(1));
        let files = contents.files.iter().chain(&contents.retired).map(|file| file.number.saturating_add(1));
        journal.next_file = files.fold(contents.next_file.max(1), u64::max);
        Ok((journal, contents))
    }

    /// No file gets a number up to this one any more.
    pub(crate) fn pass_over_file(&mut self, number: u64) {
        self.next_file = self.next_file.max(number.saturating_add(1));
    }

    /// Whether commits can be made; otherwise [`Self::replace`] comes first.
    pub(crate) fn is_sound(&self) -> bool {
        self.database.is_some()
    }

    /// The number for the next entry.
    pub(crate) fn number_entry(&mut self) -> u64 {
        let number = self.next_entry;
        self.next_entry = number.saturating_add(1);
        number
    }

    /// All entries so far have lower numbers.
    pub(crate) fn boundary(&self) -> u64 {
        self.next_entry
    }

    /// The number for the next file. It is kept with the next commit.
    pub(crate) fn number_file(&mut self) -> u64 {
        let number = self.next_file;
        self.next_file = number.saturating_add(1);
        number
    }

    /// Makes a change, durable when this returns.
    ///
    /// # Errors
    /// Whether the change was made is not known then, and the journal has to be [replaced](Self::replace).
    pub(crate) fn commit(&mut self, change: Change<'_>) -> Result<()> {
        // It is put back only if all goes well: neither an error nor a panic leaves one that may be damaged.
        let Some(database) = self.database.take() else { return Err(self.unusable()) };
        write(&database, &change, self.next_file).map_err(|error| self.error("write", error))?;
        self.database = Some(database);
        Ok(())
    }

    /// Writes a new journal with this content, and puts it in the old one's place. After a failed write or sync nothing
    /// may be taken for written that was written before: the system can have dropped it and call the next sync a
    /// success all the same.
    pub(crate) fn replace(&mut self, change: Change<'_>) -> Result<()> {
        // The old one must be closed before there is a new one: closing may write.
        self.database = None;
        let new = self.path.with_extension("new");
        let written = create(Arc::clone(&self.disk), &new, change, self.next_file);
        let moved = written.and_then(|database| {
            self.disk.rename(&new, &self.path).map_err(Error::io("move into place", &self.path))?;
            self.sync_folder()?;
            Ok(database)
        });
        if moved.is_err() {
            // It takes room that may be short.
            let _ = self.disk.remove(&new);
        }
        self.database = Some(moved?);
        Ok(())
    }

    /// Makes the journal's name durable.
    fn sync_folder(&self) -> Result<()> {
        let Some(folder) = self.path.parent() else { return Ok(()) };
        self.disk.sync_folder(folder).map_err(Error::io("sync", folder))
    }

    fn unusable(&self) -> Error {
        let source = io::Error::other("an earlier write to it failed, and it could not be written anew");
        Error::Io { action: "write", path: self.path.clone(), source }
    }

    fn error(&self, action: &'static str, error: redb::Error) -> Error {
        Error::Io { action, path: self.path.clone(), source: io_error(error) }
    }
}

/// A new journal at `path` that holds `change`.
pub(crate) fn create(disk: Arc<dyn Disk>, path: &Path, change: Change<'_>, next_file: u64) -> Result<Database> {
    let change = Change { is_whole: true, ..change };
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", path)(error)),
        _ => {}
    }
    let failed = |error| Error::Io { action: "write", path: path.to_owned(), source: io_error(error) };
    let file = disk.open_in_place(path).map_err(Error::io("create", path))?;
    let database = open_database(file, false).map_err(failed)?;
    write(&database, &change, next_file).map_err(failed)?;
    Ok(database)
}

/// What the journal at `path` holds, as [`Journal::open`] reads it. The file itself stays as it is.
pub(crate) fn inspect(disk: &dyn Disk, path: &Path) -> Result<Contents> {
    let bytes = match disk::read(disk, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Bytes::new(),
        bytes => bytes.map_err(Error::io("read", path))?,
    };
    if bytes.is_empty() {
        return Ok(Contents { is_missing: true, ..Contents::default() });
    }
    read_or_salvage(path, || Ok(Box::new(MemoryFile::new(&bytes)) as Box<dyn InPlaceFile>))
}

/// Reads a journal to its end. Where a page is not what it should be, what the other pages tell is read, over which redb
/// may panic, and after that every whole entry that stands anywhere in the file.
fn read_or_salvage(path: &Path, file: impl Fn() -> io::Result<Box<dyn InPlaceFile>>) -> Result<Contents> {
    let attempt = |file: io::Result<Box<dyn InPlaceFile>>, verify, contents: &mut Contents| {
        catch_unwind(AssertUnwindSafe(|| read(file.map_err(redb::Error::Io)?, verify, contents)))
    };
    let mut contents = Contents::default();
    let reason = match attempt(file(), true, &mut contents) {
        Ok(Ok(())) => return Ok(contents),
        Ok(Err(redb::Error::Io(source))) if !is_damage(&source) => return Err(Error::io("read", path)(source)),
        Ok(Err(error)) => error.to_string(),
        Err(_) => "its pages do not fit together".to_owned(),
    };
    tracing::error!(journal = %path.display(), reason, "the journal is damaged; what can be found in it counts");
    let file = file().map_err(Error::io("read", path))?;
    let length = file.length().and_then(|length| usize::try_from(length).map_err(io::Error::other));
    let bytes = length.and_then(|length| file.read_at(0, length)).map_err(Error::io("read", path))?;
    drop(file);
    contents = Contents::default();
    // From a copy, since opening may write. Whether this succeeds or fails, what it read is there.
    let copy: Box<dyn InPlaceFile> = Box::new(MemoryFile::new(&bytes));
    let _ = attempt(Ok(copy), false, &mut contents);
    contents.is_incomplete = true;
    let entries = all_values(&bytes).into_iter().filter(|(name, _)| name.starts_with(ENTRY));
    contents.entries.extend(entries.map(|(_, rows)| Entry::found(rows)));
    contents.whole_file = Some(bytes);
    Ok(contents)
}

/// Whether the file's content is to blame, and not the disk: it is no journal, or its end is missing.
fn is_damage(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}

/// Adds what a journal holds to `contents`, the list of files first.
fn read(file: Box<dyn InPlaceFile>, verify: bool, contents: &mut Contents) -> std::result::Result<(), redb::Error> {
    let database = open_database(file, verify)?;
    let transaction = database.begin_write()?;
    if let Some(next) = transaction.open_table(COUNTERS)?.get(NEXT_FILE)? {
        contents.next_file = next.value();
    }
    let (mut files, mut retired) = (Vec::new(), Vec::new());
    read_files(&transaction.open_table(FILES)?, "file", &mut files, contents)?;
    read_files(&transaction.open_table(RETIRED)?, "retired file", &mut retired, contents)?;
    (contents.files, contents.retired) = (files, retired);
    read_entries(&transaction.open_table(ENTRIES)?, contents)?;
    transaction.abort()?;
    Ok(())
}

fn open_database(file: Box<dyn InPlaceFile>, verify: bool) -> std::result::Result<Database, redb::Error> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(verify);
    Ok(builder.create_with_backend(Backend(file))?)
}

fn write(database: &Database, change: &Change<'_>, next_file: u64) -> std::result::Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    write_entries(&transaction, change)?;
    // A table that is opened is written to: most commits have nothing to do with files.
    let has_files =
        !(change.added.is_empty() && change.retired.is_empty() && change.gone.is_empty() && change.lost.is_empty());
    if has_files || change.is_whole {
        write_files(&transaction, change, next_file)?;
    }
    transaction.commit()?;
    Ok(())
}

fn write_entries(transaction: &WriteTransaction, change: &Change<'_>) -> std::result::Result<(), redb::Error> {
    let mut entries = transaction.open_table(ENTRIES)?;
    if let Some((account, hour, boundary)) = change.sealed {
        entries.retain_in((account, hour, 0)..(account, hour, boundary), |_, _| false)?;
    }
    for entry in &change.entries {
        let key = (entry.account.as_str(), entry.hour, entry.number);
        entries.insert(key, framed(&entry_name(key), &entry.rows).as_slice())?;
    }
    Ok(())
}

fn write_files(
    transaction: &WriteTransaction,
    change: &Change<'_>,
    next_file: u64,
) -> std::result::Result<(), redb::Error> {
    let mut files = transaction.open_table(FILES)?;
    let mut retired = transaction.open_table(RETIRED)?;
    for file in &change.added {
        files.insert(file.number, file_value("file", file).as_slice())?;
    }
    for file in &change.retired {
        files.remove(file.number)?;
        retired.insert(file.number, file_value("retired file", file).as_slice())?;
    }
    for number in &change.gone {
        retired.remove(number)?;
    }
    for number in &change.lost {
        files.remove(number)?;
    }
    transaction.open_table(COUNTERS)?.insert(NEXT_FILE, next_file)?;
    Ok(())
}

fn read_entries(
    table: &impl ReadableTable<(&'static str, i64, u64), &'static [u8]>,
    contents: &mut Contents,
) -> std::result::Result<(), redb::Error> {
    for entry in table.iter()? {
        let (key, value) = entry?;
        let (account, hour, number) = key.value();
        let name = entry_name(key.value());
        match unframed(&name, value.value()) {
            Some(rows) => {
                contents.entries.push(Entry { account: account.to_owned(), hour, number, rows: rows.to_owned() });
            }
            None => contents.damaged.push((name, value.value().to_owned())),
        }
    }
    Ok(())
}

fn read_files(
    table: &impl ReadableTable<u64, &'static [u8]>,
    kind: &str,
    files: &mut Vec<FileRecord>,
    contents: &mut Contents,
) -> std::result::Result<(), redb::Error> {
    for file in table.iter()? {
        let (key, value) = file?;
        let name = file_name(kind, key.value());
        match unframed(&name, value.value()).and_then(|json| serde_json::from_slice(json).ok()) {
            Some(file) => files.push(file),
            None => {
                contents.damaged.push((name, value.value().to_owned()));
                contents.is_incomplete = true;
            }
        }
    }
    Ok(())
}

fn entry_name((account, hour, number): (&str, i64, u64)) -> String {
    format!("{ENTRY}{number} of account {account}, hour {}", skillscope_segment::format_instant(hour))
}

fn file_name(kind: &str, number: u64) -> String {
    format!("{kind} {number}")
}

fn file_value(kind: &str, file: &FileRecord) -> Vec<u8> {
    // A record of numbers and a text always has a JSON form.
    let json = serde_json::to_vec(file).unwrap_or_default();
    framed(&file_name(kind, file.number), &json)
}

fn io_error(error: redb::Error) -> io::Error {
    match error {
        redb::Error::Io(source) => source,
        other => io::Error::other(other),
    }
}

/// A file as redb wants it.
#[derive(Debug)]
struct Backend(Box<dyn InPlaceFile>);

impl StorageBackend for Backend {
    fn len(&self) -> io::Result<u64> {
        self.0.length()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let bytes = self.0.read_at(offset, out.len())?;
        out.copy_from_slice(&bytes);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.0.set_length(length)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.0.sync()
    }

    fn write(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.0.write_at(offset, bytes)
    }
}

/// A copy of a file in memory, for looking at it without changing it.
#[derive(Debug)]
struct MemoryFile(RwLock<Vec<u8>>);

impl MemoryFile {
    fn new(bytes: &[u8]) -> Self {
        Self(RwLock::new(bytes.to_vec()))
    }
}

impl DiskFile for MemoryFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.read().unwrap_or_else(PoisonError::into_inner).len() as u64)
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let bytes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let range = bytes.get(start..start.saturating_add(length));
        Ok(Bytes::copy_from_slice(range.ok_or(io::ErrorKind::UnexpectedEof)?))
    }
}

impl InPlaceFile for MemoryFile {
    fn write_at(&self, offset: u64, new: &[u8]) -> io::Result<()> {
        let mut bytes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let range = bytes.get_mut(start..start.saturating_add(new.len()));
        range.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(new);
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.0.write().unwrap_or_else(PoisonError::into_inner).resize(length, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
