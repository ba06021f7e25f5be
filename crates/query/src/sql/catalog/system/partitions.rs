//! The table `system.partitions`.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::error::Result;
use skillscope_store::{Partition, Snapshot};

use super::{SystemTable, of_accounts};
use crate::Scope;

/// The table `system.partitions`: the hours of a snapshot whose rows are in memory.
pub(in crate::sql::catalog) fn partitions(snapshot: &Snapshot, scope: &Scope) -> Result<Arc<dyn TableProvider>> {
    let partitions: Vec<&Arc<Partition>> = of_accounts(snapshot, scope, |account| snapshot.partitions(account));
    SystemTable::of(&partitions)
        .texts("account_id", |partition| partition.account().to_string())
        .times("hour", |partition| partition.hour())
        .times("first_end_time", |partition| *partition.end_times().start())
        .times("last_end_time", |partition| *partition.end_times().end())
        .numbers("lowest_skill_id", |partition| *partition.skills().start())
        .numbers("highest_skill_id", |partition| *partition.skills().end())
        .counts("rows", |partition| partition.rows() as u64)
        .counts("unsealed_rows", |partition| partition.unsealed_rows() as u64)
        .counts("bytes", |partition| partition.bytes() as u64)
        .counts("runs", |partition| partition.batches().count() as u64)
        .table()
}
