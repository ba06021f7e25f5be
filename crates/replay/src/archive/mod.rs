//! What there is to read: a data directory, or Parquet files in a folder or bucket.

mod bucket;
mod columns;
mod directory;
mod folder;
mod location;
mod object_reader;
mod parquet_file;
mod scan;

use std::ops::Range;

use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, col, lit};
use serde::{Deserialize, Serialize};
use skillscope_query::{CellRequest, Scope};
use skillscope_segment::column;

use crate::plan_runner::{PlacedPlan, PlanRunner};
use crate::stretches::Extent;
use crate::{Error, Result};
use directory::Directory;
use folder::Folder;
pub use location::Location;
use scan::Columns;

/// Closed segments that reports are replayed over.
#[derive(Debug)]
pub struct Archive {
    location: Location,
    content: Content,
    /// The files that are left out, where that is allowed.
    skipped: Option<Vec<SkippedFile>>,
}

#[derive(Debug)]
enum Content {
    Directory(Directory),
    Folder(Folder),
}

/// A file that was left out because it cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SkippedFile {
    /// Which.
    pub file: String,
    /// Why.
    pub problem: String,
}

impl Archive {
    /// Finds what is there, and reads the footers of Parquet files. Where `keep_going`, files that cannot be read are left
    /// out.
    ///
    /// # Errors
    /// Where there is nothing, it cannot be read, or a file has not the columns that reports need.
    pub async fn open(location: Location, keep_going: bool) -> Result<Self> {
        let mut skipped = keep_going.then(Vec::new);
        let content = match location.folder().filter(|folder| Directory::is_one(folder)) {
            Some(folder) => Content::Directory(Directory::open(folder).await?),
            None => Content::Folder(Folder::open(&location, skipped.as_mut()).await?),
        };
        Ok(Self { location, content, skipped })
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
                    self.after_failure(&Scope::All, &always, &always, error).await?;
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

    /// When the segments in scope ended and how many there are, in parts.
    pub(crate) fn extents(&self, scope: &Scope, span: &Range<i64>) -> Vec<Extent> {
        match &self.content {
            Content::Directory(directory) => directory.extents(scope),
            Content::Folder(folder) => {
                let files = folder.files().iter().filter(|file| file.may_be_of(scope));
                files.flat_map(|file| file.extents(span)).collect()
            }
        }
    }

    /// Lets an runner read it.
    pub(crate) fn register(&self, runner: &PlanRunner) {
        if let Content::Folder(folder) = &self.content {
            let (url, store) = folder.store();
            runner.register(url, store);
        }
    }

    /// The plans whose rows together answer a question for cells.
    pub(crate) async fn plans(&mut self, request: &CellRequest, is_on_cluster: bool) -> Result<Vec<PlacedPlan>> {
        self.check_directory(&request.scope, &request.range).await?;
        match &self.content {
            Content::Directory(directory) => directory.plans(request, is_on_cluster),
            Content::Folder(folder) => {
                let segments = folder.segments(&request.scope, &request.range, Columns::Needed)?;
                let plan = segments.map(|segments| request.plan(segments)).transpose().map_err(Error::Query)?;
                Ok(plan.map(PlacedPlan::Anywhere).into_iter().collect())
            }
        }
    }

    /// All segments in scope, with all columns; `None` where there are none.
    pub(crate) fn table(&self, scope: &Scope, is_on_cluster: bool) -> Result<Option<LogicalPlan>> {
        let table = match &self.content {
            Content::Directory(directory) => directory.table(scope, is_on_cluster)?,
            Content::Folder(folder) => folder.segments(scope, &(i64::MIN..i64::MAX), Columns::All)?,
        };
        let in_scope = |table: LogicalPlanBuilder| match scope {
            Scope::Account(account) => table.filter(col(column::ACCOUNT_ID).eq(lit(account.as_str())))?.build(),
            Scope::All => table.build(),
        };
        table.map(in_scope).transpose().map_err(Error::Plan)
    }

    /// Rows of a data directory that only this machine can see, because they are in no file yet.
    pub(crate) fn unarchived_rows(&self) -> usize {
        match &self.content {
            Content::Directory(directory) => directory.unarchived_rows(),
            Content::Folder(_) => 0,
        }
    }

    /// What to make of the failure of a plan for some time: where corrupt files are why and may be left out, they are, and
    /// all has to begin anew.
    ///
    /// # Errors
    /// The corrupt file, or `error` where there is none.
    pub(crate) async fn after_failure(
        &mut self,
        scope: &Scope,
        failed: &Range<i64>,
        span: &Range<i64>,
        error: Error,
    ) -> Result<()> {
        let Content::Folder(folder) = &mut self.content else { return Err(error) };
        if !error.may_be_of_corrupt_file() {
            return Err(error);
        }
        let Some(skipped) = &mut self.skipped else {
            let corrupt = folder.verify(scope, failed, false).await?.into_iter().next();
            return Err(corrupt.map_or(error, |SkippedFile { file, problem }| Error::Corrupt { file, problem }));
        };
        let corrupt = folder.verify(scope, span, true).await?;
        if corrupt.is_empty() {
            return Err(error);
        }
        folder.leave_out(&corrupt);
        skipped.extend(corrupt);
        Ok(())
    }

    /// Sees to it that what plans have read is what was found.
    pub(crate) async fn check_unchanged(&self, scope: &Scope, range: &Range<i64>) -> Result<()> {
        match &self.content {
            Content::Folder(folder) => folder.check_unchanged(scope, range).await,
            // It is held by this process alone.
            Content::Directory(_) => Ok(()),
        }
    }

    /// Sees to it that a cluster reads the same files.
    pub(crate) async fn check_seen(&self, runner: &PlanRunner) -> Result<()> {
        let one = match &self.content {
            Content::Folder(folder) if runner.is_cluster() => folder.count_of_one()?,
            Content::Directory(directory) if runner.is_cluster() => directory.count_of_one()?,
            _ => None,
        };
        let Some((plan, rows)) = one else { return Ok(()) };
        if runner.number(plan.build().map_err(Error::Plan)?).await? == Some(rows) { Ok(()) } else { Err(Error::Unseen) }
    }

    /// Reads the files of a data directory that are needed, whole, and leaves out or names those that are damaged.
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

    /// Leaves files out that were found to be corrupt before.
    pub(crate) fn leave_out(&mut self, corrupt: Vec<SkippedFile>) {
        if let Content::Folder(folder) = &mut self.content {
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
