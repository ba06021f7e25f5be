use std::collections::BTreeSet;
use std::sync::Arc;

use skillscope_segment::AccountId;

use crate::calendar::day_of;
use crate::rows::keys::KeyColumns;
use crate::rows::partition::Partition;
use crate::rows::run::Run;
use crate::store::Writer;
use crate::{Result, Store};

impl Store {
    /// Lets go of the oldest hour in memory that is not hot any more, or for which there is no room; tells whether there
    /// was one. Its rows are read from the archive from now on.
    pub(crate) fn evict(&self) -> Result<bool> {
        let mut writer = self.writer();
        let snapshot = self.snapshot();
        let bytes: usize = snapshot.all_partitions().map(|partition| partition.bytes()).sum();
        let is_full = (bytes + writer.keys.bytes()) as u64 > self.options.hot_bytes;
        let sealed = snapshot.all_partitions().filter(|partition| !partition.sealed().is_empty());
        let leaves = |partition: &&Arc<Partition>| {
            let hours = || self.hours_of_same_files(partition.account(), partition.hour());
            is_full || !(self.options.is_hot(partition.hour()) || hours().iter().any(|hour| self.options.is_hot(*hour)))
        };
        let Some(oldest) = sealed.filter(leaves).min_by_key(|partition| partition.hour()) else { return Ok(false) };
        self.evict_hour(&mut writer, oldest.account(), oldest.hour())?;
        Ok(true)
    }

    /// Lets go of the archived rows of an hour, and of the other hours whose rows are in the same files.
    pub(crate) fn evict_hour(&self, writer: &mut Writer, account: &AccountId, hour: i64) -> Result<()> {
        let snapshot = self.snapshot();
        let Some(segments) = snapshot.segments(account) else { return Ok(()) };
        let hours = self.hours_of_same_files(account, hour);
        let partitions: Vec<_> = hours.iter().filter_map(|hour| segments.hours.get(hour)).collect();
        self.forget_keys(writer, partitions.iter().flat_map(|partition| partition.sealed()).map(Arc::as_ref))?;
        self.publish(snapshot.with(account, |segments| {
            for hour in &hours {
                segments.change(account, *hour, Partition::without_sealed);
            }
            let files: Vec<_> = segments.files.resident_of_day(day_of(hour)).cloned().collect();
            for file in files.iter().filter(|file| hours.contains(&file.record().first_hour)) {
                segments.files_mut().evict(file);
            }
        }));
        Ok(())
    }

    /// An hour, and all hours of its day whose rows are in the same files in memory, also by way of others.
    pub(crate) fn hours_of_same_files(&self, account: &AccountId, hour: i64) -> BTreeSet<i64> {
        let snapshot = self.snapshot();
        let mut hours = BTreeSet::from([hour]);
        let Some(segments) = snapshot.segments(account) else { return hours };
        let files: Vec<_> = segments.files.resident_of_day(day_of(hour)).map(|file| file.record()).collect();
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

    /// Forgets the keys of rows that are in memory no longer.
    pub(crate) fn forget_keys<'r>(&self, writer: &mut Writer, runs: impl Iterator<Item = &'r Run>) -> Result<()> {
        for run in runs {
            for (account, conversation, index, end_time) in KeyColumns::new(&run.batch)?.rows() {
                writer.keys.remove(self.hasher.hash(account, conversation, index), end_time);
            }
        }
        writer.keys.shrink();
        Ok(())
    }
}
