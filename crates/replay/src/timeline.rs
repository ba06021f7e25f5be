//! The counts of skills and slices, in the order of time.

use std::collections::VecDeque;

use arrow::array::RecordBatch;
use skillscope_query::{CellRows, Metrics};

use crate::skill_index::SkillIndex;
use crate::{Error, Result};

/// The metrics of a skill of an account in a slice of time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SliceMetrics {
    /// The slice's start, in milliseconds since the epoch.
    pub(crate) slice: i64,
    /// The number of the skill in the [`SkillIndex`].
    pub(crate) skill: usize,
    /// The first instant at which the segments were known; `None` where they came in time.
    pub(crate) known_from: Option<i64>,
    pub(crate) metrics: Metrics,
}

/// The metrics of skills and slices in the order of time. Each entry has a place, which stays the same when earlier
/// entries are forgotten.
#[derive(Debug, Default)]
pub(crate) struct Timeline {
    entries: VecDeque<SliceMetrics>,
    /// The place of the first entry that is not forgotten.
    first: usize,
}

impl Timeline {
    /// Adds the entries of the next stretch of time. Its first slice may be the last slice of the stretch before.
    pub(crate) fn extend(&mut self, skills: &mut SkillIndex, rows: &[RecordBatch]) -> Result<()> {
        let mut entries = Vec::with_capacity(rows.iter().map(RecordBatch::num_rows).sum());
        for batch in rows {
            let rows = CellRows::new(batch).map_err(Error::Query)?;
            entries.extend(rows.iter().filter_map(|row| {
                let skill = skills.number(row.account, row.skill)?;
                Some(SliceMetrics { slice: row.slice, skill, known_from: row.known_from, metrics: row.metrics })
            }));
        }
        entries.sort_unstable_by_key(|entry| entry.slice);
        self.entries.extend(entries);
        Ok(())
    }

    pub(crate) fn get(&self, place: usize) -> Option<&SliceMetrics> {
        self.entries.get(place.checked_sub(self.first)?)
    }

    /// Forgets the entries before a place.
    pub(crate) fn forget_before(&mut self, place: usize) {
        let count = place.saturating_sub(self.first).min(self.entries.len());
        self.entries.drain(..count);
        self.first += count;
    }
}
