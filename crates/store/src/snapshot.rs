//! A consistent view of all segments at one moment: the rows in memory, and the files of the archive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use skillscope_segment::AccountId;

use crate::archive::file::ArchiveFile;
use crate::calendar::day_of;
use crate::rows::partition::Partition;
use crate::rows::run::Cut;

/// All stored segments at one moment. Later writes do not change it.
///
/// Each row is in one [partition](Self::partitions), in memory, or in one [archived file](Self::archived), on disk.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    accounts: BTreeMap<AccountId, Arc<AccountSegments>>,
}

/// The segments of one account.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccountSegments {
    pub(crate) hours: BTreeMap<i64, Arc<Partition>>,
    pub(crate) files: Arc<AccountFiles>,
}

/// The archive files of one account, each under the day of its rows and its number.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccountFiles {
    /// Files whose rows are in partitions too.
    pub(crate) resident: BTreeMap<(i64, u64), Arc<ArchiveFile>>,
    /// Files whose rows are read from disk.
    pub(crate) archived: BTreeMap<(i64, u64), Arc<ArchiveFile>>,
}

impl Snapshot {
    /// The accounts that have segments, in alphabetical order.
    pub fn accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.accounts.keys()
    }

    /// The account with this identifier, where it has segments.
    pub fn account(&self, id: &str) -> Option<&AccountId> {
        self.accounts.get_key_value(id).map(|(account, _)| account)
    }

    /// The partitions of `account`, oldest first; none for an account without segments in memory.
    pub fn partitions<'a>(&'a self, account: &AccountId) -> impl Iterator<Item = &'a Arc<Partition>> + use<'a> {
        self.accounts.get(account).into_iter().flat_map(|segments| segments.hours.values())
    }

    /// The files of `account` whose rows are not in memory, oldest days first.
    pub fn archived<'a>(&'a self, account: &AccountId) -> impl Iterator<Item = &'a Arc<ArchiveFile>> + use<'a> {
        self.accounts.get(account).into_iter().flat_map(|segments| segments.files.archived.values())
    }

    /// The same moment without the files: only the rows in memory.
    pub fn in_memory(&self) -> Self {
        let mut accounts = self.accounts.clone();
        for segments in accounts.values_mut() {
            Arc::make_mut(segments).files = Arc::default();
        }
        Self { accounts }
    }

    /// All files of `account`, whether their rows are in memory or not.
    pub fn files<'a>(&'a self, account: &AccountId) -> impl Iterator<Item = &'a Arc<ArchiveFile>> + use<'a> {
        let files = self.accounts.get(account).into_iter().map(|segments| &segments.files);
        files.flat_map(|files| files.resident.values().chain(files.archived.values()))
    }

    /// Whether the rows of a file are in memory.
    pub fn is_resident(&self, file: &ArchiveFile) -> bool {
        self.accounts.get(file.account()).is_some_and(|segments| segments.files.is_resident(file))
    }

    /// Every partition of every account.
    pub(crate) fn all_partitions(&self) -> impl Iterator<Item = &Arc<Partition>> {
        self.accounts.values().flat_map(|segments| segments.hours.values())
    }

    /// Every file of every account.
    pub(crate) fn all_files(&self) -> impl Iterator<Item = &Arc<ArchiveFile>> {
        self.accounts.keys().flat_map(|account| self.files(account))
    }

    pub(crate) fn segments(&self, account: &AccountId) -> Option<&Arc<AccountSegments>> {
        self.accounts.get(account)
    }

    pub(crate) fn partition(&self, account: &AccountId, hour: i64) -> Option<&Arc<Partition>> {
        self.accounts.get(account)?.hours.get(&hour)
    }

    /// This snapshot with an account's segments changed by `change`. An account that has no segments then is not in it.
    pub(crate) fn with(&self, account: &AccountId, change: impl FnOnce(&mut AccountSegments)) -> Self {
        let mut accounts = self.accounts.clone();
        let segments = Arc::make_mut(accounts.entry(account.clone()).or_default());
        change(segments);
        if segments.hours.is_empty() && segments.files.is_empty() {
            accounts.remove(account);
        }
        Self { accounts }
    }

    /// This snapshot with the partition of an account and hour changed by `change`.
    pub(crate) fn with_partition(
        &self,
        account: &AccountId,
        hour: i64,
        change: impl FnOnce(Partition) -> Partition,
    ) -> Self {
        self.with(account, |segments| segments.change(account, hour, change))
    }

    /// This snapshot with rows that arrived now. Partitions that they do not touch are shared.
    pub(crate) fn with_rows(&self, cuts: &[Cut], now: i64) -> Self {
        let mut accounts = self.accounts.clone();
        for cut in cuts {
            let segments = Arc::make_mut(accounts.entry(cut.account.clone()).or_default());
            segments.change(&cut.account, cut.hour, |partition| partition.with_open(cut.run.clone(), now));
        }
        Self { accounts }
    }
}

impl AccountSegments {
    /// Changes the partition of an hour, which may be new. A partition that has no rows then is dropped.
    pub(crate) fn change(&mut self, account: &AccountId, hour: i64, change: impl FnOnce(Partition) -> Partition) {
        let partition = match self.hours.remove(&hour) {
            Some(partition) => Arc::unwrap_or_clone(partition),
            None => Partition::new(account.clone(), hour),
        };
        let changed = change(partition);
        if changed.rows() > 0 {
            self.hours.insert(hour, Arc::new(changed));
        }
    }

    pub(crate) fn files_mut(&mut self) -> &mut AccountFiles {
        Arc::make_mut(&mut self.files)
    }
}

impl AccountFiles {
    fn is_empty(&self) -> bool {
        self.resident.is_empty() && self.archived.is_empty()
    }

    /// The files with rows of an hour that are not in memory.
    pub(crate) fn archived_of(&self, hour: i64) -> impl Iterator<Item = &Arc<ArchiveFile>> {
        of_day(&self.archived, day_of(hour)).filter(move |file| file.record().covers(hour))
    }

    /// The files with rows of a day or later days that are not in memory.
    pub(crate) fn archived_since(&self, day: i64) -> impl Iterator<Item = &Arc<ArchiveFile>> {
        self.archived.range((day, 0)..).map(|(_, file)| file)
    }

    /// The files with rows of a day whose rows are in memory, too.
    pub(crate) fn resident_of_day(&self, day: i64) -> impl Iterator<Item = &Arc<ArchiveFile>> {
        of_day(&self.resident, day)
    }

    /// An hour, and all hours of its day that leave memory together with it: a file holds rows of both, or a chain of
    /// files ties them together.
    pub(crate) fn hours_of_same_files(&self, hour: i64) -> BTreeSet<i64> {
        let mut hours = BTreeSet::from([hour]);
        let files: Vec<_> = self.resident_of_day(day_of(hour)).map(|file| file.record()).collect();
        loop {
            let before = hours.len();
            for file in &files {
                if file.hours().any(|hour| hours.contains(&hour)) {
                    hours.extend(file.hours());
                }
            }
            if hours.len() == before {
                return hours;
            }
        }
    }

    pub(crate) fn insert(&mut self, file: Arc<ArchiveFile>, is_resident: bool) {
        let place = place(&file);
        if is_resident {
            self.resident.insert(place, file)
        } else {
            self.archived.insert(place, file)
        };
    }

    pub(crate) fn remove(&mut self, file: &ArchiveFile) {
        self.resident.remove(&place(file));
        self.archived.remove(&place(file));
    }

    /// Notes that the rows of a file are in memory no longer.
    pub(crate) fn evict(&mut self, file: &ArchiveFile) {
        if let Some(file) = self.resident.remove(&place(file)) {
            self.archived.insert(place(&file), file);
        }
    }

    pub(crate) fn is_resident(&self, file: &ArchiveFile) -> bool {
        self.resident.contains_key(&place(file))
    }

    pub(crate) fn has(&self, file: &ArchiveFile) -> bool {
        self.is_resident(file) || self.archived.contains_key(&place(file))
    }
}

fn place(file: &ArchiveFile) -> (i64, u64) {
    (file.record().day(), file.record().number)
}

fn of_day(files: &BTreeMap<(i64, u64), Arc<ArchiveFile>>, day: i64) -> impl Iterator<Item = &Arc<ArchiveFile>> {
    files.range((day, 0)..=(day, u64::MAX)).map(|(_, file)| file)
}
