use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::{Builder, Database, StorageBackend, TableDefinition, WriteTransaction};

use crate::conversation_record::ConversationChanges;
use crate::disk::{Disk, InPlaceFile};
use crate::file_record::FileRecord;
use crate::journal_contents::{Contents, read_or_salvage};
use crate::journal_entry::framed;
use crate::{Error, Result};

/// Rows that no archive file has yet: account, hour of `end_time`, number of the entry → rows.
pub(crate) const ENTRIES: TableDefinition<(&str, i64, u64), &[u8]> = TableDefinition::new("entries");

/// The archive files whose rows count: number → [`FileRecord`].
pub(crate) const FILES: TableDefinition<u64, &[u8]> = TableDefinition::new("files");

/// Files whose rows do not count any more, and which may still be on disk: number → [`FileRecord`].
pub(crate) const RETIRED: TableDefinition<u64, &[u8]> = TableDefinition::new("retired");

/// The conversations that are followed: number → [`ConversationRecord`](crate::conversation_record::ConversationRecord).
pub(crate) const CONVERSATIONS: TableDefinition<u64, &[u8]> = TableDefinition::new("conversations");

/// Named numbers.
pub(crate) const COUNTERS: TableDefinition<&str, u64> = TableDefinition::new("counters");

pub(crate) const NEXT_FILE: &str = "next file";

/// The name of an account's watermark is this and the account.
pub(crate) const WATERMARK: &str = "watermark ";

/// Names of conversations begin with this.
pub(crate) const CONVERSATION: &str = "conversation ";

/// Names of entries begin with this.
pub(crate) const ENTRY: &str = "entry ";

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
    /// The conversations that are followed.
    pub(crate) conversations: ConversationChanges<'a>,
    /// Whether this is all that the journal holds.
    pub(crate) is_whole: bool,
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

pub(crate) fn open_database(file: Box<dyn InPlaceFile>, verify: bool) -> std::result::Result<Database, redb::Error> {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open(verify);
    Ok(builder.create_with_backend(Backend(file))?)
}

fn write(database: &Database, change: &Change<'_>, next_file: u64) -> std::result::Result<(), redb::Error> {
    let transaction = database.begin_write()?;
    write_entries(&transaction, change)?;
    write_conversations(&transaction, change)?;
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
    if change.entries.is_empty() && change.sealed.is_none() && !change.is_whole {
        return Ok(());
    }
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

/// Why a conversation could not be written.
enum NotWritten {
    Storage(redb::StorageError),
    Encoding(Error),
}

impl From<redb::StorageError> for NotWritten {
    fn from(error: redb::StorageError) -> Self {
        Self::Storage(error)
    }
}

impl From<Error> for NotWritten {
    fn from(error: Error) -> Self {
        Self::Encoding(error)
    }
}

impl From<NotWritten> for redb::Error {
    fn from(error: NotWritten) -> Self {
        match error {
            NotWritten::Storage(error) => error.into(),
            NotWritten::Encoding(error) => Self::Io(io::Error::other(error)),
        }
    }
}

fn write_conversations(transaction: &WriteTransaction, change: &Change<'_>) -> std::result::Result<(), redb::Error> {
    let changes = &change.conversations;
    if changes.is_empty() && !change.is_whole {
        return Ok(());
    }
    let mut conversations = transaction.open_table(CONVERSATIONS)?;
    let mut insert = |number: u64, record: &[u8]| {
        conversations.insert(number, framed(&conversation_name(number), record).as_slice()).map(drop)
    };
    for (number, record) in &changes.changed {
        insert(*number, record)?;
    }
    changes.for_each_followed(|number, record| insert(number, record).map_err(NotWritten::from))?;
    for number in &changes.forgotten {
        conversations.remove(number)?;
    }
    let mut counters = transaction.open_table(COUNTERS)?;
    for (account, time) in &changes.watermarks {
        counters.insert(format!("{WATERMARK}{account}").as_str(), time.unsigned_abs())?;
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

pub(crate) fn entry_name((account, hour, number): (&str, i64, u64)) -> String {
    format!("{ENTRY}{number} of account {account}, hour {}", skillscope_segment::format_instant(hour))
}

pub(crate) fn conversation_name(number: u64) -> String {
    format!("{CONVERSATION}{number}")
}

pub(crate) fn file_name(kind: &str, number: u64) -> String {
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
