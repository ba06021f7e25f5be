//! The outcome of a write.

use std::collections::BTreeMap;

/// The outcome for the rows of a batch.
#[derive(Debug, Default)]
pub struct Appended {
    /// Rows that are stored now, and were not before.
    pub accepted: usize,
    /// Rows that were stored already.
    pub duplicates: usize,
    /// Rows that were refused: their key is stored with another end time, or is in memory with another value of another
    /// field.
    pub refused_count: usize,
    /// These rows, or the first of them where they are many.
    pub refused: Vec<RefusedRow>,
    /// Conversations that a message history has as open, and that are followed from there on.
    pub followed: usize,
    /// Gaps in conversations that are not waited for any longer, by account.
    pub(crate) gaps_given_up: BTreeMap<Box<str>, usize>,
}

impl Appended {
    /// As many refused rows are listed; all are counted.
    pub(crate) const MOST_LISTED: usize = 100;

    /// Refuses a row that comes after all rows that were refused before.
    pub(super) fn refuse(&mut self, row: usize, reason: impl FnOnce() -> String) {
        self.refused_count += 1;
        if self.refused.len() < Self::MOST_LISTED {
            self.refused.push(RefusedRow { row, reason: reason() });
        }
    }

    /// Refuses so many rows, of which the first are `listed`, among those that were refused before.
    pub(super) fn refuse_more(&mut self, count: usize, listed: impl Iterator<Item = RefusedRow>) {
        self.refused_count += count;
        self.refused.extend(listed);
        self.refused.sort_by_key(|refused| refused.row);
        self.refused.truncate(Self::MOST_LISTED);
    }

    /// Logs the refused ones of segments that events closed. The events are not to blame: the segment was delivered
    /// closed before, and the first delivery counts.
    pub(super) fn complain_of_refused(&self) {
        for refused in &self.refused {
            tracing::warn!(reason = %refused.reason, "a segment that events closed was refused");
        }
    }
}

/// A row that was refused.
#[derive(Debug, Clone)]
pub struct RefusedRow {
    /// 0-based row in the batch.
    pub row: usize,
    /// Why, in plain words.
    pub reason: String,
}
