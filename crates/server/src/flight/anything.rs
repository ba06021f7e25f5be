//! Anything at all as what a client sends.

use std::future::pending;
use std::time::Duration;

use arrow_flight::error::FlightError;
use arrow_flight::flight_service_server::FlightService;
use arrow_flight::{Action, FlightData, FlightDescriptor, Ticket};
use bytes::Bytes;
use futures::{StreamExt, stream};
use prost::Message;
use tokio::time::timeout;
use tonic::Request;
use tonic::metadata::MetadataMap;

use super::bound_values::bound_values;
use super::door::FlightDoor;
use super::prepared::Prepared;
use super::service::FlightSql;
use crate::App;
use crate::access::Access;
use crate::caller::Caller;
use crate::stopping::Stopping;

/// How long the server may take over it.
const PATIENCE: Duration = Duration::from_secs(10);

/// Takes `bytes` for each thing that a client sends in one piece, and for the messages of a call that has many.
pub(crate) async fn take_anything(app: App, bytes: &[u8]) {
    let _ = Prepared::from_handle(bytes);
    let access = app.access().clone();
    let door = FlightDoor::new(FlightSql::new(app, PATIENCE, Stopping::after(pending())));
    let _ = timeout(PATIENCE, answer(door, &access, Bytes::copy_from_slice(bytes))).await;
    let mut rest = bytes;
    let messages = std::iter::from_fn(move || FlightData::decode_length_delimited(&mut rest).ok());
    let messages: Vec<Result<FlightData, FlightError>> = messages.map(Ok).collect();
    let _ = bound_values(stream::iter(messages)).await;
}

async fn answer(door: FlightDoor, access: &Access, bytes: Bytes) {
    let Ok(caller) = Caller::of_flight(&MetadataMap::new(), access, None).await else { return };
    let _ = door.get_flight_info(request(&caller, FlightDescriptor::new_cmd(bytes.clone()))).await;
    if let Ok(rows) = door.do_get(request(&caller, Ticket::new(bytes.clone()))).await {
        let mut rows = rows.into_inner();
        while rows.next().await.is_some_and(|row| row.is_ok()) {}
    }
    for name in ["CreatePreparedStatement", "CancelQuery", "CancelFlightInfo", "SetSessionOptions"] {
        let _ = door.do_action(request(&caller, Action::new(name, bytes.clone()))).await;
    }
}

fn request<T>(caller: &Caller, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller.clone());
    request
}
