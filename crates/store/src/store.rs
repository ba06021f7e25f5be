//! The store itself, with all that can be asked of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::RecordBatch;
use parking_lot::{Mutex, MutexGuard};
use skillscope_segment::{AccountId, EventBatch, Impossible, Input, ReadOptions, ToldConversation};

use crate::archive::file::ArchiveFile;
use crate::archive::totals::ArchivedTotals;
use crate::backup::Backup;
use crate::counting_sink::CountingSink;
use crate::disk::Disk;
use crate::disk::directory::DataDirectory;
use crate::disk::overlay::OverlayDisk;
use crate::error::Result;
use crate::holdings::LastTold;
use crate::maintenance::retention::{Expiring, expiring};
use crate::maintenance::scrub::Scrub;
use crate::moment::Moment;
use crate::options::StoreOptions;
use crate::recovery;
use crate::relations::{IfThere, Relation, RelationKind, RelationName, RelationSet, Relations};
use crate::rows::keys::KeyHasher;
use crate::shared::Shared;
use crate::snapshot::Snapshot;
use crate::statistics::StoreCounts;
use crate::totals::Totals;
use crate::write::append::Appends;
use crate::write::appended::Appended;
use crate::write::ingestion::{Ingested, Records, ingest};

/// A data directory that this process has for itself, and has not read yet.
#[derive(Debug)]
pub struct Recovery {
    directory: Arc<DataDirectory>,
    options: StoreOptions,
    /// The disk on which tables and views are changed.
    disk_of_relations: Arc<dyn Disk>,
}

impl Recovery {
    /// Takes the data directory at `path`, making it where there is none.
    ///
    /// # Errors
    /// Where the directory is in use, or is none of ours or of another format.
    pub fn begin(path: &Path, options: StoreOptions) -> Result<Self> {
        let directory = DataDirectory::open(path, Arc::clone(&options.disk), options.archive_group_readable)?;
        let disk_of_relations = Arc::clone(&options.disk);
        Ok(Self { directory: Arc::new(directory), options, disk_of_relations })
    }

    /// Repairs what a crash left, and loads the hot hours, which may take a while.
    ///
    /// # Errors
    /// Where the directory cannot be read.
    pub fn finish(self) -> Result<Store> {
        let Self { directory, options, disk_of_relations } = self;
        let relations = Relations::open(&directory, disk_of_relations)?;
        let hasher = KeyHasher::new();
        let writer = recovery::recover(&directory, &options, hasher)?;
        Ok(Store {
            appends: Appends::new(hasher, Arc::clone(&directory), &options),
            archived_totals: ArchivedTotals::new(options.totals_bytes),
            shared: Shared::new(directory, options, writer, relations),
            scrub: Scrub::default(),
            last_told: LastTold::default(),
            maintenance_rounds: Mutex::default(),
        })
    }
}

/// The segments of one data directory. Readers take snapshots and never wait for a write to finish.
#[derive(Debug)]
pub struct Store {
    shared: Shared,
    appends: Appends,
    archived_totals: ArchivedTotals,
    scrub: Scrub,
    last_told: LastTold,
    /// The number of rounds of maintenance that began; held by the one that is under way.
    maintenance_rounds: Mutex<u64>,
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
        Recovery::begin(path, options)?.finish()
    }

    /// Makes a data directory at `path` where there is none yet.
    ///
    /// # Errors
    /// Where there is something else, or it cannot be made.
    pub fn make_directory(path: &Path) -> Result<()> {
        if Self::is_data_directory(path) {
            return Ok(());
        }
        let options = StoreOptions::default();
        DataDirectory::open(path, options.disk, options.archive_group_readable).map(drop)
    }

    /// Whether there is a data directory at `path`.
    pub fn is_data_directory(path: &Path) -> bool {
        DataDirectory::is_one(path)
    }

    /// Opens the data directory at `path`, where there must be one, for reading. Nothing in it is changed, unless tables
    /// or views are: repairs are made in memory alone.
    ///
    /// # Errors
    /// Where the directory is in use, is none of ours or of another format, or cannot be read.
    pub fn open_to_read(path: &Path, options: StoreOptions) -> Result<Self> {
        DataDirectory::open_to_read(path, Arc::clone(&options.disk))?;
        let disk_of_relations = Arc::clone(&options.disk);
        let disk = Arc::new(OverlayDisk::over(Arc::clone(&options.disk)));
        let recovery = Recovery::begin(path, StoreOptions { disk, ..options })?;
        Recovery { disk_of_relations, ..recovery }.finish()
    }

    /// Stores the rows of `batch`, which is of [`skillscope_segment::schema`] and has been validated. Returns once
    /// they are on disk and every later [`snapshot`](Self::snapshot) has them. Several calls at a time share one sync.
    ///
    /// # Errors
    /// Where they cannot be written; nothing of the batch counts then.
    pub fn append(&self, batch: &RecordBatch) -> Result<Appended> {
        self.appends.append(&self.shared, batch)
    }

    /// Stores the closed segments of a message history, and goes on with the conversations that it tells of, from the
    /// state in which it leaves them: events may come before and after it, and overlap with it. Returns once all is on
    /// disk.
    ///
    /// # Errors
    /// Where it cannot be written; nothing of it counts then.
    pub fn append_history(&self, batch: &RecordBatch, told: Vec<ToldConversation>) -> Result<Appended> {
        self.appends.append_history(&self.shared, batch, told)
    }

    /// Takes conversation events in, and stores the segments that they close. Returns once the conversations' states
    /// and the segments are on disk. `is_live` says whether events are expected to be of now: then an event that is
    /// dated ahead of the clock by more than five minutes does not move event time on.
    ///
    /// # Errors
    /// Where they cannot be written; no event has had an effect then.
    pub fn append_events(&self, batch: EventBatch, is_live: bool) -> Result<Appended> {
        self.appends.append_events(&self.shared, batch, is_live)
    }

    /// Stores the `records` of `input`, whose events are expected to be of now, chunk by chunk.
    ///
    /// # Errors
    /// Where nothing can be read at all, or a chunk cannot be written; chunks before it stay stored.
    pub fn ingest(&self, records: Records, input: Input, options: &ReadOptions) -> Result<Ingested> {
        ingest(records, input, options, CountingSink::new(self, records, options.account.as_ref()))
    }

    /// Lets event time begin anew, so that a file of older events is put in order as if it were the first.
    pub fn restart_event_time(&self) {
        let mut writer = self.shared.writer();
        let (segmenter, _) = writer.segmenter_and_keys();
        segmenter.roll_back();
        segmenter.restart_event_time();
    }

    /// The accounts that [retention](StoreOptions::retention) names, and of which there is nothing: no segment, and no
    /// event ever came.
    pub fn unknown_accounts_of_retention(&self) -> Vec<AccountId> {
        let (snapshot, writer) = (self.snapshot(), self.shared.writer());
        let named = self.shared.options().retention.accounts();
        let is_known = |account: &str| {
            snapshot.account(account).is_some() || writer.segmenter().watermarks().any(|(known, _)| known == account)
        };
        named.filter(|account| !is_known(account.as_str())).cloned().collect()
    }

    /// What [retention](StoreOptions::retention) would take from the archive at `now`, in milliseconds since the
    /// epoch, by account.
    pub fn expiring(&self, now: i64) -> BTreeMap<AccountId, Expiring> {
        expiring(&self.shared, now)
    }

    /// The number of conversations that are open.
    pub fn open_conversations(&self) -> usize {
        self.shared.writer().segmenter().open_conversations()
    }

    /// How many events could have no effect since the start, by reason.
    pub fn dead_letters(&self) -> BTreeMap<Impossible, u64> {
        self.appends.dead_letters()
    }

    /// What has been done since the start.
    pub fn counts(&self) -> StoreCounts {
        self.shared.statistics().read(self.dead_letters())
    }

    /// The folder of the files that such events are kept in.
    pub fn dead_letter_folder(&self) -> PathBuf {
        self.shared.directory().dead_letters()
    }

    /// All segments stored so far, and all conversations that are open beside them.
    pub fn moment(&self) -> Moment {
        self.shared.moment()
    }

    /// All segments stored so far.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.snapshot()
    }

    /// The files of `files` whose rows count: each is compared with its checksum once, and again after a read of it
    /// differed. One that is corrupt or gone is given up, and named in the log.
    ///
    /// # Errors
    /// Where a file cannot be read now.
    pub fn readable(&self, files: Vec<Arc<ArchiveFile>>) -> Result<Vec<Arc<ArchiveFile>>> {
        self.shared.readable(files)
    }

    /// Running totals of the rows of `files`. A file that turns out to be corrupt or gone is given up, and its rows do
    /// not count. `None` where some rows allow no totals, or where together they would take more memory than there is
    /// for them: such files are read instead.
    ///
    /// # Errors
    /// Where a file cannot be read.
    pub fn archived_totals(&self, files: &[Arc<ArchiveFile>]) -> Result<Option<Vec<Arc<Totals>>>> {
        let since = self.shared.options().hot_since();
        self.archived_totals.of_all(files, since, |file, error| self.shared.lose(file, error))
    }

    /// Memory that running totals take, in bytes: totals of rows in memory, and totals of files that were asked for.
    pub fn totals_bytes(&self) -> usize {
        let snapshot = self.snapshot();
        let of_rows = snapshot.all_partitions().flat_map(|partition| partition.totals()).flatten();
        let of_files = usize::try_from(self.archived_totals.bytes()).unwrap_or(usize::MAX);
        of_rows.map(|totals| totals.bytes()).sum::<usize>().saturating_add(of_files)
    }

    /// The tables and views that somebody added, as they are now.
    pub fn relations(&self) -> Arc<RelationSet> {
        self.shared.relations().latest()
    }

    /// Keeps a table or a view, whole or not at all. It is durable when this returns.
    ///
    /// # Errors
    /// [`Error::Relation`](crate::Error::Relation) where it may not be kept, or where the disk fails.
    pub fn put_relation(&self, relation: Relation, if_there: IfThere) -> Result<()> {
        self.shared.relations().put(relation, if_there)
    }

    /// Removes tables or views, all of them of one kind: all at once, or none.
    ///
    /// # Errors
    /// [`Error::Relation`](crate::Error::Relation) where there is none of a name and the kind, or where the disk fails.
    pub fn remove_relations(
        &self,
        owner: Option<&AccountId>,
        names: &[RelationName],
        kind: RelationKind,
    ) -> Result<()> {
        self.shared.relations().remove(owner, names, kind)
    }

    /// Gives a table or a view another name, which nothing else may have. With `kind`, it must be of that kind.
    ///
    /// # Errors
    /// [`Error::Relation`](crate::Error::Relation) where it cannot be renamed, or where the disk fails.
    pub fn rename_relation(
        &self,
        owner: Option<&AccountId>,
        name: &RelationName,
        kind: Option<RelationKind>,
        to: RelationName,
    ) -> Result<()> {
        self.shared.relations().rename(owner, name, kind, to)
    }

    /// A backup of all that is stored now. Writes are held up only while the conversations that are followed are noted.
    ///
    /// # Errors
    /// Where the copy of the journal cannot be written.
    pub fn backup(&self) -> Result<Backup> {
        Backup::of(&self.shared, true)
    }

    /// The same for a [`LinkedCopy`](crate::LinkedCopy), which whoever makes it may verify: no file is looked into.
    ///
    /// # Errors
    /// Where the copy of the journal cannot be written.
    pub fn backup_to_link(&self) -> Result<Backup> {
        Backup::of(&self.shared, false)
    }

    /// Tells other processes that this one serves the directory's data at `url`.
    ///
    /// # Errors
    /// Where that cannot be written.
    pub fn announce(&self, url: &str) -> Result<()> {
        self.shared.directory().announce(url)
    }

    pub(crate) fn shared(&self) -> &Shared {
        &self.shared
    }

    pub(crate) fn appends(&self) -> &Appends {
        &self.appends
    }

    pub(crate) fn last_told(&self) -> &LastTold {
        &self.last_told
    }

    pub(crate) fn totals_of_files(&self) -> &ArchivedTotals {
        &self.archived_totals
    }

    pub(crate) fn scrub(&self) -> &Scrub {
        &self.scrub
    }

    /// Waits for the round of maintenance that is under way. The value is the number of rounds that have begun.
    pub(crate) fn maintenance_rounds(&self) -> MutexGuard<'_, u64> {
        self.maintenance_rounds.lock()
    }
}
