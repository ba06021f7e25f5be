//! What is durable and not archived: a database of rows, of the conversations that are followed, and of the list of
//! files.

pub(crate) mod change;
mod commit_record;
pub(crate) mod contents;
pub(crate) mod conversations;
pub(crate) mod entries;
pub(crate) mod file_record;
mod layout;
pub(crate) mod value;
pub(crate) mod verified;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use redb::Database;

use self::change::{Counters, JournalChange, write};
use self::commit_record::CommitRecord;
use self::contents::{Contents, inspect};
use self::layout::{SyncTimes, open_database};
use crate::disk::Disk;
use crate::error::{Error, Result};
use crate::statistics::Statistics;

/// The rows that are not archived yet and the list of archive files, in one redb database, so that both change together
/// or not at all. A commit is durable when it returns.
#[derive(Debug)]
pub(crate) struct Journal {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    /// `None` after a failure. The file's content is uncertain then, and no more is written to it.
    database: Option<Database>,
    next_entry: u64,
    next_file: u64,
    /// The number of the last commit that was tried.
    commits: u64,
    record: CommitRecord,
    statistics: Arc<Statistics>,
}

impl Journal {
    /// Reads the journal at `path` to its end; an empty one where there is none. It has to be [written
    /// anew](Self::replace) before anything is committed: pages that the last process could not sync may be in the
    /// kernel's memory alone.
    ///
    /// Every page's checksum is verified. Where one is wrong, or the newest commits are missing, all that can still be
    /// found is read. The file itself stays as it is.
    pub(crate) fn open(disk: Arc<dyn Disk>, path: &Path) -> Result<(Self, Contents)> {
        let contents = inspect(disk.as_ref(), path)?;
        let record = CommitRecord::beside(path, Arc::clone(&disk));
        let commits = contents.commits.max(contents.noted_commits).unwrap_or(0);
        let mut journal = Self {
            disk,
            path: path.to_owned(),
            database: None,
            next_entry: 1,
            next_file: 1,
            commits,
            record,
            statistics: Arc::default(),
        };
        let entries = contents.entries.iter().map(|entry| entry.number);
        journal.next_entry = entries.max().map_or(1, |last| last.saturating_add(1));
        let files = contents.files.iter().chain(&contents.retired).map(|file| file.number.saturating_add(1));
        journal.next_file = files.fold(contents.next_file.max(1), u64::max);
        Ok((journal, contents))
    }

    /// From now on, files get numbers above this one.
    pub(crate) fn pass_over_file(&mut self, number: u64) {
        self.next_file = self.next_file.max(number.saturating_add(1));
    }

    /// What is counted, here and by all who share it.
    pub(crate) fn statistics(&self) -> &Arc<Statistics> {
        &self.statistics
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
    pub(crate) fn commit(&mut self, change: JournalChange<'_>) -> Result<()> {
        // The database is put back only after success: an error or a panic leaves none, since it may be damaged.
        let Some(database) = self.database.take() else { return Err(self.unusable()) };
        self.commits = self.commits.saturating_add(1);
        let (start, bytes) = (Instant::now(), change.bytes());
        if let Err(error) = write(&database, &change, &self.counters()) {
            self.statistics.commit_failures.fetch_add(1, Ordering::Relaxed);
            return Err(self.error("write", error));
        }
        self.statistics.commit_times.add_since(start);
        self.statistics.commit_sizes.add(bytes);
        self.database = Some(database);
        self.record.note(self.commits);
        Ok(())
    }

    /// Writes a new journal with this content, and moves it into the old one's place. This is the only way on after a
    /// failed write or sync: the kernel may have dropped earlier writes too, and report success at the next sync, so
    /// the whole old file is suspect.
    pub(crate) fn replace(&mut self, change: JournalChange<'_>) -> Result<()> {
        // Closing the old database may write to its file, so it comes before the new file takes its name.
        self.database = None;
        let new = self.path.with_extension("new");
        self.commits = self.commits.saturating_add(1);
        let sync_times = Some(Arc::clone(&self.statistics.sync_times));
        let written = create(Arc::clone(&self.disk), &new, change, self.counters(), sync_times);
        let moved = written.and_then(|database| {
            self.disk.rename(&new, &self.path).map_err(Error::io("move into place", &self.path))?;
            self.sync_folder()?;
            Ok(database)
        });
        if moved.is_err() {
            // The unfinished file takes room, and the disk may be full.
            let _ = self.disk.remove(&new);
            self.statistics.commit_failures.fetch_add(1, Ordering::Relaxed);
        }
        self.database = Some(moved?);
        self.record.note(self.commits);
        Ok(())
    }

    fn counters(&self) -> Counters {
        Counters { next_file: self.next_file, commits: self.commits }
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
pub(crate) fn create(
    disk: Arc<dyn Disk>,
    path: &Path,
    change: JournalChange<'_>,
    counters: Counters,
    sync_times: SyncTimes,
) -> Result<Database> {
    let change = JournalChange { is_whole: true, ..change };
    match disk.remove(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(Error::io("remove", path)(error)),
        _ => {}
    }
    let failed = |error| Error::Io { action: "write", path: path.to_owned(), source: io_error(error) };
    let file = disk.open_in_place(path).map_err(Error::io("create", path))?;
    let database = open_database(file, false, sync_times).map_err(failed)?;
    write(&database, &change, &counters).map_err(failed)?;
    // The commit before the newest is what counts when the newest is damaged. Before the first there is nothing.
    write(&database, &JournalChange::default(), &counters).map_err(failed)?;
    Ok(database)
}

fn io_error(error: redb::Error) -> io::Error {
    match error {
        redb::Error::Io(source) => source,
        other => io::Error::other(other),
    }
}
