//! The tables and schemas that a statement can name.

mod added;
mod comments;
mod information_schema;
mod names;
mod rows;
mod session_catalog;
mod system;
mod type_name;
mod views;

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::catalog::{CatalogProvider, CatalogProviderList, MemoryCatalogProvider, SchemaProvider, TableProvider};
use datafusion::datasource::TableType;
use datafusion::error::Result;
use skillscope_store::{Relation, RelationKind};

use super::run::{RunningQueries, StatementReach};
use super::store_tables::StoreTables;
use super::surroundings::Surroundings;
use crate::table::SegmentsTable;
pub use comments::{TableComments, comments_on};
pub(super) use information_schema::INFORMATION_SCHEMA;
use information_schema::InformationSchema;
pub use information_schema::{Schemas, standard_view};
pub(super) use names::{CATALOG, PUBLIC};
use names::{OPEN_CONVERSATIONS, SEGMENTS};
pub use rows::{CatalogRows, rows_when_read};
pub use session_catalog::{SessionCatalog, Visible};
use type_name::TypeName;
use views::View;

/// The tables in which the rows of a store are.
const OWN_TABLES: [&str; 2] = [OPEN_CONVERSATIONS, SEGMENTS];

const SYSTEM: &str = "system";

/// Names that are ours, or that others expect to be something else.
const OUR_NAMES: [&str; 7] =
    [SEGMENTS, OPEN_CONVERSATIONS, SYSTEM, PUBLIC, "information_schema", "skill_report", "report_segments"];
const OUR_BEGINNINGS: [&str; 2] = ["metrics_by_", "pg_"];

const ACCOUNTS: &str = "accounts";
const PARTITIONS: &str = "partitions";
const FILES: &str = "files";
const QUERIES: &str = "queries";
const SYSTEM_TABLES: [&str; 4] = [ACCOUNTS, FILES, PARTITIONS, QUERIES];

/// The schemas of one statement: `segments` and its views, `open_conversations`, what was added, and the tables of the
/// schema `system`.
pub(super) fn schemas(visible: &Surroundings, running: &Arc<RunningQueries>) -> Schemas {
    let public = PublicSchema { visible: visible.clone() };
    let (segments, reach) = (Arc::clone(&visible.segments), visible.reach.clone());
    let system = SystemSchema { store: Arc::clone(&visible.store), running: Arc::clone(running), segments, reach };
    vec![(PUBLIC.to_owned(), Arc::new(public)), (SYSTEM.to_owned(), Arc::new(system))]
}

/// The list of one catalog that has these schemas, and `information_schema`, which tells of those that are `listed`: the
/// same, as they are where nothing is read of them. The catalog is listed under the first of its names, and found under
/// each. The state that it is for must not have an `information_schema` of DataFusion's.
///
/// # Errors
/// None that is known: DataFusion takes schemas of any names.
pub fn catalog_list(names: Vec<String>, schemas: &Schemas, listed: &Schemas) -> Result<Arc<dyn CatalogProviderList>> {
    let catalog = MemoryCatalogProvider::new();
    for (name, schema) in schemas {
        catalog.register_schema(name, Arc::clone(schema))?;
    }
    let name = names.first().map_or(CATALOG, String::as_str);
    catalog.register_schema(INFORMATION_SCHEMA, Arc::new(InformationSchema::new(name, listed)?))?;
    Ok(Arc::new(OneCatalog { names, catalog: Arc::new(catalog) }))
}

/// One catalog under each of the names that doors have for it: a view is read at another door than that at which it was
/// made.
#[derive(Debug)]
struct OneCatalog {
    names: Vec<String>,
    catalog: Arc<dyn CatalogProvider>,
}

impl CatalogProviderList for OneCatalog {
    fn register_catalog(&self, _: String, _: Arc<dyn CatalogProvider>) -> Option<Arc<dyn CatalogProvider>> {
        None
    }

    fn catalog_names(&self) -> Vec<String> {
        self.names.first().cloned().into_iter().collect()
    }

    fn catalog(&self, name: &str) -> Option<Arc<dyn CatalogProvider>> {
        self.names.iter().any(|own| own == name).then(|| Arc::clone(&self.catalog))
    }
}

/// The schema `information_schema` over these schemas alone.
///
/// # Errors
/// Those of [`catalog_list`].
pub(super) fn information_schema(name: &str, schemas: &Schemas) -> Result<Arc<dyn SchemaProvider>> {
    Ok(Arc::new(InformationSchema::new(name, schemas)?))
}

/// The standard's name of the type that values of this type have.
pub(super) fn standard_type(of: &DataType) -> &'static str {
    TypeName::of(of).standard
}

/// Whether a name is that of a table of ours.
pub(super) fn is_own_table(name: &str) -> bool {
    OWN_TABLES.contains(&name)
}

/// The names of our views.
pub(super) fn views_of_ours() -> impl Iterator<Item = &'static str> {
    View::all().iter().map(|view| view.name)
}

/// Whether a name is ours, or may become ours, so that nobody else can give it to something.
pub(super) fn is_ours(name: &str) -> bool {
    OUR_NAMES.contains(&name) || OUR_BEGINNINGS.iter().any(|start| name.starts_with(start))
}

#[derive(Debug)]
struct PublicSchema {
    visible: Surroundings,
}

impl PublicSchema {
    fn added(&self) -> Vec<Arc<Relation>> {
        self.visible.added().all_seen_by(self.visible.scope().account()).cloned().collect()
    }
}

#[async_trait]
impl SchemaProvider for PublicSchema {
    fn table_names(&self) -> Vec<String> {
        let mut names: BTreeSet<String> = OWN_TABLES.into_iter().chain(views_of_ours()).map(str::to_owned).collect();
        names.extend(self.added().iter().map(|relation| relation.name().to_string()));
        names.extend(self.visible.temporary.iter().flat_map(|views| views.names()));
        names.into_iter().collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        match name {
            SEGMENTS => return Ok(Some(Arc::clone(&self.visible.segments) as Arc<dyn TableProvider>)),
            OPEN_CONVERSATIONS => return Ok(Some(Arc::clone(&self.visible.open) as Arc<dyn TableProvider>)),
            _ => {}
        }
        if let Some(definition) = View::named(name) {
            return Ok(Some(views::view(definition, &self.visible.segments).await?));
        }
        let view = if self.visible.is_listing { added::listed_view } else { added::view };
        if let Some(query) = self.visible.temporary_query(name) {
            return view(&self.visible, name, true, &query).map(Some);
        }
        let Some(relation) = self.visible.relation(name) else { return Ok(None) };
        match (relation.rows(), relation.query()) {
            (Some(rows), _) => added::table(rows).map(Some),
            (None, Some(query)) => view(&self.visible, name, false, query).map(Some),
            (None, None) => Ok(None),
        }
    }

    async fn table_type(&self, name: &str) -> Result<Option<TableType>> {
        let added = || match self.visible.relation(name)?.kind() {
            RelationKind::Table => Some(TableType::Base),
            RelationKind::View => Some(TableType::View),
        };
        Ok(if is_own_table(name) {
            Some(TableType::Base)
        } else if View::named(name).is_some() || self.visible.temporary_query(name).is_some() {
            Some(TableType::View)
        } else {
            added()
        })
    }

    fn table_exist(&self, name: &str) -> bool {
        self.visible.has_ours(name)
            || self.visible.temporary_query(name).is_some()
            || self.visible.relation(name).is_some()
    }
}

struct SystemSchema {
    store: Arc<StoreTables>,
    running: Arc<RunningQueries>,
    segments: Arc<SegmentsTable>,
    reach: StatementReach,
}

impl fmt::Debug for SystemSchema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemSchema").field("scope", self.segments.scope()).finish_non_exhaustive()
    }
}

#[async_trait]
impl SchemaProvider for SystemSchema {
    fn table_names(&self) -> Vec<String> {
        SYSTEM_TABLES.map(str::to_owned).to_vec()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        let (snapshot, scope) = (self.segments.snapshot(), self.segments.scope());
        match name {
            ACCOUNTS => system::accounts(self.store.store(), &snapshot, scope).map(Some),
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
        SYSTEM_TABLES.contains(&name)
    }
}
