//! `information_schema`, by which every tool finds out what there is: PostgreSQL's views with its names of types, in the
//! place of DataFusion's. Views about what there is none of, such as constraints, have no rows.

mod columns;
mod fixed;
mod relations;
mod tables;

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::information_schema::InformationSchemaProvider;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList, SchemaProvider,
    TableProvider,
};
use datafusion::datasource::TableType;
use datafusion::error::Result;

use super::rows::{CatalogRows, rows_when_read};
use relations::Relation;

/// The name of the schema.
pub(in crate::sql) const INFORMATION_SCHEMA: &str = "information_schema";

/// The views of DataFusion that PostgreSQL has nothing like, or has with other columns.
const OF_DATAFUSION: [&str; 3] = ["df_settings", "parameters", "routines"];

/// The columns of a view of `information_schema`, without making its rows.
pub fn standard_view(name: &str) -> Option<SchemaRef> {
    let relation = Relation::named(name).filter(|_| !OF_DATAFUSION.contains(&name))?;
    Some(Arc::clone(&relation.schema))
}

/// The schemas of a catalog by their names, in the order in which they are told.
pub type Schemas = Vec<(String, Arc<dyn SchemaProvider>)>;

/// The schema `information_schema` over other schemas. Its rows are made when they are read: a view over them is planned
/// without looking at all views. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct InformationSchema {
    catalog: String,
    schemas: Schemas,
    of_datafusion: Arc<InformationSchemaProvider>,
}

impl InformationSchema {
    pub(super) fn new(catalog: &str, schemas: &Schemas) -> Result<Self> {
        // The provider holds its list, so that it is another list than the one that holds this schema.
        let provider = MemoryCatalogProvider::new();
        for (name, schema) in schemas {
            provider.register_schema(name, Arc::clone(schema))?;
        }
        let list = MemoryCatalogProviderList::new();
        list.register_catalog(catalog.to_owned(), Arc::new(provider));
        let of_datafusion = Arc::new(InformationSchemaProvider::new(Arc::new(list)));
        Ok(Self { catalog: catalog.to_owned(), schemas: schemas.clone(), of_datafusion })
    }

    /// The tables and views, also those of this schema.
    async fn found(&self) -> Result<Vec<Found>> {
        let mut found = Vec::new();
        for (schema, provider) in &self.schemas {
            for name in provider.table_names() {
                let kind = provider.table_type(&name).await?.unwrap_or(TableType::Base);
                found.push(Found { schema: schema.clone(), name, kind });
            }
        }
        let own = self.table_names().into_iter();
        found.extend(own.map(|name| Found { schema: INFORMATION_SCHEMA.to_owned(), name, kind: TableType::View }));
        found.sort_by(|one, other| (&one.schema, &one.name).cmp(&(&other.schema, &other.name)));
        Ok(found)
    }

    /// A table or view; `None` where it is gone, or is a view over something that is.
    async fn table_of(&self, found: &Found) -> Option<Arc<dyn TableProvider>> {
        if found.schema == INFORMATION_SCHEMA {
            return self.shape(&found.name).await.ok().flatten();
        }
        let (_, provider) = self.schemas.iter().find(|(name, _)| *name == found.schema)?;
        provider.table(&found.name).await.ok().flatten()
    }

    /// The rows of one of these views.
    async fn rows(&self, name: &str, columns: SchemaRef) -> Result<RecordBatch> {
        let mut rows = CatalogRows::of(columns);
        match name {
            "columns" => columns::fill(self, &mut rows).await?,
            "tables" => tables::fill_tables(self, &mut rows).await?,
            "views" => tables::fill_views(self, &mut rows).await?,
            "table_privileges" | "role_table_grants" => tables::fill_privileges(self, &mut rows).await?,
            "schemata" => fixed::fill_schemata(self, &mut rows)?,
            "character_sets" => fixed::fill_character_sets(self, &mut rows)?,
            "information_schema_catalog_name" => rows.push([("catalog_name", self.catalog.as_str().into())])?,
            _ => {}
        }
        rows.batch()
    }

    /// One of these views without its rows.
    async fn shape(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match standard_view(name) {
            Some(columns) => CatalogRows::of(columns).table().map(Some),
            None => self.of_datafusion.table(name).await,
        }
    }
}

/// A table or view that there is.
#[derive(Debug)]
struct Found {
    schema: String,
    name: String,
    kind: TableType,
}

#[async_trait]
impl SchemaProvider for InformationSchema {
    fn table_names(&self) -> Vec<String> {
        let ours = Relation::all().iter().map(|relation| relation.name);
        let mut names: Vec<String> = ours.chain(OF_DATAFUSION).map(str::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let Some(columns) = standard_view(name) else { return self.shape(name).await };
        let (schema, name, shape) = (self.clone(), name.to_owned(), Arc::clone(&columns));
        let rows = rows_when_read(columns, move || {
            let (schema, name, shape) = (schema.clone(), name.clone(), Arc::clone(&shape));
            Box::pin(async move { Ok(vec![schema.rows(&name, shape).await?]) })
        });
        rows.map(Some)
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        Ok(self.table_exist(name).then_some(TableType::View))
    }

    fn table_exist(&self, name: &str) -> bool {
        Relation::named(name).is_some() || OF_DATAFUSION.contains(&name)
    }
}
