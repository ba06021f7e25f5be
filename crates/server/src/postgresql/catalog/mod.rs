//! PostgreSQL's catalog, which drivers and tools read to find out about tables and types.
//!
//! ```text
//! a statement ─▶ rewrite/   what DataFusion cannot plan of what tools ask, in other words
//! what it sees ─▶ seen.rs ─▶ schema.rs   the tables of `pg_catalog`: tables/ has a file for each that tells of ours,
//!                    │                   fixed.rs the rows that are the same everywhere, relations.rs all columns
//!                    └─────▶ functions/  the functions that go with them, a file a subject
//! ```
//!
//! The rows that are the same everywhere are those of `datafusion-postgres`. Its tables of what there is are not used:
//! they number tables as they come, and know neither views nor comments.

mod fixed;
mod functions;
mod numbers;
mod our_functions;
mod relations;
mod rewrite;
mod roles;
mod schema;
mod seen;
mod session_values;
mod tables;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::registry::FunctionRegistry;
use datafusion::prelude::SessionContext;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::generate_series_arg_coercion::CoerceIntArgsToBigInt;
use skillscope_query::{Schemas, SessionCatalog, Visible};

#[cfg(test)]
pub(super) use numbers::of_relation as number_of_relation;
pub(super) use rewrite::parse;
pub(super) use session_values::SessionValues;

use functions::Asked;
use schema::PgCatalogSchema;
use seen::Seen;

/// The name of the schema.
const PG_CATALOG: &str = "pg_catalog";

/// The role that everything belongs to.
const OWNER: &str = "skillscope";

/// PostgreSQL's catalog for one session.
#[derive(Debug)]
pub(super) struct Catalog(Arc<SessionValues>);

impl Catalog {
    pub(super) fn new(values: SessionValues) -> Self {
        Self(Arc::new(values))
    }

    /// Adds the functions that need to know of no statement.
    pub(super) fn add_functions(context: &SessionContext) {
        functions::add_fixed(context);
        CoerceIntArgsToBigInt::widen(context);
    }
}

impl SessionCatalog for Catalog {
    fn extend(&self, state: &mut SessionState, visible: Visible) -> Result<Schemas> {
        let asked = Arc::new(Asked { seen: Seen::new(visible), session: Arc::clone(&self.0) });
        for function in functions::all(&asked) {
            state.register_udf(function)?;
        }
        Ok(vec![(PG_CATALOG.to_owned(), Arc::new(PgCatalogSchema::new(asked)))])
    }
}

#[cfg(test)]
mod tests {
    use chrono::Utc;
    use datafusion::execution::SessionStateBuilder;
    use skillscope_query::catalog_list;

    use super::*;
    use crate::postgresql::settings::Values;

    #[tokio::test]
    async fn what_is_made_for_a_statement_is_freed_with_it() {
        let values = SessionValues {
            database: "acme".to_owned(),
            user: "me".to_owned(),
            pid: 7,
            started: Utc::now(),
            settings: Values::default(),
        };
        let catalog = Catalog::new(values);
        let values = Arc::clone(&catalog.0);
        let mut state = SessionStateBuilder::new_with_default_features().build();
        let visible = Visible { schemas: Vec::new(), accounts: Arc::new(Vec::new) };
        let schemas = catalog.extend(&mut state, visible).unwrap();
        state.register_catalog_list(catalog_list(vec!["datafusion".to_owned()], &schemas, &schemas).unwrap());
        let context = SessionContext::new_with_state(state);
        let question = "select oid::regclass::text from pg_catalog.pg_class where relname = 'pg_type'";
        let question = parse(question).unwrap().remove(0).to_string();
        let rows = context.sql(&question).await.unwrap().collect().await.unwrap();
        let names: &arrow::array::StringArray = arrow::array::AsArray::as_string(rows[0].column(0));
        assert_eq!(names.iter().collect::<Vec<_>>(), [Some("pg_type")]);
        drop((rows, schemas, context, catalog));
        assert_eq!(Arc::strong_count(&values), 1);
    }
}
