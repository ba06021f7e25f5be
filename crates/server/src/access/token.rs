//! A token: who may enter with it, where to, and until when.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use skillscope_query::Scope;
use skillscope_segment::AccountId;

use super::AccessError;
use super::permission::Permission;
use super::scram_verifier::ScramVerifier;
use super::secret::{Fingerprint, Secret, random};
use crate::hex;

/// What a token begins with.
const PREFIX: &str = "skt_";

/// The most characters of a token's name. PostgreSQL's clients send it as the user.
const MOST_NAME_CHARACTERS: usize = 63;

/// What a new token shall be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// How people and PostgreSQL's clients call it.
    pub name: String,
    /// Whose data it opens.
    pub account: Scope,
    /// What it opens of that.
    pub permissions: Vec<Permission>,
    /// From when on it opens nothing more, in milliseconds since the epoch.
    pub expires: Option<i64>,
}

/// A token, without the secret that opens.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Token {
    pub(super) id: TokenId,
    pub(super) name: String,
    #[serde(with = "account")]
    pub(super) account: Scope,
    #[serde(rename = "scopes")]
    pub(super) permissions: Vec<Permission>,
    /// In milliseconds since the epoch, like all times here.
    pub(super) created: i64,
    pub(super) expires: Option<i64>,
    #[serde(flatten)]
    pub(super) credential: Credential,
}

/// Tells tokens apart that had the same name one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct TokenId(#[serde(with = "hex")] [u8; 8]);

/// How the holder of a token proves to be that.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Credential {
    /// By the token itself, or by what SCRAM makes of it.
    Bearer { sha256: Fingerprint, scram: ScramVerifier },
    /// By signatures of OAuth 1.0, which only who knows the secrets can check.
    Oauth1(SigningKeys),
}

/// The keys and secrets of OAuth 1.0 (RFC 5849, section 1.1).
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct SigningKeys {
    pub(super) consumer_key: String,
    pub(super) consumer_secret: String,
    pub(super) token: String,
    pub(super) token_secret: String,
}

impl std::fmt::Debug for SigningKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SigningKeys").field("consumer_key", &self.consumer_key).finish_non_exhaustive()
    }
}

impl TokenId {
    /// The identifier as text, by which what is known of the token is written down.
    pub(super) fn text(self) -> String {
        hex::digits(&self.0)
    }
}

impl Token {
    /// Makes a token, and the secret that opens with it.
    ///
    /// # Errors
    /// A name that cannot be one, no permission at all, or a system without random numbers.
    pub(super) fn new(wanted: NewToken, now: i64) -> Result<(Self, Secret), AccessError> {
        let secret = Secret::random(PREFIX)?;
        let text = secret.reveal();
        let credential = Credential::Bearer { sha256: Fingerprint::of(text), scram: ScramVerifier::of(text)? };
        Ok((Self::with(wanted, now, credential)?, secret))
    }

    /// The same for clients that sign with OAuth 1.0.
    ///
    /// # Errors
    /// Those of [`Token::new`].
    pub(super) fn of_oauth1(wanted: NewToken, now: i64) -> Result<(Self, SigningKeys), AccessError> {
        let text = || Secret::random("").map(|secret| secret.reveal().to_owned());
        let keys =
            SigningKeys { consumer_key: text()?, consumer_secret: text()?, token: text()?, token_secret: text()? };
        Ok((Self::with(wanted, now, Credential::Oauth1(keys.clone()))?, keys))
    }

    fn with(wanted: NewToken, now: i64, credential: Credential) -> Result<Self, AccessError> {
        let NewToken { name, account, mut permissions, expires } = wanted;
        check_name(&name)?;
        permissions.sort_unstable();
        permissions.dedup();
        if permissions.is_empty() {
            return Err(AccessError::NoScope);
        }
        if expires.is_some_and(|expires| expires <= now) {
            return Err(AccessError::ExpiresBeforeNow);
        }
        Ok(Self { id: TokenId(random()?), name, account, permissions, created: now, expires, credential })
    }

    /// Whether a text with this fingerprint is the token.
    pub(super) fn opens_with(&self, shown: &Fingerprint) -> bool {
        matches!(&self.credential, Credential::Bearer { sha256, .. } if sha256.is(shown))
    }

    /// By what a client of PostgreSQL proves that it has the token.
    pub(super) fn scram(&self) -> Option<ScramVerifier> {
        match &self.credential {
            Credential::Bearer { scram, .. } => Some(scram.clone()),
            Credential::Oauth1(_) => None,
        }
    }

    /// By what its holder signs requests.
    pub(super) fn signing_keys(&self) -> Option<&SigningKeys> {
        match &self.credential {
            Credential::Bearer { .. } => None,
            Credential::Oauth1(keys) => Some(keys),
        }
    }
}

/// A colon would end the name in Basic authentication, and a control character would upset whoever lists names.
fn check_name(name: &str) -> Result<(), AccessError> {
    let is_allowed = |c: char| !c.is_control() && c != ':' && (c == ' ' || !c.is_whitespace());
    let is_name = !name.is_empty()
        && name.trim() == name
        && name.chars().count() <= MOST_NAME_CHARACTERS
        && name.chars().all(is_allowed);
    if is_name { Ok(()) } else { Err(AccessError::Name { name: name.to_owned(), most: MOST_NAME_CHARACTERS }) }
}

/// A scope as the name of an account, or `*` for all of them.
mod account {
    use serde::de::Error;

    use super::{AccountId, Deserialize, Deserializer, Scope, Serializer};

    pub(super) fn serialize<S: Serializer>(scope: &Scope, out: S) -> Result<S::Ok, S::Error> {
        out.serialize_str(scope.account().map_or("*", AccountId::as_str))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Scope, D::Error> {
        let name = String::deserialize(input)?;
        if name == "*" {
            return Ok(Scope::All);
        }
        AccountId::parse(&name).map(Scope::Account).map_err(D::Error::custom)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::access) fn wanted(name: &str) -> NewToken {
        NewToken { name: name.to_owned(), account: Scope::All, permissions: vec![Permission::Sql], expires: None }
    }

    #[test]
    fn a_name_is_one_line_that_other_protocols_can_carry() {
        for good in ["wallboard", "Team Müller", "a", &"x".repeat(63)] {
            assert!(Token::new(wanted(good), 0).is_ok(), "{good:?}");
        }
        for bad in ["", " a", "a ", "a:b", "a\nb", "a\u{a0}b", &"x".repeat(64)] {
            assert!(matches!(Token::new(wanted(bad), 0), Err(AccessError::Name { .. })), "{bad:?}");
        }
    }

    #[test]
    fn a_token_opens_something_for_some_time() {
        let none = NewToken { permissions: Vec::new(), ..wanted("a") };
        assert!(matches!(Token::new(none, 0), Err(AccessError::NoScope)));
        let past = NewToken { expires: Some(10), ..wanted("a") };
        assert!(matches!(Token::new(past.clone(), 10), Err(AccessError::ExpiresBeforeNow)));
        assert!(Token::new(past, 9).is_ok());
    }

    #[test]
    fn what_is_written_down_does_not_open() {
        let (token, secret) = Token::new(wanted("a"), 0).unwrap();
        let written = serde_json::to_string(&token).unwrap();
        let bits = secret.reveal().strip_prefix(PREFIX).unwrap();
        assert!(!written.contains(bits), "{written}");
        let read: Token = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string(&read).unwrap(), written);
    }
}
