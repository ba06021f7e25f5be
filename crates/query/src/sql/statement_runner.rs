//! Runs statements within the limits of SQL, over the tables that each of them is given.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use super::limits::SqlLimits;
use super::run::{Interruption, ListedQuery, QueryPhase, SqlRows, SqlTask, interruptible};
use super::service::SqlService;
use super::statement::{Statement, parse_deep};
use super::statement_tables::StatementTables;
use crate::{Error, Result, Scope};

/// Batches that are computed ahead of the reader.
const BATCHES_AHEAD: usize = 2;

/// Runs the statements of a session, all of them within the limits of SQL.
#[derive(Clone)]
pub struct StatementRunner {
    service: Arc<SqlService>,
    base: Arc<SessionState>,
    scope: Scope,
    door: &'static str,
    number: u64,
    limit: Duration,
}

impl fmt::Debug for StatementRunner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StatementRunner")
            .field("scope", &self.scope)
            .field("door", &self.door)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
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

impl StatementRunner {
    /// A runner with threads, memory and limits of its own. `door` says in lists of statements where they come from.
    ///
    /// # Errors
    /// Where the threads, or the folder to spill to, cannot be set up.
    pub fn new(scope: Scope, door: &'static str, limits: SqlLimits) -> Result<Self> {
        Ok(Self::of(Arc::new(SqlService::new(limits)?), scope, door))
    }

    /// A runner that shares threads, memory and limits with all others of `service`.
    pub(crate) fn of(service: Arc<SqlService>, scope: Scope, door: &'static str) -> Self {
        let base = Arc::new(service.base().clone());
        let number = service.running().number_session();
        let limit = service.limits().time;
        Self { service, base, scope, door, number, limit }
    }

    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The number of the session, which no other session has.
    pub(crate) fn number(&self) -> u64 {
        self.number
    }

    /// The state to which the tables of each statement are added.
    pub fn base(&self) -> &SessionState {
        &self.base
    }

    pub(crate) fn set_base(&mut self, base: SessionState) {
        self.base = Arc::new(base);
    }

    /// Lets statements take at most `limit`, if that is less than they may take now.
    pub(crate) fn shorten(&mut self, limit: Duration) {
        self.limit = self.limit.min(limit);
    }

    pub(crate) fn kill_running(&self) {
        self.service.running().kill_session(self.number);
    }

    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> SqlTask<T> {
        self.service.workers().spawn(work)
    }

    pub(crate) async fn parse_with<T: Send + 'static>(
        &self,
        text: &str,
        parse: impl FnOnce(&str) -> T + Send + 'static,
    ) -> Result<T> {
        let text = text.to_owned();
        self.spawn(planning(move || parse_deep(&text, parse).map_err(Error::of_sql))).await.flatten()
    }

    pub(crate) async fn describe(&self, tables: Arc<dyn StatementTables>, text: &str) -> Result<SqlDescription> {
        let (runner, text) = (self.clone(), text.to_owned());
        let described = self.spawn(planning(move || {
            let statement = runner.parse(tables.as_ref(), &text)?;
            let parameters = statement.parameters().map_err(Error::of_sql)?;
            Ok(SqlDescription { schema: statement.schema(), parameters })
        }));
        described.await.flatten()
    }

    /// Runs a statement that reads over `tables`, with values for its parameters, `$1` first. Its rows come as they are
    /// computed.
    ///
    /// # Errors
    /// [`Error::Sql`] where the statement is wrong, [`Error::ReadOnly`] where it does anything but read,
    /// [`Error::OutOfMemory`], [`Error::TimeLimit`], [`Error::TooManyQueries`] and [`Error::Killed`]. All of these can
    /// also come in the place of later rows.
    pub async fn run(
        &self,
        tables: Arc<dyn StatementTables>,
        text: &str,
        parameters: Vec<ScalarValue>,
    ) -> Result<SqlRows> {
        let listed = self.service.running().enter(self.scope.clone(), self.number, self.door, text.to_owned());
        let (schema, planned) = oneshot::channel();
        let (batches, received) = mpsc::channel(BATCHES_AHEAD);
        let interruption = Interruption::default();
        let run = StatementRun {
            runner: self.clone(),
            tables,
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

    fn parse(&self, tables: &dyn StatementTables, text: &str) -> Result<Statement> {
        let state = tables.state(&self.base).map_err(Error::of_sql)?;
        Statement::parse(state, tables.steps_of_table(), text).map_err(Error::of_sql)
    }
}

/// A statement on its way.
struct StatementRun {
    runner: StatementRunner,
    tables: Arc<dyn StatementTables>,
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
        let Self { runner, tables, parameters, schema, batches, interruption } = self;
        let turn = turn(&runner.service).await?;
        listed.enter(QueryPhase::Planning);
        let (text, memory) = (listed.text.clone(), runner.service.memory());
        let in_planning = Arc::clone(listed);
        let planned = planning(move || {
            let statement = runner.parse(tables.as_ref(), &text)?.bind(parameters).map_err(Error::of_sql)?;
            let (plan, task) = statement.physical(tables.as_ref(), memory).map_err(Error::of_sql)?;
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
