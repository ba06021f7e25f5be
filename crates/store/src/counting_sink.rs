//! A store as the taker of an input's records, which counts what becomes of them.

use arrow::array::RecordBatch;
use skillscope_segment::{AccountId, EventBatch, ToldRecord};

use crate::error::{Error, Result};
use crate::statistics::{IngestionCounts, IngestionStatistics};
use crate::store::Store;
use crate::write::appended::Appended;
use crate::write::ingestion::{Ingested, RecordSink, Records};

/// Takes the records of an input, and counts them chunk by chunk, so that those before a failure count, too.
pub(crate) struct CountingSink<'s> {
    store: &'s Store,
    statistics: &'s IngestionStatistics,
    /// The account that all records are of, where it is told.
    account: Option<&'s AccountId>,
    counted: IngestionCounts,
}

impl<'s> CountingSink<'s> {
    pub(crate) fn new(store: &'s Store, records: Records, account: Option<&'s AccountId>) -> Self {
        let statistics = store.shared().statistics();
        let statistics = if records == Records::Events { &statistics.events } else { &statistics.segments };
        Self { store, statistics, account, counted: IngestionCounts::default() }
    }
}

impl RecordSink for CountingSink<'_> {
    type Error = Error;

    fn append(&mut self, batch: &RecordBatch) -> Result<Appended> {
        self.store.append(batch)
    }

    fn append_history(&mut self, batch: &RecordBatch, _lines: &[u64], told: Vec<ToldRecord>) -> Result<Appended> {
        self.store.append_history(batch, told.into_iter().map(|record| record.told).collect())
    }

    fn append_events(&mut self, events: EventBatch) -> Result<Appended> {
        self.store.append_events(events, true)
    }

    fn progress(&mut self, so_far: &Ingested) {
        let now = IngestionCounts {
            accepted: so_far.accepted,
            duplicates: so_far.duplicates,
            rejected: so_far.rejected_count,
        };
        let since = now.since(self.counted);
        self.statistics.add(since);
        if let Some(account) = self.account.filter(|_| since.rejected > 0) {
            self.store.shared().feeds().note_rejected(account, since.rejected);
        }
        self.counted = now;
    }
}
