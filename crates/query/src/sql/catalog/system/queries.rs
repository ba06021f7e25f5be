//! The table `system.queries`.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::error::Result;

use super::SystemTable;
use crate::sql::run::{RunningQueries, StatementReach};

/// The table `system.queries`: the statements that are being answered, this one among them.
pub(in crate::sql::catalog) fn queries(
    running: &RunningQueries,
    reach: &StatementReach,
) -> Result<Arc<dyn TableProvider>> {
    let elapsed = |elapsed: std::time::Duration| u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    SystemTable::of(&running.list(reach))
        .numbers("id", |query| query.id)
        .optional_texts("account_id", |query| query.scope.account().map(ToString::to_string))
        .texts("door", |query| query.door.to_string())
        .texts("state", |query| query.phase().as_str().to_owned())
        .times("started", |query| query.started)
        .counts("elapsed_ms", |query| elapsed(query.clock.elapsed()))
        .counts("rows_read", |query| query.rows_read())
        .counts("rows_returned", |query| query.rows_returned())
        .texts("query", |query| query.text.clone())
        .table()
}
