//! How a client is let in.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use chrono::{DateTime, Utc};
use datafusion_postgres::pgwire::api::auth::{ServerParameterProvider, finish_authentication, protocol_negotiation};
use datafusion_postgres::pgwire::api::{
    ClientInfo, METADATA_DATABASE, METADATA_USER, PidSecretKeyGenerator, RandomPidSecretKeyGenerator,
};
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::startup::Startup;
use skillscope_query::{Error, SqlSession};
use skillscope_segment::AccountId;

use super::cancels::Cancels;
use super::catalog::{Catalog, SessionValues};
use super::client::{Client, Stream};
use super::cursors::{CursorTable, FUNCTION};
use super::error::{not_let_in, not_started, refused, wrong_password};
use super::incoming::Incoming;
use super::scram::prove;
use super::session::Session;
use crate::App;
use crate::access::Permission;
use crate::caller::{ALL_ACCOUNTS, Caller};

/// How `system.queries` names the door of these statements.
const DOOR: &str = "postgresql";

/// What the connections of a server share. Cheap to clone.
#[derive(Clone)]
pub(super) struct Sessions {
    app: App,
    pub(super) cancels: Arc<Cancels>,
    started: DateTime<Utc>,
}

/// The settings that a client is told of when its session begins.
struct Reported(Vec<(&'static str, String)>);

impl ServerParameterProvider for Reported {
    fn server_parameters<C: ClientInfo>(&self, _client: &C) -> Option<HashMap<String, String>> {
        Some(self.0.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }
}

impl Sessions {
    pub(super) fn new(app: App) -> Self {
        Self { app, cancels: Arc::default(), started: Utc::now() }
    }

    /// Opens the session that a client asks for, and tells it so.
    pub(super) async fn open<S: Stream>(
        &self,
        client: &mut Client<S>,
        incoming: &mut Incoming,
        startup: &Startup,
        session: &Session,
    ) -> PgWireResult<Caller> {
        static KEYS: LazyLock<RandomPidSecretKeyGenerator> = LazyLock::new(RandomPidSecretKeyGenerator::default);
        protocol_negotiation(client, startup).await?;
        let parameters = startup.parameters.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        for name in [METADATA_USER, METADATA_DATABASE] {
            if let Some(value) = startup.parameters.get(name) {
                client.metadata_mut().insert(name.to_owned(), value.clone());
            }
        }
        session.settings.start(parameters).map_err(|wrong| not_started(&wrong))?;
        let caller = self.caller(client, incoming, startup).await?;
        let (_, key) = KEYS.generate(&*client);
        let pid = self.cancels.new_number();
        let user = startup.parameters.get(METADATA_USER).map(String::as_str).unwrap_or_default();
        let opened = self.session(&caller, session, user, pid).map_err(not_let_in)?;
        client.set_pid_and_secret_key(pid, key.clone());
        session.open(opened.clone(), self.cancels.enter(pid, key, opened));
        let reported = Reported(session.settings.unreported());
        finish_authentication(client, &reported).await?;
        Ok(caller)
    }

    /// Finds out who the client is. Whatever it lacks, it learns only after it has proved that.
    async fn caller<S: Stream>(
        &self,
        client: &mut Client<S>,
        incoming: &mut Incoming,
        startup: &Startup,
    ) -> PgWireResult<Caller> {
        let access = self.app.access();
        let pass = match access.without_token() {
            Some(pass) => pass,
            None => {
                let user = startup.parameters.get(METADATA_USER).map(String::as_str).unwrap_or_default();
                match prove(client, incoming, access, user).await? {
                    Some(pass) => pass,
                    None => {
                        access.fail(Some(client.socket_addr().ip())).await;
                        return Err(wrong_password(user));
                    }
                }
            }
        };
        let caller = Caller::of_postgresql(client.metadata(), pass).map_err(refused)?;
        caller.check_permission(Permission::Sql).map_err(refused)?;
        Ok(caller)
    }

    fn session(&self, caller: &Caller, of: &Session, user: &str, pid: i32) -> Result<SqlSession, Error> {
        // The socket tells a client that reads nothing from one that leaves a portal suspended.
        let session = caller.sql(&self.app, caller.scope().clone(), DOOR).with_pauses().with_temporary_views();
        // Clients expect the tables in a catalog with the name of the database.
        let database = caller.scope().account().map_or(ALL_ACCOUNTS, AccountId::as_str).to_owned();
        let values = SessionValues {
            database: database.clone(),
            user: user.to_owned(),
            pid,
            started: self.started,
            settings: of.settings.clone(),
        };
        session.extended(&database, Arc::new(Catalog::new(values)), |context| {
            Catalog::add_functions(context);
            context.register_udtf(FUNCTION, Arc::new(CursorTable::of(&of.cursors)));
            Ok::<(), Error>(())
        })
    }
}
