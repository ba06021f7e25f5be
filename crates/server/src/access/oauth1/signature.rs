//! How a request is signed (RFC 5849, section 3.4.2; with SHA-256 as clients took it up later).

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::Sha256;

use super::parameters::encoded;

/// The ways to sign that are taken. To send the secrets themselves, as `PLAINTEXT` does, is none of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SignatureMethod {
    HmacSha1,
    HmacSha256,
}

impl FromStr for SignatureMethod {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "HMAC-SHA1" => Ok(Self::HmacSha1),
            "HMAC-SHA256" => Ok(Self::HmacSha256),
            _ => Err(()),
        }
    }
}

impl SignatureMethod {
    /// Whether `signature` is that of `text` by these secrets, in a time that does not tell how much of it is.
    pub(super) fn is_signature(self, signature: &str, text: &str, consumer_secret: &str, token_secret: &str) -> bool {
        let [consumer, token] = [consumer_secret, token_secret].map(|secret| encoded(secret.as_bytes()));
        let key = format!("{consumer}&{token}");
        // What is no Base64 is the signature of nothing.
        let signature = STANDARD.decode(signature).unwrap_or_default();
        match self {
            Self::HmacSha1 => is_mac::<Hmac<Sha1>>(&key, text, &signature),
            Self::HmacSha256 => is_mac::<Hmac<Sha256>>(&key, text, &signature),
        }
    }
}

fn is_mac<M: Mac + KeyInit>(key: &str, text: &str, signature: &[u8]) -> bool {
    // A key may have any length.
    let Ok(mac) = <M as KeyInit>::new_from_slice(key.as_bytes()) else { return false };
    mac.chain_update(text.as_bytes()).verify_slice(signature).is_ok()
}
