//! Random texts by which a caller proves who it is, and what is kept of them.

use std::fmt::{self, Debug, Formatter};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::SysRng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// The random bytes of a secret.
const BYTES: usize = 32;

/// A secret text. It does not show itself in errors and logs.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A new secret of 256 random bits. `prefix` tells people, and programs that look for secrets that were published by
    /// mistake, what it is.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(crate) fn random(prefix: &str) -> Result<Self, super::AccessError> {
        let bytes = random::<BYTES>()?;
        Ok(Self(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The text itself, to be shown once.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl Debug for Secret {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Random bytes of the system.
pub(super) fn random<const N: usize>() -> Result<[u8; N], super::AccessError> {
    let mut bytes = [0; N];
    SysRng.try_fill_bytes(&mut bytes).map_err(|error| super::AccessError::NoRandomNumbers(error.to_string()))?;
    Ok(bytes)
}

/// What is kept of a secret: its SHA-256. A secret has 256 random bits, so nobody finds it by trying, and a slow hash
/// would only slow down each request.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct Fingerprint(#[serde(with = "crate::hex")] [u8; 32]);

impl Fingerprint {
    pub(super) fn of(text: &str) -> Self {
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Whether both are the same, in a time that does not tell how much of them is.
    pub(super) fn is(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Debug for Fingerprint {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_256_random_bits_behind_its_prefix() {
        let (one, other) = (Secret::random("skt_").unwrap(), Secret::random("skt_").unwrap());
        assert_ne!(one, other);
        let bits = URL_SAFE_NO_PAD.decode(one.reveal().strip_prefix("skt_").unwrap()).unwrap();
        assert_eq!(bits.len() * 8, 256);
    }

    #[test]
    fn a_secret_does_not_show_itself() {
        let secret = Secret::random("skt_").unwrap();
        assert!(!format!("{secret:?} {:?}", Fingerprint::of(secret.reveal())).contains(secret.reveal()));
    }

    #[test]
    fn a_fingerprint_is_sha_256() {
        // The example of FIPS 180-2, appendix B.1.
        let written = serde_json::to_string(&Fingerprint::of("abc")).unwrap();
        assert_eq!(written, "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
        assert!(Fingerprint::of("abc").is(&serde_json::from_str(&written).unwrap()));
        assert!(!Fingerprint::of("abd").is(&Fingerprint::of("abc")));
    }
}
