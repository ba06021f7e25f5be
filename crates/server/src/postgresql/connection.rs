use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use arrow::datatypes::DataType;
use async_trait::async_trait;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{ColumnarValue, ScalarUDF, Volatility, create_udf};
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::setup_pg_catalog;
use datafusion_postgres::pgwire::api::auth::StartupHandler;
use datafusion_postgres::pgwire::api::auth::noop::NoopStartupHandler;
use datafusion_postgres::pgwire::api::cancel::CancelHandler;
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::{ClientInfo, METADATA_DATABASE, PgWireServerHandlers};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::cancel::CancelRequest;
use datafusion_postgres::pgwire::messages::startup::SecretKey;
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use futures::Sink;
use skillscope_query::{Scope, SqlSession};
use skillscope_segment::AccountId;

use super::DOOR;
use super::error::{SqlState, error, failed, fatal};
use super::query::Queries;
use crate::App;

/// The database of operators, who see all accounts.
const ALL_ACCOUNTS: &str = "skillscope";

/// One client.
pub(super) struct Connection {
    startup: Arc<Startup>,
    queries: Arc<Queries>,
    cancels: Arc<Cancels>,
}

impl Connection {
    pub(super) fn new(app: App, cancels: Arc<Cancels>) -> Self {
        let session = Arc::new(Session::default());
        let startup =
            Startup { app, session: Arc::clone(&session), cancels: Arc::clone(&cancels), entry: OnceLock::new() };
        Self { startup: Arc::new(startup), queries: Arc::new(Queries::new(session)), cancels }
    }
}

impl PgWireServerHandlers for Connection {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::clone(&self.queries)
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::clone(&self.queries)
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        Arc::clone(&self.startup)
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        Arc::clone(&self.cancels)
    }
}

/// A connection's session, once it is known whose it is.
#[derive(Debug, Default)]
pub(super) struct Session(OnceLock<SqlSession>);

impl Session {
    pub(super) fn get(&self) -> PgWireResult<&SqlSession> {
        self.0.get().ok_or_else(|| error(SqlState::Internal, "the connection has not been opened"))
    }
}

pub(super) struct Startup {
    app: App,
    session: Arc<Session>,
    cancels: Arc<Cancels>,
    /// This connection among those that can be cancelled.
    entry: OnceLock<CancelEntry>,
}

#[async_trait]
impl NoopStartupHandler for Startup {
    async fn post_startup<C>(&self, client: &mut C, _message: PgWireFrontendMessage) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let session = self.app.engine().sql(scope(client.metadata())?, DOOR);
        // Clients expect the tables in the database that they have named.
        let database = session.scope().account().map_or(ALL_ACCOUNTS, AccountId::as_str).to_owned();
        let session = session.extended(&database, |context| {
            context.register_udf(pg_my_temp_schema());
            setup_pg_catalog(context, &database, EmptyContextProvider)
                .map_err(|cause| skillscope_query::Error::Sql(*cause))
        });
        let session = session.map_err(failed)?;
        let (pid, key) = client.pid_and_secret_key();
        let _ = self.entry.set(self.cancels.enter(pid, key, session.clone()));
        let _ = self.session.0.set(session);
        Ok(())
    }
}

/// The number of the schema for temporary tables, of which there is none. The catalog does not bring it.
fn pg_my_temp_schema() -> ScalarUDF {
    let none = |_: &[ColumnarValue]| Ok(ColumnarValue::Scalar(ScalarValue::Int32(Some(0))));
    create_udf("pg_my_temp_schema", Vec::new(), DataType::Int32, Volatility::Stable, Arc::new(none))
}

/// The accounts that the database names.
fn scope(startup: &HashMap<String, String>) -> PgWireResult<Scope> {
    let name = match startup.get(METADATA_DATABASE).map(String::as_str) {
        None | Some(ALL_ACCOUNTS) => return Ok(Scope::All),
        Some(name) => name,
    };
    AccountId::parse(name).map(Scope::Account).map_err(|_| {
        let text = format!("there is no database \"{name}\": it is an account, or {ALL_ACCOUNTS} for all of them");
        fatal(SqlState::UnknownDatabase, text)
    })
}

/// The connections whose statements can be cancelled, by the number that each client was told.
#[derive(Debug, Default)]
pub(super) struct Cancels(Mutex<HashMap<i32, (SecretKey, SqlSession)>>);

impl Cancels {
    fn enter(self: &Arc<Self>, pid: i32, key: SecretKey, session: SqlSession) -> CancelEntry {
        self.sessions().insert(pid, (key, session));
        CancelEntry { pid, cancels: Arc::clone(self) }
    }

    fn sessions(&self) -> MutexGuard<'_, HashMap<i32, (SecretKey, SqlSession)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl CancelHandler for Cancels {
    async fn on_cancel_request(&self, request: CancelRequest) {
        let sessions = self.sessions();
        if let Some((_, session)) =
            sessions.get(&request.pid).filter(|(key, _)| key.to_bytes() == request.secret_key.to_bytes())
        {
            session.kill_running();
        }
    }
}

/// A connection that can be cancelled, until this is dropped.
struct CancelEntry {
    pid: i32,
    cancels: Arc<Cancels>,
}

impl Drop for CancelEntry {
    fn drop(&mut self) {
        self.cancels.sessions().remove(&self.pid);
    }
}
