//! The tables and schemas that a statement can name.

mod names;
mod system;
mod views;

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider,
    TableProvider,
};
use datafusion::datasource::TableType;
use datafusion::error::Result;

use super::run::{RunningQueries, StatementReach};
use crate::table::SegmentsTable;
use names::SEGMENTS;
pub(super) use names::{CATALOG, PUBLIC};
use views::{View, view};

const SYSTEM: &str = "system";

const PARTITIONS: &str = "partitions";
const FILES: &str = "files";
const QUERIES: &str = "queries";

/// A catalog of this name for one statement: `segments` and its views, the tables of the schema `system`, and the
/// schemas that a protocol's clients expect.
pub(super) fn catalog(
    name: &str,
    running: &Arc<RunningQueries>,
    segments: &Arc<SegmentsTable>,
    reach: &StatementReach,
    more: &[(String, Arc<dyn SchemaProvider>)],
) -> Result<Arc<dyn CatalogProviderList>> {
    let catalog = MemoryCatalogProvider::new();
    catalog.register_schema(PUBLIC, Arc::new(PublicSchema { segments: Arc::clone(segments) }))?;
    let system = SystemSchema { running: Arc::clone(running), segments: Arc::clone(segments), reach: reach.clone() };
    catalog.register_schema(SYSTEM, Arc::new(system))?;
    for (name, schema) in more {
        catalog.register_schema(name, Arc::clone(schema))?;
    }
    let list = MemoryCatalogProviderList::new();
    list.register_catalog(name.to_owned(), Arc::new(catalog));
    Ok(Arc::new(list))
}

#[derive(Debug)]
struct PublicSchema {
    segments: Arc<SegmentsTable>,
}

#[async_trait]
impl SchemaProvider for PublicSchema {
    fn table_names(&self) -> Vec<String> {
        [SEGMENTS].into_iter().chain(View::all().iter().map(|view| view.name)).map(str::to_owned).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if name == SEGMENTS {
            return Ok(Some(Arc::clone(&self.segments) as Arc<dyn TableProvider>));
        }
        match View::named(name) {
            Some(definition) => Ok(Some(view(definition, &self.segments).await?)),
            None => Ok(None),
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        let is_view = View::named(name).map(|_| TableType::View);
        Ok(if name == SEGMENTS { Some(TableType::Base) } else { is_view })
    }

    fn table_exist(&self, name: &str) -> bool {
        name == SEGMENTS || View::named(name).is_some()
    }
}

#[derive(Debug)]
struct SystemSchema {
    running: Arc<RunningQueries>,
    segments: Arc<SegmentsTable>,
    reach: StatementReach,
}

#[async_trait]
impl SchemaProvider for SystemSchema {
    fn table_names(&self) -> Vec<String> {
        [FILES, PARTITIONS, QUERIES].map(str::to_owned).to_vec()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let (snapshot, scope) = (self.segments.snapshot(), self.segments.scope());
        match name {
            FILES => system::files(&snapshot, scope).map(Some),
            PARTITIONS => system::partitions(&snapshot, scope).map(Some),
            QUERIES => system::queries(&self.running, &self.reach).map(Some),
            _ => Ok(None),
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::Base))
    }

    fn table_exist(&self, name: &str) -> bool {
        [FILES, PARTITIONS, QUERIES].contains(&name)
    }
}
