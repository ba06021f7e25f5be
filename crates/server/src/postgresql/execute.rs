//! Runs portals. The rows are sent as they are computed, however many the client asks for: pgwire would first collect
//! all of them, in memory that it takes for as many as the client says.

use datafusion_postgres::pgwire::api::portal::{Portal, PortalExecutionState};
use datafusion_postgres::pgwire::api::store::{Entry, PortalStore};
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, PgWireConnectionState};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::extendedquery::{Execute, PortalSuspended};
use datafusion_postgres::pgwire::messages::response::EmptyQueryResponse;
use futures::{SinkExt, StreamExt};

use super::answer::{Answer, complete};
use super::bound::parameters;
use super::client::{Client, Stream};
use super::prepared::Prepared;
use super::queries::Queries;

/// Runs a portal, or goes on with one that has been suspended.
pub(super) async fn execute<S: Stream>(
    queries: &Queries,
    client: &mut Client<S>,
    message: &Execute,
) -> PgWireResult<()> {
    if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
        return Err(PgWireError::NotReadyForQuery);
    }
    let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
    // None, and a negative number, mean all rows.
    let most = usize::try_from(message.max_rows).ok().filter(|most| *most > 0).unwrap_or(usize::MAX);
    let portal = match client.portal_store().get_portal(name) {
        Some(Entry::Value(portal)) => portal,
        Some(Entry::Empty) => {
            client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
            return Ok(());
        }
        None => return Err(PgWireError::PortalNotFound(name.to_owned())),
    };
    client.set_state(PgWireConnectionState::QueryInProgress);
    let is_new = matches!(*portal.state().lock().await, PortalExecutionState::Initial);
    let has_rows = !is_new || start(queries, client, &portal).await?;
    if has_rows {
        send_rows(client, &portal, most).await?;
    }
    client.set_state(PgWireConnectionState::ReadyForQuery);
    Ok(())
}

/// Starts the statement of a portal. Says whether it has rows that are still to be sent.
async fn start<S: Stream>(queries: &Queries, client: &mut Client<S>, portal: &Portal<Prepared>) -> PgWireResult<bool> {
    let prepared = &portal.statement.statement;
    let (parameters, described) = (parameters(portal)?, Some(queries.parser.schema(prepared)));
    let style = queries.style(portal.result_column_format.clone());
    match queries.answer(client, prepared.command(), parameters, described, style).await? {
        Answer::Rows(rows) => {
            portal.start(rows).await;
            Ok(true)
        }
        other => other.send(client).await.map(|()| false),
    }
}

/// Sends up to `most` rows of a portal, and what comes after them: that it is suspended, or has ended.
async fn send_rows<S: Stream>(client: &mut Client<S>, portal: &Portal<Prepared>, most: usize) -> PgWireResult<()> {
    let state = portal.state();
    let mut state = state.lock().await;
    // Until it is known that there are more rows, the portal has ended: also where a row is an error.
    let (mut sent, mut tag) = (0, "SELECT".to_owned());
    if let PortalExecutionState::Suspended(mut rows) = std::mem::replace(&mut *state, PortalExecutionState::Finished) {
        tag = rows.command_tag().to_owned();
        while let Some(row) = rows.data_rows().next().await {
            client.feed(PgWireBackendMessage::DataRow(row?)).await?;
            sent += 1;
            if sent == most {
                *state = PortalExecutionState::Suspended(rows);
                client.send(PgWireBackendMessage::PortalSuspended(PortalSuspended::new())).await?;
                return Ok(());
            }
        }
    }
    client.send(PgWireBackendMessage::CommandComplete(complete(&tag, sent))).await?;
    Ok(())
}
