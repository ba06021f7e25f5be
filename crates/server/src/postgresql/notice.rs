//! What a client is told beside an answer.

use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use futures::SinkExt;

use super::client::{Client, Stream};
use super::settings::Values;

/// What a client is told that is no error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Notice {
    level: Level,
    code: &'static str,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Notice,
    Warning,
}

impl Notice {
    /// Something worth knowing.
    pub(super) fn told(text: impl Into<String>) -> Self {
        Self { level: Level::Notice, code: "00000", text: text.into() }
    }

    /// There is no transaction, where a statement is about one.
    pub(super) fn no_block(text: &str) -> Self {
        Self { level: Level::Warning, code: "25P01", text: text.to_owned() }
    }

    /// A transaction has begun before.
    pub(super) fn nested() -> Self {
        let text = "there is already a transaction in progress".to_owned();
        Self { level: Level::Warning, code: "25001", text }
    }

    /// Tells the client, unless it does not want to know.
    pub(super) async fn send<S: Stream>(self, client: &mut Client<S>, values: &Values) -> PgWireResult<()> {
        let wanted = match values.value("client_min_messages").as_str() {
            "warning" => Some(Level::Warning),
            "error" => None,
            _ => Some(Level::Notice),
        };
        if wanted.is_some_and(|wanted| self.level >= wanted) {
            let severity = if self.level == Level::Warning { "WARNING" } else { "NOTICE" };
            let info = ErrorInfo::new(severity.to_owned(), self.code.to_owned(), self.text);
            client.feed(PgWireBackendMessage::NoticeResponse(info.into())).await?;
        }
        Ok(())
    }
}
