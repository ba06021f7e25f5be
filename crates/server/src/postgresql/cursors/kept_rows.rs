//! The rows that a cursor with `SCROLL` has seen, to go back to.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::super::error::not_kept;
use super::super::kept::{Kept, Kind, Place};

/// The rows that were taken from the statement so far. They count in what a connection may leave on the server.
#[derive(Debug)]
pub(super) struct KeptRows {
    kept: Arc<Kept>,
    batches: Vec<Batch>,
    rows: usize,
}

#[derive(Debug)]
struct Batch {
    /// The number of rows before it.
    start: usize,
    rows: RecordBatch,
    _place: Place,
}

impl KeptRows {
    pub(super) fn new(kept: Arc<Kept>) -> Self {
        Self { kept, batches: Vec::new(), rows: 0 }
    }

    pub(super) fn add(&mut self, rows: RecordBatch) -> PgWireResult<()> {
        let place = self.kept.place(Kind::Rows, rows.get_array_memory_size()).map_err(not_kept)?;
        let start = self.rows;
        self.rows += rows.num_rows();
        self.batches.push(Batch { start, rows, _place: place });
        Ok(())
    }

    /// Up to `most` rows after the first `passed` ones, as far as they are of one batch.
    pub(super) fn after(&self, passed: usize, most: usize) -> Option<RecordBatch> {
        let place = self.batches.partition_point(|batch| batch.start + batch.rows.num_rows() <= passed);
        let batch = self.batches.get(place)?;
        let offset = passed - batch.start;
        Some(batch.rows.slice(offset, most.min(batch.rows.num_rows() - offset)))
    }
}
