//! One connection, from its first packet to its end. pgwire answers messages; what comes from the socket is read here,
//! since pgwire takes messages of any length, believes the lengths in them, and waits for ever.

use std::io;
use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use datafusion_postgres::pgwire::api::query::send_ready_for_query;
use datafusion_postgres::pgwire::api::store::PortalStore;
use datafusion_postgres::pgwire::api::{
    ClientInfo, ClientPortalStore, DEFAULT_NAME, DefaultClient, PgWireConnectionState,
};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::{DecodeContext, PgWireBackendMessage, PgWireFrontendMessage};
use datafusion_postgres::pgwire::tokio::server::{PgWireMessageServerCodec, process_error};
use futures::{FutureExt, SinkExt};
use tokio::io::AsyncReadExt;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::codec::Framed;

use super::answer::report;
use super::client::{Client, Stream};
use super::describe::describe;
use super::encryption::Encryption;
use super::error::{SqlState, error, fatal, malformed, refused, shut_down, unreadable};
use super::execute::execute;
use super::idle_limit::{IdleLimit, over};
use super::incoming::{Incoming, Message};
use super::layout;
use super::memory::MessageMemory;
use super::queries::Queries;
use super::session::Session;
use super::simple;
use super::startup::Sessions;
use super::startup_packet::StartUpPacket;
use crate::caller::Caller;
use crate::stopping::Stopping;

/// How long a client may take until it is let in.
pub(super) const START_UP: Duration = Duration::from_secs(10);

/// How long a client that is sent away may still send. If the connection were closed at once, the system would not
/// deliver the reason.
const FAREWELL: Duration = Duration::from_secs(2);

/// What a connection needs of its server.
pub(super) struct Connection {
    sessions: Sessions,
    session: Arc<Session>,
    queries: Queries,
    incoming: Incoming,
    encryption: Encryption,
    stopping: Stopping,
}

impl Connection {
    pub(super) fn new(sessions: Sessions, memory: &MessageMemory, encryption: Encryption, stopping: Stopping) -> Self {
        let session = Arc::new(Session::default());
        let queries = Queries::new(Arc::clone(&session), memory.clone());
        Self { sessions, session, queries, incoming: Incoming::new(memory.clone()), encryption, stopping }
    }

    /// Serves the client at the other end of `stream` until either of them ends the connection.
    ///
    /// # Errors
    /// Where the stream fails, or the client does not read what is sent to it.
    pub(super) async fn serve<S: Stream>(mut self, stream: S, peer: SocketAddr) -> io::Result<()> {
        let end = Instant::now() + START_UP;
        let beginning = self.encryption.begin(stream, peer, &mut self.incoming, &self.stopping);
        // A client that takes too long is not told so, as it has not said which protocol it speaks.
        let begun = match timeout_at(end, beginning).await {
            Ok(Some(begun)) => begun,
            Ok(None) => return Ok(()),
            Err(_) => {
                self.encryption.note_late(peer);
                return Ok(());
            }
        };
        let codec = PgWireMessageServerCodec::new(DefaultClient::new(peer, begun.wire.is_encrypted()));
        let mut client = Framed::new(begun.wire, codec);
        let Ok(let_in) = timeout_at(end, self.let_in(&mut client, begun.packet)).await else { return Ok(()) };
        let ended = match let_in {
            Ok(Some(caller)) => {
                let answering = self.answer_all(&mut client);
                let ended = caller.ended();
                let outcome = tokio::select! {
                    answered = answering => answered,
                    reason = ended => Err(refused(reason)),
                };
                outcome
            }
            Ok(None) => {
                // Who asks to cancel a statement waits for the end, and takes a connection that breaks off for a failure.
                let _ = timeout(FAREWELL, client.close()).await;
                return Ok(());
            }
            Err(error) => Err(error),
        };
        match ended {
            Ok(()) => client.close().await,
            Err(PgWireError::IoError(error)) => Err(error),
            Err(error) => send_away(&mut client, error).await,
        }
    }

    /// Opens the session, and tells whose it is. There may be none: a client may also just ask to cancel a statement, or
    /// go.
    async fn let_in<S: Stream>(
        &mut self,
        client: &mut Client<S>,
        packet: PgWireResult<Option<StartUpPacket>>,
    ) -> PgWireResult<Option<Caller>> {
        match packet? {
            Some(StartUpPacket::Cancel { pid, key }) => self.sessions.cancels.cancel(pid, &key),
            Some(StartUpPacket::Start(startup)) => {
                return self.sessions.open(client, &mut self.incoming, &startup, &self.session).await.map(Some);
            }
            Some(StartUpPacket::Tls | StartUpPacket::Gss) | None => {}
        }
        Ok(None)
    }

    /// Answers messages until the client goes, or the connection must end for a reason that the client is told.
    async fn answer_all<S: Stream>(&mut self, client: &mut Client<S>) -> PgWireResult<()> {
        let stopping = self.stopping.clone();
        // Between the messages of one question a client is not idle.
        let mut is_idle = true;
        loop {
            if is_idle && stopping.has_begun() {
                return Err(shut_down());
            }
            let patience = if is_idle { IdleLimit::of(client, &self.session.settings) } else { None };
            let message = tokio::select! {
                message = self.incoming.message(client.get_mut()) => message.map_err(unreadable)?,
                reason = over(patience) => return Err(reason),
                () = stopping.begun(), if is_idle => return Err(shut_down()),
                () = stopping.over() => return Err(shut_down()),
            };
            let Some(message) = message.filter(|message| message.kind != b'X') else { return Ok(()) };
            is_idle = matches!(message.kind, b'Q' | b'S' | b'F');
            let is_extended = matches!(message.kind, b'P' | b'B' | b'C' | b'D' | b'E' | b'H' | b'S');
            let answering = AssertUnwindSafe(self.answer(client, message)).catch_unwind();
            let answered = tokio::select! {
                answered = answering => answered,
                () = stopping.over() => return Err(shut_down()),
            };
            match answered {
                Ok(Ok(())) => {}
                Ok(Err(error)) => {
                    self.queries.fail();
                    report(client, &self.session.settings).await?;
                    tell(client, error, is_extended).await?;
                }
                // Whatever panicked is in no state to go on. The hook for panics has told of it in the log.
                Err(_) => {
                    return Err(fatal(SqlState::Internal, "the server met an error of its own; its log tells more"));
                }
            }
        }
    }

    async fn answer<S: Stream>(&self, client: &mut Client<S>, message: Message) -> PgWireResult<()> {
        // After an error in a question of several messages, the others are passed over up to its end.
        let is_passed_over = matches!(client.state(), PgWireConnectionState::AwaitingSync) && message.kind != b'S';
        // Nothing is copied to the server.
        if is_passed_over || matches!(message.kind, b'c' | b'd' | b'f') {
            return Ok(());
        }
        layout::check(message.kind, message.body()).map_err(malformed)?;
        if message.kind == b'F' {
            return Err(error(SqlState::FeatureNotSupported, "functions are called in statements"));
        }
        let Message { mut bytes, _reserved: reserved, .. } = message;
        let mut context = DecodeContext::new(client.protocol_version());
        (context.awaiting_frontend_ssl, context.awaiting_frontend_startup) = (false, false);
        let Some(message) = PgWireFrontendMessage::decode(&mut bytes, &context)? else { return Ok(()) };
        let queries = &self.queries;
        match message {
            PgWireFrontendMessage::Query(query) => simple::query(queries, client, &query.query).await?,
            PgWireFrontendMessage::Parse(parse) => {
                queries.statements.parse(client, &parse, Arc::clone(&queries.parser)).await?;
            }
            PgWireFrontendMessage::Bind(bind) => queries.statements.bind(client, &queries.parser, &bind).await?,
            PgWireFrontendMessage::Execute(message) => execute(queries, client, &message).await?,
            PgWireFrontendMessage::Describe(message) => describe(queries, client, &message).await?,
            PgWireFrontendMessage::Close(close) => {
                queries.statements.close(client, &self.session.cursors, &close).await?;
            }
            PgWireFrontendMessage::Flush(_) => client.flush().await?,
            PgWireFrontendMessage::Sync(_) => {
                client.portal_store().rm_portal(DEFAULT_NAME);
                client.set_state(PgWireConnectionState::ReadyForQuery);
                self.session.settle();
                report(client, &self.session.settings).await?;
                let status = client.transaction_status();
                send_ready_for_query(client, status).await?;
            }
            _ => {}
        }
        drop(reserved);
        Ok(())
    }
}

/// Tells a client of an error. Returns it where it ends the connection.
async fn tell<S: Stream>(client: &mut Client<S>, error: PgWireError, is_extended: bool) -> PgWireResult<()> {
    if matches!(error, PgWireError::IoError(_)) {
        return Err(error);
    }
    let info = ErrorInfo::from(error);
    let is_fatal = info.is_fatal();
    let error = PgWireError::UserError(Box::new(info));
    if is_fatal {
        return Err(error);
    }
    process_error(client, error, is_extended).await?;
    Ok(())
}

/// Tells a client why its connection ends, and lets it read that.
async fn send_away<S: Stream>(client: &mut Client<S>, reason: PgWireError) -> io::Result<()> {
    let farewell = async {
        client.send(PgWireBackendMessage::ErrorResponse(ErrorInfo::from(reason).into())).await?;
        client.close().await?;
        let mut unread = [0; 1 << 10];
        while client.get_mut().read(&mut unread).await? > 0 {}
        Ok::<(), io::Error>(())
    };
    timeout(FAREWELL, farewell).await.unwrap_or(Ok(()))
}
