//! The rows of a cursor as they come from its statement.

use arrow::array::RecordBatch;
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use futures::StreamExt;
use skillscope_query::SqlRows;
use tokio::time::{Instant, timeout_at};

use super::super::error::{SqlState, error, failed};

/// The rows of a statement that runs, until they have all come.
#[derive(Debug)]
pub(super) enum Source {
    Running(SqlRows),
    Ended,
    Failed,
}

impl Source {
    /// The next rows, which must come until `end`. `None` where there are no more.
    pub(super) async fn next(&mut self, end: Option<Instant>) -> PgWireResult<Option<RecordBatch>> {
        loop {
            let rows = match self {
                Self::Running(rows) => rows,
                Self::Ended => return Ok(None),
                Self::Failed => return Err(error(SqlState::NotInState, "the cursor has failed before")),
            };
            let next = match end {
                Some(end) => timeout_at(end, rows.next()).await.map_err(|_| too_long())?,
                None => rows.next().await,
            };
            match next {
                Some(Ok(batch)) if batch.num_rows() == 0 => {}
                Some(Ok(batch)) => return Ok(Some(batch)),
                Some(Err(failure)) => {
                    *self = Self::Failed;
                    return Err(failed(failure));
                }
                None => *self = Self::Ended,
            }
        }
    }
}

fn too_long() -> PgWireError {
    error(SqlState::Cancelled, "canceling statement due to statement timeout")
}
