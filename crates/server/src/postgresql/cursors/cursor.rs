//! One cursor: the rows of its statement, and where it stands among them.

use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use futures::{Stream, stream};
use skillscope_query::SqlRows;
use tokio::sync::OwnedMutexGuard;
use tokio::time::Instant;

use super::super::command::{ALL, Direction};
use super::super::error::{SqlState, hinted};
use super::super::kept::Kept;
use super::kept_rows::KeptRows;
use super::source::Source;

/// A cursor. Forward only, it has one batch of its rows; otherwise it keeps those that it has seen.
#[derive(Debug)]
pub(in crate::postgresql) struct Cursor {
    source: Source,
    /// The rest of the last batch, where none are kept.
    ahead: Option<RecordBatch>,
    kept: Option<KeptRows>,
    /// The number of rows up to the one that it stands on.
    passed: usize,
    /// Whether it stands after the last row.
    is_at_end: bool,
}

/// What is left to do once a cursor stands where its rows begin.
#[derive(Debug, Clone, Copy)]
enum Going {
    Forward(usize),
    Backward(usize),
}

impl Cursor {
    /// A cursor over rows. One that can go back keeps them, counted in `kept`.
    pub(in crate::postgresql) fn new(rows: SqlRows, kept: Option<Arc<Kept>>) -> Self {
        let kept = kept.map(KeptRows::new);
        Self { source: Source::Running(rows), ahead: None, kept, passed: 0, is_at_end: false }
    }

    /// Whether it stands on a row.
    pub(in crate::postgresql) fn is_on_row(&self) -> bool {
        self.passed > 0 && !self.is_at_end
    }

    /// Its place among the rows: 0 before the first, and one more than there are after the last.
    fn place(&self) -> usize {
        self.passed + usize::from(self.is_at_end)
    }

    /// Up to `most` of the next rows, as far as they are of one batch; `None` where there are no more.
    async fn forward(&mut self, most: usize, end: Option<Instant>) -> PgWireResult<Option<RecordBatch>> {
        if self.is_at_end {
            return Ok(None);
        }
        let rows = loop {
            if let Some(rows) = self.at_hand(most) {
                break rows;
            }
            match (self.source.next(end).await?, &mut self.kept) {
                // Without these rows, those that come next would be taken for them.
                (Some(batch), Some(kept)) => kept.add(batch).inspect_err(|_| self.source = Source::Failed)?,
                (Some(batch), None) => self.ahead = Some(batch),
                (None, _) => {
                    self.is_at_end = true;
                    return Ok(None);
                }
            }
        };
        self.passed += rows.num_rows();
        Ok(Some(rows))
    }

    /// The next rows, if they have come before.
    fn at_hand(&mut self, most: usize) -> Option<RecordBatch> {
        if let Some(kept) = &self.kept {
            return kept.after(self.passed, most);
        }
        let batch = self.ahead.take()?;
        if batch.num_rows() <= most {
            return Some(batch);
        }
        self.ahead = Some(batch.slice(most, batch.num_rows() - most));
        Some(batch.slice(0, most))
    }

    /// The row before.
    fn backward(&mut self) -> Option<RecordBatch> {
        let row = self.place().saturating_sub(1);
        self.stand(row);
        self.kept.as_ref()?.after(row.checked_sub(1)?, 1)
    }

    /// Stands on a row that was seen; on none, where its number is 0.
    fn stand(&mut self, row: usize) {
        (self.passed, self.is_at_end) = (row, false);
    }

    /// Passes over rows.
    async fn skip(&mut self, mut rows: usize, end: Option<Instant>) -> PgWireResult<()> {
        while rows > 0 {
            match self.forward(rows, end).await? {
                Some(passed) => rows -= passed.num_rows(),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    /// Goes to where the rows of a `FETCH` begin.
    async fn go(&mut self, direction: Direction, end: Option<Instant>) -> PgWireResult<Going> {
        let here = self.place();
        Ok(match direction {
            // The row that it stands on, once more.
            Direction::Forward(0) | Direction::Relative(0) => {
                if !self.is_on_row() {
                    return Ok(Going::Forward(0));
                }
                self.check_scroll()?;
                self.stand(here - 1);
                Going::Forward(1)
            }
            Direction::Forward(rows) if rows > 0 => Going::Forward(count(rows)),
            Direction::Forward(rows) => {
                self.check_scroll()?;
                Going::Backward(count(rows))
            }
            Direction::Relative(rows) if rows > 0 => {
                self.skip(count(rows) - 1, end).await?;
                Going::Forward(1)
            }
            Direction::Relative(rows) => {
                self.check_scroll()?;
                self.before(here.saturating_sub(count(rows)))
            }
            Direction::Absolute(row) if row < 0 => {
                self.check_scroll()?;
                self.skip(usize::MAX, end).await?;
                self.before(self.place().saturating_sub(count(row)))
            }
            Direction::Absolute(row) => {
                let row = count(row);
                if row > here {
                    self.skip(row - 1 - here, end).await?;
                    return Ok(Going::Forward(1));
                }
                if here > 0 {
                    self.check_scroll()?;
                }
                self.before(row)
            }
        })
    }

    /// Stands before a row that was seen, which then comes; before all, where its number is 0.
    fn before(&mut self, row: usize) -> Going {
        self.stand(row.saturating_sub(1));
        Going::Forward(usize::from(row > 0))
    }

    fn check_scroll(&self) -> PgWireResult<()> {
        if self.kept.is_some() {
            return Ok(());
        }
        let hint = "Declare it with SCROLL option to enable backward scan.";
        Err(hinted(SqlState::NotInState, "cursor can only scan forward", hint))
    }
}

/// How many rows a number means; all of them where it is that of all.
fn count(rows: i64) -> usize {
    let rows = rows.unsigned_abs();
    if rows == ALL.unsigned_abs() { usize::MAX } else { usize::try_from(rows).unwrap_or(usize::MAX) }
}

/// The rows of a `FETCH`, which must come until `end`. The cursor is the caller's until they have come, or are dropped.
pub(in crate::postgresql) fn batches(
    cursor: OwnedMutexGuard<Cursor>,
    direction: Direction,
    end: Option<Instant>,
) -> impl Stream<Item = PgWireResult<RecordBatch>> + Send {
    stream::try_unfold((cursor, None), move |(mut cursor, going)| async move {
        let going = match going {
            Some(going) => going,
            None => cursor.go(direction, end).await?,
        };
        let (rows, left) = match going {
            Going::Forward(0) | Going::Backward(0) => return Ok(None),
            Going::Forward(most) => {
                let rows = cursor.forward(most, end).await?;
                let count = rows.as_ref().map_or(0, RecordBatch::num_rows);
                (rows, Going::Forward(if most == usize::MAX { most } else { most - count }))
            }
            Going::Backward(most) => {
                (cursor.backward(), Going::Backward(if most == usize::MAX { most } else { most - 1 }))
            }
        };
        Ok::<_, PgWireError>(rows.map(|rows| (rows, (cursor, Some(left)))))
    })
}
