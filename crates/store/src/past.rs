use arrow::array::RecordBatch;
use skillscope_segment::{AccountId, PastConversation, SegmentRows, StartReason};

use crate::keys::{Admission, KeyColumns, KeyIndex};
use crate::run::hour_of;
use crate::{Error, Result, Snapshot, Store, parquet_file};

/// Of a conversation in memory, so many segments are looked for by their keys.
const MOST_SEGMENTS: u32 = 256;

/// The stored segments of a conversation up to a time.
#[derive(Debug)]
struct Past<'p> {
    conversation: &'p str,
    until: i64,
    found: Option<PastConversation>,
    /// It was resumed at that time before: that segment is stored already, and nothing else is sought.
    is_exact: bool,
}

impl Store {
    /// What is stored of a conversation that is resumed at `until` and not followed any more: in memory first, then
    /// in the archive, the latest files first.
    pub(crate) fn past_conversation(
        &self,
        keys: &KeyIndex,
        snapshot: &Snapshot,
        account: &str,
        conversation: &str,
        until: i64,
    ) -> Result<Option<PastConversation>> {
        let Some(account) = snapshot.account(account) else { return Ok(None) };
        let mut past = Past { conversation, until, found: None, is_exact: false };
        for hour in self.hours_in_memory(keys, account, conversation) {
            if let Some(partition) = snapshot.partition(account, hour) {
                partition.batches().try_for_each(|batch| past.add(batch))?;
            }
        }
        let mut files: Vec<_> = snapshot.archived(account).collect();
        files.sort_by_key(|file| std::cmp::Reverse(*file.hours().end()));
        for file in files {
            if past.found.is_some() {
                break;
            }
            let open = file.open().map_err(Error::io("open", file.path()));
            let may_hold = open.and_then(|open| parquet_file::may_hold(open, [conversation].into_iter()));
            let rows = match may_hold {
                Ok(false) => continue,
                Ok(true) => file.read_rows(),
                Err(error) => Err(error),
            };
            match rows {
                Ok(batches) => batches.iter().try_for_each(|batch| past.add(batch))?,
                // Whoever reads its rows gives it up.
                Err(error) if error.is_of_lost_file() => {
                    tracing::error!(%error, "a file could not be searched for a conversation");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(past.found)
    }

    /// The hours in which segments of a conversation ended, of those that are in memory.
    fn hours_in_memory(&self, keys: &KeyIndex, account: &AccountId, conversation: &str) -> Vec<i64> {
        let end_time = |index| match keys.ask(self.hasher.hash(account.as_str(), conversation, index), 0) {
            Admission::New => None,
            Admission::Duplicate => Some(0),
            Admission::Conflict { stored_end_time } => Some(stored_end_time),
        };
        let mut hours: Vec<i64> = (0..MOST_SEGMENTS).filter_map(end_time).map(hour_of).collect();
        hours.sort_unstable();
        hours.dedup();
        hours
    }
}

impl Past<'_> {
    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = KeyColumns::new(batch)?;
        let segments = SegmentRows::new(batch)?;
        let rows = columns.rows().enumerate().filter(|(_, (_, conversation, _, _))| *conversation == self.conversation);
        for (row, (_, _, index, end_time)) in rows {
            let segment = segments.segment(row)?;
            let is_exact = segment.start_reason == StartReason::Resume && segment.start_time == self.until;
            let next_index = if is_exact { index } else { index.saturating_add(1) };
            let is_later = self.found.as_ref().is_none_or(|found| found.next_index < next_index);
            if is_exact || (!self.is_exact && is_later && end_time <= self.until) {
                self.is_exact |= is_exact;
                self.found =
                    Some(PastConversation { next_index, source: segment.source.map(|text| text.into_owned()) });
            }
        }
        Ok(())
    }
}
