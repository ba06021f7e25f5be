//! A session: the scope of its statements, and the tables that they see.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, Schema};
use datafusion::common::{ScalarValue, plan_datafusion_err};
use datafusion::execution::session_state::SessionState;
use datafusion::prelude::SessionContext;

use super::catalog::SessionCatalog;
use super::definitions::{self, Authority, Task, carry_out, is_definition};
use super::run::{SqlRows, SqlTask, StatementReach};
use super::service::SqlService;
use super::statement_runner::{SqlDescription, StatementRunner};
use super::statement_tables::StatementTables;
use super::store_tables::StoreTables;
use super::surroundings::Surroundings;
use crate::table::MomentTables;
use crate::{Error, Result, Scope};

/// Runs statements over the segments in a scope, for one client.
#[derive(Clone)]
pub struct SqlSession {
    runner: StatementRunner,
    store: Arc<StoreTables>,
    reach: StatementReach,
    /// What a protocol's clients expect beside the tables.
    catalog: Option<Arc<dyn SessionCatalog>>,
    authority: Authority,
}

impl std::fmt::Debug for SqlSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlSession").field("runner", &self.runner).finish_non_exhaustive()
    }
}

impl SqlSession {
    pub(crate) fn new(service: Arc<SqlService>, store: Arc<StoreTables>, scope: Scope, door: &'static str) -> Self {
        let runner = StatementRunner::of(service, scope.clone(), door);
        Self {
            reach: StatementReach::new(runner.number(), scope),
            runner,
            store,
            catalog: None,
            authority: Authority::default(),
        }
    }

    /// The accounts that this session sees.
    pub fn scope(&self) -> &Scope {
        self.runner.scope()
    }

    /// A session whose tables are in a catalog of this name, beside what `catalog` has. `extend` may add functions that
    /// serve all statements of the session.
    ///
    /// # Errors
    /// The errors of `extend`.
    pub fn extended<E: From<Error>>(
        mut self,
        catalog_name: &str,
        catalog: Arc<dyn SessionCatalog>,
        extend: impl FnOnce(&SessionContext) -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        let mut base = self.runner.base().clone();
        base.config_mut().options_mut().catalog.default_catalog = catalog_name.to_owned();
        let context = SessionContext::new_with_state(base);
        extend(&context)?;
        self.runner.set_base(context.state());
        self.catalog = Some(catalog);
        Ok(self)
    }

    /// Plans a statement without running it.
    ///
    /// # Errors
    /// [`Error::Sql`] where the statement is wrong, [`Error::ReadOnly`] where it does anything but read.
    pub async fn describe(&self, text: &str) -> Result<SqlDescription> {
        self.describe_with(text, Vec::new()).await
    }

    /// The same for a statement whose parameters, `$1` first, have types that the client tells, as far as it does.
    ///
    /// # Errors
    /// Those of [`SqlSession::describe`].
    pub async fn describe_with(&self, text: &str, told: Vec<Option<DataType>>) -> Result<SqlDescription> {
        if is_definition(text) {
            self.runner.check(text, definitions::check).await?;
            return Ok(SqlDescription { schema: Arc::new(Schema::empty()), parameters: Vec::new() });
        }
        self.runner.describe(self.tables(self.now()), text, told).await
    }

    /// The same session with a shorter limit of time. A longer one than the limit of all statements has no effect.
    pub fn within(mut self, limit: Duration) -> Self {
        self.runner.shorten(limit);
        self
    }

    /// The same session for a client that lists and ends no statements but those of sessions that see the same accounts:
    /// one that sees all of them need not be an operator.
    pub fn with_own_statements(mut self) -> Self {
        self.reach = self.reach.own();
        self
    }

    /// The same session for a client that may add and drop what others see: views and tables.
    pub fn with_administration(mut self) -> Self {
        self.authority.administers = true;
        self
    }

    /// The same session for requests that others may send in a client's name: its statements do nothing but read. They
    /// make and drop nothing, and call no function that changes something, such as `kill_query`.
    pub fn only_reading(mut self) -> Self {
        self.authority.only_reads = true;
        self.reach = self.reach.only_reading();
        self
    }

    /// The same session for a client that stays, and may have views of its own meanwhile. All clones have the same.
    pub fn with_temporary_views(mut self) -> Self {
        self.authority.temporary = Some(Arc::default());
        self
    }

    /// Forgets the views of the session.
    pub fn drop_temporary_views(&self) {
        self.authority.temporary.iter().for_each(|views| views.clear());
    }

    /// The same session for a client that may leave rows for as long as a statement may take, again and again. For doors
    /// that find out by themselves whether a client reads.
    pub fn with_pauses(mut self) -> Self {
        self.runner.allow_pauses();
        self
    }

    /// Runs `parse` on the text of a statement, with enough stack for a syntax tree that is as deep as the text has
    /// words.
    ///
    /// # Errors
    /// [`Error::Sql`] where the statement has too many words.
    pub async fn parse_with<T: Send + 'static>(
        &self,
        text: &str,
        parse: impl FnOnce(&str) -> T + Send + 'static,
    ) -> Result<T> {
        self.runner.parse_with(text, parse).await
    }

    /// Runs work that belongs to a statement, such as writing its rows, on the threads for SQL.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> SqlTask<T> {
        self.runner.spawn(work)
    }

    /// Runs a statement that reads, with values for its parameters, `$1` first. Its rows come as they are computed.
    ///
    /// # Errors
    /// [`Error::Sql`] where the statement is wrong, [`Error::ReadOnly`] where it does anything but read,
    /// [`Error::OutOfMemory`], [`Error::TimeLimit`], [`Error::TooManyQueries`] and [`Error::Killed`]; all of these can
    /// also come in the place of later rows. A statement that makes or drops a view, or drops a table, is carried out
    /// before this returns, and its [outcome](SqlRows::defined) is in the place of rows.
    pub async fn run(&self, text: &str, parameters: Vec<ScalarValue>) -> Result<SqlRows> {
        if is_definition(text) {
            return self.define(text, &parameters).await;
        }
        self.run_over(self.now(), text, parameters).await
    }

    /// What a statement reads that begins now.
    pub(crate) fn now(&self) -> MomentTables {
        self.store.now(self.scope().clone())
    }

    pub(crate) async fn run_over(
        &self,
        rows: MomentTables,
        text: &str,
        parameters: Vec<ScalarValue>,
    ) -> Result<SqlRows> {
        self.runner.run(self.tables(rows), text, parameters).await
    }

    /// Ends the statements of this session that still run; false where none does, yet or any more.
    pub fn kill_running(&self) -> bool {
        self.runner.kill_running()
    }

    async fn define(&self, text: &str, parameters: &[ScalarValue]) -> Result<SqlRows> {
        if !parameters.is_empty() {
            return Err(Error::of_sql(plan_datafusion_err!("a statement that defines has no parameters")));
        }
        let session = self.clone();
        let defined = self.runner.define(text, move |text| {
            let (scope, nothing) = (session.scope(), session.store.empty(session.scope().clone()));
            let visible = session.visible(Arc::new(session.runner.base().clone()), nothing);
            let (authority, store) = (&session.authority, session.store.store());
            carry_out(&Task { text, authority, visible: &visible, store, scope })
        });
        Ok(SqlRows::of_definition(defined.await?))
    }

    fn visible(&self, base: Arc<SessionState>, rows: MomentTables) -> Surroundings {
        Surroundings {
            store: Arc::clone(&self.store),
            base,
            reach: self.reach.clone(),
            segments: Arc::new(rows.segments),
            open: Arc::new(rows.open),
            catalog: self.catalog.clone(),
            added: Some(self.store.added()),
            temporary: self.authority.temporary.clone(),
            within: Vec::new(),
            is_listing: false,
            planned: Arc::default(),
        }
    }

    fn tables(&self, rows: MomentTables) -> Arc<dyn StatementTables> {
        let base = Arc::new(self.runner.base().clone());
        Arc::new(SessionTables(self.visible(base, rows)))
    }
}

/// The tables that one statement of a session sees.
struct SessionTables(Surroundings);

impl StatementTables for SessionTables {
    fn state(&self, base: &SessionState) -> datafusion::error::Result<SessionState> {
        Surroundings { base: Arc::new(base.clone()), ..self.0.clone() }.state()
    }

    fn only_reads(&self) -> bool {
        self.0.reach.only_reads()
    }
}
