//! How a connection begins: in plain text, or with a client that asks for TLS or speaks it at once.

use std::io;
use std::net::SocketAddr;

use datafusion_postgres::pgwire::error::PgWireResult;
use futures::FutureExt;
use tokio::io::AsyncWriteExt;

use super::client::Stream;
use super::error::{SqlState, fatal, shut_down, unacceptable, unreadable};
use super::incoming::Incoming;
use super::memory::MessageMemory;
use super::startup_packet::StartUpPacket;
use crate::connections::Refusal;
use crate::stopping::Stopping;
use crate::tls::{Handshakes, RECORD, Wire};

/// The name of the protocol within a handshake of TLS.
pub(super) const PROTOCOL: &str = "postgresql";

/// Clients ask for two kinds of encryption, one after the other, and then for what they want.
const PACKETS: usize = 3;

/// How connections are encrypted, if they are. Cheap to clone.
#[derive(Clone)]
pub(super) struct Encryption(Option<Handshakes>);

/// A connection whose client is done with encryption.
pub(super) struct Begun<S> {
    pub(super) wire: Wire<S>,
    /// What the client wants; `None` if it has gone. An error is what it is to be told.
    pub(super) packet: PgWireResult<Option<StartUpPacket>>,
}

impl Encryption {
    pub(super) fn new(handshakes: Option<Handshakes>) -> Self {
        Self(handshakes)
    }

    /// Lets a client choose how it speaks, and reads what it wants then. `None` where the connection is of no use any
    /// more.
    pub(super) async fn begin<S: Stream>(
        &self,
        mut stream: S,
        peer: SocketAddr,
        incoming: &mut Incoming,
        stopping: &Stopping,
    ) -> Option<Begun<S>> {
        let Some(handshakes) = &self.0 else {
            return negotiate(Wire::Plain(stream), peer, incoming, stopping, None).await;
        };
        let first = tokio::select! {
            first = incoming.first_byte(&mut stream) => first,
            () = stopping.begun() => return Some(Begun { wire: Wire::Plain(stream), packet: Err(shut_down()) }),
        };
        if !matches!(first, Ok(Some(RECORD))) {
            return negotiate(Wire::Plain(stream), peer, incoming, stopping, Some(handshakes)).await;
        }
        let wire = handshakes.complete(stream, &incoming.take_all(), peer).await?;
        // As in PostgreSQL: what a client sends for another protocol is not to be taken for this one.
        if wire.protocol() != Some(PROTOCOL.as_bytes()) {
            handshakes
                .fail(peer, &"the client speaks TLS at once, and does not name the protocol (ALPN) as postgresql");
            return None;
        }
        negotiate(wire, peer, incoming, stopping, Some(handshakes)).await
    }

    /// Notes a client that has not said in time what it wants.
    pub(super) fn note_late(&self, peer: SocketAddr) {
        if let Some(handshakes) = &self.0 {
            handshakes.fail(peer, &"the client does not come to the point");
        }
    }

    /// A refusal that is told where clients expect it.
    pub(super) fn refusal(&self, refusal: Refusal, memory: &MessageMemory, stopping: &Stopping) -> Refusal {
        if self.0.is_none() {
            return refusal;
        }
        let (this, memory, stopping) = (self.clone(), memory.clone(), stopping.clone());
        refusal.after(move |stream, peer| {
            let (this, mut incoming, stopping) = (this.clone(), Incoming::new(memory.clone()), stopping.clone());
            async move { Some(this.begin(stream, peer, &mut incoming, &stopping).await?.wire) }.boxed()
        })
    }
}

/// Answers a client's wishes for encryption until it says what it wants.
async fn negotiate<S: Stream>(
    mut wire: Wire<S>,
    peer: SocketAddr,
    incoming: &mut Incoming,
    stopping: &Stopping,
    handshakes: Option<&Handshakes>,
) -> Option<Begun<S>> {
    for _ in 0..PACKETS {
        let read = tokio::select! {
            packet = incoming.start_up_packet(&mut wire) => packet.map_err(unreadable),
            () = stopping.begun() => Err(shut_down()),
        };
        let parse = |packet: Option<_>| {
            packet.map(|packet: bytes::BytesMut| StartUpPacket::parse(&packet)).transpose().map_err(unacceptable)
        };
        let packet = match read.and_then(parse) {
            Ok(Some(packet)) => packet,
            ended => return Some(Begun { wire, packet: ended }),
        };
        let refused = match (&packet, handshakes) {
            (StartUpPacket::Tls | StartUpPacket::Gss, _) if wire.is_encrypted() => {
                fatal(SqlState::Protocol, "the connection is encrypted already")
            }
            (StartUpPacket::Tls, Some(handshakes)) => {
                // Whoever can send something within the connection of another would have it taken for that client's.
                if incoming.has_more() {
                    let text = "received unencrypted data after the request for TLS; somebody between may have sent it";
                    return Some(Begun { wire, packet: Err(fatal(SqlState::Protocol, text)) });
                }
                say(&mut wire, b"S").await.ok()?;
                let Wire::Plain(stream) = wire else { return None };
                wire = handshakes.complete(stream, &[], peer).await?;
                continue;
            }
            (StartUpPacket::Tls | StartUpPacket::Gss, _) => {
                say(&mut wire, b"N").await.ok()?;
                continue;
            }
            // The request to cancel comes in plain text from most clients, and tells nothing but a number of its own.
            (StartUpPacket::Start(_), Some(_)) if !wire.is_encrypted() => fatal(
                SqlState::NotAuthorized,
                "this server takes encrypted connections alone: connect with sslmode=require, or verify-full",
            ),
            _ => return Some(Begun { wire, packet: Ok(Some(packet)) }),
        };
        return Some(Begun { wire, packet: Err(refused) });
    }
    let text = "the client asks for encryption again and again, and there is none";
    Some(Begun { wire, packet: Err(fatal(SqlState::Protocol, text)) })
}

/// The answer to a wish for encryption has one byte.
async fn say<S: Stream>(wire: &mut Wire<S>, answer: &[u8]) -> io::Result<()> {
    wire.write_all(answer).await?;
    wire.flush().await
}
