//! How a connection begins.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::setup_pg_catalog;
use datafusion_postgres::pgwire::api::ClientInfo;
use datafusion_postgres::pgwire::api::auth::noop::NoopStartupHandler;
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use futures::Sink;
use skillscope_segment::AccountId;

use super::cancels::{CancelEntry, Cancels};
use super::error::{failed, refused};
use super::session::Session;
use crate::App;
use crate::caller::{ALL_ACCOUNTS, Caller};

/// How `system.queries` names the door of these statements.
const DOOR: &str = "postgresql";

/// Opens a client's session.
pub(super) struct Startup {
    app: App,
    session: Arc<Session>,
    cancels: Arc<Cancels>,
    /// Keeps this connection among those that can be cancelled.
    entry: OnceLock<CancelEntry>,
}

impl Startup {
    pub(super) fn new(app: App, session: Arc<Session>, cancels: Arc<Cancels>) -> Self {
        Self { app, session, cancels, entry: OnceLock::new() }
    }
}

#[async_trait]
impl NoopStartupHandler for Startup {
    async fn post_startup<C>(&self, client: &mut C, _message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let caller = Caller::of_postgresql(client.metadata()).map_err(refused)?;
        let session = self.app.engine().sql(caller.scope().clone(), DOOR);
        // Clients expect the tables in a catalog with the name of the database.
        let database = caller.scope().account().map_or(ALL_ACCOUNTS, AccountId::as_str).to_owned();
        let session = session.extended(&database, |context| {
            context.register_udf(pg_my_temp_schema());
            setup_pg_catalog(context, &database, EmptyContextProvider)
                .map_err(|cause| skillscope_query::Error::Sql(*cause))
        });
        let session = session.map_err(failed)?;
        let (pid, key) = client.pid_and_secret_key();
        let _ = self.entry.set(self.cancels.enter(pid, key, session.clone()));
        self.session.open(session);
        Ok(())
    }
}

/// PostgreSQL's function for the number of the schema of temporary tables, which is 0 where there is none. The catalog
/// of `datafusion-postgres` lacks it.
fn pg_my_temp_schema() -> ScalarUDF {
    let none = |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(ScalarValue::Int32(Some(0))));
    create_udf("pg_my_temp_schema", Vec::new(), DataType::Int32, Volatility::Stable, Arc::new(none))
}
