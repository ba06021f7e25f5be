//! The table `system.queries`.

use std::sync::Arc;
use std::time::Duration;

use datafusion::catalog::TableProvider;
use datafusion::error::Result;

use super::{SystemTable, TableComments};
use crate::sql::run::{RunningQueries, RunningQuery, StatementReach};

/// The table `system.queries`: the statements that are being answered, this one among them.
pub(in crate::sql::catalog) fn queries(
    running: &RunningQueries,
    reach: &StatementReach,
) -> Result<Arc<dyn TableProvider>> {
    columns(&running.list(reach)).table()
}

/// What is said of the table.
pub(in crate::sql::catalog) fn comments() -> TableComments {
    columns(&[]).comments()
}

fn columns(queries: &[Arc<RunningQuery>]) -> SystemTable<'_, Arc<RunningQuery>> {
    let elapsed = |elapsed: Duration| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    SystemTable::of(queries, "The statements that run.")
        .numbers("id", "The number by which kill_query ends it.", |query| query.id)
        .optional_texts("account_id", "The account that it sees; null where it sees all.", |query| {
            query.scope.account().map(ToString::to_string)
        })
        .texts("door", "By which protocol it came: http, postgresql, flight-sql, or console.", |query| {
            query.door.to_string()
        })
        .texts("state", "waiting, planning, running, or unread while its rows wait for the client.", |query| {
            query.phase().as_str().to_owned()
        })
        .times("started", "When it came.", |query| query.started)
        .counts("elapsed_ms", "How long it has taken so far, in milliseconds.", |query| elapsed(query.clock.elapsed()))
        .counts("rows_read", "How many rows it has read so far.", |query| query.rows_read())
        .counts("rows_returned", "How many rows it has given so far.", |query| query.rows_returned())
        .texts("query", "Its text.", |query| query.text.clone())
}
