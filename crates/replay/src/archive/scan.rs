//! A scan of Parquet files, as a logical plan that runs in this process or on a cluster.

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::common::{Column, ScalarValue};
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::{ListingOptions, ListingTable, ListingTableConfig, ListingTableUrl};
use datafusion::datasource::provider_as_source;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder, Union, lit};
use object_store::path::Path;
use skillscope_query::CellRequest;
use skillscope_segment::column;
use url::Url;

use super::columns::needed_columns;

/// The columns of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Columns {
    /// The columns that reports need.
    Needed,
    /// The columns that reports of what was known then need.
    Known,
    /// All columns of segments.
    All,
    /// All columns of segments, with plain text in the place of dictionaries.
    Text,
}

impl Columns {
    /// The columns that a plan for cells needs.
    pub(super) fn of(request: &CellRequest) -> Self {
        if request.known_at.is_some() { Self::Known } else { Self::Needed }
    }

    /// Whether only columns are there that reports need.
    pub(super) fn is_of_reports(self) -> bool {
        matches!(self, Self::Needed | Self::Known)
    }

    fn has(self, name: &str) -> bool {
        let is_needed = || needed_columns().any(|needed| needed == name);
        match self {
            Self::Needed => is_needed(),
            Self::Known => name == column::ARRIVAL_TIME || is_needed(),
            Self::All | Self::Text => true,
        }
    }
}

/// A scan of files of the object store at `url`. If `account` is given, every row gets this account, and the column is
/// not read.
pub(super) fn scan<'p>(
    url: &Url,
    files: impl IntoIterator<Item = &'p Path>,
    account: Option<&str>,
    columns: Columns,
) -> Result<LogicalPlanBuilder> {
    let urls = files.into_iter().map(|path| file_url(url, path)).collect::<Result<Vec<_>>>()?;
    let format = ParquetFormat::new().with_skip_metadata(true);
    let options = ListingOptions::new(Arc::new(format)).with_file_extension("");
    let schema = table_schema(account.is_none(), columns);
    let config = ListingTableConfig::new_with_multi_paths(urls).with_listing_options(options).with_schema(schema);
    let table = provider_as_source(Arc::new(ListingTable::try_new(config)?));
    let scan = LogicalPlanBuilder::scan(CellRequest::SEGMENTS, table, None)?;
    let Some(account) = account else { return Ok(scan) };
    let own = skillscope_segment::schema();
    let names = own.fields().iter().map(|field| field.name().as_str()).filter(|name| columns.has(name));
    scan.project(names.map(|name| match name {
        column::ACCOUNT_ID if columns == Columns::Text => {
            lit(ScalarValue::Utf8View(Some(account.to_owned()))).alias(name)
        }
        column::ACCOUNT_ID => lit(account).alias(name),
        name => Expr::Column(Column::from_name(name)),
    }))
}

/// The union of scans, under the name that a plan for cells needs; `None` if there are none.
pub(super) fn union(scans: Vec<LogicalPlanBuilder>) -> Result<Option<LogicalPlanBuilder>> {
    let mut plans = scans.into_iter().map(|scan| scan.build().map(Arc::new)).collect::<Result<Vec<_>>>()?;
    let all = match plans.len() {
        0 => return Ok(None),
        1 => plans.remove(0),
        // One union of all, since a chain of unions would be as deep as there are accounts.
        _ => Arc::new(LogicalPlan::Union(Union::try_new_with_loose_types(plans)?)),
    };
    LogicalPlanBuilder::from(all).alias(CellRequest::SEGMENTS).map(Some)
}

fn file_url(store: &Url, path: &Path) -> Result<ListingTableUrl> {
    let mut url = store.clone();
    // The URL is decoded once, so a percent sign in the path has to be escaped.
    url.set_path(&format!("/{}", path.as_ref().replace('%', "%25")));
    ListingTableUrl::try_new(url, None)
}

/// The columns, with the types of the store, so that its own files are read without a conversion; or with text, which
/// has no limit of words that a foreign file could pass.
fn table_schema(has_account: bool, columns: Columns) -> SchemaRef {
    let own = if columns == Columns::Text { skillscope_segment::text_schema() } else { skillscope_segment::schema() };
    let is_wanted =
        |field: &&Arc<Field>| columns.has(field.name()) && (has_account || field.name() != column::ACCOUNT_ID);
    // Other writers may declare any column nullable.
    let fields = own.fields().iter().filter(is_wanted).map(|field| field.as_ref().clone().with_nullable(true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}
