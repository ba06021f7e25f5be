//! The table `system.files`.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::error::Result;
use skillscope_store::{ArchiveFile, Snapshot};

use super::{SystemTable, TableComments, of_accounts};
use crate::Scope;

/// The table `system.files`: the Parquet files of a snapshot.
pub(in crate::sql::catalog) fn files(snapshot: &Snapshot, scope: &Scope) -> Result<Arc<dyn TableProvider>> {
    let mut files: Vec<&Arc<ArchiveFile>> = of_accounts(snapshot, scope, |account| snapshot.files(account));
    files.sort_by_key(|file| file.path());
    columns(&files, snapshot, scope).table()
}

/// What is said of the table.
pub(in crate::sql::catalog) fn comments() -> TableComments {
    columns(&[], &Snapshot::default(), &Scope::All).comments()
}

fn columns<'r>(
    files: &'r [&Arc<ArchiveFile>],
    snapshot: &Snapshot,
    scope: &Scope,
) -> SystemTable<'r, &'r Arc<ArchiveFile>> {
    SystemTable::of(files, "The Parquet files of the archive.")
        .texts("path", "Where it is in the data directory.", |file| scope.told_path(file))
        .texts("account_id", "The account whose segments it has.", |file| file.account().to_string())
        .times("first_hour", "The first hour of which it can have segments.", |file| *file.hours().start())
        .times("last_hour", "The last such hour.", |file| *file.hours().end())
        .times("first_end_time", "The first end_time in it.", |file| *file.end_times().start())
        .times("last_end_time", "The last end_time in it.", |file| *file.end_times().end())
        .counts("rows", "How many segments it has.", |file| file.rows())
        .counts("bytes", "How long it is, in bytes.", |file| file.bytes())
        .texts("checksum", "The checksum of its bytes.", |file| format!("{:016x}", file.checksum()))
        .times("written", "When it was written.", |file| file.written())
        .flags("in_memory", "Whether its segments are in memory too.", |file| snapshot.is_resident(file))
        .texts("state", "sealed, or compacting while it is merged with others.", |file| file.state().to_string())
}
