//! Writes, alone or in groups: from candidates and events to one commit.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use skillscope_segment::{Arrival, DeadLetter, EventBatch, Impossible, ToldConversation};

use super::appended::Appended;
use super::candidates::Candidates;
use super::dead_letters::DeadLetterFile;
use super::events::{Events, SegmentedEvents};
use super::group_commit::GroupCommit;
use super::history::{Adopted, History};
use super::resumes::ResumeSearches;
use crate::archive::keys::ArchivedKeys;
use crate::clock::Clock;
use crate::disk::directory::DataDirectory;
use crate::error::Result;
use crate::options::StoreOptions;
use crate::rows::keys::{KeyColumns, KeyHasher};
use crate::shared::Shared;
use crate::writer::Writer;

/// An event dated further ahead than this, in milliseconds, says nothing about the time.
const CREDIBLE_MS: i64 = 300_000;

/// Makes writes of segments and of events, with one commit for all that come at the same time.
#[derive(Debug)]
pub(crate) struct Appends {
    group_commit: GroupCommit<Write, Result<Appended>>,
    hasher: KeyHasher,
    archived_keys: ArchivedKeys,
    resumes: ResumeSearches,
    dead_letters: DeadLetterFile,
}

/// A write, which may be made together with others.
#[derive(Debug)]
enum Write {
    /// Closed segments.
    Segments(Candidates),
    /// Events, which may close segments.
    Events(Events),
    /// Closed segments, and conversations that go on.
    History(History),
}

/// What the segmenter has made of a write.
enum Made {
    /// Nothing: all segments came closed.
    Nothing,
    Events(SegmentedEvents),
    History(Adopted),
}

impl Appends {
    pub(crate) fn new(hasher: KeyHasher, directory: Arc<DataDirectory>, options: &StoreOptions) -> Self {
        Self {
            group_commit: GroupCommit::default(),
            hasher,
            archived_keys: ArchivedKeys::new(hasher),
            resumes: ResumeSearches::new(hasher),
            dead_letters: DeadLetterFile::new(directory, options),
        }
    }

    /// Stores the rows of `batch`.
    pub(crate) fn append(&self, shared: &Shared, batch: &RecordBatch) -> Result<Appended> {
        let candidates = Candidates::new(batch, self.hasher, &self.archived_keys, shared)?;
        let rows = candidates.rows();
        self.submit(shared, Write::Segments(candidates), rows)
    }

    /// Stores the segments of a message history, and follows the conversations that it tells of.
    pub(crate) fn append_history(
        &self,
        shared: &Shared,
        batch: &RecordBatch,
        told: Vec<ToldConversation>,
    ) -> Result<Appended> {
        let segments = Candidates::new(batch, self.hasher, &self.archived_keys, shared)?;
        let history = History::new(segments, told, self.hasher, &self.archived_keys, shared)?;
        let rows = history.rows();
        self.submit(shared, Write::History(history), rows)
    }

    /// Takes events in, and stores the segments that they close. `is_live` says whether they are expected to be of now.
    pub(crate) fn append_events(&self, shared: &Shared, batch: EventBatch, is_live: bool) -> Result<Appended> {
        self.resumes.search_archive(shared, &batch)?;
        let rows = batch.len();
        let (now, steady) = (shared.options().clock.now(), shared.options().clock.steady());
        let latest_credible = match shared.options().hot_clock {
            Clock::Fixed(_) => i64::MAX,
            _ if is_live => now.saturating_add(CREDIBLE_MS),
            _ => i64::MAX,
        };
        let arrival = Arrival { now, steady, latest_credible };
        let past = batch.iter().map(|event| event.time).filter(|time| *time <= now.saturating_add(CREDIBLE_MS));
        let newest = past.max();
        let appended = self.submit(shared, Write::Events(Events { batch, arrival, gives_up_idle: false }), rows)?;
        newest.into_iter().for_each(|time| shared.statistics().note_event(time));
        Ok(appended)
    }

    /// Applies the waiting events of idle accounts, and tells whether there were any. An account is idle if it has had
    /// no event for as long as events wait.
    pub(crate) fn give_up_idle(&self, shared: &Shared) -> Result<bool> {
        let (now, steady) = (shared.options().clock.now(), shared.options().clock.steady());
        if !shared.writer().segmenter().has_idle(steady) {
            return Ok(false);
        }
        let arrival = Arrival { now, steady, latest_credible: i64::MAX };
        self.submit(shared, Write::Events(Events { batch: EventBatch::new(), arrival, gives_up_idle: true }), 0)?;
        Ok(!shared.writer().segmenter().has_idle(steady))
    }

    /// How many events could have no effect since the start, by reason.
    pub(crate) fn dead_letters(&self) -> BTreeMap<Impossible, u64> {
        self.dead_letters.counts()
    }

    /// Memory that keys of archived files take.
    pub(crate) fn archived_keys_bytes(&self) -> usize {
        self.archived_keys.bytes()
    }

    /// Removes files of dead letters that are too old at `now`.
    pub(crate) fn expire_dead_letters(&self, now: i64) -> Result<()> {
        self.dead_letters.expire(now)
    }

    /// The number of writes that wait for others.
    #[cfg(test)]
    pub(crate) fn waiting_writes(&self) -> usize {
        self.group_commit.waiting_writes()
    }

    /// Makes a write, alone or together with others.
    fn submit(&self, shared: &Shared, write: Write, rows: usize) -> Result<Appended> {
        let append = |writer: &mut Writer, group: &[Write]| {
            let appended = self.append_group(writer, group);
            let outcomes = appended.iter().flatten().map(Result::as_ref);
            let failures = outcomes.filter_map(Result::err).chain(appended.as_ref().err());
            failures.filter(|error| error.is_of_refused_write()).for_each(|error| shared.health().note_failure(error));
            appended
        };
        self.group_commit.submit(write, rows, || shared.writer(), append)?
    }

    /// Makes a group of writes with one commit. Where that fails before the commit, the write that is to blame is not
    /// known: each is made by itself then.
    fn append_group(&self, writer: &mut Writer, group: &[Write]) -> Result<Vec<Result<Appended>>> {
        writer.make_sound()?;
        match self.append_whole(writer, group) {
            Ok(appended) => Ok(appended.into_iter().map(Ok).collect()),
            Err(_) if group.len() > 1 && writer.is_sound() => {
                let mut outcomes = Vec::with_capacity(group.len());
                for write in group {
                    let alone =
                        writer.make_sound().and_then(|()| self.append_whole(writer, std::slice::from_ref(write)));
                    match alone {
                        Ok(appended) => outcomes.extend(appended.into_iter().map(Ok)),
                        Err(error) => outcomes.push(Err(error)),
                    }
                }
                Ok(outcomes)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes all writes of a group, or none of them; gives the outcome of each.
    fn append_whole(&self, writer: &mut Writer, group: &[Write]) -> Result<Vec<Appended>> {
        // A writer that panicked may have left changes of conversations on trial.
        writer.segmenter_and_keys().0.roll_back();
        let mut dead_letters = Vec::new();
        let appended = self.try_append(writer, group, &mut dead_letters);
        match &appended {
            Ok(appended) => {
                self.dead_letters.count(&dead_letters);
                let gaps = || appended.iter().flat_map(|appended| &appended.gaps_given_up);
                let number = gaps().map(|(_, number)| *number as u64).sum();
                writer.statistics().gaps_given_up.fetch_add(number, Ordering::Relaxed);
                let gaps = gaps().map(|(account, number)| (account.as_ref(), *number));
                writer.feeds().note_losses(gaps, &dead_letters);
            }
            Err(_) => writer.segmenter_and_keys().0.roll_back(),
        }
        appended
    }

    fn try_append(
        &self,
        writer: &mut Writer,
        group: &[Write],
        dead_letters: &mut Vec<DeadLetter>,
    ) -> Result<Vec<Appended>> {
        let snapshot = writer.snapshot();
        let mut sought = Vec::with_capacity(group.len());
        for write in group {
            let (candidates, closed, made) = match write {
                Write::Segments(candidates) => (Some(candidates), None, Made::Nothing),
                Write::Events(events) => {
                    let (closed, segmented) = events.segment(writer, &snapshot, &self.resumes, dead_letters)?;
                    (None, Some(closed), Made::Events(segmented))
                }
                Write::History(history) => {
                    let adopted = history.adopt(writer, &snapshot, self.hasher, &self.resumes, dead_letters)?;
                    (Some(&history.segments), Some(adopted.0), Made::History(adopted.1))
                }
            };
            let closed = closed.map(|closed| Candidates::not_sought(&closed, self.hasher)).transpose()?;
            let mut with_hits = Vec::with_capacity(2);
            for candidates in candidates.map(Cow::Borrowed).into_iter().chain(closed.map(Cow::Owned)) {
                let hits = candidates.later_hits(&self.archived_keys, writer, &snapshot)?;
                with_hits.push((candidates, hits));
            }
            sought.push((with_hits, made));
        }
        let mut rows = writer.new_rows();
        let mut appended = Vec::with_capacity(group.len());
        let (mut batches, mut accounts) = (Vec::with_capacity(group.len()), BTreeSet::new());
        for (with_hits, made) in sought {
            let mut outcomes = Vec::with_capacity(with_hits.len());
            for (candidates, hits) in with_hits {
                let (batch, outcome) = candidates.admit(&hits, rows.keys(), &snapshot, &batches)?;
                if !matches!(made, Made::Events(_)) {
                    accounts.extend(KeyColumns::new(&batch)?.accounts().into_iter().map(Box::from));
                    rows.note_closed(&batch)?;
                }
                batches.extend((batch.num_rows() > 0).then_some(batch));
                outcomes.push(outcome);
            }
            let last = outcomes.pop().unwrap_or_default();
            appended.push(match made {
                Made::Nothing => last,
                Made::Events(events) => events.closing(last, &mut accounts),
                Made::History(adopted) => {
                    last.complain_of_refused();
                    adopted.beside(outcomes.pop().unwrap_or_default(), &mut accounts)
                }
            });
        }
        rows.commit(&batches, &accounts, || self.dead_letters.keep(dead_letters))?;
        Ok(appended)
    }
}
