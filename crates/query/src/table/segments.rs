//! The table as DataFusion sees it: a snapshot of the store, of one scope.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::DFSchema;
use datafusion::datasource::TableType;
use datafusion::error::{DataFusionError, Result};
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::union::UnionExec;
use skillscope_segment::AccountId;
use skillscope_store::{ArchiveFile, Snapshot, Store, Totals};

use super::archive_scan::archive_scan;
use super::memory_scan::SegmentsScan;
use super::pruning::prune;
use super::wanted_accounts::{WantedAccounts, account_filter};
use crate::Scope;

/// The table `segments`: the closed segments of a snapshot that are in scope.
///
/// Partitions and files of other accounts are never read. A partition or file is passed over if no row between its
/// lowest and highest end time and skill can pass the filters. DataFusion filters the rows of the rest.
#[derive(Debug, Clone)]
pub(crate) struct SegmentsTable {
    store: Arc<Store>,
    snapshot: Arc<Snapshot>,
    /// The accounts that can be seen.
    scope: Scope,
    has_totals: bool,
    /// Whether words, accounts and sources are plain text instead of dictionaries.
    is_text: bool,
}

impl SegmentsTable {
    /// The segments that the store has now.
    pub(crate) fn new(store: Arc<Store>, scope: Scope) -> Self {
        let snapshot = store.snapshot();
        Self::of(store, snapshot, scope)
    }

    /// The segments of a snapshot of the store.
    pub(super) fn of(store: Arc<Store>, snapshot: Arc<Snapshot>, scope: Scope) -> Self {
        Self { snapshot, store, scope, has_totals: true, is_text: false }
    }

    pub(crate) fn snapshot(&self) -> Arc<Snapshot> {
        Arc::clone(&self.snapshot)
    }

    /// The accounts that can be seen.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The same rows, which are always scanned: no question is answered from running totals.
    pub(crate) fn without_totals(&self) -> Self {
        Self { has_totals: false, ..self.clone() }
    }

    /// The same rows, with plain text instead of dictionaries.
    pub(crate) fn with_text(&self) -> Self {
        Self { is_text: true, ..self.clone() }
    }

    /// The same rows, with dictionaries as they are stored.
    pub(crate) fn with_dictionaries(&self) -> Self {
        Self { is_text: false, ..self.clone() }
    }

    /// The rows of the same table that are in memory.
    pub(crate) fn in_memory(&self) -> Self {
        Self { snapshot: Arc::new(self.snapshot.in_memory()), ..self.clone() }
    }

    /// Whether questions may be answered from running totals.
    pub(crate) fn has_totals(&self) -> bool {
        self.has_totals
    }

    /// The accounts that can be seen and have segments, in alphabetical order.
    pub(crate) fn all_accounts(&self) -> impl Iterator<Item = &AccountId> {
        self.snapshot.accounts().filter(|account| self.scope.includes(account.as_str()))
    }

    /// The account with this identifier, where it can be seen and has segments.
    pub(crate) fn account(&self, id: &str) -> Option<&AccountId> {
        self.scope.includes(id).then(|| self.snapshot.account(id))?
    }

    /// The running totals of files; `None` where some file has none.
    pub(crate) async fn totals(&self, files: Vec<Arc<ArchiveFile>>) -> Result<Option<Vec<Arc<Totals>>>> {
        let store = Arc::clone(&self.store);
        waiting(move || store.archived_totals(&files)).await
    }

    /// The files of `candidates` that can be read. A file that is read for the first time is checked whole.
    async fn readable(&self, candidates: Vec<Arc<ArchiveFile>>) -> Result<Vec<Arc<ArchiveFile>>> {
        if candidates.is_empty() {
            return Ok(candidates);
        }
        let store = Arc::clone(&self.store);
        waiting(move || store.readable(candidates)).await
    }

    /// The accounts that are in scope and that the filters let through.
    fn accounts(&self, filters: &[Expr]) -> Vec<&AccountId> {
        match WantedAccounts::of(&self.scope, filters) {
            WantedAccounts::All => self.snapshot.accounts().collect(),
            WantedAccounts::One(account) => self.snapshot.account(account).into_iter().collect(),
            WantedAccounts::None => Vec::new(),
        }
    }
}

/// The segments that the store has now, of all accounts, as a table that is read row by row.
pub fn stored_segments(store: Arc<Store>) -> Arc<dyn TableProvider> {
    Arc::new(SegmentsTable::new(store, Scope::All).without_totals())
}

/// As [`stored_segments`], with plain text instead of dictionaries, as SQL shows it.
pub fn stored_segments_as_text(store: Arc<Store>) -> Arc<dyn TableProvider> {
    Arc::new(SegmentsTable::new(store, Scope::All).without_totals().with_text())
}

/// The part of [`stored_segments`] that is in memory: segments that are in no file yet, and segments of hot hours.
pub fn unarchived_segments(store: &Arc<Store>) -> Arc<dyn TableProvider> {
    Arc::new(SegmentsTable::new(Arc::clone(store), Scope::All).without_totals().in_memory())
}

#[async_trait]
impl TableProvider for SegmentsTable {
    fn schema(&self) -> SchemaRef {
        if self.is_text { skillscope_segment::text_schema() } else { skillscope_segment::schema() }
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let support = |filter: &&Expr| match account_filter(filter) {
            Some(_) => TableProviderFilterPushDown::Exact,
            None => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(support).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let accounts = self.accounts(filters);
        let snapshot = &self.snapshot;
        let partitions: Vec<_> = accounts.iter().flat_map(|account| snapshot.partitions(account)).cloned().collect();
        let files: Vec<_> = accounts.iter().flat_map(|account| snapshot.archived(account)).cloned().collect();
        let (in_account, threads) = (partitions.len(), state.config().target_partitions());
        let schema = self.schema();
        let filter = physical_filter(state, &schema, filters)?;
        let partitions = prune(filter.as_ref(), &schema, partitions);
        let files = self.readable(prune(filter.as_ref(), &schema, files)).await?;
        let hot = Arc::new(SegmentsScan::try_new(&partitions, in_account, &schema, projection, limit, threads)?);
        if files.is_empty() {
            return Ok(hot);
        }
        let cold = archive_scan(files, filter, &schema, projection, limit, threads, |file| self.scope.told_path(file))?;
        if partitions.is_empty() { Ok(cold) } else { UnionExec::try_new(vec![hot, cold]) }
    }
}

/// Reads files on a thread that may wait for the disk.
async fn waiting<T: Send + 'static>(work: impl FnOnce() -> skillscope_store::Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    let done = done.map_err(|error| DataFusionError::External(Box::new(error)))?;
    done.map_err(|error| DataFusionError::External(Box::new(error)))
}

/// All filters but those on the account, for the rows.
fn physical_filter(state: &dyn Session, schema: &SchemaRef, filters: &[Expr]) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let rest = filters.iter().filter(|filter| account_filter(filter).is_none()).cloned();
    let Some(filter) = conjunction(rest) else { return Ok(None) };
    Ok(Some(state.create_physical_expr(filter, &DFSchema::try_from(Arc::clone(schema))?)?))
}
