//! The handlers of one connection.

use std::sync::Arc;

use datafusion_postgres::pgwire::api::PgWireServerHandlers;
use datafusion_postgres::pgwire::api::auth::StartupHandler;
use datafusion_postgres::pgwire::api::cancel::CancelHandler;
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};

use super::cancels::Cancels;
use super::queries::Queries;
use super::session::Session;
use super::startup::Startup;
use crate::App;

/// The connection of one client.
pub(super) struct Connection {
    startup: Arc<Startup>,
    queries: Arc<Queries>,
    cancels: Arc<Cancels>,
}

impl Connection {
    pub(super) fn new(app: App, cancels: Arc<Cancels>) -> Self {
        let session = Arc::new(Session::default());
        let startup = Arc::new(Startup::new(app, Arc::clone(&session), Arc::clone(&cancels)));
        Self { startup, queries: Arc::new(Queries::new(session)), cancels }
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
