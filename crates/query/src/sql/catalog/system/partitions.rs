//! The table `system.partitions`.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::error::Result;
use skillscope_store::{Partition, Snapshot};

use super::{SystemTable, TableComments, of_accounts};
use crate::Scope;

/// The table `system.partitions`: the hours of a snapshot whose rows are in memory.
pub(in crate::sql::catalog) fn partitions(snapshot: &Snapshot, scope: &Scope) -> Result<Arc<dyn TableProvider>> {
    let partitions: Vec<&Arc<Partition>> = of_accounts(snapshot, scope, |account| snapshot.partitions(account));
    columns(&partitions).table()
}

/// What is said of the table.
pub(in crate::sql::catalog) fn comments() -> TableComments {
    columns(&[]).comments()
}

fn columns<'r>(partitions: &'r [&'r Arc<Partition>]) -> SystemTable<'r, &'r Arc<Partition>> {
    SystemTable::of(partitions, "The hours in memory.")
        .texts("account_id", "The account whose segments it has.", |partition| partition.account().to_string())
        .times("hour", "When the hour began in which its segments ended.", |partition| partition.hour())
        .times("first_end_time", "The first end_time in it.", |partition| *partition.end_times().start())
        .times("last_end_time", "The last end_time in it.", |partition| *partition.end_times().end())
        .numbers("lowest_skill_id", "The lowest skill in it.", |partition| *partition.skills().start())
        .numbers("highest_skill_id", "The highest skill in it.", |partition| *partition.skills().end())
        .counts("rows", "How many segments it has.", |partition| partition.rows() as u64)
        .counts("unsealed_rows", "How many of them are in no file yet.", |partition| partition.unsealed_rows() as u64)
        .counts("bytes", "The memory that it takes, in bytes.", |partition| partition.bytes() as u64)
        .counts("runs", "How many sorted runs it is made of.", |partition| partition.batches().count() as u64)
}
