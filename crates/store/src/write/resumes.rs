//! Conversations that are resumed while earlier events are missing: their stored segments tell how far they were.

use std::cmp::Reverse;
use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use arrow::array::RecordBatch;
use parking_lot::Mutex;
use skillscope_segment::{AccountId, Event, EventBatch, EventKind, PastConversation, SegmentRows, StartReason};

use crate::archive::file::ArchiveFile;
use crate::archive::parquet::{BloomFilters, decode_conversations};
use crate::calendar::hour_of;
use crate::error::Result;
use crate::rows::keys::{Admission, KeyColumns, KeyHasher, KeyIndex};
use crate::shared::Shared;
use crate::snapshot::Snapshot;

/// Segments of a conversation are looked for in memory by their keys, until so many in a row are missing.
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

/// A search for the stored segments of a conversation up to the time of a resume.
#[derive(Debug)]
struct Search {
    resume: Resume,
    found: Option<Found>,
}

/// The latest segment that was found.
#[derive(Debug)]
struct Found {
    stored: PastConversation,
    /// The hour in which it ended.
    hour: i64,
    /// The segment began with the same resume, which was delivered before: nothing better can be found.
    is_exact: bool,
}

/// Finds the stored segments of conversations that are resumed while events before the resume are missing. The archive
/// is searched when the events come, while others can write; the results wait here until the events are segmented.
#[derive(Debug)]
pub(crate) struct ResumeSearches {
    hasher: KeyHasher,
    of_archive: Mutex<ArchiveSearches>,
}

#[derive(Debug, Default)]
struct ArchiveSearches {
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

impl ArchiveSearches {
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

impl ResumeSearches {
    pub(crate) fn new(hasher: KeyHasher) -> Self {
        Self { hasher, of_archive: Mutex::default() }
    }

    /// Searches the archive for the conversations that `events` resume and of which others are missing. To be called
    /// before the events are written, since it may take long.
    pub(crate) fn search_archive(&self, shared: &Shared, events: &EventBatch) -> Result<()> {
        let resumes = resumes_ahead(events);
        if resumes.is_empty() {
            return Ok(());
        }
        let snapshot = shared.snapshot();
        let mut searches: BTreeMap<AccountId, Vec<Search>> = BTreeMap::new();
        {
            let writer = shared.writer();
            let is_early = |event: &&Event<&str>| !writer.segmenter().expects(event);
            for event in resumes.iter().filter(is_early).take(MOST_KEPT) {
                let Some(account) = snapshot.account(event.account_id) else { continue };
                let search = Search::new(account, event.conversation_id, event.time);
                searches.entry(account.clone()).or_default().push(search);
            }
        }
        for (account, mut searches) in searches {
            let files = Arc::new(search_files(&snapshot, &account, &mut searches, &BTreeSet::new())?);
            let mut of_archive = self.of_archive.lock();
            for Search { resume, found } in searches {
                of_archive.keep(resume, Searched { found, files: Arc::clone(&files) });
            }
        }
        Ok(())
    }

    /// The stored segments of a conversation that is resumed at `until` after events that are missing: those in memory,
    /// by their `keys`, and those in the archive, the latest files first.
    pub(crate) fn stored_before(
        &self,
        keys: &KeyIndex,
        snapshot: &Snapshot,
        account: &str,
        conversation: &str,
        until: i64,
    ) -> Result<Option<PastConversation>> {
        let Some(account) = snapshot.account(account) else { return Ok(None) };
        let mut search = Search::new(account, conversation, until);
        let searched = self.of_archive.lock().searched.remove(&search.resume).unwrap_or_default();
        search.found = searched.found;
        self.search_memory(keys, snapshot, 0, &mut search)?;
        search_files(snapshot, account, std::slice::from_mut(&mut search), &searched.files)?;
        // The segments before the latest in memory may be in files alone.
        let next = search.found.as_ref().map_or(0, |found| found.stored.next_index);
        self.search_memory(keys, snapshot, next, &mut search)?;
        Ok(search.found.map(|found| found.stored))
    }

    /// Adds the segments in memory from the one numbered `first` on.
    fn search_memory(&self, keys: &KeyIndex, snapshot: &Snapshot, first: u32, search: &mut Search) -> Result<()> {
        let Resume { account, conversation, .. } = search.resume.clone();
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
            partition.batches().try_for_each(|(batch, _)| search.add(batch))?;
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
            // A repeat of the same resume is not counted again.
            lowest.remove(&conversation);
            resumes.push(event);
        }
    }
    resumes
}

/// Looks through the files of an account, the latest first, until every search is settled. Files numbered `known` are
/// passed over. Gives the numbers of all files.
fn search_files(
    snapshot: &Snapshot,
    account: &AccountId,
    searches: &mut [Search],
    known: &BTreeSet<u64>,
) -> Result<BTreeSet<u64>> {
    let mut files: Vec<_> = snapshot.archived(account).collect();
    files.sort_by_key(|file| Reverse(*file.hours().end()));
    for file in files.iter().filter(|file| !known.contains(&file.record().number)) {
        let hour = *file.hours().end();
        let open = searches.iter().filter(|search| !search.is_settled(hour));
        let sought: Vec<&str> = open.map(Search::conversation).collect();
        if sought.is_empty() {
            break;
        }
        match rows_of(file, &sought) {
            Ok(batches) => {
                for search in searches.iter_mut() {
                    batches.iter().try_for_each(|batch| search.add(batch))?;
                }
            }
            // The file is not given up here, but when all of its rows are read the next time.
            Err(error) if error.is_of_file_content() => {
                tracing::error!(%error, file = %file.path().display(), "a file cannot be searched for conversations");
            }
            Err(error) => return Err(error),
        }
    }
    Ok(files.iter().map(|file| file.record().number).collect())
}

/// The rows of some conversations in a file.
fn rows_of(file: &Arc<ArchiveFile>, conversations: &[&str]) -> Result<Vec<RecordBatch>> {
    let filters = BloomFilters::read(file.open()?)?;
    let held: HashSet<&str> =
        conversations.iter().filter(|conversation| filters.may_hold(conversation)).copied().collect();
    // The filters rule most files out.
    if held.is_empty() { Ok(Vec::new()) } else { decode_conversations(file.read()?, &held) }
}

impl Search {
    fn new(account: &AccountId, conversation: &str, time: i64) -> Self {
        let resume = Resume { account: account.clone(), conversation: conversation.to_owned(), time };
        Self { resume, found: None }
    }

    fn conversation(&self) -> &str {
        &self.resume.conversation
    }

    /// Whether files without a row that ended after `hour` can add nothing.
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
                Some(found) => (found.is_exact, found.stored.next_index < next_index),
                None => (false, true),
            };
            if !was_exact && (is_exact || (is_later && end_time <= self.resume.time)) {
                let stored = PastConversation { next_index, source: segment.source.map(|text| text.into_owned()) };
                self.found = Some(Found { stored, hour: hour_of(end_time), is_exact });
            }
        }
        Ok(())
    }
}
