//! The commit of new rows.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use arrow::array::RecordBatch;
use skillscope_segment::{AccountId, Segmenter};

use super::arrivals::Arrivals;
use super::{Published, Writer};
use crate::error::Result;
use crate::feeds::{Delivery, Feeds};
use crate::journal::Journal;
use crate::journal::change::JournalChange;
use crate::journal::conversations::ConversationChanges;
use crate::journal::entries::entries;
use crate::open::Places;
use crate::rows::keys::{KeyColumns, KeyHasher, Trial};
use crate::rows::run::{concatenated, cut};

/// Rows that are being stored together. Unless they are [committed](Self::commit), their keys are forgotten again.
#[derive(Debug)]
pub(crate) struct NewRows<'w> {
    keys: Trial<'w>,
    journal: &'w mut Journal,
    segmenter: &'w mut Segmenter,
    published: &'w Published,
    arrivals: &'w Arrivals,
    feeds: &'w Feeds,
    now: i64,
    hasher: KeyHasher,
    places: &'w mut Places,
    /// Open segments that came closed with these rows, by account and the number of their conversation.
    closed: Vec<(AccountId, u64)>,
}

impl Writer {
    pub(crate) fn new_rows(&mut self) -> NewRows<'_> {
        let Self { keys, journal, segmenter, published, arrivals, feeds, clock, hasher, places, .. } = self;
        let (keys, now, hasher) = (keys.on_trial(), clock.now(), *hasher);
        NewRows { keys, journal, segmenter, published, arrivals, feeds, now, hasher, places, closed: Vec::new() }
    }
}

impl<'w> NewRows<'w> {
    /// The keys in memory, by which a row is told to be new.
    pub(crate) fn keys(&mut self) -> &mut Trial<'w> {
        &mut self.keys
    }

    /// Notes the rows of `batch`, which no events have closed: of a segment that events have left open, they tell the end.
    pub(crate) fn note_closed(&mut self, batch: &RecordBatch) -> Result<()> {
        if self.segmenter.open_conversations() == 0 {
            return Ok(());
        }
        for (account, conversation, index, _) in KeyColumns::new(batch)?.rows() {
            let Some((id, followed)) = self.segmenter.followed_of(account, conversation) else { continue };
            if followed.open_segment().is_some_and(|segment| segment.segment_index == index) {
                self.closed.push((id.clone(), followed.number()));
            }
        }
        Ok(())
    }

    /// Stores the rows of `batches`, all of which are new, and the conversations on trial, in one commit. They are in
    /// the published snapshot when this returns. `accounts` are those of which something was accepted. `before` does
    /// what must be durable by then; all that can fail but the commit comes before it, so that it is seldom done in
    /// vain.
    pub(crate) fn commit(
        mut self,
        batches: &[RecordBatch],
        accounts: &BTreeSet<Box<str>>,
        before: impl FnOnce() -> Result<()>,
    ) -> Result<()> {
        let mut cuts = match batches {
            [] => Vec::new(),
            [only] => cut(only)?,
            several => cut(&concatenated(several)?)?,
        };
        for cut in &mut cuts {
            cut.run.arrived(self.now);
        }
        let (conversations, open_changes) = ConversationChanges::on_trial(self.segmenter)?;
        let entries = entries(&cuts, self.journal)?;
        before()?;
        if !cuts.is_empty() || !conversations.is_empty() || !accounts.is_empty() {
            let extended = self.published.latest().with_rows(&cuts, self.now);
            let arrivals = accounts.iter().map(|account| (account.to_string(), self.now)).collect();
            self.journal.commit(JournalChange { entries, conversations, arrivals, ..JournalChange::default() })?;
            let Self { places, closed, keys, hasher, published, .. } = &mut self;
            published.replace_with(extended, |open| {
                places.apply(open, &open_changes, |account, state, index| {
                    keys.has(hasher.hash(account.as_str(), state.id(), index))
                });
                closed.iter().for_each(|(account, number)| places.remove(open, account, *number));
            });
            let segmenter = &*self.segmenter;
            self.feeds.note_delivery(&Delivery { accounts, now: self.now, cuts: &cuts, segmenter });
            let stored = cuts.iter().map(|cut| cut.run.rows() as u64).sum();
            self.journal.statistics().stored.fetch_add(stored, Ordering::Relaxed);
            self.arrivals.note(&cuts, self.now);
        }
        self.keys.keep();
        self.segmenter.keep();
        Ok(())
    }
}
