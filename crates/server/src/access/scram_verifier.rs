//! What is kept of a token for PostgreSQL's way to enter, SCRAM-SHA-256 (RFC 5802, RFC 7677): who has it can check a
//! client's proof, and make none.

use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::AccessError;
use super::secret::random;
use crate::hex;

/// The least that clients take (RFC 7677). More would protect passwords that can be guessed; a token cannot.
const ITERATIONS: u32 = 4096;

/// Salt, and the keys that are made of the token with it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ScramVerifier {
    #[serde(with = "hex")]
    salt: [u8; 16],
    iterations: u32,
    #[serde(with = "hex")]
    stored_key: [u8; 32],
    #[serde(with = "hex")]
    server_key: [u8; 32],
}

impl ScramVerifier {
    /// The verifier of a new token.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn of(token: &str) -> Result<Self, AccessError> {
        Ok(Self::salted(token, random()?))
    }

    fn salted(token: &str, salt: [u8; 16]) -> Self {
        let mut salted = [0; 32];
        pbkdf2::pbkdf2_hmac::<Sha256>(token.as_bytes(), &salt, ITERATIONS, &mut salted);
        let client_key = hmac(&salted, b"Client Key");
        let stored_key = Sha256::digest(client_key).into();
        Self { salt, iterations: ITERATIONS, stored_key, server_key: hmac(&salted, b"Server Key") }
    }

    /// A verifier that no token has, and that is always the same for a name: a client whose name is unknown learns
    /// no more than one whose token is wrong. `secret` is this process's own.
    pub(super) fn of_nobody(name: &str, secret: &[u8; 32]) -> Self {
        let [salt, stored_key, server_key] =
            [&b"salt"[..], b"stored", b"server"].map(|part| hmac(secret, &[part, name.as_bytes()].concat()));
        let mut first = [0; 16];
        first.iter_mut().zip(salt).for_each(|(to, from)| *to = from);
        Self { salt: first, iterations: ITERATIONS, stored_key, server_key }
    }

    pub(crate) fn salt(&self) -> &[u8] {
        &self.salt
    }

    pub(crate) fn iterations(&self) -> u32 {
        self.iterations
    }

    /// Whether `proof` is that of a client that has the token, for the messages `auth_message`.
    pub(crate) fn accepts(&self, proof: &[u8], auth_message: &[u8]) -> bool {
        let signature = hmac(&self.stored_key, auth_message);
        let Ok(proof) = <[u8; 32]>::try_from(proof) else { return false };
        let mut client_key = proof;
        client_key.iter_mut().zip(signature).for_each(|(byte, mask)| *byte ^= mask);
        let stored_key: [u8; 32] = Sha256::digest(client_key).into();
        stored_key.ct_eq(&self.stored_key).into()
    }

    /// By what the client knows that this is the server that it meant.
    pub(crate) fn signature(&self, auth_message: &[u8]) -> [u8; 32] {
        hmac(&self.server_key, auth_message)
    }
}

impl std::fmt::Debug for ScramVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ScramVerifier(…)")
    }
}

fn hmac(key: &[u8; 32], message: &[u8]) -> [u8; 32] {
    // A key of HMAC may have any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return [0; 32] };
    mac.update(message);
    mac.finalize().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;

    use super::*;

    /// The exchange of RFC 7677, section 3: user "user", password "pencil".
    #[test]
    fn the_example_of_the_standard_is_accepted_and_answered() {
        let salt: [u8; 16] = STANDARD.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let verifier = ScramVerifier::salted("pencil", salt);
        let messages = "n=user,r=rOprNGfwEbeRWgbNEkqO,\
            r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096,\
            c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let proof = STANDARD.decode("dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=").unwrap();
        assert!(verifier.accepts(&proof, messages.as_bytes()));
        let signature = verifier.signature(messages.as_bytes());
        assert_eq!(STANDARD.encode(signature), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        let mut wrong = proof.clone();
        wrong[0] ^= 1;
        assert!(!verifier.accepts(&wrong, messages.as_bytes()));
        assert!(!verifier.accepts(&proof, b"other messages"));
        assert!(!verifier.accepts(b"", messages.as_bytes()));
    }

    #[test]
    fn a_name_that_nobody_has_looks_like_one_that_somebody_has() {
        let secret = [7; 32];
        let nobody = ScramVerifier::of_nobody("eve", &secret);
        assert_eq!(nobody, ScramVerifier::of_nobody("eve", &secret));
        assert_ne!(nobody.salt(), ScramVerifier::of_nobody("bob", &secret).salt());
        assert_eq!(nobody.iterations(), ScramVerifier::of("skt_x").unwrap().iterations());
    }
}
