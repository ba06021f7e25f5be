use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use skillscope_segment::{AccountId, Event, EventBatch, EventKind, PastConversation, SegmentRows, StartReason};

use crate::keys::{Admission, KeyColumns, KeyIndex};
use crate::run::hour_of;
use crate::{ArchiveFile, Error, Result, Snapshot, Store, parquet_file};

/// Segments of a conversation are looked for in memory by their keys, until so many in a row are not there.
const LONGEST_GAP: u32 = 256;

/// Searches of the archive that are kept until they are asked for.
const MOST_KEPT: usize = 1 << 13;

/// A resume of a conversation that is not followed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Resume {
    account: AccountId,
    conversation: String,
    /// In milliseconds since the epoch.
    time: i64,
}

/// The latest stored segment of a conversation before a resume.
#[derive(Debug, Clone)]
struct Found {
    past: PastConversation,
    /// The hour in which it ended.
    hour: i64,
    /// It is what the resume in question led to when it was delivered before: there is nothing better.
    is_exact: bool,
}

/// What the archive has of conversations whose resumes wait for events before them: it was searched when they came, while
/// others could write.
#[derive(Debug, Default)]
pub(crate) struct ArchivedPasts {
    searched: HashMap<Resume, Searched>,
    /// In the order in which they came.
    order: VecDeque<Resume>,
}

#[derive(Debug, Clone, Default)]
struct Searched {
    found: Option<Found>,
    /// The numbers of the files that there were.
    files: Arc<BTreeSet<u64>>,
}

impl ArchivedPasts {
    fn keep(&mut self, resume: Resume, searched: Searched) {
        if self.searched.insert(resume.clone(), searched).is_none() {
            self.order.push_back(resume);
        }
        while self.order.len() > MOST_KEPT {
            let Some(first) = self.order.pop_front() else { break };
            self.searched.remove(&first);
        }
    }
}

/// The stored segments of a conversation up to a time.
#[derive(Debug)]
struct Past<'p> {
    conversation: &'p str,
    until: i64,
    found: Option<Found>,
}

impl Store {
    /// Searches the archive for the conversations that events resume and that are not followed. To be called before
    /// the events are written, since it may take long.
    pub(crate) fn search_archive_for(&self, events: &EventBatch) -> Result<()> {
        let resumes: Vec<Event<&str>> =
            events.iter().filter(|event| matches!(event.kind, EventKind::Resumed { .. })).collect();
        if resumes.is_empty() {
            return Ok(());
        }
        let snapshot = self.snapshot();
        let unknown: Vec<_> = {
            let writer = self.writer();
            let is_followed = |event: &Event<&str>| writer.segmenter.follows(event.account_id, event.conversation_id);
            resumes.into_iter().filter(|event| !is_followed(event)).take(MOST_KEPT).collect()
        };
        for event in unknown {
            let Some(account) = snapshot.account(event.account_id) else { continue };
            let mut past = Past { conversation: event.conversation_id, until: event.time, found: None };
            let files = past.search(&snapshot, account, &BTreeSet::new())?;
            let resume =
                Resume { account: account.clone(), conversation: event.conversation_id.to_owned(), time: event.time };
            self.archived_pasts().keep(resume, Searched { found: past.found, files: Arc::new(files) });
        }
        Ok(())
    }

    fn archived_pasts(&self) -> MutexGuard<'_, ArchivedPasts> {
        self.archived_pasts.lock().unwrap_or_else(PoisonError::into_inner)
    }

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
        let resume = Resume { account: account.clone(), conversation: conversation.to_owned(), time: until };
        let searched = self.archived_pasts().searched.get(&resume).cloned().unwrap_or_default();
        let mut past = Past { conversation, until, found: searched.found };
        for hour in self.hours_in_memory(keys, account, conversation) {
            if let Some(partition) = snapshot.partition(account, hour) {
                partition.batches().try_for_each(|batch| past.add(batch))?;
            }
        }
        past.search(snapshot, account, &searched.files)?;
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

/// The rows of a conversation in a file.
fn rows_of(file: &ArchiveFile, conversation: &str) -> Result<Vec<RecordBatch>> {
    let open = file.open().map_err(Error::io("open", file.path()))?;
    // It rules most files out.
    if !parquet_file::may_hold(open, [conversation].into_iter())? {
        return Ok(Vec::new());
    }
    parquet_file::decode_conversation(file.read()?, conversation)
}

impl Past<'_> {
    /// Looks through the files of an account but for those numbered `known`, the latest first, as far as they can tell
    /// anything; gives the numbers of all.
    fn search(&mut self, snapshot: &Snapshot, account: &AccountId, known: &BTreeSet<u64>) -> Result<BTreeSet<u64>> {
        let mut files: Vec<_> = snapshot.archived(account).collect();
        files.sort_by_key(|file| Reverse(*file.hours().end()));
        for file in files.iter().filter(|file| !known.contains(&file.record().number)) {
            if self.is_settled(*file.hours().end()) {
                break;
            }
            match rows_of(file, self.conversation) {
                Ok(batches) => batches.iter().try_for_each(|batch| self.add(batch))?,
                Err(error @ Error::Io { .. }) if !error.is_of_lost_file() => return Err(error),
                // Its rows do not count any more; whoever reads all of them gives the file up.
                Err(error) => tracing::error!(%error, "a file could not be searched for a conversation"),
            }
        }
        Ok(files.iter().map(|file| file.record().number).collect())
    }

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
