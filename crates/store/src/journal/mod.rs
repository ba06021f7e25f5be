//! What is durable and not archived: a database of rows, of the conversations that are followed, and of the list of files.

pub(crate) mod change;
pub(crate) mod contents;
pub(crate) mod conversations;
pub(crate) mod entries;
pub(crate) mod file_record;
mod layout;
pub(crate) mod value;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use redb::Database;

use self::change::{Change, write};
use self::contents::{Contents, read_or_salvage};
use self::layout::open_database;
use crate::disk::Disk;
use crate::{Error, Result};

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

fn io_error(error: redb::Error) -> io::Error {
    match error {
        redb::Error::Io(source) => source,
        other => io::Error::other(other),
    }
}
