//! The schema `pg_catalog`.

use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::catalog::{SchemaProvider, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result;
use skillscope_query::{CatalogRows, rows_when_read};

use super::fixed;
use super::functions::Asked;
use super::relations::CatalogRelation;
use super::tables;

/// The schema `pg_catalog`, for one statement.
#[derive(Debug)]
pub(super) struct PgCatalogSchema {
    asked: Arc<Asked>,
}

impl PgCatalogSchema {
    pub(super) fn new(asked: Arc<Asked>) -> Self {
        Self { asked }
    }
}

/// The table whose rows the connection has itself.
const CURSORS: &str = "pg_cursors";

/// Whether a table of the catalog has no rows, whatever there is.
pub(super) fn is_always_empty(name: &str) -> bool {
    let has_none = name != CURSORS && !fixed::has(name) && tables::filler(name).is_none();
    has_none && CatalogRelation::named(name).is_some()
}

/// The rows that are the same everywhere, and those that tell of ours.
fn rows(relation: &'static CatalogRelation, asked: &Asked) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    batches.extend(fixed::rows(relation)?);
    let mut rows = CatalogRows::of(Arc::clone(&relation.schema));
    if let Some(fill) = tables::filler(relation.name) {
        fill(asked, &mut rows)?;
    }
    batches.push(rows.batch()?);
    Ok(batches)
}

#[async_trait]
impl SchemaProvider for PgCatalogSchema {
    fn table_names(&self) -> Vec<String> {
        CatalogRelation::all().iter().map(|relation| relation.name.to_owned()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(relation) = CatalogRelation::named(name) else { return Ok(None) };
        let asked = Arc::clone(&self.asked);
        let rows = rows_when_read(Arc::clone(&relation.schema), move || {
            let rows = rows(relation, &asked);
            Box::pin(async move { rows })
        });
        rows.map(Some)
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        let kind = |relation: &CatalogRelation| if relation.kind == "v" { TableType::View } else { TableType::Base };
        Ok(CatalogRelation::named(name).map(kind))
    }

    fn table_exist(&self, name: &str) -> bool {
        CatalogRelation::named(name).is_some()
    }
}
