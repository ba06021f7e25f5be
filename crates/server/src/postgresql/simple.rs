//! Statements that come as text, one after the other.

use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::query::send_ready_for_query;
use datafusion_postgres::pgwire::api::{ClientInfo, PgWireConnectionState};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::response::EmptyQueryResponse;
use futures::SinkExt;

use super::answer::report;
use super::client::{Client, Stream};
use super::command::{Command, commands};
use super::queries::Queries;

/// Answers the statements of a text. Several of them are a transaction, which ends with the text.
pub(super) async fn query<S: Stream>(queries: &Queries, client: &mut Client<S>, text: &str) -> PgWireResult<()> {
    if !matches!(client.state(), PgWireConnectionState::ReadyForQuery) {
        return Err(PgWireError::NotReadyForQuery);
    }
    client.set_state(PgWireConnectionState::QueryInProgress);
    let session = &queries.session;
    let commands = commands(session.get()?, text).await?;
    if commands.is_empty() {
        client.feed(PgWireBackendMessage::EmptyQueryResponse(EmptyQueryResponse::new())).await?;
    }
    let are_several = commands.len() > 1;
    for command in commands {
        if are_several && !session.block.is_open() {
            session.block.begin(&session.settings, true);
        }
        let style = queries.style(format(queries, &command));
        queries.answer(client, &command, Vec::new(), None, style).await?.send(client).await?;
    }
    if session.block.is_implicit() {
        session.end_transaction(true);
    }
    session.settle();
    client.set_state(PgWireConnectionState::ReadyForQuery);
    report(client, &session.settings).await?;
    let status = client.transaction_status();
    send_ready_for_query(client, status).await
}

/// Rows are sent as text, but for those of a cursor that was declared otherwise.
fn format(queries: &Queries, command: &Command) -> Format {
    let of_cursor = |name: &str| queries.session.cursors.about(name);
    match command {
        Command::Fetch(fetch) if of_cursor(&fetch.name).is_some_and(|about| about.declaration.is_binary) => {
            Format::UnifiedBinary
        }
        _ => Format::UnifiedText,
    }
}
