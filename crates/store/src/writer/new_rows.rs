//! The commit of new rows.

use arrow::array::RecordBatch;
use skillscope_segment::Segmenter;

use super::{Published, Writer};
use crate::error::Result;
use crate::journal::Journal;
use crate::journal::change::JournalChange;
use crate::journal::conversations::ConversationChanges;
use crate::journal::entries::entries;
use crate::rows::keys::Trial;
use crate::rows::run::{concatenated, cut};

/// Rows that are being stored together. Unless they are [committed](Self::commit), their keys are forgotten again.
#[derive(Debug)]
pub(crate) struct NewRows<'w> {
    keys: Trial<'w>,
    journal: &'w mut Journal,
    segmenter: &'w mut Segmenter,
    published: &'w Published,
    now: i64,
}

impl Writer {
    pub(crate) fn new_rows(&mut self) -> NewRows<'_> {
        let Self { keys, journal, segmenter, published, clock, .. } = self;
        NewRows { keys: keys.on_trial(), journal, segmenter, published, now: clock.now() }
    }
}

impl<'w> NewRows<'w> {
    /// The keys in memory, by which a row is told to be new.
    pub(crate) fn keys(&mut self) -> &mut Trial<'w> {
        &mut self.keys
    }

    /// Stores the rows of `batches`, all of which are new, and the conversations on trial, in one commit. They are in
    /// the published snapshot when this returns.
    pub(crate) fn commit(self, batches: &[RecordBatch]) -> Result<()> {
        let cuts = match batches {
            [] => Vec::new(),
            [only] => cut(only)?,
            several => cut(&concatenated(several)?)?,
        };
        let conversations = ConversationChanges::on_trial(self.segmenter)?;
        if !cuts.is_empty() || !conversations.is_empty() {
            // All that can fail comes before the commit.
            let extended = self.published.latest().with_rows(&cuts, self.now);
            let entries = entries(&cuts, self.journal)?;
            self.journal.commit(JournalChange { entries, conversations, ..JournalChange::default() })?;
            self.published.replace(extended);
        }
        self.keys.keep();
        self.segmenter.keep();
        Ok(())
    }
}
