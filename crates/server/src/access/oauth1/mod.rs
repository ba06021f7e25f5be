//! Requests that are signed with OAuth 1.0 (RFC 5849), as existing clients send them.
//!
//! | part | file |
//! | --- | --- |
//! | the parameters of a request | `parameters.rs` |
//! | what of a request is signed | `base_string.rs` |
//! | how it is signed | `signature.rs` |
//! | that each request counts once, and soon after it was signed | `replays.rs` |

mod base_string;
mod parameters;
mod replays;
mod signature;

use subtle::ConstantTimeEq;

use super::token::SigningKeys;
use base_string::base_string;
use parameters::Parameters;
pub(super) use replays::Replays;
pub(crate) use replays::{Untimely, WINDOW_SECONDS};
use signature::SignatureMethod;

/// The longest nonce. Clients send some thirty characters.
const MOST_NONCE_BYTES: usize = 256;

/// A request, as far as a signature covers it: as its client saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AskedUrl<'r> {
    pub(crate) method: &'r str,
    pub(crate) scheme: &'r str,
    /// The host and, where it is not the scheme's own, the port.
    pub(crate) host: &'r str,
    pub(crate) path: &'r str,
    pub(crate) query: &'r str,
}

/// A request that claims to be signed.
#[derive(Debug)]
pub(crate) struct SignedRequest {
    consumer_key: String,
    token: String,
    method: SignatureMethod,
    signature: String,
    timestamp: i64,
    nonce: String,
    base_string: String,
}

/// The parameters of a signature are not there, twice there, or none that are understood.
#[derive(Debug)]
pub(crate) struct NotReadable;

impl SignedRequest {
    /// The signature of a request with this header `Authorization`. It stands in the header, or in the query; `None`
    /// where it is in neither.
    pub(crate) fn read(asked: &AskedUrl<'_>, authorization: Option<&[u8]>) -> Option<Result<Self, NotReadable>> {
        let in_header = match authorization {
            Some(header) => Some(after_scheme(header)?),
            None if asked.query.contains("oauth_signature=") => None,
            None => return None,
        };
        Some(Self::of(asked, in_header).ok_or(NotReadable))
    }

    fn of(asked: &AskedUrl<'_>, in_header: Option<&[u8]>) -> Option<Self> {
        let mut parameters = Parameters::of_query(asked.query);
        if let Some(in_header) = in_header {
            parameters.add_header(std::str::from_utf8(in_header).ok()?)?;
        }
        let of = |name: &str| parameters.only(name);
        if of("oauth_version")?.is_some_and(|version| version != "1.0") {
            return None;
        }
        Some(Self {
            consumer_key: of("oauth_consumer_key")??,
            token: of("oauth_token")??,
            method: of("oauth_signature_method")??.parse().ok()?,
            signature: of("oauth_signature")??,
            timestamp: seconds(&of("oauth_timestamp")??)?,
            nonce: of("oauth_nonce")?.filter(|nonce| !nonce.is_empty() && nonce.len() <= MOST_NONCE_BYTES)?,
            base_string: base_string(asked, &parameters),
        })
    }

    pub(super) fn consumer_key(&self) -> &str {
        &self.consumer_key
    }

    /// When its client says that it was signed, in seconds since the epoch.
    pub(super) fn timestamp(&self) -> i64 {
        self.timestamp
    }

    pub(super) fn nonce(&self) -> &str {
        &self.nonce
    }

    /// Whether it is signed with these keys; without any, the answer takes the same time.
    pub(super) fn is_signed_with(&self, keys: Option<&SigningKeys>) -> bool {
        let [consumer_secret, token_secret, token] =
            keys.map_or([""; 3], |keys| [&keys.consumer_secret, &keys.token_secret, &keys.token]);
        let is_signed = self.method.is_signature(&self.signature, &self.base_string, consumer_secret, token_secret);
        let is_token: bool = self.token.as_bytes().ct_eq(token.as_bytes()).into();
        is_signed & is_token & keys.is_some()
    }
}

/// What stands after the name of the scheme, if that is OAuth 1.0's.
fn after_scheme(header: &[u8]) -> Option<&[u8]> {
    const SCHEME: usize = "OAuth".len();
    let (scheme, rest) = header.trim_ascii().split_at_checked(SCHEME)?;
    let ends = rest.first().is_none_or(|byte| byte.is_ascii_whitespace());
    (scheme.eq_ignore_ascii_case(b"OAuth") && ends).then_some(rest)
}

/// Whole seconds since the epoch.
fn seconds(text: &str) -> Option<i64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests;
