//! The actions that clients may ask for. Those of Flight itself are answered here, and those of prepared statements by
//! the methods of Flight SQL.

use std::pin::Pin;

use arrow_flight::sql::{ActionCancelQueryRequest, ActionCancelQueryResult, Any, Command, ProstMessageExt};
use arrow_flight::{Action, ActionType, CancelFlightInfoRequest, CancelFlightInfoResult, CancelStatus, FlightInfo};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use prost::Message;
use tonic::{Request, Response, Status};

use super::admission::caller_of;
use super::prepared::Prepared;
use super::running::Running;
use super::session_options;
use crate::caller::Caller;

/// The answers to an action.
pub(super) type Results = Pin<Box<dyn Stream<Item = Result<arrow_flight::Result, Status>> + Send>>;

/// The actions that there are, and what they take and give.
const ACTIONS: [(&str, &str); 7] = [
    (CREATE, "Prepares a statement. ActionCreatePreparedStatementRequest → ActionCreatePreparedStatementResult"),
    (CLOSE, "Forgets a prepared statement. ActionClosePreparedStatementRequest → nothing"),
    (CANCEL_QUERY, "Ends a statement that runs. ActionCancelQueryRequest → ActionCancelQueryResult"),
    (CANCEL_FLIGHT_INFO, "Ends a statement that runs. CancelFlightInfoRequest → CancelFlightInfoResult"),
    (SET_OPTIONS, "Sets options of the session. SetSessionOptionsRequest → SetSessionOptionsResult"),
    (GET_OPTIONS, "Tells the options of the session. GetSessionOptionsRequest → GetSessionOptionsResult"),
    (CLOSE_SESSION, "Forgets the session. CloseSessionRequest → CloseSessionResult"),
];

const CREATE: &str = "CreatePreparedStatement";
const CLOSE: &str = "ClosePreparedStatement";
const CANCEL_QUERY: &str = "CancelQuery";
const CANCEL_FLIGHT_INFO: &str = "CancelFlightInfo";
const SET_OPTIONS: &str = "SetSessionOptions";
const GET_OPTIONS: &str = "GetSessionOptions";
const CLOSE_SESSION: &str = "CloseSession";

/// Actions of Flight SQL that are not offered, each with the reason.
const REFUSED: [(&str, &str); 5] = [
    ("BeginTransaction", NO_TRANSACTIONS),
    ("EndTransaction", NO_TRANSACTIONS),
    ("BeginSavepoint", NO_TRANSACTIONS),
    ("EndSavepoint", NO_TRANSACTIONS),
    ("CreatePreparedSubstraitPlan", "plans of Substrait are not taken: statements are SQL"),
];

const NO_TRANSACTIONS: &str = "there are no transactions: each statement sees the rows of one moment";

/// The actions, as clients list them.
pub(super) fn listed() -> Vec<ActionType> {
    let of = |(name, description): &(&str, &str)| ActionType {
        r#type: (*name).to_owned(),
        description: (*description).to_owned(),
    };
    ACTIONS.iter().map(of).collect()
}

/// Answers an action; `None` for one of prepared statements.
pub(super) fn act(running: &Running, request: &Request<Action>) -> Result<Option<Response<Results>>, Status> {
    let action = request.get_ref();
    Ok(Some(match action.r#type.as_str() {
        CREATE | CLOSE => return Ok(None),
        CANCEL_QUERY => {
            let asked: ActionCancelQueryRequest = unpacked(&action.body)?;
            let info = FlightInfo::decode(asked.info).map_err(unreadable)?;
            let result = cancel(running, &caller_of(request)?, &info) as i32;
            one_result(ActionCancelQueryResult { result }.as_any().encode_to_vec())
        }
        CANCEL_FLIGHT_INFO => {
            let asked = CancelFlightInfoRequest::decode(action.body.as_ref()).map_err(unreadable)?;
            let status = cancel(running, &caller_of(request)?, &asked.info.unwrap_or_default()) as i32;
            one_result(CancelFlightInfoResult { status }.encode_to_vec())
        }
        SET_OPTIONS => session_options::set(request)?,
        GET_OPTIONS => session_options::get(request),
        CLOSE_SESSION => session_options::close()?,
        other => {
            let refused = REFUSED.iter().find(|(name, _)| *name == other);
            return Err(Status::unimplemented(refused.map_or_else(
                || format!("there is no action {other}; ListActions tells which there are"),
                |(_, reason)| (*reason).to_owned(),
            )));
        }
    }))
}

/// An answer of one message.
pub(super) fn one_result(body: impl Into<Bytes>) -> Response<Results> {
    let result = arrow_flight::Result { body: body.into() };
    Response::new(stream::once(async { Ok(result) }).boxed())
}

/// Ends the answers to the tickets of `info`.
fn cancel(running: &Running, caller: &Caller, info: &FlightInfo) -> CancelStatus {
    let tickets = info.endpoint.iter().filter_map(|endpoint| number(&endpoint.ticket.as_ref()?.ticket));
    if tickets.filter(|number| running.end(*number, caller)).count() > 0 {
        CancelStatus::Cancelled
    } else {
        // It has ended, or it has not begun, or it is no statement.
        CancelStatus::NotCancellable
    }
}

/// The number of a ticket that this server gave out for a statement.
fn number(ticket: &[u8]) -> Option<u64> {
    let Command::TicketStatementQuery(ticket) = Command::try_from(Any::decode(ticket).ok()?).ok()? else { return None };
    Some(Prepared::from_handle(&ticket.statement_handle).ok()?.number)
}

fn unpacked<M: ProstMessageExt>(body: &[u8]) -> Result<M, Status> {
    let unpacked = Any::decode(body).map_err(unreadable)?.unpack::<M>().ok().flatten();
    unpacked.ok_or_else(|| Status::invalid_argument("the action's message is none of its type"))
}

fn unreadable(error: prost::DecodeError) -> Status {
    Status::invalid_argument(format!("the action's message cannot be read: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_known_and_nothing_else_is() {
        let running = Running::default();
        for ActionType { r#type, .. } in listed() {
            // A message is missing, or there is no caller.
            if let Err(refused) = act(&running, &Request::new(Action::new(&*r#type, b"".to_vec()))) {
                assert_ne!(refused.code(), tonic::Code::Unimplemented, "{}: {refused}", r#type);
            }
        }
        for (name, part) in [("BeginTransaction", "no transactions"), ("RenewFlightEndpoint", "ListActions")] {
            let refused = act(&running, &Request::new(Action::new(name, b"".to_vec())));
            let refused = refused.err().unwrap();
            assert!(refused.code() == tonic::Code::Unimplemented && refused.message().contains(part), "{refused}");
        }
    }
}
