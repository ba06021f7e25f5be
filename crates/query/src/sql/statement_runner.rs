//! Runs statements within the limits of SQL, over the tables that each of them is given.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::ScalarValue;
use datafusion::execution::session_state::SessionState;
use datafusion::physical_plan::execute_stream;
use futures::StreamExt;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::limits::SqlLimits;
use super::run::{
    Counted, DoorStatistics, Interruption, ListedQuery, Outbox, QueryPhase, SqlRows, SqlTask, Turn, interruptible,
};
use super::sent_text::SentText;
use super::service::SqlService;
use super::statement::{Statement, parse_deep};
use super::statement_tables::StatementTables;
use super::words::check_bytes;
use crate::{Error, Result, Scope};

/// Runs the statements of a session, all of them within the limits of SQL.
#[derive(Clone)]
pub struct StatementRunner {
    service: Arc<SqlService>,
    base: Arc<SessionState>,
    scope: Scope,
    door: &'static str,
    statistics: Arc<DoorStatistics>,
    number: u64,
    limit: Duration,
    /// Whether rows wait for their reader for as long as a statement may take, which is not counted then.
    has_pauses: bool,
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
        let statistics = service.statistics().door(door);
        Self { service, base, scope, door, statistics, number, limit, has_pauses: false }
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

    pub(crate) fn allow_pauses(&mut self) {
        self.has_pauses = true;
    }

    pub(crate) fn kill_running(&self) -> bool {
        self.service.running().kill_session(self.number)
    }

    pub(crate) fn spawn<T: Send + 'static>(&self, work: impl Future<Output = T> + Send + 'static) -> SqlTask<T> {
        self.service.workers().spawn(work)
    }

    pub(crate) async fn parse_with<T: Send + 'static>(
        &self,
        text: &str,
        parse: impl FnOnce(&str) -> T + Send + 'static,
    ) -> Result<T> {
        self.check(text, |text| Ok(parse(text))).await
    }

    /// Reads a text, with enough stack for a syntax tree that is as deep as it has words.
    pub(crate) async fn check<T: Send + 'static>(
        &self,
        text: &str,
        check: impl FnOnce(&str) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let watched = self.watched(text, Counted::Failure, |runner, listed, interruption| async move {
            // Parsing is short. A client that only begins or ends something has no need of a turn.
            listed.enter(QueryPhase::Planning);
            let text = listed.text.clone();
            let parse = move || parse_deep(&text, check).map_err(Error::of_sql)?;
            runner.service.planners().parse(interruption, parse).await
        })?;
        watched.await.flatten()
    }

    pub(crate) async fn describe(
        &self,
        tables: Arc<dyn StatementTables>,
        text: &str,
        told: Vec<Option<DataType>>,
    ) -> Result<SqlDescription> {
        let watched = self.watched(text, Counted::Failure, |runner, listed, interruption| async move {
            let _turn = runner.first_turn(&listed).await?;
            listed.enter(QueryPhase::Planning);
            let (text, parser) = (listed.text.clone(), runner.clone());
            let describe = move || {
                let statement = parser.parse(tables.as_ref(), &text, &told)?;
                let parameters = statement.parameters().map_err(Error::of_sql)?;
                Ok(SqlDescription { schema: statement.schema(), parameters })
            };
            runner.service.planners().plan(interruption, describe).await
        })?;
        watched.await.flatten()
    }

    /// Carries out a statement that defines, on a thread that may wait for the disk. A client that leaves meanwhile does
    /// not undo it.
    pub(crate) async fn define<T: Send + 'static>(
        &self,
        text: &str,
        work: impl FnOnce(&str) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let watched = self.watched(text, Counted::Run, |runner, listed, interruption| async move {
            let _turn = runner.first_turn(&listed).await?;
            listed.enter(QueryPhase::Planning);
            let text = listed.text.clone();
            let work = move || parse_deep(&text, work).map_err(Error::of_sql)?;
            runner.service.planners().plan(interruption, work).await
        })?;
        watched.await.flatten()
    }

    /// Runs a statement that reads over `tables`, with values for its parameters, `$1` first. Its rows come as they are
    /// computed.
    ///
    /// # Errors
    /// [`Error::Sql`] where the statement is wrong, [`Error::ReadOnly`] where it does anything but read,
    /// [`Error::OutOfMemory`], [`Error::TimeLimit`], [`Error::TooManyQueries`], [`Error::StillPlanning`],
    /// [`Error::Stalled`], [`Error::Crowded`] and [`Error::Killed`]. All of these can also come in the place of later
    /// rows.
    pub async fn run(
        &self,
        tables: Arc<dyn StatementTables>,
        text: &str,
        parameters: Vec<ScalarValue>,
    ) -> Result<SqlRows> {
        let (schema, planned) = oneshot::channel();
        let limits = self.service.limits();
        let stall = if self.has_pauses { limits.time } else { limits.stall };
        let (outbox, received) = Outbox::new(stall);
        let watching = self.watched(text, Counted::Run, |runner, listed, interruption| {
            StatementRun { runner, listed, tables, parameters, schema, outbox, interruption }.run()
        })?;
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

    /// Does something for a statement that is on the list meanwhile, takes no longer than it may, and can be ended.
    /// Dropping this ends it.
    fn watched<T: Send + 'static, F: Future<Output = Result<T>> + Send + 'static>(
        &self,
        text: &str,
        counted: Counted,
        work: impl FnOnce(Self, Arc<ListedQuery>, Interruption) -> F,
    ) -> Result<SqlTask<Result<T>>> {
        let mut arrived = self.statistics.arrived(counted);
        check_bytes(text).map_err(Error::Sql).inspect_err(|_| arrived.wrong())?;
        let listed = self.service.running().enter(self.scope.clone(), self.number, self.door, text.to_owned());
        let (limit, query, interruption) = (self.limit, listed.query(), Interruption::default());
        let has_pauses = self.has_pauses;
        let working = self.service.workers().spawn(work(self.clone(), Arc::new(listed), interruption.clone()));
        Ok(self.service.workers().spawn_watch(async move {
            let _interrupt = InterruptOnDrop(interruption);
            let done = tokio::select! {
                biased;
                reason = query.ended() => Err(reason),
                () = tokio::time::sleep(limit), if !has_pauses => Err(Error::TimeLimit { limit }),
                () = query.allowance.used_up(limit), if has_pauses => Err(Error::TimeLimit { limit }),
                done = working => done.flatten(),
            };
            arrived.ended(&done);
            done
        }))
    }

    /// Waits until a statement may begin.
    async fn first_turn(&self, listed: &ListedQuery) -> Result<Turn> {
        let limits = self.service.limits();
        let running = limits.running;
        if !self.service.turns().has_room(&self.scope) {
            return Err(Error::TooManyQueries { running });
        }
        timeout(limits.patience, self.turn(listed)).await.map_err(|_| Error::TooManyQueries { running })
    }

    /// Waits until a statement may go on.
    async fn turn(&self, listed: &ListedQuery) -> Turn {
        self.service.turns().take(&self.scope, listed.number).await
    }

    fn parse(&self, tables: &dyn StatementTables, text: &str, told: &[Option<DataType>]) -> Result<Statement> {
        let state = tables.state(&self.base).map_err(Error::of_sql)?;
        Statement::parse(state, tables, text, told, self.service.memory()).map_err(Error::of_sql)
    }
}

/// A statement on its way.
struct StatementRun {
    runner: StatementRunner,
    listed: Arc<ListedQuery>,
    tables: Arc<dyn StatementTables>,
    parameters: Vec<ScalarValue>,
    schema: oneshot::Sender<SchemaRef>,
    outbox: Outbox,
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
    async fn run(self) -> Result<()> {
        let Self { runner, listed, tables, parameters, schema, mut outbox, interruption } = self;
        let mut turn = runner.first_turn(&listed).await?;
        listed.enter(QueryPhase::Planning);
        let (parser, text) = (runner.clone(), listed.text.clone());
        let interrupted = interruption.clone();
        let planned = runner.service.planners().plan(interruption, move || {
            // A null of no type tells none.
            let types = parameters.iter().map(|value| Some(value.data_type()).filter(|of| !of.is_null()));
            let types: Vec<_> = types.collect();
            let statement = parser.parse(tables.as_ref(), &text, &types)?.bind(parameters).map_err(Error::of_sql)?;
            let (plan, task) = statement.physical(tables.as_ref()).map_err(Error::of_sql)?;
            Ok((interruptible(plan, &interrupted).map_err(Error::of_sql)?, task))
        });
        let (plan, task) = planned.await?;
        listed.watch(&plan);
        listed.enter(QueryPhase::Running);
        let pool = Arc::clone(task.memory_pool());
        let mut stream = execute_stream(plan, task).map_err(Error::of_sql)?;
        // The client may have gone already.
        let _ = schema.send(SentText::schema(&stream.schema()));
        while let Some(batch) = stream.next().await {
            let batch = batch.and_then(|batch| Ok(SentText::batch(batch)?)).map_err(Error::of_sql)?;
            listed.add_rows(batch.num_rows());
            runner.statistics.add_rows(batch.num_rows());
            if outbox.has_room() {
                outbox.send(batch, &pool).await?;
            } else {
                // Others may have the turn until the reader goes on.
                drop(turn);
                runner.service.running().leave_unread(&listed);
                outbox.send(batch, &pool).await?;
                listed.enter(QueryPhase::Waiting);
                turn = runner.turn(&listed).await;
                listed.enter(QueryPhase::Running);
            }
            if outbox.is_closed() {
                return Ok(());
            }
        }
        drop((stream, turn));
        runner.service.running().leave_unread(&listed);
        outbox.emptied().await
    }
}
