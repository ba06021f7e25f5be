//! A write of conversation events: the segmenter turns them into segments.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use skillscope_segment::{Arrival, DeadLetter, EventBatch, Segmented};

use super::appended::Appended;
use super::resumes::ResumeSearches;
use crate::error::{Error, Result};
use crate::snapshot::Snapshot;
use crate::writer::Writer;

/// Events that are to be segmented.
#[derive(Debug)]
pub(crate) struct Events {
    pub(crate) batch: EventBatch,
    pub(crate) arrival: Arrival,
    /// Whether the waiting events of idle accounts take effect now.
    pub(crate) gives_up_idle: bool,
}

/// The outcome for events, while the segments that they closed are still to be stored.
#[derive(Debug)]
pub(crate) struct SegmentedEvents {
    accepted: usize,
    duplicates: usize,
    gaps_given_up: BTreeMap<Box<str>, usize>,
    /// The accounts of which something was accepted.
    accounts: BTreeSet<Box<str>>,
}

impl Events {
    /// Gives the events to the segmenter, on trial. Gives the segments that they close, and the outcome for the events.
    pub(crate) fn segment(
        &self,
        writer: &mut Writer,
        snapshot: &Snapshot,
        resumes: &ResumeSearches,
        dead_letters: &mut Vec<DeadLetter>,
    ) -> Result<(RecordBatch, SegmentedEvents)> {
        let (segmenter, keys) = writer.segmenter_and_keys();
        let stored = &mut |account: &str, conversation: &str, until: i64| {
            resumes.stored_before(keys, snapshot, account, conversation, until)
        };
        let (mut out, mut accounts) = (Segmented::new(), BTreeSet::new());
        for event in self.batch.iter() {
            let before = out.accepted;
            segmenter.take::<Error>(&event, self.arrival, stored, &mut out)?;
            if out.accepted > before && !accounts.contains(event.account_id) {
                accounts.insert(Box::from(event.account_id));
            }
        }
        if self.gives_up_idle {
            segmenter.give_up_idle::<Error>(self.arrival.steady, stored, &mut out)?;
        }
        segmenter.forget(self.arrival.steady);
        dead_letters.append(&mut out.dead_letters);
        let Segmented { accepted, duplicates, gaps_given_up, .. } = out;
        let segmented = SegmentedEvents { accepted, duplicates, gaps_given_up, accounts };
        Ok((out.segments.finish()?, segmented))
    }
}

impl SegmentedEvents {
    /// The outcome for the events, now that it is known for the segments that they closed. Adds the accounts of which
    /// some were accepted.
    pub(crate) fn closing(self, segments: Appended, accounts_of_all: &mut BTreeSet<Box<str>>) -> Appended {
        segments.complain_of_refused();
        let Self { accepted, duplicates, gaps_given_up, mut accounts } = self;
        accounts_of_all.append(&mut accounts);
        Appended { accepted, duplicates, gaps_given_up, ..Appended::default() }
    }
}
