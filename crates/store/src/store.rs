use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use arrow::array::RecordBatch;
use skillscope_segment::{DeadLetter, Impossible, Segmenter};

use crate::archive::keys::ArchivedKeys;
use crate::archive::totals::ArchivedTotals;
use crate::disk::directory::DataDirectory;
use crate::disk::overlay::OverlayDisk;
use crate::journal::Journal;
use crate::journal::change::Change;
use crate::journal::conversations::ConversationChanges;
use crate::journal::entries::{entries, entry};
use crate::maintenance::Job;
use crate::rows::keys::{KeyHasher, KeyIndex};
use crate::rows::run::{concatenated, cut};
use crate::write::appended::Appended;
use crate::write::candidates::Candidates;
use crate::write::events::Events;
use crate::write::group_commit::GroupCommit;
use crate::write::resumes::ArchivedPasts;
use crate::{ArchiveFile, Error, Result, Snapshot, StoreOptions, recovery};

/// The segments of one data directory. Readers take snapshots and never wait for a write to finish.
#[derive(Debug)]
pub struct Store {
    pub(crate) directory: DataDirectory,
    pub(crate) options: StoreOptions,
    pub(crate) hasher: KeyHasher,
    pub(crate) archived_keys: ArchivedKeys,
    pub(crate) archived_pasts: Mutex<ArchivedPasts>,
    pub(crate) archived_totals: ArchivedTotals,
    appends: GroupCommit<Write, Result<Appended>>,
    /// How many events could have no effect, by reason.
    pub(crate) dead_letters: Mutex<BTreeMap<Impossible, u64>>,
    /// The last write of dead letters is on disk whole.
    pub(crate) is_dead_letter_file_sound: AtomicBool,
    writer: Mutex<Writer>,
    published: RwLock<Arc<Snapshot>>,
    /// The last job of maintenance; held by the one that is under way.
    pub(crate) job: Mutex<Job>,
}

/// What is written together with others.
#[derive(Debug)]
pub(crate) enum Write {
    /// Closed segments.
    Segments(Candidates),
    /// Events, which may close segments.
    Events(Events),
}

/// What whoever changes the stored segments must hold.
#[derive(Debug)]
pub(crate) struct Writer {
    /// The keys of all rows in memory.
    pub(crate) keys: KeyIndex,
    pub(crate) journal: Journal,
    /// The conversations that are followed.
    pub(crate) segmenter: Segmenter,
    /// Files that are in no snapshot any more, and may still be on disk.
    pub(crate) retired: Vec<Arc<ArchiveFile>>,
    /// Files that may be on the list on disk, since the commit that was to add them failed.
    pub(crate) doubtful: Vec<Arc<ArchiveFile>>,
}

impl Store {
    /// Opens the data directory at `path` with [default options](StoreOptions::default), making it where there is none.
    ///
    /// # Errors
    /// Where the directory is in use, is none of ours or of another format, or cannot be read.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_with(path, StoreOptions::default())
    }

    /// Opens the data directory at `path`, making it where there is none, repairs what a crash left, and loads the hot
    /// hours.
    ///
    /// # Errors
    /// Where the directory is in use, is none of ours or of another format, or cannot be read.
    pub fn open_with(path: &Path, options: StoreOptions) -> Result<Self> {
        let directory = DataDirectory::open(path, Arc::clone(&options.disk))?;
        let hasher = KeyHasher::new();
        let recovered = recovery::recover(&directory, &options, hasher)?;
        Ok(Self {
            directory,
            options,
            hasher,
            archived_keys: ArchivedKeys::new(hasher),
            archived_pasts: Mutex::default(),
            archived_totals: ArchivedTotals::default(),
            appends: GroupCommit::default(),
            dead_letters: Mutex::default(),
            is_dead_letter_file_sound: AtomicBool::new(false),
            writer: Mutex::new(recovered.writer),
            published: RwLock::new(Arc::new(recovered.snapshot)),
            job: Mutex::default(),
        })
    }

    /// Whether there is a data directory at `path`.
    pub fn is_data_directory(path: &Path) -> bool {
        DataDirectory::is_one(path)
    }

    /// Opens the data directory at `path`, where there must be one, to look at what is stored. Nothing in it is changed:
    /// what a start repairs is repaired in memory.
    ///
    /// # Errors
    /// Where the directory is in use, is none of ours or of another format, or cannot be read.
    pub fn open_to_read(path: &Path, options: StoreOptions) -> Result<Self> {
        DataDirectory::open_to_read(path, Arc::clone(&options.disk))?;
        let disk = Arc::new(OverlayDisk::over(Arc::clone(&options.disk)));
        Self::open_with(path, StoreOptions { disk, ..options })
    }

    /// Stores the rows of `batch`, which is of [`skillscope_segment::schema`] and has been validated. Returns once
    /// they are on disk and every later [`snapshot`](Self::snapshot) has them. Several calls at a time share one sync.
    ///
    /// # Errors
    /// Where they cannot be written; nothing of the batch counts then.
    pub fn append(&self, batch: &RecordBatch) -> Result<Appended> {
        let candidates = Candidates::new(self, batch)?;
        let rows = candidates.rows();
        self.submit(Write::Segments(candidates), rows)
    }

    /// Makes a write, alone or together with others.
    pub(crate) fn submit(&self, write: Write, rows: usize) -> Result<Appended> {
        self.appends.submit(write, rows, || self.writer(), |writer, group| self.append_group(writer, group))?
    }

    /// Makes a group of writes with one commit. Where that fails before the commit, what one of them asks for cannot be
    /// found out: each is made by itself then.
    fn append_group(&self, writer: &mut Writer, group: &[Write]) -> Result<Vec<Result<Appended>>> {
        self.make_sound(writer)?;
        match self.append_whole(writer, group) {
            Ok(appended) => Ok(appended.into_iter().map(Ok).collect()),
            Err(_) if group.len() > 1 && writer.journal.is_sound() => {
                let alone = |write| {
                    self.make_sound(writer)?;
                    let mut appended = self.append_whole(writer, std::slice::from_ref(write))?;
                    appended.pop().ok_or(Error::Interrupted)
                };
                Ok(group.iter().map(alone).collect())
            }
            Err(error) => Err(error),
        }
    }

    fn append_whole(&self, writer: &mut Writer, group: &[Write]) -> Result<Vec<Appended>> {
        // What a writer that panicked left on trial.
        writer.segmenter.roll_back();
        let mut dead_letters = Vec::new();
        let appended = self.try_append(writer, group, &mut dead_letters);
        match &appended {
            Ok(_) => {
                writer.segmenter.keep();
                self.count_dead_letters(&dead_letters);
            }
            Err(_) => writer.segmenter.roll_back(),
        }
        appended
    }

    fn try_append(
        &self,
        writer: &mut Writer,
        group: &[Write],
        dead_letters: &mut Vec<DeadLetter>,
    ) -> Result<Vec<Appended>> {
        let snapshot = self.snapshot();
        let mut sought = Vec::with_capacity(group.len());
        for write in group {
            let (candidates, events) = match write {
                Write::Segments(candidates) => (Cow::Borrowed(candidates), None),
                Write::Events(events) => {
                    let (closed, appended) = self.segment(writer, &snapshot, events, dead_letters)?;
                    (Cow::Owned(Candidates::not_sought(self, &closed)?), Some(appended))
                }
            };
            let hits = candidates.later_hits(self, writer, &snapshot)?;
            sought.push((candidates, hits, events));
        }
        // A file that turned out to be corrupt has left it.
        let snapshot = self.snapshot();
        let Writer { keys, journal, segmenter, .. } = writer;
        let mut trial = keys.on_trial();
        let mut appended = Vec::with_capacity(group.len());
        let mut batches = Vec::with_capacity(group.len());
        for (candidates, hits, events) in sought {
            let (batch, outcome) = candidates.admit(&hits, &mut trial)?;
            batches.extend((batch.num_rows() > 0).then_some(batch));
            appended.push(match events {
                None => outcome,
                Some(events) => events.closing(outcome),
            });
        }
        let cuts = match batches.as_slice() {
            [] => Vec::new(),
            [only] => cut(only)?,
            several => cut(&concatenated(several)?)?,
        };
        let conversations = ConversationChanges::on_trial(segmenter)?;
        self.keep_dead_letters(dead_letters)?;
        if !cuts.is_empty() || !conversations.is_empty() {
            // Whatever can fail comes before the commit.
            let extended = snapshot.with_rows(&cuts, self.options.clock.now());
            let entries = entries(&cuts, journal)?;
            journal.commit(Change { entries, conversations, ..Change::default() })?;
            self.publish(extended);
        }
        trial.keep();
        Ok(appended)
    }

    /// The number of writes that wait for others.
    #[cfg(test)]
    pub(crate) fn waiting_writes(&self) -> usize {
        self.appends.waiting_writes()
    }

    /// All segments stored so far.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.published.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes `snapshot` the one that readers get. The caller holds the [writer](Self::writer).
    pub(crate) fn publish(&self, snapshot: Snapshot) {
        let old = {
            let mut published = self.published.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *published, Arc::new(snapshot))
        };
        // Rows that nobody has any more are given back outside of the lock.
        drop(old);
    }

    /// Waits until nobody else changes anything. A writer that panicked has published nothing, and its keys went with
    /// its trial.
    pub(crate) fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the journal anew after a failure, from what is in memory: all that was acknowledged.
    pub(crate) fn make_sound(&self, writer: &mut Writer) -> Result<()> {
        if writer.journal.is_sound() {
            return Ok(());
        }
        let mut change = whole_journal(&self.snapshot(), writer)?;
        change.conversations = ConversationChanges::whole(&writer.segmenter);
        // They do not count, and can be removed once no journal on disk says otherwise: not before.
        change.retired.extend(writer.doubtful.iter().map(|file| file.record().clone()));
        writer.journal.replace(change)?;
        writer.retired.append(&mut writer.doubtful);
        tracing::warn!("the journal was written anew after a failure; nothing acknowledged was lost");
        Ok(())
    }

    /// Tells other processes that this one serves the directory's data at `url`.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn announce(&self, url: &str) -> Result<()> {
        self.directory.announce(url)
    }
}

/// All that the journal holds but for the conversations, as one change of an empty one.
pub(crate) fn whole_journal(snapshot: &Snapshot, writer: &mut Writer) -> Result<Change<'static>> {
    let mut change = Change::default();
    for partition in snapshot.all_partitions() {
        let (account, hour) = (partition.account().as_str(), partition.hour());
        // Rows that are being sealed will leave with the entries below a number that was noted when that began; so
        // long as there are no more of them now than then, the lowest numbers are below it.
        for (number, run) in (0..).zip(partition.sealing()) {
            change.entries.push(entry(account, hour, number, run)?);
        }
        for run in partition.open() {
            change.entries.push(entry(account, hour, writer.journal.number_entry(), run)?);
        }
    }
    change.added = snapshot.all_files().map(|file| file.record().clone()).collect();
    change.retired = writer.retired.iter().map(|file| file.record().clone()).collect();
    Ok(change)
}
