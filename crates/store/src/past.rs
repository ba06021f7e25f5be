use arrow::array::RecordBatch;
use skillscope_segment::{AccountId, PastConversation, SegmentRows, StartReason};

use crate::keys::{Admission, KeyColumns, KeyIndex};
use crate::run::hour_of;
use crate::{ArchiveFile, Error, Result, Snapshot, Store, parquet_file};

/// Segments of a conversation are looked for in memory by their keys, until so many in a row are not there.
const LONGEST_GAP: u32 = 256;

/// The stored segments of a conversation up to a time.
#[derive(Debug)]
struct Past<'p> {
    conversation: &'p str,
    until: i64,
    found: Option<Found>,
}

/// The latest segment that was found.
#[derive(Debug)]
struct Found {
    past: PastConversation,
    /// The hour in which it ended.
    hour: i64,
    /// It is what the resume in question led to when it was delivered before: there is nothing better.
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
        let mut past = Past { conversation, until, found: None };
        for hour in self.hours_in_memory(keys, account, conversation) {
            if let Some(partition) = snapshot.partition(account, hour) {
                partition.batches().try_for_each(|batch| past.add(batch))?;
            }
        }
        let mut files: Vec<_> = snapshot.archived(account).collect();
        files.sort_by_key(|file| std::cmp::Reverse(*file.hours().end()));
        for file in files {
            if past.is_settled(*file.hours().end()) {
                break;
            }
            match rows_that_may_be_of(file, conversation) {
                Ok(batches) => batches.iter().try_for_each(|batch| past.add(batch))?,
                Err(error @ Error::Io { .. }) if !error.is_of_lost_file() => return Err(error),
                // Its rows do not count any more; whoever reads all of them gives the file up.
                Err(error) => tracing::error!(%error, "a file could not be searched for a conversation"),
            }
        }
        Ok(past.found.map(|found| found.past))
    }

    /// The hours in which segments of a conversation ended, of those that are in memory.
    fn hours_in_memory(&self, keys: &KeyIndex, account: &AccountId, conversation: &str) -> Vec<i64> {
        let end_time = |index| match keys.ask(self.hasher.hash(account.as_str(), conversation, index), 0) {
            Admission::New => None,
            Admission::Duplicate => Some(0),
            Admission::Conflict { stored_end_time } => Some(stored_end_time),
        };
        let (mut hours, mut missing) = (Vec::new(), 0);
        for index in 0.. {
            match end_time(index) {
                Some(end_time) => {
                    hours.push(hour_of(end_time));
                    missing = 0;
                }
                None if missing >= LONGEST_GAP => break,
                None => missing += 1,
            }
        }
        hours.sort_unstable();
        hours.dedup();
        hours
    }
}

/// The rows of a file, unless its bloom filter says that none is of the conversation.
fn rows_that_may_be_of(file: &ArchiveFile, conversation: &str) -> Result<Vec<RecordBatch>> {
    let open = file.open().map_err(Error::io("open", file.path()))?;
    let may_hold = parquet_file::may_hold(open, [conversation].into_iter())?;
    if may_hold { file.read_rows() } else { Ok(Vec::new()) }
}

impl Past<'_> {
    /// Whether files of which no row ended after `hour` can tell nothing more.
    fn is_settled(&self, hour: i64) -> bool {
        self.found.as_ref().is_some_and(|found| found.is_exact || found.hour > hour)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = KeyColumns::new(batch)?;
        let segments = SegmentRows::new(batch)?;
        let rows = columns.rows().enumerate().filter(|(_, (_, conversation, _, _))| *conversation == self.conversation);
        for (row, (_, _, index, end_time)) in rows {
            let segment = segments.segment(row)?;
            let is_exact = segment.start_reason == StartReason::Resume && segment.start_time == self.until;
            let next_index = if is_exact { index } else { index.saturating_add(1) };
            let (was_exact, is_later) = match &self.found {
                Some(found) => (found.is_exact, found.past.next_index < next_index),
                None => (false, true),
            };
            if !was_exact && (is_exact || (is_later && end_time <= self.until)) {
                let past = PastConversation { next_index, source: segment.source.map(|text| text.into_owned()) };
                self.found = Some(Found { past, hour: hour_of(end_time), is_exact });
            }
        }
        Ok(())
    }
}
