use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::{Arc, MutexGuard, PoisonError};

use arrow::array::RecordBatch;
use skillscope_segment::{AccountId, Event, EventBatch, EventKind, PastConversation, SegmentRows, StartReason};

use crate::archive::parquet::{BloomFilters, decode_conversations};
use crate::calendar::hour_of;
use crate::rows::keys::{Admission, KeyColumns, KeyIndex};
use crate::{ArchiveFile, Error, Result, Snapshot, Store};

/// Segments of a conversation are looked for in memory by their keys, until so many in a row are not there.
const LONGEST_GAP: u32 = 256;

/// Searches of the archive that are kept until they are asked for.
const MOST_KEPT: usize = 1 << 13;

/// A resume before which events are missing.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Resume {
    account: AccountId,
    conversation: String,
    /// In milliseconds since the epoch.
    time: i64,
}

/// The stored segments of a conversation up to the time of a resume.
#[derive(Debug)]
struct Past {
    resume: Resume,
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

/// What the archive has of conversations whose resumes wait for events before them: it was searched when they came, while
/// others could write.
#[derive(Debug, Default)]
pub(crate) struct ArchivedPasts {
    searched: HashMap<Resume, Searched>,
    /// In the order in which they came; some may have been asked for.
    order: VecDeque<Resume>,
}

#[derive(Debug, Default)]
struct Searched {
    found: Option<Found>,
    /// The numbers of the files that there were.
    files: Arc<BTreeSet<u64>>,
}

impl ArchivedPasts {
    fn keep(&mut self, resume: Resume, searched: Searched) {
        if let Entry::Vacant(vacant) = self.searched.entry(resume.clone()) {
            vacant.insert(searched);
            self.order.push_back(resume);
        }
        while self.order.len() > MOST_KEPT {
            let Some(first) = self.order.pop_front() else { break };
            self.searched.remove(&first);
        }
    }
}

impl Store {
    /// Searches the archive for the conversations that events resume and of which others are missing. To be called before
    /// the events are written, since it may take long.
    pub(crate) fn search_archive_for(&self, events: &EventBatch) -> Result<()> {
        let resumes = resumes_ahead(events);
        if resumes.is_empty() {
            return Ok(());
        }
        let snapshot = self.snapshot();
        let mut pasts: BTreeMap<AccountId, Vec<Past>> = BTreeMap::new();
        {
            let writer = self.writer();
            for event in resumes.iter().filter(|event| !writer.segmenter.expects(event)).take(MOST_KEPT) {
                let Some(account) = snapshot.account(event.account_id) else { continue };
                pasts.entry(account.clone()).or_default().push(Past::new(account, event.conversation_id, event.time));
            }
        }
        for (account, mut pasts) in pasts {
            let files = Arc::new(search(&snapshot, &account, &mut pasts, &BTreeSet::new())?);
            let mut kept = self.archived_pasts();
            for Past { resume, found } in pasts {
                kept.keep(resume, Searched { found, files: Arc::clone(&files) });
            }
        }
        Ok(())
    }

    fn archived_pasts(&self) -> MutexGuard<'_, ArchivedPasts> {
        self.archived_pasts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is stored of a conversation that is resumed at `until` after events that are missing: in memory, and in
    /// the archive, the latest files first.
    pub(crate) fn past_conversation(
        &self,
        keys: &KeyIndex,
        snapshot: &Snapshot,
        account: &str,
        conversation: &str,
        until: i64,
    ) -> Result<Option<PastConversation>> {
        let Some(account) = snapshot.account(account) else { return Ok(None) };
        let mut past = Past::new(account, conversation, until);
        let searched = self.archived_pasts().searched.remove(&past.resume).unwrap_or_default();
        past.found = searched.found;
        self.add_from_memory(keys, snapshot, 0, &mut past)?;
        search(snapshot, account, std::slice::from_mut(&mut past), &searched.files)?;
        // The earlier ones may be in files alone.
        let next = past.found.as_ref().map_or(0, |found| found.past.next_index);
        self.add_from_memory(keys, snapshot, next, &mut past)?;
        Ok(past.found.map(|found| found.past))
    }

    /// Adds the segments in memory from the one numbered `first` on.
    fn add_from_memory(&self, keys: &KeyIndex, snapshot: &Snapshot, first: u32, past: &mut Past) -> Result<()> {
        let Resume { account, conversation, .. } = past.resume.clone();
        let end_time = |index| match keys.ask(self.hasher.hash(account.as_str(), &conversation, index), 0) {
            Admission::New => None,
            Admission::Duplicate => Some(0),
            Admission::Conflict { stored_end_time } => Some(stored_end_time),
        };
        let (mut hours, mut missing) = (BTreeSet::new(), 0);
        for index in first.. {
            match end_time(index) {
                Some(end_time) => {
                    hours.insert(hour_of(end_time));
                    missing = 0;
                }
                None if missing >= LONGEST_GAP => break,
                None => missing += 1,
            }
        }
        for partition in hours.into_iter().filter_map(|hour| snapshot.partition(&account, hour)) {
            partition.batches().try_for_each(|batch| past.add(batch))?;
        }
        Ok(())
    }
}

/// The resumes before which no event of their conversation stands in a batch, each once.
fn resumes_ahead(events: &EventBatch) -> Vec<Event<&str>> {
    let is_resume = |event: &Event<&str>| matches!(event.kind, EventKind::Resumed { .. });
    if !events.iter().any(|event| is_resume(&event)) {
        return Vec::new();
    }
    let mut lowest: HashMap<(&str, &str), u64> = HashMap::new();
    for event in events.iter() {
        let lowest = lowest.entry((event.account_id, event.conversation_id)).or_insert(event.sequence);
        *lowest = event.sequence.min(*lowest);
    }
    let mut resumes = Vec::new();
    for event in events.iter().filter(is_resume) {
        let conversation = (event.account_id, event.conversation_id);
        if lowest.get(&conversation) == Some(&event.sequence) {
            // A repeat is none.
            lowest.remove(&conversation);
            resumes.push(event);
        }
    }
    resumes
}

/// Looks through the files of an account but for those numbered `known`, the latest first, as far as they can tell
/// anything; gives the numbers of all.
fn search(
    snapshot: &Snapshot,
    account: &AccountId,
    pasts: &mut [Past],
    known: &BTreeSet<u64>,
) -> Result<BTreeSet<u64>> {
    let mut files: Vec<_> = snapshot.archived(account).collect();
    files.sort_by_key(|file| Reverse(*file.hours().end()));
    for file in files.iter().filter(|file| !known.contains(&file.record().number)) {
        let hour = *file.hours().end();
        let sought: Vec<&str> = pasts.iter().filter(|past| !past.is_settled(hour)).map(Past::conversation).collect();
        if sought.is_empty() {
            break;
        }
        match rows_of(file, &sought) {
            Ok(batches) => {
                for past in pasts.iter_mut() {
                    batches.iter().try_for_each(|batch| past.add(batch))?;
                }
            }
            // Its rows do not count any more; whoever reads all of them gives the file up.
            Err(error) if error.is_of_file_content() => {
                tracing::error!(%error, file = %file.path().display(), "a file cannot be searched for conversations");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(files.iter().map(|file| file.record().number).collect())
}

/// The rows of some conversations in a file.
fn rows_of(file: &ArchiveFile, conversations: &[&str]) -> Result<Vec<RecordBatch>> {
    let open = file.open().map_err(Error::io("open", file.path()))?;
    let filters = BloomFilters::read(open)?;
    let held: HashSet<&str> =
        conversations.iter().filter(|conversation| filters.may_hold(conversation)).copied().collect();
    // They rule most files out.
    if held.is_empty() { Ok(Vec::new()) } else { decode_conversations(file.read()?, &held) }
}

impl Past {
    fn new(account: &AccountId, conversation: &str, time: i64) -> Self {
        let resume = Resume { account: account.clone(), conversation: conversation.to_owned(), time };
        Self { resume, found: None }
    }

    fn conversation(&self) -> &str {
        &self.resume.conversation
    }

    /// Whether files of which no row ended after `hour` can tell nothing more.
    fn is_settled(&self, hour: i64) -> bool {
        self.found.as_ref().is_some_and(|found| found.is_exact || found.hour > hour)
    }

    fn add(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = KeyColumns::new(batch)?;
        let segments = SegmentRows::new(batch)?;
        for (row, (_, conversation, index, end_time)) in columns.rows().enumerate() {
            if conversation != self.resume.conversation {
                continue;
            }
            let segment = segments.segment(row)?;
            let is_exact = segment.start_reason == StartReason::Resume && segment.start_time == self.resume.time;
            let next_index = if is_exact { index } else { index.saturating_add(1) };
            let (was_exact, is_later) = match &self.found {
                Some(found) => (found.is_exact, found.past.next_index < next_index),
                None => (false, true),
            };
            if !was_exact && (is_exact || (is_later && end_time <= self.resume.time)) {
                let past = PastConversation { next_index, source: segment.source.map(|text| text.into_owned()) };
                self.found = Some(Found { past, hour: hour_of(end_time), is_exact });
            }
        }
        Ok(())
    }
}
