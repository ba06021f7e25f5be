//! The methods of Flight SQL.

use std::future::ready;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    CommandGetCatalogs, CommandGetCrossReference, CommandGetDbSchemas, CommandGetExportedKeys, CommandGetImportedKeys,
    CommandGetPrimaryKeys, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables, CommandGetXdbcTypeInfo,
    CommandPreparedStatementQuery, CommandPreparedStatementUpdate, CommandStatementIngest, CommandStatementQuery,
    CommandStatementUpdate, DoPutPreparedStatementResult, ProstMessageExt, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{Action, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse, Ticket};
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use skillscope_query::SqlSession;
use tonic::{Request, Response, Status, Streaming};

use super::admission::caller_of;
use super::bound_values::{bound_values, no_values};
use super::error::{refused, status};
use super::handshake::handshake;
use super::keys::{FOREIGN_KEYS, PRIMARY_KEYS};
use super::messages::{Batches, encoded, info, ipc, no_rows, one_batch, parameter_schema};
use super::metadata::{TABLE_TYPES, schemas, tables};
use super::prepared::Prepared;
use super::question_marks::numbered;
use super::running::Running;
use super::sent_schema::sent_batch;
use super::session_options::dictionaries;
use super::sql_info::SQL_INFO;
use super::type_info::TYPE_INFO;
use super::unread::ended_when_unread;
use crate::App;
use crate::caller::Caller;
use crate::ending::until;
use crate::stopping::Stopping;

/// How `system.queries` names the door of these statements.
const DOOR: &str = "flight-sql";

/// Answers requests of Flight SQL.
#[derive(Clone)]
pub(super) struct FlightSql {
    app: App,
    /// How long a client may read nothing of an answer.
    patience: Duration,
    stopping: Stopping,
    running: Running,
}

impl FlightSql {
    pub(super) fn new(app: App, patience: Duration, stopping: Stopping) -> Self {
        Self { app, patience, stopping, running: Running::default() }
    }

    /// The answers that are being sent.
    pub(super) fn running(&self) -> &Running {
        &self.running
    }

    fn session<T>(&self, request: &Request<T>) -> Result<SqlSession, Status> {
        Ok(self.session_of(&caller_of(request)?))
    }

    fn session_of(&self, caller: &Caller) -> SqlSession {
        caller.sql(&self.app, caller.scope().clone(), DOOR)
    }

    async fn rows<T>(&self, request: &Request<T>, prepared: Prepared) -> Result<Response<Batches>, Status> {
        let (caller, dictionaries) = (caller_of(request)?, dictionaries(request.metadata())?);
        let session = self.session_of(&caller);
        let listed = self.running.enter(prepared.number, &caller, session.clone());
        let rows = session.run(&prepared.text, prepared.parameters).await.map_err(status)?;
        let schema = dictionaries.sent(&rows.schema());
        let of_rows = Arc::clone(&schema);
        let rows = rows.map_err(status).and_then(move |batch| {
            ready(sent_batch(&batch, &of_rows).map_err(|error| Status::from(FlightError::from(error))))
        });
        let encoder = FlightDataEncoderBuilder::new()
            .with_schema(schema)
            .with_dictionary_handling(DictionaryHandling::Resend)
            .build(rows.map_err(|status| FlightError::Tonic(Box::new(status))));
        let ended = caller.ended().map(|reason| Err(refused(reason)));
        let batches = encoder.map_err(Status::from).inspect(move |_| {
            // It is on the list for as long as there is an answer.
            let _ = &listed;
        });
        let batches = until(batches.boxed(), ended).boxed();
        Ok(Response::new(ended_when_unread(batches, self.patience, self.stopping.clone())))
    }

    /// Tells the columns of a statement, and gives a ticket for its rows.
    async fn statement_info(
        &self,
        session: &SqlSession,
        statement: Prepared,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let dictionaries = dictionaries(request.metadata())?;
        let description = session.describe_with(&statement.text, statement.types()).await.map_err(status)?;
        let statement_handle = statement.numbered(self.running.number()).to_handle()?;
        let ticket = TicketStatementQuery { statement_handle };
        info(encoded(&ticket), &dictionaries.sent(&description.schema), request.into_inner())
    }

    /// Runs a statement to its end, and gives the number of its rows.
    async fn count(&self, session: &SqlSession, prepared: Prepared) -> Result<i64, Status> {
        let mut rows = session.run(&prepared.text, prepared.parameters).await.map_err(status)?;
        let mut count: usize = 0;
        while let Some(batch) = rows.try_next().await.map_err(status)? {
            count = count.saturating_add(batch.num_rows());
        }
        Ok(i64::try_from(count).unwrap_or(i64::MAX))
    }
}

#[tonic::async_trait]
impl FlightSqlService for FlightSql {
    type FlightService = Self;

    async fn do_handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Pin<Box<dyn Stream<Item = Result<HandshakeResponse, Status>> + Send>>>, Status> {
        handshake(self.app.access(), &request).await
    }

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let session = self.session(&request)?;
        let statement = Prepared::new(numbered(&session, query.query).await?);
        self.statement_info(&session, statement, request).await
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.rows(&request, Prepared::from_handle(&ticket.statement_handle)?).await
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let session = self.session(&request)?;
        let text = numbered(&session, query.query).await?;
        let description = session.describe(&text).await.map_err(status)?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: Prepared::new(text).to_handle()?,
            dataset_schema: ipc(&dictionaries(request.metadata())?.sent(&description.schema))?,
            parameter_schema: ipc(&parameter_schema(&description))?,
        })
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let prepared = Prepared::from_handle(&query.prepared_statement_handle)?;
        let batch = bound_values(request.into_inner().map_err(FlightError::from)).await?.ok_or_else(no_values)?;
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(prepared.bind(&batch)?.to_handle()?) })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let prepared = Prepared::from_handle(&query.prepared_statement_handle)?;
        self.statement_info(&self.session(&request)?, prepared, request).await
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.rows(&request, Prepared::from_handle(&query.prepared_statement_handle)?).await
    }

    async fn do_action_close_prepared_statement(
        &self,
        _query: ActionClosePreparedStatementRequest,
        _request: Request<Action>,
    ) -> Result<(), Status> {
        Ok(())
    }

    async fn do_put_statement_update(
        &self,
        statement: CommandStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        let session = self.session(&request)?;
        let text = numbered(&session, statement.query).await?;
        self.count(&session, Prepared::new(text)).await
    }

    async fn do_put_prepared_statement_update(
        &self,
        statement: CommandPreparedStatementUpdate,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        let prepared = Prepared::from_handle(&statement.prepared_statement_handle)?;
        let session = self.session(&request)?;
        let description = session.describe_with(&prepared.text, prepared.types()).await.map_err(status)?;
        if description.parameters.is_empty() {
            return self.count(&session, prepared).await;
        }
        // Their values come with it, or have come before.
        let prepared = match bound_values(request.into_inner().map_err(FlightError::from)).await? {
            Some(batch) => prepared.bind(&batch)?,
            None if prepared.parameters.is_empty() => return Err(no_values()),
            None => prepared,
        };
        self.count(&session, prepared).await
    }

    async fn do_put_statement_ingest(
        &self,
        _ingest: CommandStatementIngest,
        _request: Request<PeekableFlightDataStream>,
    ) -> Result<i64, Status> {
        Err(Status::unimplemented("no rows are taken over Flight SQL: skillscope import brings them in"))
    }

    async fn get_flight_info_catalogs(
        &self,
        query: CommandGetCatalogs,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = encoded(&query);
        info(ticket, &query.into_builder().schema(), request.into_inner())
    }

    async fn do_get_catalogs(
        &self,
        query: CommandGetCatalogs,
        _request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        let mut builder = query.into_builder();
        builder.append("skillscope");
        Ok(one_batch(builder.build()?))
    }

    async fn get_flight_info_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = encoded(&query);
        info(ticket, &query.into_builder().schema(), request.into_inner())
    }

    async fn do_get_schemas(
        &self,
        query: CommandGetDbSchemas,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        Ok(one_batch(schemas(&self.session(&request)?, query).await?))
    }

    async fn get_flight_info_tables(
        &self,
        query: CommandGetTables,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = encoded(&query);
        info(ticket, &query.into_builder().schema(), request.into_inner())
    }

    async fn do_get_tables(
        &self,
        query: CommandGetTables,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        Ok(one_batch(tables(&self.session(&request)?, query).await?))
    }

    async fn get_flight_info_table_types(
        &self,
        query: CommandGetTableTypes,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let ticket = encoded(&query);
        info(ticket, &query.into_builder().schema(), request.into_inner())
    }

    async fn do_get_table_types(
        &self,
        query: CommandGetTableTypes,
        _request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        let mut builder = query.into_builder();
        TABLE_TYPES.iter().for_each(|kind| builder.append(kind));
        Ok(one_batch(builder.build()?))
    }

    async fn get_flight_info_sql_info(
        &self,
        query: CommandGetSqlInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let facts = SQL_INFO.as_ref().ok_or_else(unknown_to_itself)?;
        let ticket = encoded(&query);
        info(ticket, &query.into_builder(facts).schema(), request.into_inner())
    }

    async fn do_get_sql_info(
        &self,
        query: CommandGetSqlInfo,
        _request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        let facts = SQL_INFO.as_ref().ok_or_else(unknown_to_itself)?;
        Ok(one_batch(query.into_builder(facts).build()?))
    }

    async fn get_flight_info_primary_keys(
        &self,
        query: CommandGetPrimaryKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        info(encoded(&query), &PRIMARY_KEYS, request.into_inner())
    }

    async fn do_get_primary_keys(
        &self,
        _query: CommandGetPrimaryKeys,
        _request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        Ok(no_rows(&PRIMARY_KEYS))
    }

    async fn get_flight_info_exported_keys(
        &self,
        query: CommandGetExportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        foreign_keys_info(&query, request)
    }

    async fn do_get_exported_keys(
        &self,
        _query: CommandGetExportedKeys,
        _request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        Ok(no_rows(&FOREIGN_KEYS))
    }

    async fn get_flight_info_imported_keys(
        &self,
        query: CommandGetImportedKeys,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        foreign_keys_info(&query, request)
    }

    async fn do_get_imported_keys(
        &self,
        _query: CommandGetImportedKeys,
        _request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        Ok(no_rows(&FOREIGN_KEYS))
    }

    async fn get_flight_info_cross_reference(
        &self,
        query: CommandGetCrossReference,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        foreign_keys_info(&query, request)
    }

    async fn do_get_cross_reference(
        &self,
        _query: CommandGetCrossReference,
        _request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        Ok(no_rows(&FOREIGN_KEYS))
    }

    async fn get_flight_info_xdbc_type_info(
        &self,
        query: CommandGetXdbcTypeInfo,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let types = TYPE_INFO.as_ref().ok_or_else(unknown_to_itself)?;
        info(encoded(&query), &query.into_builder(types).schema(), request.into_inner())
    }

    async fn do_get_xdbc_type_info(
        &self,
        query: CommandGetXdbcTypeInfo,
        _request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        let types = TYPE_INFO.as_ref().ok_or_else(unknown_to_itself)?;
        Ok(one_batch(query.into_builder(types).build()?))
    }

    async fn register_sql_info(&self, _id: i32, _result: &SqlInfo) {}
}

fn foreign_keys_info(
    query: &impl ProstMessageExt,
    request: Request<FlightDescriptor>,
) -> Result<Response<FlightInfo>, Status> {
    info(encoded(query), &FOREIGN_KEYS, request.into_inner())
}

fn unknown_to_itself() -> Status {
    Status::internal("the server does not know itself")
}
