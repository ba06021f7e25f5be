//! A data directory: the files on the store's own list, and the rows that are in no file yet.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::datasource::provider_as_source;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use object_store::path::Path as ObjectPath;
use skillscope_query::{CellRequest, Scope, stored_segments, stored_segments_as_text, unarchived_segments};
use skillscope_segment::AccountId;
use skillscope_store::{ArchiveFile, Snapshot, Store, StoreOptions};
use url::Url;

use super::SkippedFile;
use super::scan::{Columns, scan, union};
use crate::plan_runner::PlacedPlan;
use crate::stretches::Extent;
use crate::{Error, Result};

/// A data directory, or a copy of one, opened to read.
#[derive(Debug)]
pub(crate) struct Directory {
    /// The absolute path of the directory.
    root: ObjectPath,
    store: Arc<Store>,
}

impl Directory {
    pub(super) fn is_one(folder: &Path) -> bool {
        Store::is_data_directory(folder)
    }

    pub(super) async fn open(folder: &Path) -> Result<Self> {
        let outside = |error: object_store::path::Error| Error::Usage(error.to_string());
        let root = ObjectPath::from_filesystem_path(folder).map_err(outside)?;
        let folder = folder.to_owned();
        // Only rows that are in no file are in memory.
        let options = StoreOptions { hot_hours: 0, ..StoreOptions::default() };
        let open = tokio::task::spawn_blocking(move || Store::open_to_read(&folder, options));
        let store = open.await.map_err(|_| Error::BrokenOff)??;
        Ok(Self { root, store: Arc::new(store) })
    }

    pub(super) fn accounts(&self) -> BTreeSet<String> {
        self.store.snapshot().accounts().map(ToString::to_string).collect()
    }

    pub(super) fn extents(&self, scope: &Scope) -> Vec<Extent> {
        let snapshot = self.store.snapshot();
        let accounts = snapshot.accounts().filter(|account| scope.includes(account.as_str()));
        let extents = accounts.flat_map(|account| {
            let files = snapshot.archived(account).map(|file| (file.end_times(), file.rows()));
            let partitions = snapshot.partitions(account);
            let partitions = partitions.map(|partition| (partition.end_times(), partition.rows() as u64));
            files.chain(partitions).map(|(end_times, rows)| Extent { end_times, rows })
        });
        extents.collect()
    }

    /// A plan that counts the rows of one file, and the expected count; `None` if there are no files.
    pub(super) fn count_of_one(&self) -> Result<Option<(LogicalPlanBuilder, u64)>> {
        let all = files(&self.store.snapshot(), &Scope::All, &(i64::MIN..i64::MAX));
        let Some(file) = all.first() else { return Ok(None) };
        let scan = self.scan(std::slice::from_ref(file), &Scope::All, Columns::Needed).map_err(Error::Plan)?;
        let count = scan.map(|scan| scan.aggregate(Vec::<Expr>::new(), [count(lit(1))])).transpose();
        Ok(count.map_err(Error::Plan)?.map(|count| (count, file.rows())))
    }

    /// Verifies the files that a question needs and that were not read before, each against its checksum. Returns the
    /// files that are damaged or gone, which are off the list then.
    pub(super) async fn lose_unreadable(&self, scope: &Scope, range: &Range<i64>) -> Result<Vec<SkippedFile>> {
        let files = files(&self.store.snapshot(), scope, range);
        let (store, candidates) = (Arc::clone(&self.store), files.clone());
        let readable = tokio::task::spawn_blocking(move || store.readable(candidates)).await;
        let readable = readable.map_err(|_| Error::BrokenOff)??;
        let readable: BTreeSet<_> = readable.iter().map(|file| file.path()).collect();
        let lost = files.iter().map(|file| file.path()).filter(|path| !readable.contains(path));
        Ok(lost
            .map(|path| SkippedFile {
                file: path.display().to_string(),
                problem: "damaged or gone".to_owned(),
                rows: None,
            })
            .collect())
    }

    pub(super) fn plans(&self, request: &CellRequest, is_on_cluster: bool) -> Result<Vec<PlacedPlan>> {
        if !is_on_cluster {
            return Ok(vec![PlacedPlan::Here(request.plan(self.segments()?).map_err(Error::Query)?)]);
        }
        // Rows in no file are counted in this process, and the rest on the cluster. The counts add up.
        let unarchived = scan_of(unarchived_segments(&self.store))?;
        let mut parts = vec![PlacedPlan::Here(request.plan(unarchived).map_err(Error::Query)?)];
        let files = files(&self.store.snapshot(), &request.scope, &request.range);
        if let Some(files) = self.scan(&files, &request.scope, Columns::of(request)).map_err(Error::Plan)? {
            parts.push(PlacedPlan::Anywhere(request.plan(files).map_err(Error::Query)?));
        }
        Ok(parts)
    }

    /// All segments, in this process.
    pub(super) fn segments(&self) -> Result<LogicalPlanBuilder> {
        scan_of(stored_segments(Arc::clone(&self.store)))
    }

    /// The segments in scope, with all columns. On a cluster, only those in files.
    pub(super) fn table(&self, scope: &Scope, is_on_cluster: bool) -> Result<Option<LogicalPlanBuilder>> {
        if is_on_cluster {
            let snapshot = self.store.snapshot();
            let accounts = snapshot.accounts().filter(|account| scope.includes(account.as_str()));
            let files: Vec<_> = accounts.flat_map(|account| snapshot.archived(account)).cloned().collect();
            return self.scan(&files, scope, Columns::All).map_err(Error::Plan);
        }
        scan_of(stored_segments_as_text(Arc::clone(&self.store))).map(Some)
    }

    /// The number of rows in no file, which a cluster cannot see.
    pub(super) fn unarchived_rows(&self) -> usize {
        let snapshot = self.store.snapshot();
        let partitions = snapshot.accounts().flat_map(|account| snapshot.partitions(account));
        partitions.map(|partition| partition.rows()).sum()
    }

    fn scan(
        &self,
        files: &[Arc<ArchiveFile>],
        scope: &Scope,
        columns: Columns,
    ) -> datafusion::error::Result<Option<LogicalPlanBuilder>> {
        if files.is_empty() {
            return Ok(None);
        }
        let below = |file: &Arc<ArchiveFile>| {
            let root = self.root.clone();
            file.path().iter().fold(root, |path, part| path.join(part.to_string_lossy().as_ref()))
        };
        let paths: Vec<_> = files.iter().map(below).collect();
        let url = Url::parse("file:///").map_err(|error| datafusion::error::DataFusionError::External(error.into()))?;
        union(vec![scan(&url, &paths, scope.account().map(AccountId::as_str), columns)?])
    }

    /// Text for each file, and for each hour in memory, that changes when its rows do.
    pub(super) fn identity(&self) -> impl Iterator<Item = String> {
        let snapshot = self.store.snapshot();
        let mut parts = Vec::new();
        for account in snapshot.accounts() {
            let files = snapshot.archived(account);
            parts.extend(files.map(|file| format!("{} {:x}", file.path().display(), file.checksum())));
            let partitions = snapshot.partitions(account);
            parts.extend(partitions.map(|partition| format!("{account} {} {}", partition.hour(), partition.rows())));
        }
        parts.into_iter()
    }
}

/// The files that may have rows in scope and in a range of time.
fn files(snapshot: &Snapshot, scope: &Scope, range: &Range<i64>) -> Vec<Arc<ArchiveFile>> {
    let accounts = snapshot.accounts().filter(|account| scope.includes(account.as_str()));
    let files = accounts.flat_map(|account| snapshot.archived(account));
    let overlaps =
        |file: &&Arc<ArchiveFile>| *file.end_times().start() < range.end && *file.end_times().end() >= range.start;
    files.filter(overlaps).cloned().collect()
}

/// A scan of a table of this process, under the name that plans for cells need.
fn scan_of(table: Arc<dyn TableProvider>) -> Result<LogicalPlanBuilder> {
    LogicalPlanBuilder::scan(CellRequest::SEGMENTS, provider_as_source(table), None).map_err(Error::Plan)
}
