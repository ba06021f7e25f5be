//! Who asks, and for which accounts. Every door finds out here, from what its protocol tells of a client, before it
//! answers with anything of an account.
//!
//! Where the data directory has no tokens, no client has to prove who it is. Otherwise each shows a token, which opens
//! one account or all of them. An HTTP client names an account in each request. A client of PostgreSQL names its account
//! once, as its database, and sees that account alone; a database of its own stands for all. A client of Flight SQL names
//! its account in a header; one that names none sees all that its token opens.

mod shown;

use std::collections::HashMap;
use std::net::IpAddr;

use axum::extract::FromRequestParts;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use datafusion_postgres::pgwire::api::METADATA_DATABASE;
use skillscope_query::{Scope, SqlSession};
use skillscope_segment::AccountId;
use tonic::metadata::MetadataMap;

use crate::App;
use crate::access::{
    Access, AccessError, AskedUrl, Holder, NotSigned, Pass, Permission, Secret, SignedRequest, SigningSecrets,
    Untimely, WINDOW_SECONDS,
};
use shown::Shown;

/// The PostgreSQL database in which operators see all accounts.
pub(crate) const ALL_ACCOUNTS: &str = AccountId::OF_ALL;

/// The header of Flight SQL requests that names the account.
const ACCOUNT_HEADER: &str = "account";

/// Who asks.
#[derive(Debug, Clone)]
pub(crate) struct Caller {
    pass: Pass,
    /// The accounts that the caller sees: those of the pass, or fewer.
    scope: Scope,
}

/// What somebody shows who logs in.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Credentials<'s> {
    Secret { name: &'s str, secret: &'s str },
    Signing { name: &'s str, shown: SigningSecrets<'s> },
}

/// Why a caller is not served.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Refused {
    /// The caller shows no token.
    #[error("a token is asked for here: send it as Authorization: Bearer TOKEN")]
    NoToken,
    /// What the caller shows is no token that is good.
    #[error("the token is not known, or it has been revoked or has expired")]
    UnknownToken,
    /// The request is not signed by a token that is good, or has come before.
    #[error(
        "the signature is not that of a known token for this request, or the request has come before; it is HMAC-SHA1 or HMAC-SHA256 over {method} {url}"
    )]
    NotSigned {
        /// The method and the URL as the server believes the client to have signed them.
        method: String,
        /// Without its query.
        url: String,
    },
    /// The request is signed as it should be, for another time.
    #[error(
        "the request is signed for {} s {} this server's clock: it may be {WINDOW_SECONDS} s off",
        ahead.unsigned_abs(), if *ahead < 0 { "behind" } else { "ahead of" }
    )]
    SignedAtAnotherTime {
        /// In seconds.
        ahead: i64,
    },
    /// The request is signed as it should be, for a time of which nothing is known any more.
    #[error(
        "requests of this token that were signed for later times have been taken, and earlier ones are not remembered: sign anew, and where the clock of one client is ahead, give each a token of its own"
    )]
    SignedTooEarly,
    /// The token has ended while it was used.
    #[error("the token has been revoked or has expired")]
    TokenEnded,
    /// The token is for something else.
    #[error("the token does not have the scope {0}")]
    NotPermitted(Permission),
    /// The name of the account breaks the rules for account names.
    #[error("{rule}")]
    NoAccount {
        /// What was given.
        named: String,
        /// What an account's name is.
        rule: String,
    },
    /// A client of PostgreSQL does not say which database it wants.
    #[error("the start-up packet names no database: it is an account, or {ALL_ACCOUNTS} for all of them")]
    NoDatabase,
    /// The header that names the account is not text.
    #[error("the header {ACCOUNT_HEADER} is not text")]
    NotText,
    /// The caller asks for more than the account that it sees.
    #[error("only the account {own} can be asked for here")]
    OutOfScope {
        /// The account that the caller sees.
        own: AccountId,
    },
}

impl Caller {
    /// The sender of an HTTP request, which came from the address `from`.
    pub(crate) async fn of_http(
        asked: AskedUrl<'_>,
        headers: &HeaderMap,
        access: &Access,
        from: Option<IpAddr>,
    ) -> Result<Self, Refused> {
        let authorization = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
        let pass = match Shown::of_http(&asked, authorization) {
            Shown::Signature(signed) => signed_in(asked, signed.as_deref(), access, from).await?,
            other => let_in(&other, access, from).await?,
        };
        Ok(Self { scope: pass.scope().clone(), pass })
    }

    /// Somebody who logs in from the address `from`.
    pub(crate) async fn of_login(
        shown: Credentials<'_>,
        access: &Access,
        from: Option<IpAddr>,
    ) -> Result<Self, Refused> {
        let pass = access.without_token().or_else(|| match shown {
            Credentials::Secret { name, secret } => access.by_name_and_secret(name, secret),
            Credentials::Signing { name, shown } => access.by_name_and_signing_secrets(name, shown),
        });
        if pass.is_none() {
            access.fail(from).await;
        }
        let pass = pass.ok_or(Refused::UnknownToken)?;
        Ok(Self { scope: pass.scope().clone(), pass })
    }

    /// The sender of a Flight SQL request with these headers, which came from the address `from`.
    pub(crate) async fn of_flight(
        headers: &MetadataMap,
        access: &Access,
        from: Option<IpAddr>,
    ) -> Result<Self, Refused> {
        let authorization = headers.get(AUTHORIZATION.as_str());
        let shown = Shown::bearer_or_basic(authorization.map(|value| value.as_bytes()));
        let pass = let_in(&shown, access, from).await?;
        let account = headers.get(ACCOUNT_HEADER).map(|account| account.to_str().map_err(|_| Refused::NotText));
        Self::within(pass, account.transpose()?)
    }

    /// What a client of Flight SQL that has shown these headers may show with its other requests: the token by itself.
    pub(crate) fn bearer_of_flight(headers: &MetadataMap) -> Option<String> {
        let authorization = headers.get(AUTHORIZATION.as_str())?;
        match Shown::bearer_or_basic(Some(authorization.as_bytes())) {
            Shown::Bearer(secret) => Some(format!("Bearer {secret}")),
            Shown::Basic { secret, .. } => Some(format!("Bearer {secret}")),
            Shown::Nothing | Shown::Signature(_) | Shown::Unknown => None,
        }
    }

    /// A client of PostgreSQL that has `pass`, and whose start-up packet has these parameters: its database is an
    /// account, or [`ALL_ACCOUNTS`].
    pub(crate) fn of_postgresql(startup: &HashMap<String, String>, pass: Pass) -> Result<Self, Refused> {
        let database = startup.get(METADATA_DATABASE).map(String::as_str).ok_or(Refused::NoDatabase)?;
        if database != ALL_ACCOUNTS {
            return Self::within(pass, Some(database));
        }
        let caller = Self::within(pass, None)?;
        caller.check_all()?;
        Ok(caller)
    }

    fn within(pass: Pass, account: Option<&str>) -> Result<Self, Refused> {
        let all = Self { scope: pass.scope().clone(), pass };
        let scope = all.scope_of(account)?;
        Ok(Self { scope, ..all })
    }

    /// Checks that the caller may do this.
    pub(crate) fn check_permission(&self, permission: Permission) -> Result<(), Refused> {
        if self.pass.permits(permission) { Ok(()) } else { Err(Refused::NotPermitted(permission)) }
    }

    /// What the caller may do.
    pub(crate) fn permissions(&self) -> Vec<Permission> {
        Permission::ALL.into_iter().filter(|permission| self.pass.permits(*permission)).collect()
    }

    /// The name of the caller's token; `None` for a caller who has none.
    pub(crate) fn name(&self) -> Option<&str> {
        self.pass.name()
    }

    /// The accounts that the caller sees.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// What stands for the caller's token until `expires`.
    ///
    /// # Errors
    /// Where the system has no random numbers.
    pub(crate) fn log_in(&self, access: &Access, expires: i64) -> Result<Secret, AccessError> {
        access.log_in(&self.pass, expires)
    }

    /// From when on the caller's token opens nothing more, in milliseconds since the epoch.
    pub(crate) fn expires(&self) -> Option<i64> {
        self.pass.expires()
    }

    /// Who it is, for limits and counts.
    pub(crate) fn holder(&self) -> Holder {
        self.pass.holder()
    }

    /// Completes when the caller must not be served any longer.
    pub(crate) async fn ended(self) -> Refused {
        self.pass.ended().await;
        Refused::TokenEnded
    }

    /// A session for the caller's statements over the accounts in `scope`.
    pub(crate) fn sql(&self, app: &App, scope: Scope, door: &'static str) -> SqlSession {
        let session = app.engine().sql(scope, door);
        if self.pass.permits(Permission::Admin) { session.with_administration() } else { session.with_own_statements() }
    }

    /// The accounts of a request that names one, or means all that the caller sees.
    pub(crate) fn scope_of(&self, named: Option<&str>) -> Result<Scope, Refused> {
        named.map_or_else(|| Ok(self.scope.clone()), |named| self.account(named).map(Scope::Account))
    }

    /// The account of a request that names it.
    pub(crate) fn account(&self, named: &str) -> Result<AccountId, Refused> {
        let account = known(named)?;
        if self.scope.includes(named) { Ok(account) } else { self.check_all().map(|()| account) }
    }

    /// Checks that a request for what belongs to all accounts may be answered.
    pub(crate) fn check_all(&self) -> Result<(), Refused> {
        match &self.scope {
            Scope::All => Ok(()),
            Scope::Account(own) => Err(Refused::OutOfScope { own: own.clone() }),
        }
    }
}

/// Lets a caller in by what it shows. Where nobody is asked, it does not matter what that is.
async fn let_in(shown: &Shown<'_>, access: &Access, from: Option<IpAddr>) -> Result<Pass, Refused> {
    if let Some(pass) = access.without_token() {
        return Ok(pass);
    }
    let pass = match shown {
        Shown::Nothing => return Err(Refused::NoToken),
        Shown::Bearer(secret) => access.by_secret(secret),
        Shown::Basic { name, secret } => access.by_name_and_secret(name, secret),
        Shown::Signature(_) | Shown::Unknown => None,
    };
    if pass.is_none() {
        access.fail(from).await;
    }
    pass.ok_or(Refused::UnknownToken)
}

/// Lets the sender of a request in by its signature.
async fn signed_in(
    asked: AskedUrl<'_>,
    signed: Option<&SignedRequest>,
    access: &Access,
    from: Option<IpAddr>,
) -> Result<Pass, Refused> {
    if let Some(pass) = access.without_token() {
        return Ok(pass);
    }
    let outcome = match signed {
        Some(signed) => access.by_signature(signed).await,
        None => Err(NotSigned::Unknown),
    };
    match outcome {
        Ok(pass) => return Ok(pass),
        // Only who knows the secrets is told so.
        Err(NotSigned::Untimely(Untimely::Clock { ahead })) => return Err(Refused::SignedAtAnotherTime { ahead }),
        Err(NotSigned::Untimely(Untimely::Overtaken)) => return Err(Refused::SignedTooEarly),
        Err(NotSigned::Untimely(Untimely::Replayed) | NotSigned::Unknown) => {}
    }
    access.fail(from).await;
    Err(Refused::NotSigned { method: asked.method.to_owned(), url: asked.base_url() })
}

fn known(named: &str) -> Result<AccountId, Refused> {
    AccountId::parse(named).map_err(|error| Refused::NoAccount { named: named.to_owned(), rule: error.to_string() })
}

/// A handler of HTTP requests takes the caller as an argument. Its route lets only those come so far that may.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused> {
        parts.extensions.get().cloned().ok_or(Refused::NoToken)
    }
}

#[cfg(test)]
mod tests;
