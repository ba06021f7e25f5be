//! The results of a segmenter.

use std::collections::BTreeMap;

use super::dead_letter::DeadLetter;
use crate::SegmentBatchBuilder;

/// The results of events.
pub struct Segmented {
    /// The number of events that had not arrived before. Some of them may wait, or be dead letters.
    pub accepted: usize,
    /// The number of events that had arrived before.
    pub duplicates: usize,
    /// The closed segments.
    pub segments: SegmentBatchBuilder,
    /// The events without effect, which may have arrived earlier.
    pub dead_letters: Vec<DeadLetter>,
    /// The number of gaps in conversations that are not waited for any more, by account.
    pub gaps_given_up: BTreeMap<Box<str>, usize>,
}

impl Segmented {
    /// No results yet.
    pub fn new() -> Self {
        let segments = SegmentBatchBuilder::with_capacity(0);
        Self { accepted: 0, duplicates: 0, segments, dead_letters: Vec::new(), gaps_given_up: BTreeMap::new() }
    }
}

impl Default for Segmented {
    fn default() -> Self {
        Self::new()
    }
}

impl Segmented {
    /// Counts a gap that is not waited for any more.
    pub(super) fn give_up_gap(&mut self, account: &str) {
        match self.gaps_given_up.get_mut(account) {
            Some(number) => *number = number.saturating_add(1),
            None => drop(self.gaps_given_up.insert(Box::from(account), 1)),
        }
    }
}
