//! The methods of Flight: those of Flight SQL, and what clients of Flight ask for besides.

use std::pin::Pin;

use arrow_flight::flight_service_server::FlightService;
use arrow_flight::{
    Action, ActionType, Criteria, Empty, FlightData, FlightDescriptor, FlightInfo, HandshakeRequest, HandshakeResponse,
    PollInfo, PutResult, SchemaResult, Ticket,
};
use futures::{Stream, StreamExt, stream};
use tonic::{Request, Response, Status, Streaming};

use super::actions::{Results, act, listed};
use super::messages::Batches;
use super::service::FlightSql;

/// Answers requests of Flight.
#[derive(Clone)]
pub(super) struct FlightDoor(FlightSql);

impl FlightDoor {
    pub(super) fn new(sql: FlightSql) -> Self {
        Self(sql)
    }
}

/// Answers of many messages.
type Messages<T> = Pin<Box<dyn Stream<Item = Result<T, Status>> + Send>>;

#[tonic::async_trait]
impl FlightService for FlightDoor {
    type HandshakeStream = Messages<HandshakeResponse>;
    type ListFlightsStream = Messages<FlightInfo>;
    type DoGetStream = Batches;
    type DoPutStream = Messages<PutResult>;
    type DoActionStream = Results;
    type ListActionsStream = Messages<ActionType>;
    type DoExchangeStream = Batches;

    async fn handshake(
        &self,
        request: Request<Streaming<HandshakeRequest>>,
    ) -> Result<Response<Self::HandshakeStream>, Status> {
        self.0.handshake(request).await
    }

    /// There are none but those that clients ask for.
    async fn list_flights(&self, _request: Request<Criteria>) -> Result<Response<Self::ListFlightsStream>, Status> {
        Ok(Response::new(stream::empty().boxed()))
    }

    async fn get_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<FlightInfo>, Status> {
        self.0.get_flight_info(request).await
    }

    /// Rows are computed while they are sent, so that nothing is waited for before.
    async fn poll_flight_info(&self, request: Request<FlightDescriptor>) -> Result<Response<PollInfo>, Status> {
        let info = self.0.get_flight_info(request).await?.into_inner();
        let poll = PollInfo::new().with_info(info).try_with_progress(1.0);
        poll.map(Response::new).map_err(|error| Status::internal(error.to_string()))
    }

    async fn get_schema(&self, request: Request<FlightDescriptor>) -> Result<Response<SchemaResult>, Status> {
        let info = self.0.get_flight_info(request).await?.into_inner();
        Ok(Response::new(SchemaResult { schema: info.schema }))
    }

    async fn do_get(&self, request: Request<Ticket>) -> Result<Response<Self::DoGetStream>, Status> {
        self.0.do_get(request).await
    }

    async fn do_put(&self, request: Request<Streaming<FlightData>>) -> Result<Response<Self::DoPutStream>, Status> {
        self.0.do_put(request).await
    }

    async fn list_actions(&self, _request: Request<Empty>) -> Result<Response<Self::ListActionsStream>, Status> {
        Ok(Response::new(stream::iter(listed().into_iter().map(Ok)).boxed()))
    }

    async fn do_action(&self, request: Request<Action>) -> Result<Response<Self::DoActionStream>, Status> {
        match act(self.0.running(), &request)? {
            Some(results) => Ok(results),
            None => self.0.do_action(request).await,
        }
    }

    async fn do_exchange(
        &self,
        _request: Request<Streaming<FlightData>>,
    ) -> Result<Response<Self::DoExchangeStream>, Status> {
        Err(Status::unimplemented("nothing is exchanged here: statements are asked with GetFlightInfo and DoGet"))
    }
}
