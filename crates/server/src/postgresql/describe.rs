//! What prepared statements and portals take and give.

use datafusion_postgres::pgwire::api::portal::Format;
use datafusion_postgres::pgwire::api::results::FieldInfo;
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::store::{Entry, PortalStore};
use datafusion_postgres::pgwire::api::{ClientPortalStore, DEFAULT_NAME, Type};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::data::{NoData, ParameterDescription};
use datafusion_postgres::pgwire::messages::extendedquery::{Describe, TARGET_TYPE_BYTE_STATEMENT};
use futures::SinkExt;

use super::answer::described;
use super::client::{Client, Stream};
use super::queries::Queries;
use super::values::fields;

/// Describes a statement or a portal. A cursor is a portal, too.
pub(super) async fn describe<S: Stream>(
    queries: &Queries,
    client: &mut Client<S>,
    message: &Describe,
) -> PgWireResult<()> {
    let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
    if message.target_type == TARGET_TYPE_BYTE_STATEMENT {
        return statement(queries, client, name).await;
    }
    let columns = match client.portal_store().get_portal(name) {
        Some(Entry::Value(portal)) => {
            queries.parser.get_result_schema(&portal.statement.statement, Some(&portal.result_column_format))?
        }
        Some(Entry::Empty) => Vec::new(),
        None => match queries.session.cursors.about(name) {
            Some(about) => {
                let is_binary = about.declaration.is_binary;
                fields(&about.schema, if is_binary { &Format::UnifiedBinary } else { &Format::UnifiedText })
            }
            None => return Err(PgWireError::PortalNotFound(name.to_owned())),
        },
    };
    send_columns(client, &columns).await
}

async fn statement<S: Stream>(queries: &Queries, client: &mut Client<S>, name: &str) -> PgWireResult<()> {
    let (parameters, columns) = match client.portal_store().get_statement(name) {
        Some(Entry::Value(stored)) => {
            let (known, told) = (queries.parser.get_parameter_types(&stored.statement)?, &stored.parameter_types);
            // What the client tells comes first.
            let of = |number: usize| {
                told.get(number).cloned().flatten().or_else(|| known.get(number).cloned()).unwrap_or(Type::UNKNOWN)
            };
            let parameters = (0..known.len().max(told.len())).map(|number| of(number).oid()).collect();
            (parameters, queries.parser.get_result_schema(&stored.statement, Some(&Format::UnifiedText))?)
        }
        Some(Entry::Empty) => (Vec::new(), Vec::new()),
        None => return Err(PgWireError::StatementNotFound(name.to_owned())),
    };
    let parameters = ParameterDescription::new(parameters);
    client.feed(PgWireBackendMessage::ParameterDescription(parameters)).await?;
    send_columns(client, &columns).await
}

async fn send_columns<S: Stream>(client: &mut Client<S>, columns: &[FieldInfo]) -> PgWireResult<()> {
    let message = if columns.is_empty() {
        PgWireBackendMessage::NoData(NoData::new())
    } else {
        PgWireBackendMessage::RowDescription(described(columns))
    };
    client.feed(message).await?;
    Ok(())
}
