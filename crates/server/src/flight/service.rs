use std::pin::Pin;

use arrow::array::RecordBatch;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::root_as_message;
use arrow_flight::decode::FlightRecordBatchStream;
use arrow_flight::encode::{DictionaryHandling, FlightDataEncoderBuilder};
use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::sql::server::{FlightSqlService, PeekableFlightDataStream};
use arrow_flight::sql::{
    ActionClosePreparedStatementRequest, ActionCreatePreparedStatementRequest, ActionCreatePreparedStatementResult,
    CommandGetCatalogs, CommandGetDbSchemas, CommandGetSqlInfo, CommandGetTableTypes, CommandGetTables,
    CommandPreparedStatementQuery, CommandStatementQuery, DoPutPreparedStatementResult, ProstMessageExt, SqlInfo,
    TicketStatementQuery,
};
use arrow_flight::{Action, FlightData, FlightDescriptor, FlightEndpoint, FlightInfo, IpcMessage, SchemaAsIpc, Ticket};
use bytes::Bytes;
use futures::{Stream, StreamExt, TryStreamExt, stream};
use skillscope_query::{Error, Scope, SqlDescription, SqlSession};
use skillscope_segment::AccountId;
use tonic::metadata::MetadataMap;
use tonic::{Request, Response, Status};

use super::DOOR;
use super::metadata::{SQL_INFO, TABLE_TYPES, schemas, tables};
use super::prepared::Prepared;
use crate::App;

/// The header that names the account.
const ACCOUNT: &str = "account";

type Batches = Pin<Box<dyn Stream<Item = Result<FlightData, Status>> + Send>>;

/// Answers Flight SQL requests.
#[derive(Clone)]
pub(super) struct FlightDoor {
    app: App,
}

impl FlightDoor {
    pub(super) fn new(app: App) -> Self {
        Self { app }
    }

    fn session(&self, headers: &MetadataMap) -> Result<SqlSession, Status> {
        let scope = match headers.get(ACCOUNT) {
            Some(account) => {
                let text = account.to_str();
                let text = text.map_err(|_| Status::invalid_argument("the header account is not text"))?;
                let account = AccountId::parse(text);
                Scope::Account(
                    account.map_err(|error| Status::invalid_argument(format!("the header account: {error}")))?,
                )
            }
            None => Scope::All,
        };
        Ok(self.app.engine().sql(scope, DOOR))
    }

    async fn rows(&self, headers: &MetadataMap, prepared: Prepared) -> Result<Response<Batches>, Status> {
        let rows = self.session(headers)?.run(&prepared.text, prepared.parameters).await.map_err(status)?;
        let encoder = FlightDataEncoderBuilder::new()
            .with_schema(rows.schema())
            .with_dictionary_handling(DictionaryHandling::Resend)
            .build(rows.map_err(|error| FlightError::Tonic(Box::new(status(error)))));
        Ok(Response::new(encoder.map_err(Status::from).boxed()))
    }
}

/// What went wrong, in gRPC's codes.
pub(super) fn status(error: Error) -> Status {
    match &error {
        Error::Sql(_) | Error::ReadOnly | Error::Parameter { .. } => Status::invalid_argument(error.to_string()),
        Error::OutOfMemory | Error::TooManyQueries { .. } => Status::resource_exhausted(error.to_string()),
        Error::TimeLimit { .. } => Status::deadline_exceeded(error.to_string()),
        Error::Killed => Status::cancelled(error.to_string()),
        Error::Archive(_) => {
            tracing::error!(%error, "the disk failed a query");
            Status::unavailable("a file of the archive cannot be read now; the server's log says which")
        }
        _ => {
            tracing::error!(%error, "a statement failed");
            Status::internal("the statement could not be answered; the server's log says why")
        }
    }
}

/// An answer of one batch.
fn one_batch(batch: RecordBatch) -> Response<Batches> {
    let encoder = FlightDataEncoderBuilder::new().with_schema(batch.schema()).build(stream::once(async { Ok(batch) }));
    Response::new(encoder.map_err(Status::from).boxed())
}

/// Where to get rows with these columns: here, with this ticket.
fn info(ticket: Bytes, schema: &Schema, descriptor: FlightDescriptor) -> Result<Response<FlightInfo>, Status> {
    let endpoint = FlightEndpoint::new().with_ticket(Ticket { ticket });
    let info = FlightInfo::new()
        .try_with_schema(schema)
        .map_err(FlightError::from)?
        .with_endpoint(endpoint)
        .with_descriptor(descriptor);
    Ok(Response::new(info))
}

fn ipc(schema: &Schema) -> Result<Bytes, Status> {
    let IpcMessage(bytes) = SchemaAsIpc::new(schema, &Default::default()).try_into().map_err(FlightError::from)?;
    Ok(bytes)
}

/// The parameters as columns; text where the statement does not tell their types.
fn parameter_schema(description: &SqlDescription) -> Schema {
    let parameters = description.parameters.iter().enumerate();
    let field = |(number, known): (usize, &Option<DataType>)| {
        Field::new(format!("${}", number + 1), known.clone().unwrap_or(DataType::Utf8), true)
    };
    Schema::new(parameters.map(field).collect::<Vec<_>>())
}

#[tonic::async_trait]
impl FlightSqlService for FlightDoor {
    type FlightService = Self;

    async fn get_flight_info_statement(
        &self,
        query: CommandStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let description = self.session(request.metadata())?.describe(&query.query).await.map_err(status)?;
        let ticket = TicketStatementQuery { statement_handle: Prepared::new(query.query).to_handle()? };
        info(encoded(&ticket), &description.schema, request.into_inner())
    }

    async fn do_get_statement(
        &self,
        ticket: TicketStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.rows(request.metadata(), Prepared::from_handle(&ticket.statement_handle)?).await
    }

    async fn do_action_create_prepared_statement(
        &self,
        query: ActionCreatePreparedStatementRequest,
        request: Request<Action>,
    ) -> Result<ActionCreatePreparedStatementResult, Status> {
        let description = self.session(request.metadata())?.describe(&query.query).await.map_err(status)?;
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
        let sent =
            request.into_inner().map_err(FlightError::from).and_then(|data| std::future::ready(uncompressed(data)));
        let sent = FlightRecordBatchStream::new_from_flight_data(sent);
        let mut batches = sent.try_filter(|batch| std::future::ready(batch.num_rows() > 0)).boxed();
        let batch = batches.try_next().await?;
        let batch = batch.ok_or_else(|| Status::invalid_argument("there are no values for the parameters"))?;
        if batches.try_next().await?.is_some() {
            return Err(Status::invalid_argument("parameters are one row of values"));
        }
        Ok(DoPutPreparedStatementResult { prepared_statement_handle: Some(prepared.bind(&batch)?.to_handle()?) })
    }

    async fn get_flight_info_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<FlightDescriptor>,
    ) -> Result<Response<FlightInfo>, Status> {
        let prepared = Prepared::from_handle(&query.prepared_statement_handle)?;
        let description = self.session(request.metadata())?.describe(&prepared.text).await.map_err(status)?;
        info(encoded(&query), &description.schema, request.into_inner())
    }

    async fn do_get_prepared_statement(
        &self,
        query: CommandPreparedStatementQuery,
        request: Request<Ticket>,
    ) -> Result<Response<<Self as FlightService>::DoGetStream>, Status> {
        self.rows(request.metadata(), Prepared::from_handle(&query.prepared_statement_handle)?).await
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
        Ok(one_batch(schemas(&self.session(request.metadata())?, query).await?))
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
        Ok(one_batch(tables(&self.session(request.metadata())?, query).await?))
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

/// Data whose lengths need not be believed: of compressed columns they come from whoever sends them.
fn uncompressed(data: FlightData) -> Result<FlightData, FlightError> {
    let message = root_as_message(&data.data_header).map_err(|error| FlightError::DecodeError(error.to_string()))?;
    let batch = message.header_as_record_batch();
    let batch = batch.or_else(|| message.header_as_dictionary_batch().and_then(|dictionary| dictionary.data()));
    if batch.is_some_and(|batch| batch.compression().is_some()) {
        return Err(FlightError::DecodeError("parameters are not taken compressed".to_owned()));
    }
    Ok(data)
}

/// A message as a ticket.
fn encoded(message: &impl ProstMessageExt) -> Bytes {
    prost::Message::encode_to_vec(&message.as_any()).into()
}
