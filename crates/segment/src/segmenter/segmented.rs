//! The results of a segmenter.

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
    /// The number of gaps in conversations that are not waited for any more.
    pub gaps_given_up: usize,
}

impl Segmented {
    /// No results yet.
    pub fn new() -> Self {
        let segments = SegmentBatchBuilder::with_capacity(0);
        Self { accepted: 0, duplicates: 0, segments, dead_letters: Vec::new(), gaps_given_up: 0 }
    }
}

impl Default for Segmented {
    fn default() -> Self {
        Self::new()
    }
}
