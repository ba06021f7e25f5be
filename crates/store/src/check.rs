//! Verifying a data directory that no process has open.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;

use crate::archive::file::ArchiveFile;
use crate::calendar::day_of;
use crate::disk::directory::{DataDirectory, QUARANTINE, files_below};
use crate::disk::{Disk, LocalDisk};
use crate::error::{Error, Result};
use crate::journal::contents::{Contents, inspect};
use crate::journal::file_record::FileRecord;
use crate::journal::value::decode_rows;
use crate::relations;
use crate::rows::keys::{Admission, KeyColumns, KeyHasher, KeyIndex};
use crate::rows::run::cut;

/// The contents of a data directory, and its faults.
#[derive(Debug, Default)]
pub struct Checked {
    /// Archive files on the list.
    pub files: u64,
    /// Rows in the files that are as they were written.
    pub archived_rows: u64,
    /// Rows in the journal.
    pub journal_rows: u64,
    /// Conversations in the journal: open ones, and some that closed a while ago.
    pub conversations: u64,
    /// Tables and views that somebody added.
    pub relations: u64,
    /// Files that were set aside at some time.
    pub quarantined: u64,
    /// The faults, each in plain words.
    pub problems: Vec<String>,
}

/// Verifies the data directory at `path`, which no process may have open: every checksum, that each file matches its
/// line in the list of files, and that no key is in an account's day twice. Nothing is changed.
///
/// # Errors
/// Where there is no data directory, it is in use, or it cannot be read at all.
pub fn check(path: &Path) -> Result<Checked> {
    let disk: Arc<dyn Disk> = Arc::new(LocalDisk);
    let directory = DataDirectory::open_to_read(path, Arc::clone(&disk))?;
    let contents = inspect(disk.as_ref(), &directory.journal())?;
    let mut check = Check { directory, hasher: KeyHasher::new(), checked: Checked::default(), may_repeat: false };
    check.journal_damage(&contents);
    check.checked.conversations = contents.conversations.len() as u64;
    check.strangers(&contents)?;
    check.days(contents)?;
    let (relations, problems) = relations::check(&check.directory)?;
    check.checked.relations = relations;
    check.checked.problems.extend(problems);
    check.checked.quarantined = check.directory.quarantined_files()?.len() as u64;
    Ok(check.checked)
}

/// How many files were set aside in the data directory at `path`.
pub(crate) fn quarantined(path: &Path) -> Result<u64> {
    Ok(files_below(&LocalDisk, path.join(QUARANTINE))?.len() as u64)
}

struct Check {
    directory: DataDirectory,
    hasher: KeyHasher,
    checked: Checked,
    may_repeat: bool,
}

/// The files and the journal's rows of one account and day.
#[derive(Default)]
struct Day {
    files: Vec<FileRecord>,
    journal: Vec<RecordBatch>,
}

impl Check {
    fn problem(&mut self, problem: impl Into<String>) {
        self.checked.problems.push(problem.into());
    }

    fn journal_damage(&mut self, contents: &Contents) {
        for (name, _) in &contents.damaged {
            self.problem(format!("the journal's {name} is corrupt"));
        }
        if let Some(missing) = contents.missing_commits() {
            self.problem(format!(
                "the journal's newest pages are damaged; acknowledged commits that are missing: {missing} (the next start \
                 takes what is left of them)"
            ));
        } else if contents.is_incomplete {
            self.problem("the journal is corrupt: it cannot be read through");
        }
        if contents.is_missing {
            self.problem(
                "the journal is missing: what was not archived is lost, and the next start lists the files anew",
            );
        }
    }

    /// Tells of files that are on no list.
    fn strangers(&mut self, contents: &Contents) -> Result<()> {
        let known = contents.files.iter().chain(&contents.retired);
        let known: BTreeSet<_> = known.map(|file| self.directory.path().join(file.path())).collect();
        for path in self.directory.archived_files()? {
            if !known.contains(&path) && !contents.is_missing {
                self.problem(format!("{} is on no list; the next start sets it aside", path.display()));
            }
        }
        Ok(())
    }

    fn days(&mut self, contents: Contents) -> Result<()> {
        self.checked.files = contents.files.len() as u64;
        let mut days: BTreeMap<(String, i64), Day> = BTreeMap::new();
        for file in contents.files {
            days.entry((file.account.clone(), file.day())).or_default().files.push(file);
        }
        for entry in contents.entries {
            match decode_rows(&entry.rows) {
                Ok(batches) => {
                    for batch in &batches {
                        for cut in cut(batch)? {
                            let day = days.entry((cut.account.to_string(), day_of(cut.hour))).or_default();
                            day.journal.push(cut.run.batch);
                        }
                    }
                }
                Err(error) => self.problem(format!("journal entry {} of {}: {error}", entry.number, entry.account)),
            }
        }
        // In a damaged journal an entry may be found twice; the next start takes it once.
        self.may_repeat = contents.is_incomplete;
        days.into_values().try_for_each(|day| self.day(day))
    }

    fn day(&mut self, day: Day) -> Result<()> {
        let mut keys = KeyIndex::new();
        for record in &day.files {
            let path = record.path();
            match self.file(record) {
                Ok(batches) => {
                    self.checked.archived_rows += record.rows;
                    self.keys(&mut keys, &batches, &path.display().to_string())?;
                }
                Err(error) => self.problem(error.to_string()),
            }
        }
        self.checked.journal_rows += day.journal.iter().map(|batch| batch.num_rows() as u64).sum::<u64>();
        self.keys(&mut keys, &day.journal, "the journal")
    }

    /// The rows of a file, which must match its record.
    fn file(&self, record: &FileRecord) -> Result<Vec<RecordBatch>> {
        let file = Arc::new(ArchiveFile::new(record.clone(), &self.directory)?);
        file.compare()?;
        let batches = file.read_rows()?;
        let mut found: Option<FileRecord> = None;
        for batch in &batches {
            for cut in cut(batch)? {
                let found = found.get_or_insert_with(|| FileRecord {
                    bytes: record.bytes,
                    checksum: record.checksum,
                    written: record.written,
                    verified: record.verified.clone(),
                    has_arrival_time: record.has_arrival_time,
                    ..FileRecord::empty(record.number, &cut)
                });
                if cut.account.as_str() == found.account {
                    found.add(&cut);
                }
            }
        }
        let path = self.directory.path().join(record.path());
        if found.as_ref() == Some(record) { Ok(batches) } else { Err(Error::Mismatch { path }) }
    }

    fn keys(&mut self, keys: &mut KeyIndex, batches: &[RecordBatch], place: &str) -> Result<()> {
        for batch in batches {
            for (account, conversation, index, end_time) in KeyColumns::new(batch)?.rows() {
                let hash = self.hasher.hash(account, conversation, index);
                if keys.ask(hash, end_time) == Admission::Duplicate && !self.may_repeat {
                    self.problem(format!("segment {index} of conversation {conversation} in {place} counts twice"));
                }
                keys.insert(hash, end_time);
            }
        }
        Ok(())
    }
}
