//! How a client of PostgreSQL proves that it has a token: SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.
//! The user is the token's name, and the token the password.
//!
//! ```text
//! client                                        server
//!   start-up packet, user U ─────────────────────▶
//!   ◀──────────────────────── mechanisms: SCRAM-SHA-256
//!   n,,n=,r=C ───────────────────────────────────▶
//!   ◀──────────────────── r=C+S, salt, iterations
//!   c=biws,r=C+S,p=proof ────────────────────────▶
//!   ◀───────────────────────────── v=signature, let in
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use datafusion_postgres::pgwire::error::PgWireResult;
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::startup::Authentication;
use futures::SinkExt;

use super::client::{Client, Stream};
use super::error::{SqlState, fatal, unreadable};
use super::incoming::Incoming;
use crate::access::{Access, Pass, Secret};

const MECHANISM: &str = "SCRAM-SHA-256";

/// Lets a client in that says this name and proves that it has the token; `None` where its proof is wrong.
///
/// # Errors
/// Where the client does not keep to the protocol, or the connection fails.
pub(super) async fn prove<S: Stream>(
    client: &mut Client<S>,
    incoming: &mut Incoming,
    access: &Access,
    user: &str,
) -> PgWireResult<Option<Pass>> {
    let attempt = access.scram(user);
    send(client, Authentication::SASL(vec![MECHANISM.to_owned()])).await?;
    let first = answer(client, incoming).await?;
    let first = ClientFirst::parse(&first).ok_or_else(malformed)?;
    let nonce = format!("{}{}", first.nonce, nonce()?);
    let verifier = &attempt.verifier;
    let server_first = format!("r={nonce},s={},i={}", STANDARD.encode(verifier.salt()), verifier.iterations());
    send(client, Authentication::SASLContinue(server_first.clone().into())).await?;
    let last = answer(client, incoming).await?;
    let last = ClientFinal::parse(&last).ok_or_else(malformed)?;
    if last.nonce != nonce || last.binding != first.header {
        return Err(malformed());
    }
    let messages = format!("{},{server_first},{}", first.bare, last.without_proof);
    let signature = format!("v={}", STANDARD.encode(verifier.signature(messages.as_bytes())));
    let pass = attempt.pass(&last.proof, messages.as_bytes());
    if pass.is_some() {
        send(client, Authentication::SASLFinal(signature.into())).await?;
    }
    Ok(pass)
}

/// The server's part of the nonce.
fn nonce() -> PgWireResult<String> {
    let secret = Secret::random("").map_err(|error| fatal(SqlState::Internal, error.to_string()))?;
    Ok(secret.reveal().to_owned())
}

fn malformed() -> datafusion_postgres::pgwire::error::PgWireError {
    fatal(SqlState::Protocol, "the client does not keep to SCRAM-SHA-256 without channel binding")
}

async fn send<S: Stream>(client: &mut Client<S>, message: Authentication) -> PgWireResult<()> {
    client.send(PgWireBackendMessage::Authentication(message)).await?;
    Ok(())
}

/// The body of the client's next answer.
async fn answer<S: Stream>(client: &mut Client<S>, incoming: &mut Incoming) -> PgWireResult<Vec<u8>> {
    let message = incoming.proof(client.get_mut()).await.map_err(unreadable)?;
    let gone = || fatal(SqlState::Protocol, "the client has gone");
    let message = message.ok_or_else(gone)?;
    Ok(message.body().to_vec())
}

/// The client's first answer: a mechanism, a length, and the first message of SCRAM.
#[derive(Debug, PartialEq, Eq)]
struct ClientFirst {
    /// What says that there is no channel binding, as the last message repeats it.
    header: String,
    bare: String,
    nonce: String,
}

impl ClientFirst {
    fn parse(body: &[u8]) -> Option<Self> {
        let rest = body.strip_prefix(MECHANISM.as_bytes())?.strip_prefix(b"\0")?;
        let (length, message) = rest.split_first_chunk()?;
        let message = str::from_utf8(message).ok()?;
        if usize::try_from(i32::from_be_bytes(*length)) != Ok(message.len()) {
            return None;
        }
        // `y`: the client could bind the channel, and has seen that the server does not offer it.
        let header = ["n,,", "y,,"].into_iter().find(|header| message.starts_with(header))?;
        let bare = message.strip_prefix(header)?;
        let (user, nonce) = bare.split_once(',')?;
        let nonce = nonce.strip_prefix("r=").filter(|nonce| !nonce.is_empty() && !nonce.contains(','))?;
        // The user of the start-up packet counts.
        user.strip_prefix("n=")?;
        Some(Self { header: header.to_owned(), bare: bare.to_owned(), nonce: nonce.to_owned() })
    }
}

/// The client's last answer.
#[derive(Debug, PartialEq, Eq)]
struct ClientFinal {
    binding: String,
    nonce: String,
    proof: Vec<u8>,
    without_proof: String,
}

impl ClientFinal {
    fn parse(body: &[u8]) -> Option<Self> {
        let (without_proof, proof) = str::from_utf8(body).ok()?.rsplit_once(",p=")?;
        let (binding, nonce) = without_proof.split_once(',')?;
        let binding = String::from_utf8(STANDARD.decode(binding.strip_prefix("c=")?).ok()?).ok()?;
        let nonce = nonce.strip_prefix("r=")?.to_owned();
        Some(Self { binding, nonce, proof: STANDARD.decode(proof).ok()?, without_proof: without_proof.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(mechanism: &str, length: u8, message: &str) -> Option<ClientFirst> {
        ClientFirst::parse(&[mechanism.as_bytes(), &[0, 0, 0, 0, length], message.as_bytes()].concat())
    }

    #[test]
    fn a_first_answer_names_the_mechanism_and_brings_a_nonce() {
        let parsed = first(MECHANISM, 9, "n,,n=,r=C").unwrap();
        assert_eq!(parsed, ClientFirst { header: "n,,".into(), bare: "n=,r=C".into(), nonce: "C".into() });
        assert_eq!(first(MECHANISM, 9, "y,,n=,r=C").unwrap().header, "y,,");
        assert!(first("SCRAM-SHA-1", 9, "n,,n=,r=C").is_none());
        assert!(first(MECHANISM, 8, "n,,n=,r=C").is_none(), "the length is another");
        for wrong in ["p=tls-server-end-point,,n=,r=C", "n,,n=,r=", "n,,r=C", "n,,m=x,n=,r=C", "n,,n=,r=C,x=", ""] {
            let length = u8::try_from(wrong.len()).unwrap();
            assert!(first(MECHANISM, length, wrong).is_none(), "{wrong}");
        }
        let long = format!("n,,n=,r={}", "C".repeat(192));
        assert!(first(MECHANISM, 200, &long).is_some(), "its length is no text");
        assert!(ClientFirst::parse(b"SCRAM-SHA-256\0").is_none() && ClientFirst::parse(b"").is_none());
    }

    #[test]
    fn a_last_answer_brings_a_proof() {
        let parsed = ClientFinal::parse(b"c=biws,r=CS,p=YQ==").unwrap();
        assert_eq!((parsed.binding.as_str(), parsed.nonce.as_str(), parsed.proof.as_slice()), ("n,,", "CS", &b"a"[..]));
        assert_eq!(parsed.without_proof, "c=biws,r=CS");
        for wrong in ["", "c=biws,r=CS", "r=CS,p=YQ==", "c=%,r=CS,p=YQ==", "c=biws,r=CS,p=%", "c=biws,CS,p=YQ=="] {
            assert!(ClientFinal::parse(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}
