//! The methods of Flight SQL.

use std::pin::Pin;
use std::time::Duration;

use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandPreparedStatementQuery, CommandStatementQuery, DoPutPreparedStatementResult, SqlInfo, TicketStatementQuery,
};
use arrow_flight::{Action, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse, Ticket};
use futures::{FutureExt, Stream, StreamExt, TryStreamExt};
use skillscope_query::SqlSession;
use tonic::{Request, Response, Status, Streaming};

use super::admission::caller_of;
use super::bound_values::bound_values;
use super::error::{refused, status};
use super::handshake::handshake;
use super::messages::{Batches, encoded, info, ipc, one_batch, parameter_schema};
use super::metadata::{SQL_INFO, TABLE_TYPES, schemas, tables};
use super::prepared::Prepared;
use super::unread::ended_when_unread;
use crate::App;
use crate::caller::Caller;
use crate::ending::until;
use crate::stopping::Stopping;

/// How `system.queries` names the door of these statements.
const DOOR: &str = "flight-sql";

/// Answers Flight SQL requests.
#[derive(Clone)]
pub(super) struct FlightDoor {
    app: App,
    /// How long a client may read nothing of an answer.
    patience: Duration,
    stopping: Stopping,
}

impl FlightDoor {
    pub(super) fn new(app: App, patience: Duration, stopping: Stopping) -> Self {
        Self { app, patience, stopping }
    }

    fn session<T>(&self, request: &Request<T>) -> Result<SqlSession, Status> {
        Ok(self.session_of(&caller_of(request)?))
    }

    fn session_of(&self, caller: &Caller) -> SqlSession {
        caller.sql(&self.app, caller.scope().clone(), DOOR)
    }

    async fn rows<T>(&self, request: &Request<T>, prepared: Prepared) -> Result<Response<Batches>, Status> {
        let caller = caller_of(request)?;
        let rows = self.session_of(&caller).run(&prepared.text, prepared.parameters).await.map_err(status)?;
        let encoder = FlightDataEncoderBuilder::new()
            .with_schema(rows.schema())
            .with_dictionary_handling(DictionaryHandling::Resend)
            .build(rows.map_err(|error| FlightError::Tonic(Box::new(status(error)))));
        let ended = caller.ended().map(|reason| Err(refused(reason)));
        let batches = encoder.map_err(Status::from).boxed();
        let batches = until(batches, ended).boxed();
        Ok(Response::new(ended_when_unread(batches, self.patience, self.stopping.clone())))
    }
}

#[tonic::async_trait]
impl FlightSqlService for FlightDoor {
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
        let description = self.session(&request)?.describe(&query.query).await.map_err(status)?;
        let ticket = TicketStatementQuery { statement_handle: Prepared::new(query.query).to_handle()? };
        info(encoded(&ticket), &description.schema, request.into_inner())
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
        let description = self.session(&request)?.describe(&query.query).await.map_err(status)?;
        Ok(ActionCreatePreparedStatementResult {
            prepared_statement_handle: Prepared::new(query.query).to_handle()?,
            dataset_schema: ipc(&description.schema)?,
            parameter_schema: ipc(&parameter_schema(&description))?,
        })
    }

    async fn do_put_prepared_statement_query(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<PeekableFlightDataStream>,
    ) -> Result<DoPutPreparedStatementResult, Status> {
        let prepared = Prepared::from_handle(&query.prepared_statement_handle)?;
        let batch = bound_values(request.into_inner().map_err(FlightError::from)).await?;
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(prepared.bind(&batch)?.to_handle()?) })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let prepared = Prepared::from_handle(&query.prepared_statement_handle)?;
        let description = self.session(&request)?.describe(&prepared.text).await.map_err(status)?;
        info(encoded(&query), &description.schema, request.into_inner())
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
        let facts = SQL_INFO.as_ref().ok_or_else(|| Status::internal("the server does not know itself"))?;
        let ticket = encoded(&query);
        info(ticket, &query.into_builder(facts).schema(), request.into_inner())
    }

    async fn do_get_sql_info(
        &self,
        query: CommandGetSqlInfo,
        _request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        let facts = SQL_INFO.as_ref().ok_or_else(|| Status::internal("the server does not know itself"))?;
        Ok(one_batch(query.into_builder(facts).build()?))
    }

    async fn register_sql_info(&self, _id: i32, _result: &SqlInfo) {}
}
