//! The tokens that a running server knows.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use parking_lot::{Mutex, RwLock};
use skillscope_query::Clock;
use subtle::ConstantTimeEq;
use tokio::sync::watch;

use super::AccessError;
use super::attempts::Attempts;
use super::logins::Logins;
use super::oauth1::{Replays, SignedRequest, Untimely};
use super::pass::{LiveToken, Pass};
use super::scram_verifier::ScramVerifier;
use super::secret::{Fingerprint, Secret, random};
use super::token::{Credential, SigningKeys, Token, TokenId};
use super::token_file::TokenFile;

/// Who may enter a server. Cheap to clone.
///
/// Where the data directory has never had a token, nobody is asked. From the first token on everybody is, also when
/// the last one has been revoked.
#[derive(Debug, Clone)]
pub struct Access(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// None where nobody is ever asked.
    file: Option<TokenFile>,
    tokens: RwLock<Arc<Tokens>>,
    /// Whether tokens are asked for, which ends whatever was let in without one.
    asks: watch::Sender<bool>,
    logins: Mutex<Logins>,
    attempts: Attempts,
    replays: Replays,
    /// Makes the verifiers of names that nobody has.
    nobody: [u8; 32],
    /// What was written down last of the uses.
    written_uses: Mutex<BTreeMap<String, i64>>,
}

/// The tokens, by what callers show.
#[derive(Debug, Default)]
struct Tokens {
    by_id: BTreeMap<TokenId, Arc<LiveToken>>,
    by_fingerprint: HashMap<Fingerprint, Arc<LiveToken>>,
    by_name: HashMap<String, Arc<LiveToken>>,
    by_consumer_key: HashMap<String, Arc<LiveToken>>,
}

/// A client of PostgreSQL that says a name, and has to prove that it has the token.
#[derive(Debug)]
pub(crate) struct ScramAttempt {
    pub(crate) verifier: ScramVerifier,
    live: Option<Arc<LiveToken>>,
}

/// Why the sender of a signed request is not let in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NotSigned {
    /// The signature is not that of a token that is good.
    Unknown,
    /// The signature is right.
    Untimely(Untimely),
}

/// The keys and secrets of OAuth 1.0, in the words of clients that log in with them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SigningSecrets<'s> {
    pub(crate) app_key: &'s str,
    pub(crate) secret: &'s str,
    pub(crate) access_token: &'s str,
    pub(crate) access_token_secret: &'s str,
}

impl Access {
    /// Nobody is asked.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub fn of_anybody() -> Result<Self, AccessError> {
        Self::new(None)
    }

    /// By the tokens of a data directory, which may have none, and need not exist.
    ///
    /// # Errors
    /// Where the file of tokens cannot be read.
    pub fn of_directory(folder: &Path) -> Result<Self, AccessError> {
        let access = Self::new(Some(TokenFile::in_directory(folder)))?;
        access.reload()?;
        Ok(access)
    }

    fn new(file: Option<TokenFile>) -> Result<Self, AccessError> {
        let written_uses = file.as_ref().map(TokenFile::uses).unwrap_or_default();
        Ok(Self(Arc::new(Shared {
            replays: Replays::of(file.clone()),
            file,
            tokens: RwLock::default(),
            asks: watch::Sender::new(false),
            logins: Mutex::default(),
            attempts: Attempts::default(),
            nobody: random()?,
            written_uses: Mutex::new(written_uses),
        })))
    }

    /// Whether callers are asked for a token.
    pub fn asks(&self) -> bool {
        *self.0.asks.borrow()
    }

    /// Takes over what the file of tokens says now. What was let in by a token that is gone ends.
    ///
    /// # Errors
    /// Where the file cannot be read; what was known before stays.
    pub fn reload(&self) -> Result<(), AccessError> {
        let Some(file) = &self.0.file else { return Ok(()) };
        // Whoever reads the file later must not be overtaken by what was read before.
        let mut current = self.0.tokens.write();
        let Some(tokens) = file.read()? else { return Ok(()) };
        let new = Tokens::of(tokens, &current);
        let gone: Vec<_> = current.by_id.iter().filter(|(id, _)| !new.by_id.contains_key(id)).collect();
        gone.into_iter().for_each(|(_, live)| live.revoke());
        *current = Arc::new(new);
        drop(current);
        self.0.asks.send_if_modified(|asks| !std::mem::replace(asks, true));
        Ok(())
    }

    /// The pass of a caller who shows nothing; `None` where tokens are asked for.
    pub(crate) fn without_token(&self) -> Option<Pass> {
        let pass = Pass::of_anybody(self.0.asks.subscribe());
        pass.is_good().then_some(pass)
    }

    /// The pass of whoever shows this text: a token, or what stands for one after a log-in.
    pub(crate) fn by_secret(&self, text: &str) -> Option<Pass> {
        let shown = Fingerprint::of(text);
        let live = self.tokens().by_fingerprint.get(&shown).cloned();
        if let Some(live) = live.filter(|live| live.token.opens_with(&shown)) {
            return Pass::of_token(live, None);
        }
        self.0.logins.lock().pass(&shown)
    }

    /// The pass of whoever shows a token together with its name.
    pub(crate) fn by_name_and_secret(&self, name: &str, text: &str) -> Option<Pass> {
        let shown = Fingerprint::of(text);
        let live = self.tokens().by_name.get(name).cloned()?;
        if live.token.opens_with(&shown) { Pass::of_token(live, None) } else { None }
    }

    /// The pass of whoever knows all that a token of OAuth 1.0 signs with, together with its name.
    pub(crate) fn by_name_and_signing_secrets(&self, name: &str, shown: SigningSecrets<'_>) -> Option<Pass> {
        let live = self.tokens().by_consumer_key.get(shown.app_key).cloned()?;
        let knows = live.token.signing_keys().is_some_and(|keys| keys.are(shown)) && live.token.name == name;
        if knows { Pass::of_token(live, None) } else { None }
    }

    /// The pass of the sender of a signed request.
    pub(crate) async fn by_signature(&self, request: &SignedRequest) -> Result<Pass, NotSigned> {
        let live = self.tokens().by_consumer_key.get(request.consumer_key()).cloned();
        let keys = live.as_ref().and_then(|live| live.token.signing_keys());
        let is_signed = request.is_signed_with(keys);
        let live = live.filter(|_| is_signed).ok_or(NotSigned::Unknown)?;
        let (token, timestamp, now) = (live.token.id, request.timestamp(), Clock::System.now() / 1000);
        let taken = self.0.replays.take(token, timestamp, request.nonce(), now);
        if taken.map_err(NotSigned::Untimely)? {
            let shared = Arc::clone(&self.0);
            let written = tokio::task::spawn_blocking(move || shared.replays.write(token, timestamp, now)).await;
            // Reports go on where the disk does not.
            if !matches!(written, Ok(Ok(()))) {
                tracing::warn!(
                    ?written,
                    "signed requests could be sent again after a restart: it cannot be written down that they came"
                );
            }
        }
        Pass::of_token(live, None).ok_or(NotSigned::Unknown)
    }

    /// Begins to let a client of PostgreSQL in that says this name. Whether there is such a token shows in nothing.
    pub(crate) fn scram(&self, name: &str) -> ScramAttempt {
        let live = self.tokens().by_name.get(name).cloned();
        let verifier = live.as_ref().and_then(|live| live.token.scram());
        let verifier = verifier.unwrap_or_else(|| ScramVerifier::of_nobody(name, &self.0.nobody));
        ScramAttempt { verifier, live }
    }

    /// Stands for the token of `pass` until `expires`, so that a client need not keep the token itself. Where nobody is
    /// asked, it stands for nothing, and opens nothing once somebody is.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(crate) fn log_in(&self, pass: &Pass, expires: i64) -> Result<Secret, AccessError> {
        match pass.token() {
            Some(token) => self.0.logins.lock().add(Some(token), expires),
            None => Logins::of_nobody(),
        }
    }

    /// The same for the owner of the data directory, who may do everything.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(super) fn log_in_owner(&self, expires: i64) -> Result<Secret, AccessError> {
        self.0.logins.lock().add(None, expires)
    }

    /// Counts an attempt to enter that failed, and keeps whoever goes on trying waiting.
    pub(crate) async fn fail(&self, from: Option<IpAddr>) {
        let wait = self.0.attempts.failed(from, Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// How many attempts to enter have failed since the start.
    pub(crate) fn failed_attempts(&self) -> u64 {
        self.0.attempts.count()
    }

    /// Writes down when each token was used last, if that has changed.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn write_uses(&self) -> Result<(), AccessError> {
        let Some(file) = &self.0.file else { return Ok(()) };
        let mut written = self.0.written_uses.lock();
        let tokens = self.tokens();
        let mut uses = BTreeMap::new();
        for (id, live) in &tokens.by_id {
            let id = id.text();
            let before = written.get(&id).copied().unwrap_or(0);
            let last_use = live.last_use.load(Ordering::Relaxed).max(before);
            if last_use > 0 {
                uses.insert(id, last_use);
            }
        }
        if uses != *written {
            file.write_uses(&uses)?;
            *written = uses;
        }
        Ok(())
    }

    fn tokens(&self) -> Arc<Tokens> {
        Arc::clone(&self.0.tokens.read())
    }
}

impl SigningKeys {
    /// Whether they are those that somebody shows, in a time that does not tell how much of them is.
    fn are(&self, shown: SigningSecrets<'_>) -> bool {
        let pairs = [
            (&self.consumer_key, shown.app_key),
            (&self.consumer_secret, shown.secret),
            (&self.token, shown.access_token),
            (&self.token_secret, shown.access_token_secret),
        ];
        pairs.iter().fold(true, |all, (own, shown)| all & bool::from(own.as_bytes().ct_eq(shown.as_bytes())))
    }
}

impl Tokens {
    /// The tokens of the file. What is known of one that was there `before` stays.
    fn of(tokens: Vec<Token>, before: &Self) -> Self {
        let mut new = Self::default();
        for token in tokens {
            let live = before.by_id.get(&token.id).cloned().unwrap_or_else(|| LiveToken::new(token));
            match &live.token.credential {
                Credential::Bearer { sha256, .. } => {
                    new.by_fingerprint.insert(*sha256, Arc::clone(&live));
                    new.by_name.insert(live.token.name.clone(), Arc::clone(&live));
                }
                Credential::Oauth1(keys) => {
                    new.by_consumer_key.insert(keys.consumer_key.clone(), Arc::clone(&live));
                }
            }
            new.by_id.insert(live.token.id, live);
        }
        new
    }
}

impl ScramAttempt {
    /// The pass of a client whose proof is right.
    pub(crate) fn pass(self, proof: &[u8], auth_message: &[u8]) -> Option<Pass> {
        if !self.verifier.accepts(proof, auth_message) {
            return None;
        }
        self.live.and_then(|live| Pass::of_token(live, None))
    }
}

/// For how long the owner of a data directory gets in with one answer of the control socket: long enough for a large
/// import or backup.
pub(super) fn owners_time() -> i64 {
    const DAY_MS: i64 = 24 * 60 * 60 * 1000;
    Clock::System.now().saturating_add(DAY_MS)
}
