//! What is looked at before rows are copied.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::common::{exec_err, resources_err};
use datafusion::error::Result;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation};
use datafusion::logical_expr::ColumnarValue;

use super::Copies;
use crate::sql::bounds::lengths::{Numbers, bytes, bytes_of_batch, elements};

/// The most bytes of a row that an operator copies.
const MAX_ROW: u64 = 512 << 10;

/// The most bytes of a batch whose lists are taken apart.
const MAX_UNNESTED: u64 = 256 << 20;

/// Looks at the batches of one input.
pub(super) struct Check {
    copies: Copies,
    /// The bytes of memory that the statement may have.
    most: u64,
    /// The memory of rows that are all kept, which nobody else counts.
    kept: MemoryReservation,
    rows: u64,
    largest: u64,
}

impl Check {
    pub(super) fn new(copies: Copies, pool: &Arc<dyn MemoryPool>) -> Self {
        let most = match pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes as u64,
            _ => u64::MAX,
        };
        Self { copies, most, kept: MemoryConsumer::new("window").register(pool), rows: 0, largest: 0 }
    }

    pub(super) fn batch(&mut self, batch: &RecordBatch) -> Result<()> {
        match &self.copies {
            Copies::Joined => check_row(largest_row(batch)),
            Copies::Unnested(columns) => check_lists(batch, columns),
            Copies::Counted | Copies::Grouped { .. } => Ok(()),
            Copies::Windowed { values } => {
                let largest = largest_row(batch);
                check_row(largest)?;
                self.largest = self.largest.max(largest);
                self.rows = self.rows.saturating_add(batch.num_rows() as u64);
                let of_values = batch.num_rows().saturating_mul(values.saturating_mul(VALUE));
                self.kept.try_grow(bytes_of_batch(batch).saturating_add(of_values))?;
                if self.largest.saturating_mul(self.rows) > self.most && self.largest > SMALL_ROW {
                    return resources_err!("a window has {} rows of up to {} bytes", self.rows, self.largest);
                }
                Ok(())
            }
        }
    }
}

/// The bytes of a number or of a text's place, which a window adds to each row.
const VALUE: usize = 16;

/// Rows of the table are no larger, more or less.
const SMALL_ROW: u64 = 8 << 10;

fn check_row(largest: u64) -> Result<()> {
    if largest > MAX_ROW {
        return exec_err!("joins, windows and subqueries take rows of at most {MAX_ROW} bytes, and one has {largest}");
    }
    Ok(())
}

/// The bytes of the largest value of each column together.
fn largest_row(batch: &RecordBatch) -> u64 {
    let largest = |values| match bytes(&ColumnarValue::Array(Arc::clone(values))) {
        Numbers::Same(bytes) => bytes,
        Numbers::Each(bytes) => bytes.into_iter().max().unwrap_or(0),
    };
    batch.columns().iter().map(largest).fold(0, u64::saturating_add)
}

fn check_lists(batch: &RecordBatch, lists: &[usize]) -> Result<()> {
    let values: Vec<ColumnarValue> = batch.columns().iter().cloned().map(ColumnarValue::Array).collect();
    let of_lists: Vec<Numbers> = lists.iter().filter_map(|list| values.get(*list)).map(elements).collect();
    let others = values.iter().enumerate().filter(|(column, _)| !lists.contains(column));
    let of_others: Vec<Numbers> = others.map(|(_, values)| bytes(values)).collect();
    let unnested = |row: usize| {
        let times = of_lists.iter().map(|elements| elements.of(row)).max().unwrap_or(0);
        let bytes = of_others.iter().map(|bytes| bytes.of(row)).fold(0, u64::saturating_add);
        times.saturating_mul(bytes.saturating_add(8 * lists.len() as u64))
    };
    let all = (0..batch.num_rows()).map(unnested).fold(0, u64::saturating_add);
    if all > MAX_UNNESTED {
        return exec_err!(
            "the elements of {} rows would take {all} bytes; at most {MAX_UNNESTED} are allowed",
            batch.num_rows()
        );
    }
    Ok(())
}
