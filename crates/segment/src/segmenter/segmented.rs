use super::dead_letter::DeadLetter;
use crate::SegmentBatchBuilder;

/// What comes of events.
pub struct Segmented {
    /// Events that were not known before. Some of them may wait for others, or be among the dead letters.
    pub accepted: usize,
    /// Events that had come before.
    pub duplicates: usize,
    /// The segments that were closed.
    pub segments: SegmentBatchBuilder,
    /// The events that can have no effect: of these, and of some that came earlier.
    pub dead_letters: Vec<DeadLetter>,
}

impl Segmented {
    /// Nothing so far.
    pub fn new() -> Self {
        let segments = SegmentBatchBuilder::with_capacity(0);
        Self { accepted: 0, duplicates: 0, segments, dead_letters: Vec::new() }
    }
}

impl Default for Segmented {
    fn default() -> Self {
        Self::new()
    }
}
