//! The table `system.files`.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::error::Result;
use skillscope_store::{ArchiveFile, Snapshot};

use super::{SystemTable, of_accounts};
use crate::Scope;

/// The table `system.files`: the Parquet files of a snapshot.
pub(in crate::sql::catalog) fn files(snapshot: &Snapshot, scope: &Scope) -> Result<Arc<dyn TableProvider>> {
    let mut files: Vec<&Arc<ArchiveFile>> = of_accounts(snapshot, scope, |account| snapshot.files(account));
    files.sort_by_key(|file| file.path());
    SystemTable::of(&files)
        .texts("path", |file| scope.told_path(file))
        .texts("account_id", |file| file.account().to_string())
        .times("first_hour", |file| *file.hours().start())
        .times("last_hour", |file| *file.hours().end())
        .times("first_end_time", |file| *file.end_times().start())
        .times("last_end_time", |file| *file.end_times().end())
        .counts("rows", |file| file.rows())
        .counts("bytes", |file| file.bytes())
        .texts("checksum", |file| format!("{:016x}", file.checksum()))
        .times("written", |file| file.written())
        .flags("in_memory", |file| snapshot.is_resident(file))
        .texts("state", |file| file.state().to_string())
        .table()
}
