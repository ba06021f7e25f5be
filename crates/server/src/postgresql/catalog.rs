//! PostgreSQL's catalog, which drivers and tools read to find out about tables and types.
//!
//! `datafusion-postgres` would build all of it for each connection, and tie it into a knot that is never freed. Here the
//! tables that are the same everywhere are built once, and the rest once for each database, while there is a connection
//! to it. So the numbers of tables are the same in all connections of a pool.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Weak};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{CatalogProviderList, SchemaProvider, TableFunctionImpl};
use datafusion::common::DataFusionError;
use datafusion::datasource::TableType;
use datafusion::error::Result;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::logical_expr::ScalarUDF;
use datafusion::prelude::SessionContext;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::catalog_info::CatalogInfo;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::generate_series_arg_coercion::CoerceIntArgsToBigInt;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::oid_type_planner::PgOidTypePlanner;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::{
    PgCatalogSchemaProvider, PgCatalogStaticTables, create_current_database_udf,
};
use parking_lot::Mutex;

use super::catalog_functions::catalog_functions;

/// The name of the schema.
const PG_CATALOG: &str = "pg_catalog";

/// The catalogs of the databases that clients are connected to. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Catalogs(Arc<Mutex<HashMap<String, Weak<Database>>>>);

/// The catalog of a database, for as long as a connection holds it.
#[derive(Debug)]
pub(super) struct Database {
    schema: Arc<dyn SchemaProvider>,
    /// The schema refers to it, and must not own it: it is in it.
    _tables: Arc<dyn CatalogProviderList>,
}

impl Catalogs {
    /// Adds the catalog of `database` to `context`, with the functions that go with it.
    pub(super) fn extend(&self, database: &str, context: &SessionContext) -> Result<Arc<Database>> {
        static FUNCTIONS: LazyLock<Vec<Arc<ScalarUDF>>> = LazyLock::new(catalog_functions);
        let fixed = fixed_tables()?;
        let catalog = context
            .catalog(database)
            .ok_or_else(|| DataFusionError::Internal(format!("the tables of {database} have no catalog to add to")))?;
        let found = self.database(database, context, &fixed)?;
        catalog.register_schema(PG_CATALOG, Arc::clone(&found.schema))?;
        for function in FUNCTIONS.iter() {
            context.register_udf(function.as_ref().clone());
        }
        context.register_udf(create_current_database_udf(database));
        context.register_udtf("pg_get_keywords", Arc::clone(&fixed.pg_get_keywords) as Arc<dyn TableFunctionImpl>);
        let state = context.state_ref();
        let builder = SessionStateBuilder::new_from_existing(state.read().clone());
        *state.write() = builder.with_type_planner(Arc::new(PgOidTypePlanner)).build();
        CoerceIntArgsToBigInt::widen(context);
        Ok(found)
    }

    /// How many databases have a catalog.
    #[cfg(test)]
    pub(super) fn open(&self) -> usize {
        self.0.lock().values().filter(|database| database.strong_count() > 0).count()
    }

    fn database(
        &self,
        name: &str,
        context: &SessionContext,
        fixed: &Arc<PgCatalogStaticTables>,
    ) -> Result<Arc<Database>> {
        let mut databases = self.0.lock();
        if let Some(database) = databases.get(name).and_then(Weak::upgrade) {
            return Ok(database);
        }
        // The names are the clients' choice.
        databases.retain(|_, database| database.strong_count() > 0);
        let tables = Arc::clone(context.state().catalog_list());
        let known = KnownTables(Arc::downgrade(&tables));
        let schema = PgCatalogSchemaProvider::try_new(known, Arc::clone(fixed), EmptyContextProvider)?;
        let database = Arc::new(Database { schema: Arc::new(schema), _tables: tables });
        databases.insert(name.to_owned(), Arc::downgrade(&database));
        Ok(database)
    }
}

/// The tables that are the same in every database.
fn fixed_tables() -> Result<Arc<PgCatalogStaticTables>> {
    static TABLES: LazyLock<std::result::Result<Arc<PgCatalogStaticTables>, String>> =
        LazyLock::new(|| PgCatalogStaticTables::try_new().map(Arc::new).map_err(|error| error.to_string()));
    TABLES.as_ref().map(Arc::clone).map_err(|error| DataFusionError::Internal(error.clone()))
}

/// The tables that the catalog tells of.
#[derive(Debug, Clone)]
struct KnownTables(Weak<dyn CatalogProviderList>);

#[async_trait]
impl CatalogInfo for KnownTables {
    async fn catalog_names(&self) -> Result<Vec<String>> {
        Ok(self.0.upgrade().map(|tables| CatalogProviderList::catalog_names(tables.as_ref())).unwrap_or_default())
    }

    async fn schema_names(&self, catalog: &str) -> Result<Option<Vec<String>>> {
        match self.0.upgrade() {
            Some(tables) => CatalogInfo::schema_names(&tables, catalog).await,
            None => Ok(None),
        }
    }

    async fn table_names(&self, catalog: &str, schema: &str) -> Result<Option<Vec<String>>> {
        match self.0.upgrade() {
            Some(tables) => CatalogInfo::table_names(&tables, catalog, schema).await,
            None => Ok(None),
        }
    }

    async fn table_schema(&self, catalog: &str, schema: &str, table: &str) -> Result<Option<SchemaRef>> {
        match self.0.upgrade() {
            Some(tables) => CatalogInfo::table_schema(&tables, catalog, schema, table).await,
            None => Ok(None),
        }
    }

    async fn table_type(&self, catalog: &str, schema: &str, table: &str) -> Result<Option<TableType>> {
        match self.0.upgrade() {
            Some(tables) => CatalogInfo::table_type(&tables, catalog, schema, table).await,
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionConfig;

    use super::*;

    fn context() -> SessionContext {
        SessionContext::new_with_config(SessionConfig::new().with_default_catalog_and_schema("acme", "public"))
    }

    #[tokio::test]
    async fn connections_to_a_database_share_its_catalog_and_free_it() {
        let catalogs = Catalogs::default();
        let (one, other) = (context(), context());
        let first = catalogs.extend("acme", &one).unwrap();
        let second = catalogs.extend("acme", &other).unwrap();
        assert!(Arc::ptr_eq(&first, &second));
        // The table of tables tells of what is in the catalog, also when its first connection has gone.
        drop((one, first));
        let tables = other.sql("select count(*) from pg_catalog.pg_namespace where nspname = 'pg_catalog'").await;
        let counted = tables.unwrap().collect().await.unwrap();
        assert_eq!(counted[0].column(0).as_ref(), &datafusion::arrow::array::Int64Array::from(vec![1]));
        let (database, list) = (Arc::downgrade(&second), Arc::downgrade(other.state().catalog_list()));
        drop((counted, second, other));
        assert!(database.upgrade().is_none() && list.upgrade().is_none());
        catalogs.extend("bolt", &context()).unwrap_err();
    }
}
