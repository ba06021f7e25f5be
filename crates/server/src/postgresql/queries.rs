//! Answers to statements, sent as text or prepared.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::ScalarValue;
use datafusion_postgres::pgwire::api::results::QueryResponse;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore};
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use futures::{TryStreamExt, stream};
use skillscope_query::{SqlRows, SqlSession};
use tokio::time::Instant;

use super::answer::Answer;
use super::client::{Client, Stream};
use super::command::{Command, Declaration, Direction, Discarded, Fetch, TransactionCommand};
use super::copy::Copy;
use super::cursors::{About, Cursor, batches};
use super::error::{SqlState, error, failed, not_kept, unsettable};
use super::explain;
use super::kept::Kind;
use super::memory::MessageMemory;
use super::notice::Notice;
use super::prepared::Parser;
use super::rows::{Style, messages, response};
use super::session::Session;
use super::settings::{STATEMENT_TIMEOUT, clock, reset};
use super::sql_prepared::{execution, prepare};
use super::statements::Statements;
use super::values::fields;

/// Answers the statements of one client.
pub(super) struct Queries {
    pub(super) session: Arc<Session>,
    pub(super) parser: Arc<Parser>,
    pub(super) statements: Statements,
}

impl Queries {
    pub(super) fn new(session: Arc<Session>, memory: MessageMemory) -> Self {
        let parser = Arc::new(Parser::new(Arc::clone(&session)));
        Self { session, parser, statements: Statements::new(memory) }
    }

    /// Answers a statement. `described` are the columns that the client has been told of, if it has.
    pub(super) async fn answer<S: Stream>(
        &self,
        client: &mut Client<S>,
        command: &Command,
        parameters: Vec<ScalarValue>,
        described: Option<SchemaRef>,
        style: Style,
    ) -> PgWireResult<Answer> {
        if let Command::Transaction(command) = command {
            return self.transaction(client, command).await;
        }
        check_transaction(client)?;
        let settings = &self.session.settings;
        Ok(match command {
            Command::Query(text) => {
                let rows = run(&self.limited_session()?, text, parameters).await?;
                match rows.defined().cloned() {
                    Some(defined) => {
                        if let Some(notice) = defined.notice {
                            Notice::told(notice).send(client, settings).await?;
                        }
                        Answer::done(defined.tag)
                    }
                    None => Answer::Rows(response(rows, described, &style)),
                }
            }
            Command::Copy { query, options } => {
                Answer::Copy(Copy::new(run(&self.limited_session()?, query, parameters).await?, options, style)?)
            }
            Command::Declare(declaration) => self.declare(declaration, parameters).await?,
            Command::Fetch(fetch) => self.fetch(fetch, style).await?,
            Command::Close(name) => self.close(name.as_deref())?,
            Command::Set(assignments) => {
                for assignment in assignments {
                    let is_in_block = self.session.block.is_open();
                    for notice in assignment.set(settings, is_in_block)? {
                        notice.send(client, settings).await?;
                    }
                }
                Answer::done("SET")
            }
            Command::Reset(name) => {
                reset(settings, name.as_deref()).map_err(unsettable)?;
                Answer::done("RESET")
            }
            Command::Show(shown) => table("SHOW", shown.rows(settings)?, &style),
            Command::Explain { query, is_verbose } => {
                let plans = run(&self.limited_session()?, query, parameters).await?;
                table("EXPLAIN", explain::lines(plans, *is_verbose).await?, &style)
            }
            Command::Prepare { name, types, query } => {
                prepare(self, client, name, types, query).await?;
                Answer::done("PREPARE")
            }
            Command::Execute { name, values } => {
                let session = self.limited_session()?;
                let (text, parameters) = execution(self, client, name, values).await?;
                Answer::Rows(response(run(&session, &text, parameters).await?, None, &style))
            }
            Command::Deallocate(name) => self.deallocate(client, name.as_deref())?,
            Command::Discard(discarded) => self.discard(client, *discarded)?,
            Command::Nothing(tag, notice) => {
                if let Some(notice) = notice.clone() {
                    notice.send(client, settings).await?;
                }
                Answer::done(tag)
            }
            // It has been answered.
            Command::Transaction(_) => Answer::done(""),
        })
    }

    async fn transaction<S: Stream>(
        &self,
        client: &mut Client<S>,
        command: &TransactionCommand,
    ) -> PgWireResult<Answer> {
        super::transaction::answer(self, client, command).await
    }

    async fn declare(&self, declaration: &Declaration, parameters: Vec<ScalarValue>) -> PgWireResult<Answer> {
        let (block, cursors) = (&self.session.block, &self.session.cursors);
        if !block.is_open() && !declaration.is_held {
            return Err(no_block("DECLARE CURSOR"));
        }
        cursors.check(&declaration.name)?;
        let bytes = declaration.text.len() + declaration.query.len();
        let place = self.statements.kept().place(Kind::Cursor, bytes).map_err(not_kept)?;
        // It may stay for longer than a statement takes, so that the limit of the client is that of each FETCH.
        let rows = run(self.session.get()?, &declaration.query, parameters).await?;
        let about =
            About { schema: rows.schema(), declaration: Arc::new(declaration.clone()), made: SystemTime::now() };
        let kept = declaration.is_scrollable.then(|| Arc::clone(self.statements.kept()));
        let depth = block.is_open().then(|| block.depth());
        cursors.add(Cursor::new(rows, kept), about, depth, place);
        Ok(Answer::done("DECLARE CURSOR"))
    }

    async fn fetch(&self, fetch: &Fetch, style: Style) -> PgWireResult<Answer> {
        let (cursor, schema) = self.session.cursors.take(&fetch.name)?;
        let end = self.statement_timeout().map(|limit| Instant::now() + limit);
        if fetch.is_move {
            let moved = match fetch.direction {
                Direction::Forward(0) | Direction::Relative(0) => usize::from(cursor.is_on_row()),
                direction => {
                    let rows = std::pin::pin!(batches(cursor, direction, end));
                    rows.try_fold(0, |moved, rows: RecordBatch| async move { Ok(moved + rows.num_rows()) }).await?
                }
            };
            return Ok(Answer::counted("MOVE", moved));
        }
        let fields = fields(&schema, &style.format);
        let mut response =
            QueryResponse::new(Arc::new(fields), messages(batches(cursor, fetch.direction, end), schema, &style));
        response.set_command_tag("FETCH");
        Ok(Answer::Rows(response))
    }

    fn close(&self, name: Option<&str>) -> PgWireResult<Answer> {
        let Some(name) = name else {
            self.session.cursors.close_all();
            return Ok(Answer::done("CLOSE CURSOR ALL"));
        };
        self.session.cursors.close(name)?;
        Ok(Answer::done("CLOSE CURSOR"))
    }

    fn deallocate<S: Stream>(&self, client: &Client<S>, name: Option<&str>) -> PgWireResult<Answer> {
        let Some(name) = name else {
            self.statements.remove_all(client.portal_store());
            return Ok(Answer::done("DEALLOCATE ALL"));
        };
        self.statements.check(name)?;
        self.statements.remove(client.portal_store(), name);
        Ok(Answer::done("DEALLOCATE"))
    }

    fn discard<S: Stream>(&self, client: &mut Client<S>, discarded: Discarded) -> PgWireResult<Answer> {
        Ok(Answer::done(match discarded {
            // Statements are planned whenever they run.
            Discarded::Plans => "DISCARD PLANS",
            Discarded::Sequences => "DISCARD SEQUENCES",
            Discarded::Temporary => {
                self.session.get()?.drop_temporary_views();
                "DISCARD TEMP"
            }
            Discarded::All => {
                let block = &self.session.block;
                if block.is_open() && !block.is_implicit() {
                    let text = "DISCARD ALL cannot run inside a transaction block";
                    return Err(error(SqlState::InTransaction, text));
                }
                self.statements.remove_all(client.portal_store());
                client.portal_store().clear_portals();
                self.session.cursors.close_all();
                self.session.get()?.drop_temporary_views();
                self.session.settings.reset_all();
                "DISCARD ALL"
            }
        }))
    }

    /// The session, with the limit of time that the client has set.
    pub(super) fn limited_session(&self) -> PgWireResult<SqlSession> {
        let session = self.session.get()?.clone();
        Ok(match self.statement_timeout() {
            Some(limit) => session.within(limit),
            None => session,
        })
    }

    /// How long a statement of the client may take, if it has said so.
    fn statement_timeout(&self) -> Option<Duration> {
        let limit = self.session.settings.value(STATEMENT_TIMEOUT).parse().ok().filter(|limit| *limit > 0);
        limit.map(Duration::from_millis)
    }

    /// How rows are sent in this format.
    pub(super) fn style(&self, format: datafusion_postgres::pgwire::api::portal::Format) -> Style {
        Style { format, zone: clock(&self.session.settings.value("TimeZone")) }
    }

    /// Ends what a statement that has failed was part of, unless the client has to end it.
    pub(super) fn fail(&self) {
        if self.session.block.is_implicit() {
            self.session.end_transaction(false);
        }
    }
}

/// Rows that are there.
fn table(tag: &str, rows: RecordBatch, style: &Style) -> Answer {
    let schema = rows.schema();
    let fields = fields(&schema, &style.format);
    let mut response = QueryResponse::new(Arc::new(fields), messages(stream::iter([Ok(rows)]), schema, style));
    response.set_command_tag(tag);
    Answer::Rows(response)
}

/// What is said where a statement needs a transaction.
pub(super) fn no_block(statement: &str) -> datafusion_postgres::pgwire::error::PgWireError {
    error(SqlState::NoTransaction, format!("{statement} can only be used in transaction blocks"))
}

/// Whether a transaction has failed, so that nothing runs until it ends.
pub(super) fn check_transaction<S: Stream>(client: &Client<S>) -> PgWireResult<()> {
    match client.transaction_status() {
        TransactionStatus::Error => {
            let text = "current transaction is aborted, commands ignored until end of transaction block";
            Err(error(SqlState::FailedTransaction, text))
        }
        _ => Ok(()),
    }
}

async fn run(session: &SqlSession, text: &str, parameters: Vec<ScalarValue>) -> PgWireResult<SqlRows> {
    session.run(text, parameters).await.map_err(failed)
}
