use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use datafusion_postgres::arrow_pg::datatypes::df::deserialize_parameters;
use datafusion_postgres::arrow_pg::datatypes::{arrow_schema_to_pg_fields, encode_recordbatch, into_pg_type};
use datafusion_postgres::hooks::set_show::SetShowHook;
use datafusion_postgres::hooks::transactions::TransactionStatementHook;
use datafusion_postgres::pgwire::api::portal::{Format, Portal};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::results::{FieldInfo, QueryResponse, Response, Tag};
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, Type};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::data::DataRow;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use datafusion_postgres::{QueryHook, hooks::HookClient};
use futures::{Sink, Stream, StreamExt, TryStreamExt, stream};
use skillscope_query::{SqlDescription, SqlRows, SqlSession};

use super::command::{Command, commands};
use super::connection::Session;
use super::copy::copy;
use super::error::{SqlState, error, failed};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::{ParamValues, ScalarValue};
use datafusion::prelude::SessionContext;
use datafusion::sql::sqlparser::ast::Statement;

/// Where the hook for settings keeps a client's `statement_timeout`.
const STATEMENT_TIMEOUT_MS: &str = "statement_timeout_ms";

/// Answers a client's statements.
pub(super) struct Queries {
    session: Arc<Session>,
    parser: Arc<Parser>,
    /// The hooks want one; nothing is planned in it.
    settings: SessionContext,
}

impl Queries {
    pub(super) fn new(session: Arc<Session>) -> Self {
        let parser = Arc::new(Parser(Arc::clone(&session)));
        Self { session, parser, settings: SessionContext::new() }
    }

    async fn answer<C>(
        &self,
        client: &mut C,
        command: &Command,
        parameters: Vec<ScalarValue>,
        format: &Format,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + HookClient,
        C::PortalStore: PortalStore,
    {
        if let Command::Control(statement) = command {
            for hook in [&TransactionStatementHook as &dyn QueryHook, &SetShowHook] {
                if let Some(response) = hook.handle_simple_query(statement, &self.settings, client).await {
                    return response;
                }
            }
        }
        check_transaction(client)?;
        let session = self.session(client)?;
        match command {
            Command::Query(text) => Ok(Response::Query(response(run(&session, text, parameters).await?, format)?)),
            Command::Copy { query, format } => {
                Ok(Response::CopyOut(copy(run(&session, query, parameters).await?, *format)?))
            }
            Command::Deallocate(Some(name)) => {
                ClientPortalStore::portal_store(client).rm_statement(name);
                Ok(Response::Execution(Tag::new("DEALLOCATE")))
            }
            // Prepared statements hold no rows: they may stay until the connection ends.
            Command::Deallocate(None) => Ok(Response::Execution(Tag::new("DEALLOCATE ALL"))),
            Command::Control(statement) => {
                Err(error(SqlState::FeatureNotSupported, format!("{statement} is not supported")))
            }
        }
    }

    /// The answer to a statement that runs when its rows are taken.
    async fn answer_later<C: ClientInfo>(&self, client: &C, text: String) -> PgWireResult<Response> {
        check_transaction(client)?;
        let session = self.session(client)?;
        let schema = session.describe(&text).await.map_err(failed)?.schema;
        let fields = Arc::new(arrow_schema_to_pg_fields(&schema, &Format::UnifiedText, None)?);
        let rows = stream::once(async move { encoded(run(&session, &text, Vec::new()).await?, &Format::UnifiedText) });
        Ok(Response::Query(QueryResponse::new(fields, rows.try_flatten())))
    }

    /// The session, within the time that the client has set.
    fn session<C: ClientInfo>(&self, client: &C) -> PgWireResult<SqlSession> {
        let session = self.session.get()?.clone();
        let limit = client.metadata().get(STATEMENT_TIMEOUT_MS).and_then(|limit| limit.parse().ok());
        Ok(limit.map_or_else(|| session.clone(), |limit| session.clone().within(Duration::from_millis(limit))))
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

fn response(rows: SqlRows, format: &Format) -> PgWireResult<QueryResponse> {
    let fields = arrow_schema_to_pg_fields(&rows.schema(), format, None)?;
    Ok(QueryResponse::new(Arc::new(fields), encoded(rows, format)?))
}

/// The rows in the protocol's form.
pub(super) fn encoded(
    rows: SqlRows,
    format: &Format,
) -> PgWireResult<impl Stream<Item = PgWireResult<DataRow>> + Send + use<>> {
    let fields = Arc::new(arrow_schema_to_pg_fields(&rows.schema(), format, None)?);
    Ok(rows.flat_map(move |batch| {
        stream::iter(match batch {
            Ok(batch) => encode_recordbatch(Arc::clone(&fields), batch) as Box<dyn Iterator<Item = _> + Send>,
            Err(error) => Box::new(std::iter::once(Err(failed(error)))),
        })
    }))
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
                // All answers are sent after the last one has begun: what keeps its turn until its rows are taken, such as a
                // long one before, must not be waited for.
                Command::Query(text) if !is_alone => self.answer_later(client, text).await?,
                command => self.answer(client, &command, Vec::new(), &Format::UnifiedText).await?,
            });
        }
        if responses.is_empty() {
            responses.push(Response::EmptyQuery);
        }
        Ok(responses)
    }
}

/// A prepared statement. It is planned anew whenever it runs, over the rows of then.
#[derive(Debug, Clone)]
pub(super) struct Prepared {
    command: Command,
    description: SqlDescription,
}

impl Prepared {
    fn parameter_type(data_type: Option<&DataType>) -> PgWireResult<Type> {
        data_type.map_or(Ok(Type::TEXT), into_pg_type)
    }
}

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
        // What neither the statement nor the client tells is text.
        let told = |number: usize| portal.statement.parameter_types.get(number).is_some_and(Option::is_some);
        let known = prepared.description.parameters.iter().enumerate();
        let types: Vec<Option<&DataType>> =
            known.map(|(number, known)| known.as_ref().or((!told(number)).then_some(&DataType::Utf8))).collect();
        let parameters = match deserialize_parameters(portal, &types)? {
            ParamValues::List(values) => values.into_iter().map(|value| value.value).collect(),
            ParamValues::Map(_) => Vec::new(),
        };
        self.answer(client, &prepared.command, parameters, &portal.result_column_format).await
    }
}

/// What tells a setting has one column; other control statements have none.
fn control_schema(statement: &Statement) -> Arc<Schema> {
    let shows = matches!(
        statement,
        Statement::ShowVariable { .. } | Statement::ShowStatus { .. } | Statement::ShowCatalogs { .. }
    );
    Arc::new(if shows { Schema::new(vec![Field::new("show", DataType::Utf8, false)]) } else { Schema::empty() })
}

/// Prepares statements.
pub(super) struct Parser(Arc<Session>);

#[async_trait]
impl QueryParser for Parser {
    type Statement = Prepared;

    async fn parse_sql<C>(&self, _client: &C, sql: &str, _types: &[Option<Type>]) -> PgWireResult<Option<Prepared>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        let session = self.0.get()?;
        let mut commands = commands(session, sql).await?.into_iter();
        let Some(command) = commands.next() else { return Ok(None) };
        if commands.next().is_some() {
            return Err(error(SqlState::SyntaxError, "a prepared statement is one statement"));
        }
        let description = match &command {
            Command::Query(text) => session.describe(text).await.map_err(failed)?,
            Command::Copy { query, .. } => {
                let description = session.describe(query).await.map_err(failed)?;
                SqlDescription { schema: Arc::new(Schema::empty()), ..description }
            }
            Command::Control(statement) => SqlDescription { schema: control_schema(statement), parameters: Vec::new() },
            Command::Deallocate(_) => SqlDescription { schema: Arc::new(Schema::empty()), parameters: Vec::new() },
        };
        Ok(Some(Prepared { command, description }))
    }

    fn get_parameter_types(&self, prepared: &Prepared) -> PgWireResult<Vec<Type>> {
        prepared.description.parameters.iter().map(|known| Prepared::parameter_type(known.as_ref())).collect()
    }

    fn get_result_schema(&self, prepared: &Prepared, format: Option<&Format>) -> PgWireResult<Vec<FieldInfo>> {
        arrow_schema_to_pg_fields(&prepared.description.schema, format.unwrap_or(&Format::UnifiedBinary), None)
    }
}
