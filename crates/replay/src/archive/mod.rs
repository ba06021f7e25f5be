//! The archive of segments that is read: a data directory, or Parquet files in a folder or bucket.

mod bucket;
mod columns;
mod directory;
mod folder;
mod location;
mod object_reader;
mod parquet_file;
mod scan;
mod unusable;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use arrow::array::RecordBatch;
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col, lit};
use object_store::ObjectStore;
use serde::{Deserialize, Serialize};
use skillscope_query::{CellRequest, CountedSegments, Scope};
use skillscope_segment::column;
use url::Url;

use crate::plan_runner::{PlacedPlan, PlanRunner};
use crate::stretches::Extent;
use crate::{Error, Result};
use directory::Directory;
use folder::Folder;
pub use location::Location;
use scan::Columns;

/// An archive of closed segments.
#[derive(Debug)]
pub struct Archive {
    location: Location,
    content: Content,
    /// The files that are left out; `None` if none may be.
    skipped: Option<Vec<SkippedFile>>,
}

#[derive(Debug)]
enum Content {
    Directory(Directory),
    Folder(Folder),
}

/// A file that is left out because it cannot be read, or of which some rows are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFile {
    /// Its name.
    pub file: String,
    /// Why it cannot be read, or what its rows have.
    pub problem: String,
    /// The number of rows that are left out because reports cannot count them; `None` for all of the file.
    #[serde(default)]
    pub rows: Option<u64>,
}

impl Archive {
    /// Lists the files of an archive, and reads the footers of Parquet files. With `keep_going`, files that cannot be
    /// read are left out.
    ///
    /// # Errors
    /// Where there are no files, they cannot be read, or a file lacks a column that reports need.
    pub async fn open(location: Location, keep_going: bool) -> Result<Self> {
        let mut skipped = keep_going.then(Vec::new);
        let content = match location.folder().filter(|folder| Directory::is_one(folder)) {
            Some(folder) => Content::Directory(Directory::open(folder).await?),
            None => Content::Folder(Folder::open(&location, skipped.as_mut()).await?),
        };
        Ok(Self { location, content, skipped })
    }

    /// Opens the copy at `at` of the data directory at `location`, by which it is called.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn open_copy(location: Location, at: &Path, keep_going: bool) -> Result<Self> {
        let content = Content::Directory(Directory::open(at).await?);
        Ok(Self { location, content, skipped: keep_going.then(Vec::new) })
    }

    /// The files that have been left out.
    pub fn skipped(&self) -> &[SkippedFile] {
        self.skipped.as_deref().unwrap_or_default()
    }

    /// The accounts that have segments, in alphabetical order.
    pub(crate) async fn accounts(&mut self, runner: &PlanRunner) -> Result<Vec<String>> {
        let always = i64::MIN..i64::MAX;
        loop {
            match self.find_accounts(runner).await {
                Err(error @ (Error::Plan(_) | Error::Cluster { .. })) => {
                    self.after_failure(runner, &Scope::All, &always, &always, error).await?;
                }
                found => return found,
            }
        }
    }

    async fn find_accounts(&self, runner: &PlanRunner) -> Result<Vec<String>> {
        let accounts: Vec<String> = match &self.content {
            Content::Directory(directory) => directory.accounts().into_iter().collect(),
            Content::Folder(folder) => {
                let mut accounts = folder.known_accounts();
                if let Some(plan) = folder.other_accounts()? {
                    accounts.extend(runner.texts(plan.build().map_err(Error::Plan)?).await?);
                }
                accounts.into_iter().collect()
            }
        };
        if accounts.is_empty() {
            return Err(Error::NoAccounts { location: self.location.to_string() });
        }
        Ok(accounts)
    }

    /// The times and numbers of the segments in scope, in parts.
    pub(crate) fn extents(&self, scope: &Scope, span: &Range<i64>) -> Vec<Extent> {
        match &self.content {
            Content::Directory(directory) => directory.extents(scope),
            Content::Folder(folder) => {
                let files = folder.files().iter().filter(|file| file.may_be_of(scope));
                files.flat_map(|file| file.extents(span)).collect()
            }
        }
    }

    /// The object store of a folder or bucket, and its URL.
    pub(crate) fn object_store(&self) -> Option<(&Url, &Arc<dyn ObjectStore>)> {
        match &self.content {
            Content::Folder(folder) => Some(folder.store()),
            Content::Directory(_) => None,
        }
    }

    /// Lets plans read the archive.
    pub(crate) fn register(&self, runner: &PlanRunner) {
        if let Some((url, store)) = self.object_store() {
            runner.register(url, store);
        }
    }

    /// The plans whose rows together answer a request for cells.
    async fn plans(&mut self, request: &CellRequest, is_on_cluster: bool) -> Result<Vec<PlacedPlan>> {
        self.check_directory(&request.scope, &request.range).await?;
        match &self.content {
            Content::Directory(directory) => directory.plans(request, is_on_cluster),
            Content::Folder(folder) => {
                let segments = folder.segments(&request.scope, &request.range, Columns::of(request))?;
                let plan =
                    segments.map(|segments| request.plan_of_unchecked(segments)).transpose().map_err(Error::Query)?;
                Ok(plan.map(PlacedPlan::Anywhere).into_iter().collect())
            }
        }
    }

    /// The cells of a request, of files that have not changed since they were listed.
    pub(crate) async fn cells(&mut self, runner: &PlanRunner, request: &CellRequest) -> Result<Vec<RecordBatch>> {
        let mut rows = Vec::new();
        for part in self.plans(request, runner.is_cluster()).await? {
            rows.extend(runner.rows(part).await?);
        }
        self.check_unchanged(&request.scope, &request.range).await?;
        self.check_cells(runner, &request.scope, &request.range, &rows).await?;
        Ok(rows)
    }

    /// The plan for single segments; `None` if there are none.
    pub(crate) fn counted_segments(&self, request: &CountedSegments) -> Result<Option<LogicalPlan>> {
        let segments = match &self.content {
            Content::Directory(directory) => Some(directory.segments()?),
            Content::Folder(folder) => {
                folder.segments(&Scope::Account(request.account.clone()), &request.range, Columns::All)?
            }
        };
        segments.map(|segments| request.plan(segments)).transpose().map_err(Error::Query)
    }

    /// The segments in scope, with all columns; `None` if there are none.
    pub(crate) fn table(&self, scope: &Scope, is_on_cluster: bool) -> Result<Option<LogicalPlan>> {
        let table = match &self.content {
            Content::Directory(directory) => directory.table(scope, is_on_cluster)?,
            Content::Folder(folder) => {
                let columns = if is_on_cluster { Columns::All } else { Columns::Text };
                folder.segments(scope, &(i64::MIN..i64::MAX), columns)?
            }
        };
        let in_scope = |table: LogicalPlanBuilder| match scope {
            Scope::Account(account) => table.filter(col(column::ACCOUNT_ID).eq(lit(account.as_str())))?.build(),
            Scope::All => table.build(),
        };
        table.map(in_scope).transpose().map_err(Error::Plan)
    }

    /// The number of rows of a data directory that are in no file yet, so that only this process can see them.
    pub(crate) fn unarchived_rows(&self) -> usize {
        match &self.content {
            Content::Directory(directory) => directory.unarchived_rows(),
            Content::Folder(_) => 0,
        }
    }

    /// Handles the failure of a plan over the time `failed`. If corrupt files are the cause and may be left out, they
    /// are, and the caller begins again.
    ///
    /// # Errors
    /// A corrupt file that may not be left out, or `error` if no file is corrupt.
    pub(crate) async fn after_failure(
        &mut self,
        runner: &PlanRunner,
        scope: &Scope,
        failed: &Range<i64>,
        span: &Range<i64>,
        error: Error,
    ) -> Result<()> {
        if matches!(error, Error::Unusable { .. }) {
            return self.leave_rows_out(runner, scope, span, error).await;
        }
        let Content::Folder(folder) = &mut self.content else { return Err(error) };
        if !error.may_be_of_corrupt_file() {
            return Err(error);
        }
        let Some(skipped) = &mut self.skipped else {
            let corrupt = folder.verify(scope, failed, false).await?.into_iter().next();
            let Some(SkippedFile { file, problem, .. }) = corrupt else {
                // More words than a column has room for are a failure, too.
                return Err(folder.unusable(runner, scope, failed, false).await?.map_or(error, Error::from));
            };
            return Err(Error::Corrupt { file, problem });
        };
        let corrupt = folder.verify(scope, span, true).await?;
        if corrupt.is_empty() {
            return Err(error);
        }
        folder.leave_out(&corrupt);
        skipped.extend(corrupt);
        Ok(())
    }

    /// Refuses rows without a time, which are in no stretch of it, and rows without an account. Of most files, their
    /// footers tell that there are none.
    pub(crate) async fn check_rows(&mut self, runner: &PlanRunner, scope: &Scope, span: &Range<i64>) -> Result<()> {
        let Content::Folder(folder) = &self.content else { return Ok(()) };
        if folder.leaves_rows_out {
            return Ok(());
        }
        match folder.unusable(runner, scope, span, true).await? {
            Some(found) => self.leave_rows_out(runner, scope, span, found.into()).await,
            None => Ok(()),
        }
    }

    /// Refuses cells with rows in them that reports cannot count.
    async fn check_cells(
        &self,
        runner: &PlanRunner,
        scope: &Scope,
        range: &Range<i64>,
        cells: &[RecordBatch],
    ) -> Result<()> {
        let Content::Folder(folder) = &self.content else { return Ok(()) };
        let rows = CellRequest::unusable_rows(cells);
        if rows <= 0 {
            return Ok(());
        }
        let found = folder.unusable(runner, scope, range, false).await?;
        Err(found.map_or_else(|| Error::Changed { file: self.location.to_string() }, Error::from))
    }

    /// Leaves out the rows that reports cannot count, if rows may be left out.
    ///
    /// # Errors
    /// `found`, which says what one of them has, if they may not.
    async fn leave_rows_out(
        &mut self,
        runner: &PlanRunner,
        scope: &Scope,
        span: &Range<i64>,
        found: Error,
    ) -> Result<()> {
        let (Content::Folder(folder), Some(skipped)) = (&mut self.content, &mut self.skipped) else {
            return Err(found);
        };
        if folder.leaves_rows_out {
            return Err(found);
        }
        skipped.extend(folder.all_unusable(runner, scope, span).await?);
        folder.leaves_rows_out = true;
        Ok(())
    }

    /// Checks that the files which plans have read are the listed ones, unchanged.
    async fn check_unchanged(&self, scope: &Scope, range: &Range<i64>) -> Result<()> {
        match &self.content {
            Content::Folder(folder) => folder.check_unchanged(scope, range).await,
            // This process has the directory for itself.
            Content::Directory(_) => Ok(()),
        }
    }

    /// Checks that the cluster sees the files of the archive, by counting the rows of one of them there.
    pub(crate) async fn check_seen(&self, runner: &PlanRunner) -> Result<()> {
        let one = match &self.content {
            Content::Folder(folder) if runner.is_cluster() => folder.count_of_one()?,
            Content::Directory(directory) if runner.is_cluster() => directory.count_of_one()?,
            _ => None,
        };
        let Some((plan, rows)) = one else { return Ok(()) };
        if runner.number(plan.build().map_err(Error::Plan)?).await? == Some(rows) { Ok(()) } else { Err(Error::Unseen) }
    }

    /// Verifies the files of a data directory that a question needs. Damaged files are left out, if they may be.
    pub(crate) async fn check_directory(&mut self, scope: &Scope, range: &Range<i64>) -> Result<()> {
        let Content::Directory(directory) = &self.content else { return Ok(()) };
        let lost = directory.lose_unreadable(scope, range).await?;
        match (&mut self.skipped, lost.first()) {
            (Some(skipped), _) => skipped.extend(lost),
            (None, Some(lost)) => return Err(Error::Lost { file: lost.file.clone() }),
            (None, None) => {}
        }
        Ok(())
    }

    /// Leaves out files that an earlier run found to be corrupt.
    pub(crate) fn leave_out(&mut self, corrupt: Vec<SkippedFile>) {
        if let Content::Folder(folder) = &mut self.content {
            folder.leaves_rows_out |= corrupt.iter().any(|skipped| skipped.rows.is_some());
            folder.leave_out(&corrupt);
        }
        if let Some(skipped) = &mut self.skipped {
            skipped.extend(corrupt.into_iter().filter(|one| !skipped.contains(one)).collect::<Vec<_>>());
        }
    }

    /// The archive as text that changes when anything in it does, so that a checkpoint does not go on over another one.
    pub(crate) fn identity(&self) -> Vec<String> {
        let mut parts = vec![self.location.to_string(), self.skipped.is_some().to_string()];
        match &self.content {
            Content::Directory(directory) => parts.extend(directory.identity()),
            Content::Folder(folder) => parts.extend(folder.identity()),
        }
        parts
    }
}
