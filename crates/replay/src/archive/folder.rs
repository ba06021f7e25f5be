//! Parquet files in a folder or bucket. Any program may have written them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::Column;
use datafusion::functions_aggregate::expr_fn::count;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, lit};
use futures::{StreamExt, TryStreamExt, stream};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use percent_encoding::percent_decode_str;
use skillscope_query::{CellRequest, Scope};
use skillscope_segment::column;
use url::Url;

use super::parquet_file::{FileAccount, ParquetFile};
use super::scan::{Columns, scan, union};
use super::{Location, SkippedFile, bucket};
use crate::{Error, Result};

/// The number of footers that are read at a time.
const FOOTERS_AT_A_TIME: usize = 64;

/// The number of whole files that are read at a time.
const FILES_AT_A_TIME: usize = 2;

/// The keys of folders such as `account=acme`, which name the account of the files below them.
const ACCOUNT_FOLDERS: [&str; 2] = ["account_id", "account"];

/// The Parquet files below a folder or the prefix of a bucket.
#[derive(Debug)]
pub(crate) struct Folder {
    location: Location,
    store: Arc<dyn ObjectStore>,
    /// The root of all paths, as a URL.
    url: Url,
    files: Vec<ParquetFile>,
    /// Whether rows that reports cannot count are left out.
    pub(super) leaves_rows_out: bool,
}

impl Folder {
    /// Lists the files and reads their footers. Files that cannot be read are added to `skipped`, if there is such a
    /// list.
    pub(super) async fn open(location: &Location, mut skipped: Option<&mut Vec<SkippedFile>>) -> Result<Self> {
        let (store, url, prefix) = connect(location)?;
        let mut folder = Self { location: location.clone(), store, url, files: Vec::new(), leaves_rows_out: false };
        let found = folder.find(&prefix).await?;
        if found.is_empty() {
            return Err(Error::NoFiles { location: location.to_string() });
        }
        let read = |meta: ObjectMeta| {
            let (name, account) = (folder.name(&meta.location), folder_account(&prefix, &meta.location));
            let (store, local) = (&folder.store, folder.local(&meta.location));
            async move { ParquetFile::read(store, meta, &name, account, local).await }
        };
        // In the order of the paths, so that the first error is the same each time.
        let mut footers = stream::iter(found).map(read).buffered(FOOTERS_AT_A_TIME);
        let mut files = Vec::new();
        while let Some(file) = footers.next().await {
            match (file, &mut skipped) {
                (Ok(file), _) => files.push(file),
                (Err(Error::Corrupt { file, problem }), Some(skipped)) => {
                    skipped.push(SkippedFile { file, problem, rows: None });
                }
                (Err(error), _) => return Err(error),
            }
        }
        drop(footers);
        folder.files = files;
        Ok(folder)
    }

    fn find_error(&self, source: object_store::Error) -> Error {
        Error::Read { location: self.location.to_string(), cause: source }
    }

    async fn find(&self, prefix: &Path) -> Result<Vec<ObjectMeta>> {
        if is_parquet(prefix)
            && let Ok(file) = self.store.head(prefix).await
        {
            return Ok(vec![file]);
        }
        let found = self.store.list((!prefix.as_ref().is_empty()).then_some(prefix));
        let found = found.try_filter(|meta| {
            let is_wanted = is_parquet(&meta.location) && !is_hidden(prefix, &meta.location);
            async move { is_wanted }
        });
        let mut files: Vec<ObjectMeta> = found.try_collect().await.map_err(|error| self.find_error(error))?;
        files.sort_by(|one, other| one.location.cmp(&other.location));
        Ok(files)
    }

    /// The name of a file for messages.
    pub(super) fn name(&self, path: &Path) -> String {
        match self.location {
            Location::Folder(_) => format!("/{path}"),
            Location::Bucket { .. } => format!("{}{path}", self.url),
        }
    }

    /// Where a file is on this machine.
    fn local(&self, path: &Path) -> Option<PathBuf> {
        match self.location {
            Location::Folder(_) => LocalFileSystem::new().path_to_filesystem(path).ok(),
            Location::Bucket { .. } => None,
        }
    }

    pub(crate) fn store(&self) -> (&Url, &Arc<dyn ObjectStore>) {
        (&self.url, &self.store)
    }

    pub(crate) fn files(&self) -> &[ParquetFile] {
        &self.files
    }

    /// The accounts of files that have a single account.
    pub(super) fn known_accounts(&self) -> BTreeSet<String> {
        self.files.iter().filter_map(|file| file.account.known()).map(str::to_owned).collect()
    }

    /// A plan for the accounts in the rows of all other files; `None` if there are no such files.
    pub(super) fn other_accounts(&self) -> Result<Option<LogicalPlanBuilder>> {
        let files = self.files.iter().filter(|file| file.account == FileAccount::Rows).map(ParquetFile::path);
        let files: Vec<_> = files.collect();
        if files.is_empty() {
            return Ok(None);
        }
        let account = Expr::Column(Column::from_name(column::ACCOUNT_ID));
        let scan = scan(&self.url, files, None, Columns::Needed).and_then(|scan| scan.project([account])?.distinct());
        scan.map(Some).map_err(Error::Plan)
    }

    /// A scan of the files that may have segments in scope and in a stretch of time, under the name that a plan for
    /// cells needs. The files may have segments of other times, too. `None` if no file can have any.
    pub(super) fn segments(
        &self,
        scope: &Scope,
        range: &Range<i64>,
        columns: Columns,
    ) -> Result<Option<LogicalPlanBuilder>> {
        let files: Vec<_> = self.touched(scope, range).collect();
        if columns == Columns::Known {
            files.iter().try_for_each(|file| file.check_arrival(&self.name(file.path())))?;
        }
        // For one account, the column is not read from files that are known to be of it. For all accounts, it is read
        // where it exists, since a scan for each of very many accounts would be slow.
        let has_column = |file: &ParquetFile| match file.account {
            FileAccount::Folder(_) => false,
            FileAccount::Only(_) => *scope == Scope::All,
            FileAccount::Rows => true,
        };
        let (with_column, without): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| has_column(file));
        let mut of_accounts = BTreeMap::<&str, Vec<&Path>>::new();
        for file in without {
            of_accounts.entry(file.account.known().unwrap_or_default()).or_default().push(file.path());
        }
        let with_column: Vec<_> = with_column.into_iter().map(ParquetFile::path).collect();
        let usable_alone = self.leaves_rows_out && columns.is_of_reports();
        let scan_all = |(account, files)| {
            let all = scan(&self.url, files, account, columns)?;
            // What is scanned with an account of its own is a table without a name.
            if usable_alone { all.alias(CellRequest::SEGMENTS)?.filter(CellRequest::is_usable()) } else { Ok(all) }
        };
        let groups = of_accounts.into_iter().map(|(account, files)| (Some(account), files));
        let groups = groups.chain((!with_column.is_empty()).then_some((None, with_column)));
        let scans = groups.map(scan_all).collect::<datafusion::error::Result<Vec<_>>>();
        scans.and_then(union).map_err(Error::Plan)
    }

    pub(super) fn touched(&self, scope: &Scope, range: &Range<i64>) -> impl Iterator<Item = &ParquetFile> {
        self.files.iter().filter(move |file| file.may_have(range) && file.may_be_of(scope))
    }

    /// Reads the files that may have rows of this time, and returns the first that cannot be read, or all of them.
    pub(super) async fn verify(&self, scope: &Scope, range: &Range<i64>, find_all: bool) -> Result<Vec<SkippedFile>> {
        let verify = |file: &ParquetFile| {
            let (file, name) = (file.clone(), self.name(file.path()));
            async move { file.verify(&self.store, &name).await }
        };
        let mut verified = stream::iter(self.touched(scope, range)).map(verify).buffered(FILES_AT_A_TIME);
        let mut corrupt = Vec::new();
        while let Some(outcome) = verified.next().await {
            match outcome {
                Err(Error::Corrupt { file, problem }) => {
                    corrupt.push(SkippedFile { file, problem, rows: None });
                }
                other => other?,
            }
            if !find_all && !corrupt.is_empty() {
                break;
            }
        }
        Ok(corrupt)
    }

    /// Checks that the files which a plan has read are unchanged and still there. A scan ignores files that are gone.
    pub(super) async fn check_unchanged(&self, scope: &Scope, range: &Range<i64>) -> Result<()> {
        let check = |file: &ParquetFile| {
            let (meta, name) = (file.meta.clone(), self.name(file.path()));
            async move {
                let now = self.store.head(&meta.location).await;
                let now = now.map_err(|cause| Error::Read { location: name.clone(), cause })?;
                let is_same = now.size == meta.size && now.last_modified == meta.last_modified;
                if is_same { Ok(()) } else { Err(Error::Changed { file: name }) }
            }
        };
        let checks = stream::iter(self.touched(scope, range)).map(check).buffered(FOOTERS_AT_A_TIME);
        checks.try_collect::<()>().await
    }

    /// A plan that counts the rows of one file, and the expected count; `None` if there are no rows.
    pub(super) fn count_of_one(&self) -> Result<Option<(LogicalPlanBuilder, u64)>> {
        let Some(file) = self.files.iter().find(|file| file.rows() > 0) else { return Ok(None) };
        let count = scan(&self.url, [file.path()], file.account.known(), Columns::Needed)
            .and_then(|scan| scan.aggregate(Vec::<Expr>::new(), [count(lit(1))]));
        Ok(Some((count.map_err(Error::Plan)?, file.rows())))
    }

    pub(super) fn leave_out(&mut self, skipped: &[SkippedFile]) {
        let whole = skipped.iter().filter(|skipped| skipped.rows.is_none());
        let names: BTreeSet<&str> = whole.map(|skipped| skipped.file.as_str()).collect();
        let mut files = std::mem::take(&mut self.files);
        files.retain(|file| !names.contains(self.name(file.path()).as_str()));
        self.files = files;
    }

    /// Text for each file that changes when the file does.
    pub(super) fn identity(&self) -> impl Iterator<Item = String> {
        self.files.iter().map(|file| {
            let ObjectMeta { location, last_modified, size, e_tag, version } = &file.meta;
            let modified = last_modified.to_rfc3339();
            let part = |part: &Option<String>| part.clone().unwrap_or("none".to_owned());
            format!("{size} bytes of {modified}, tag {}, version {}, {location}", part(e_tag), part(version))
        })
    }
}

fn connect(location: &Location) -> Result<(Arc<dyn ObjectStore>, Url, Path)> {
    let failed = |source| Error::Read { location: location.to_string(), cause: source };
    let outside = |problem: String| Error::Usage(format!("{location} cannot be an archive: {problem}"));
    match location {
        Location::Folder(folder) => {
            let folder = folder.canonicalize().map_err(|source| {
                let path = folder.display().to_string();
                failed(object_store::Error::NotFound { path, source: source.into() })
            })?;
            let prefix = Path::from_absolute_path(&folder).map_err(|error| outside(error.to_string()))?;
            let url = Url::parse("file:///").map_err(|error| outside(error.to_string()))?;
            Ok((Arc::new(LocalFileSystem::new()), url, prefix))
        }
        Location::Bucket { bucket, prefix } => {
            let url = Url::parse(&format!("s3://{bucket}/")).map_err(|error| outside(error.to_string()))?;
            let store = bucket::open(bucket).map_err(failed)?;
            Ok((Arc::new(store), url, Path::from(prefix.as_str())))
        }
    }
}

fn is_parquet(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("parquet"))
}

/// Whether a path is hidden. As in Spark and Hive, a name that begins with a dot or an underscore hides all below it.
fn is_hidden(prefix: &Path, path: &Path) -> bool {
    let Some(parts) = path.prefix_match(prefix) else { return false };
    let mut parts = parts;
    parts.any(|part| part.as_ref().starts_with(['.', '_']) && !part.as_ref().contains('='))
}

/// The account in the name of a folder, such as `account=acme`.
fn folder_account(prefix: &Path, path: &Path) -> Option<String> {
    let parts: Vec<_> = path.prefix_match(prefix)?.collect();
    parts.iter().rev().find_map(|part| {
        let (key, value) = part.as_ref().split_once('=')?;
        ACCOUNT_FOLDERS.contains(&key).then(|| percent_decode_str(value).decode_utf8_lossy().into_owned())
    })
}
