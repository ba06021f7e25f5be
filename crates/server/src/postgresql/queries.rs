//! Answers to statements, sent as text or prepared.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::common::ScalarValue;
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::Statement;
use datafusion_postgres::hooks::set_show::SetShowHook;
use datafusion_postgres::hooks::transactions::TransactionStatementHook;
use datafusion_postgres::pgwire::api::portal::{Format, Portal};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::results::{QueryResponse, Response, Tag};
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use datafusion_postgres::{QueryHook, hooks::HookClient};
use futures::{Sink, TryStreamExt, stream};
use skillscope_query::{SqlRows, SqlSession};

use super::bound::parameters;
use super::command::{Command, commands};
use super::copy::copy;
use super::error::{SqlState, error, failed};
use super::memory::MessageMemory;
use super::prepared::{Parser, Prepared};
use super::rows::{encoded, response};
use super::session::Session;
use super::settings::{has_failed, statement_timeout};
use super::statements::Statements;
use super::values::fields;

/// Answers the statements of one client.
pub(super) struct Queries {
    session: Arc<Session>,
    parser: Arc<Parser>,
    pub(super) statements: Statements,
    /// The hooks take a context as an argument, and plan nothing in it.
    context: SessionContext,
}

impl Queries {
    pub(super) fn new(session: Arc<Session>, memory: MessageMemory) -> Self {
        let parser = Arc::new(Parser::new(Arc::clone(&session)));
        Self { session, parser, statements: Statements::new(memory), context: SessionContext::new() }
    }

    async fn answer<C>(
        &self,
        client: &mut C,
        command: &Command,
        parameters: Vec<ScalarValue>,
        described: Option<SchemaRef>,
        format: &Format,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + HookClient,
        C::PortalStore: PortalStore,
    {
        if let Command::Control(statement) = command
            && let Some(response) = self.control(client, statement).await?
        {
            return Ok(response);
        }
        check_transaction(client)?;
        let session = self.session(client)?;
        match command {
            Command::Query(text) => {
                let rows = run(&session, text, parameters).await?;
                Ok(Response::Query(response(rows, described, format)))
            }
            Command::Copy { query, format } => {
                Ok(Response::CopyOut(copy(run(&session, query, parameters).await?, *format)))
            }
            Command::Deallocate(Some(name)) => {
                self.statements.remove(ClientPortalStore::portal_store(client), name);
                Ok(Response::Execution(Tag::new("DEALLOCATE")))
            }
            Command::Deallocate(None) => {
                self.statements.remove_all(ClientPortalStore::portal_store(client));
                Ok(Response::Execution(Tag::new("DEALLOCATE ALL")))
            }
            Command::Discard => {
                self.statements.remove_all(ClientPortalStore::portal_store(client));
                ClientPortalStore::portal_store(client).clear_portals();
                self.session.settings.reset_all(client);
                Ok(Response::Execution(Tag::new("DISCARD ALL")))
            }
            Command::DiscardPlans => Ok(Response::Execution(Tag::new("DISCARD PLANS"))),
            Command::Control(statement) => {
                Err(error(SqlState::FeatureNotSupported, format!("{statement} is not supported")))
            }
        }
    }

    /// Answers a statement about a transaction or a setting.
    async fn control<C>(&self, client: &mut C, statement: &Statement) -> PgWireResult<Option<Response>>
    where
        C: ClientInfo + ClientPortalStore + HookClient,
        C::PortalStore: PortalStore,
    {
        let (has_failed, settings) = (has_failed(client), &self.session.settings);
        if let Some(response) = TransactionStatementHook.handle_simple_query(statement, &self.context, client).await {
            match &response {
                Ok(Response::TransactionStart(_)) => settings.begin(client),
                Ok(Response::TransactionEnd(_)) => {
                    ClientPortalStore::portal_store(client).clear_portals();
                    settings.end(client, matches!(statement, Statement::Commit { .. }) && !has_failed);
                }
                _ => {}
            }
            return response.map(Some);
        }
        if let Some(response) = settings.answer(client, statement)? {
            return Ok(Some(response));
        }
        SetShowHook.handle_simple_query(statement, &self.context, client).await.transpose()
    }

    /// The answer to a statement that starts only when its rows are taken.
    async fn answer_later<C: ClientInfo>(&self, client: &C, text: String) -> PgWireResult<Response> {
        check_transaction(client)?;
        let session = self.session(client)?;
        let schema = session.describe(&text).await.map_err(failed)?.schema;
        let fields = Arc::new(fields(&schema, &Format::UnifiedText));
        let rows = stream::once(async move {
            let rows = run(&session, &text, Vec::new()).await?;
            Ok::<_, PgWireError>(encoded(rows, &Format::UnifiedText))
        });
        Ok(Response::Query(QueryResponse::new(fields, rows.try_flatten())))
    }

    /// The session, with the limit of time that the client has set.
    fn session<C: ClientInfo>(&self, client: &C) -> PgWireResult<SqlSession> {
        let session = self.session.get()?.clone();
        Ok(statement_timeout(client).map_or_else(|| session.clone(), |limit| session.clone().within(limit)))
    }
}

fn check_transaction<C: ClientInfo>(client: &C) -> PgWireResult<()> {
    match client.transaction_status() {
        TransactionStatus::Error => {
            let text = "the transaction has failed; statements are ignored until it ends";
            Err(error(SqlState::FailedTransaction, text))
        }
        _ => Ok(()),
    }
}

async fn run(session: &SqlSession, text: &str, parameters: Vec<ScalarValue>) -> PgWireResult<SqlRows> {
    session.run(text, parameters).await.map_err(failed)
}

#[async_trait]
impl SimpleQueryHandler for Queries {
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let mut responses = Vec::new();
        let commands = commands(self.session.get()?, query).await?;
        let is_alone = commands.len() == 1;
        for command in commands {
            responses.push(match command {
                // The answers are sent only once every statement has one. A running statement keeps its turn until its
                // rows are taken, and a later statement would wait for that turn. So each starts only when its rows are
                // taken.
                Command::Query(text) if !is_alone => self.answer_later(client, text).await?,
                command => self.answer(client, &command, Vec::new(), None, &Format::UnifiedText).await?,
            });
        }
        if responses.is_empty() {
            responses.push(Response::EmptyQuery);
        }
        Ok(responses)
    }
}

/// Prepared statements and portals are made and removed by [`Statements`], and run by `execute.rs`.
#[async_trait]
impl ExtendedQueryHandler for Queries {
    type Statement = Prepared;
    type QueryParser = Parser;

    fn query_parser(&self) -> Arc<Parser> {
        Arc::clone(&self.parser)
    }

    async fn do_query<C>(&self, client: &mut C, portal: &Portal<Prepared>, _max_rows: usize) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Prepared>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let prepared = &portal.statement.statement;
        let described = Some(prepared.schema());
        self.answer(client, prepared.command(), parameters(portal)?, described, &portal.result_column_format).await
    }
}
