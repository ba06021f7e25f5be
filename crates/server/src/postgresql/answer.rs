//! The answer to a statement, and how it is sent.

use datafusion_postgres::pgwire::api::results::{FieldInfo, QueryResponse, Tag};
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::data::RowDescription;
use datafusion_postgres::pgwire::messages::response::CommandComplete;
use datafusion_postgres::pgwire::messages::startup::ParameterStatus;
use futures::{SinkExt, StreamExt};

use super::client::{Client, Stream};
use super::copy::Copy;
use super::settings::Values;

/// The answer to a statement.
pub(super) enum Answer {
    Rows(QueryResponse),
    Copy(Copy),
    /// It is done, and this is what it is called.
    Done(CommandComplete),
}

impl Answer {
    /// It is done, and this is what it is called.
    pub(super) fn done(tag: &str) -> Self {
        Self::Done(Tag::new(tag).into())
    }

    /// The same with a number of rows.
    pub(super) fn counted(tag: &str, rows: usize) -> Self {
        Self::Done(Tag::new(tag).with_rows(rows).into())
    }

    /// Sends all of it, the columns first.
    pub(super) async fn send<S: Stream>(self, client: &mut Client<S>) -> PgWireResult<()> {
        let mut rows = match self {
            Self::Done(tag) => {
                client.feed(PgWireBackendMessage::CommandComplete(tag)).await?;
                return Ok(());
            }
            Self::Copy(copy) => return copy.send(client).await,
            Self::Rows(rows) => rows,
        };
        client.feed(PgWireBackendMessage::RowDescription(described(&rows.row_schema))).await?;
        let tag = rows.command_tag().to_owned();
        let mut sent = 0;
        while let Some(row) = rows.data_rows().next().await {
            client.feed(PgWireBackendMessage::DataRow(row?)).await?;
            sent += 1;
        }
        client.feed(PgWireBackendMessage::CommandComplete(complete(&tag, sent))).await?;
        Ok(())
    }
}

/// The columns of an answer.
pub(super) fn described(fields: &[FieldInfo]) -> RowDescription {
    RowDescription::new(fields.iter().map(Into::into).collect())
}

/// What is said at the end of rows.
pub(super) fn complete(tag: &str, rows: usize) -> CommandComplete {
    match tag {
        // They do not count.
        "SHOW" | "EXPLAIN" => Tag::new(tag).into(),
        tag => Tag::new(tag).with_rows(rows).into(),
    }
}

/// Tells a client of the settings that it should know and that have changed.
pub(super) async fn report<S: Stream>(client: &mut Client<S>, values: &Values) -> PgWireResult<()> {
    for (name, value) in values.unreported() {
        client.feed(PgWireBackendMessage::ParameterStatus(ParameterStatus::new(name.to_owned(), value))).await?;
    }
    Ok(())
}
