//! A session: whose statements they are, and how one runs from its text to its last row.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::catalog::SchemaProvider;
use datafusion::common::ScalarValue;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::SessionContext;
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::run::{Interruption, ListedQuery, QueryPhase, SqlRows, SqlTask, interruptible};
use super::service::SqlService;
use super::statement::{Statement, parse_deep};
use crate::table::SegmentsTable;
use crate::{Error, Result, Scope};

/// Batches that are computed ahead of the reader.
const BATCHES_AHEAD: usize = 2;

/// Runs statements over the segments in a scope, for one client.
#[derive(Clone)]
pub struct SqlSession {
    service: Arc<SqlService>,
    scope: Scope,
    door: &'static str,
    number: u64,
    limit: Duration,
    base: Arc<SessionState>,
    /// Schemas that a protocol's clients expect.
    schemas: Vec<(String, Arc<dyn SchemaProvider>)>,
}

impl std::fmt::Debug for SqlSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SqlSession").field("scope", &self.scope).field("door", &self.door).finish_non_exhaustive()
    }
}

/// The columns and parameters of a statement, known before it runs.
#[derive(Debug, Clone)]
pub struct SqlDescription {
    /// The columns of its rows.
    pub schema: SchemaRef,
    /// The types of its parameters, `$1` first, as far as the statement tells.
    pub parameters: Vec<Option<DataType>>,
}

impl SqlSession {
    pub(crate) fn new(service: Arc<SqlService>, scope: Scope, door: &'static str) -> Self {
        let base = Arc::new(service.base().clone());
        let number = service.running().number_session();
        let limit = service.limits().time;
        Self { service, scope, door, number, limit, base, schemas: Vec::new() }
    }

    /// The accounts that this session sees.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// A session whose tables are in a catalog of this name. `extend` may add functions, types and schemas. They serve
    /// all statements of the session, so `extend` sees the tables without their rows.
    ///
    /// # Errors
    /// Those of `extend`.
    pub fn extended<E: From<Error>>(
        mut self,
        catalog_name: &str,
        extend: impl FnOnce(&SessionContext) -> std::result::Result<(), E>,
    ) -> std::result::Result<Self, E> {
        let nothing = self.service.no_segments(self.scope.clone());
        let mut base = self.base.as_ref().clone();
        base.config_mut().options_mut().catalog.default_catalog = catalog_name.to_owned();
        let state = self.service.state(&base, self.number, nothing, &[]).map_err(Error::of_sql)?;
        let context = SessionContext::new_with_state(state);
        let known = |context: &SessionContext| context.catalog(catalog_name).map(|catalog| catalog.schema_names());
        let before = known(&context).unwrap_or_default();
        extend(&context)?;
        if let Some(catalog) = context.catalog(catalog_name) {
            let new = catalog.schema_names().into_iter().filter(|name| !before.contains(name));
            self.schemas = new.filter_map(|name| Some((name.clone(), catalog.schema(&name)?))).collect();
        }
        self.base = Arc::new(context.state());
        Ok(self)
    }

    /// Plans a statement without running it.
    ///
    /// # Errors
    /// [`Error::Sql`] where the statement is wrong, [`Error::ReadOnly`] where it does anything but read.
    pub async fn describe(&self, text: &str) -> Result<SqlDescription> {
        let (session, text) = (self.clone(), text.to_owned());
        let described = self.service.workers().spawn(planning(move || {
            let statement = session.parse(session.segments(), &text)?;
            let parameters = statement.parameters().map_err(Error::of_sql)?;
            Ok(SqlDescription { schema: statement.schema(), parameters })
        }));
        described.await.flatten()
    }

    /// The same session with a shorter limit of time. A longer one than the limit of all statements has no effect.
    pub fn within(mut self, limit: Duration) -> Self {
        self.limit = self.limit.min(limit);
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
        let text = text.to_owned();
        let parsed = self.service.workers().spawn(planning(move || parse_deep(&text, parse).map_err(Error::of_sql)));
        parsed.await.flatten()
    }

    /// Runs work that belongs to a statement, such as writing its rows, on the threads for SQL.
    pub fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> SqlTask<T> {
        self.service.workers().spawn(work)
    }

    /// Runs a statement that reads, with values for its parameters, `$1` first. Its rows come as they are computed.
    ///
    /// # Errors
    /// [`Error::Sql`] where the statement is wrong, [`Error::ReadOnly`] where it does anything but read,
    /// [`Error::OutOfMemory`], [`Error::TimeLimit`], [`Error::TooManyQueries`] and [`Error::Killed`]; all of these can
    /// also come in the place of later rows.
    pub async fn run(&self, text: &str, parameters: Vec<ScalarValue>) -> Result<SqlRows> {
        self.run_over(self.segments(), text, parameters).await
    }

    pub(crate) fn segments(&self) -> SegmentsTable {
        self.service.segments(self.scope.clone())
    }

    pub(crate) async fn run_over(
        &self,
        segments: SegmentsTable,
        text: &str,
        parameters: Vec<ScalarValue>,
    ) -> Result<SqlRows> {
        let running = self.service.running();
        let listed = running.enter(self.scope.clone(), self.number, self.door, text.to_owned());
        let (schema, planned) = oneshot::channel();
        let (batches, received) = mpsc::channel(BATCHES_AHEAD);
        let interruption = Interruption::default();
        let run = StatementRun {
            session: self.clone(),
            segments,
            parameters,
            schema,
            batches,
            interruption: interruption.clone(),
        };
        let (limit, query) = (self.limit, listed.query());
        let running = self.service.workers().spawn(async move { run.run(&Arc::new(listed)).await });
        let watching = self.service.workers().spawn_watch(async move {
            let _interrupt = InterruptOnDrop(interruption);
            tokio::select! {
                biased;
                () = query.killed() => Err(Error::Killed),
                () = tokio::time::sleep(limit) => Err(Error::TimeLimit { limit }),
                done = running => done.flatten(),
            }
        });
        // From now on, dropping the rows ends the statement.
        let nothing_yet = Arc::new(arrow::datatypes::Schema::empty());
        let mut rows = SqlRows::new(nothing_yet, received, watching);
        tokio::select! {
            biased;
            Ok(schema) = planned => Ok(rows.with_schema(schema)),
            // The statement ended before its columns were known.
            error = rows.failed() => Err(error),
        }
    }

    /// Ends the statements of this session that still run.
    pub fn kill_running(&self) {
        self.service.running().kill_session(self.number);
    }

    fn parse(&self, segments: SegmentsTable, text: &str) -> Result<Statement> {
        let state = self.service.state(&self.base, self.number, segments, &self.schemas).map_err(Error::of_sql)?;
        Statement::parse(state, text).map_err(Error::of_sql)
    }
}

/// A statement on its way.
struct StatementRun {
    session: SqlSession,
    segments: SegmentsTable,
    parameters: Vec<ScalarValue>,
    schema: oneshot::Sender<SchemaRef>,
    batches: mpsc::Sender<RecordBatch>,
    interruption: Interruption,
}

/// Interrupts the plan of a statement, however the statement ends.
struct InterruptOnDrop(Interruption);

impl Drop for InterruptOnDrop {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

impl StatementRun {
    async fn run(self, listed: &Arc<ListedQuery>) -> Result<()> {
        let Self { session, segments, parameters, schema, batches, interruption } = self;
        let turn = turn(&session.service).await?;
        listed.enter(QueryPhase::Planning);
        let (text, memory) = (listed.text.clone(), session.service.memory());
        let in_planning = Arc::clone(listed);
        let planned = planning(move || {
            let statement = session.parse(segments, &text)?.bind(parameters).map_err(Error::of_sql)?;
            let (plan, task) = statement.physical(memory).map_err(Error::of_sql)?;
            // Planning cannot be ended. It keeps its turn and its place on the list, also when nobody waits for it any
            // more.
            drop(in_planning);
            Ok((interruptible(plan, &interruption).map_err(Error::of_sql)?, task, turn))
        });
        let (plan, task, _turn) = planned.await?;
        listed.watch(&plan);
        listed.enter(QueryPhase::Running);
        let mut stream = execute_stream(plan, task).map_err(Error::of_sql)?;
        // The client may have gone already.
        let _ = schema.send(stream.schema());
        while let Some(batch) = stream.next().await {
            let batch = batch.map_err(Error::of_sql)?;
            listed.add_rows(batch.num_rows());
            if batches.send(batch).await.is_err() {
                break;
            }
        }
        Ok(())
    }
}

/// Plans on a thread of its own: planning takes long, waits for the disk, and cannot be interrupted.
async fn planning<T: Send + 'static>(plan: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    spawn_blocking(plan).await.unwrap_or_else(|error| Err(Error::of_join(&error)))
}

/// Waits until a statement may run.
async fn turn(service: &SqlService) -> Result<OwnedSemaphorePermit> {
    let (running, patience): (usize, Duration) = (service.limits().running, service.limits().patience);
    match timeout(patience, service.turns().acquire_owned()).await {
        Ok(Ok(turn)) => Ok(turn),
        _ => Err(Error::TooManyQueries { running }),
    }
}
