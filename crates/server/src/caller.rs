//! Who asks, and for which accounts. Every door finds out here, from what its protocol tells of a client, before it
//! answers with anything of an account.
//!
//! No client has to prove who it is. An HTTP client sees every account, and names one in each request. A client of
//! PostgreSQL names its account once, as its database, and sees that account alone; a database of its own stands for
//! all. A client of Flight SQL names its account in a header; one that names none sees all.

use std::collections::HashMap;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use datafusion_postgres::pgwire::api::METADATA_DATABASE;
use skillscope_query::Scope;
use skillscope_segment::AccountId;
use tonic::metadata::MetadataMap;

/// The PostgreSQL database in which operators see all accounts.
pub(crate) const ALL_ACCOUNTS: &str = AccountId::OF_ALL;

/// The header of Flight SQL requests that names the account.
const ACCOUNT_HEADER: &str = "account";

/// Who asks.
#[derive(Debug, PartialEq)]
pub(crate) struct Caller {
    scope: Scope,
}

/// Why a caller is not served.
#[derive(Debug, PartialEq, thiserror::Error)]
pub(crate) enum Refused {
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
    /// The sender of an HTTP request with these headers.
    pub(crate) fn of_http(_headers: &HeaderMap) -> Result<Self, Refused> {
        Ok(Self { scope: Scope::All })
    }

    /// A client of PostgreSQL, whose start-up packet has these parameters: its database is an account, or
    /// [`ALL_ACCOUNTS`].
    pub(crate) fn of_postgresql(startup: &HashMap<String, String>) -> Result<Self, Refused> {
        let database = startup.get(METADATA_DATABASE).map(String::as_str).ok_or(Refused::NoDatabase)?;
        Self::of_account(Some(database).filter(|database| *database != ALL_ACCOUNTS))
    }

    /// The sender of a Flight SQL request with these headers.
    pub(crate) fn of_flight(headers: &MetadataMap) -> Result<Self, Refused> {
        let account = headers.get(ACCOUNT_HEADER).map(|account| account.to_str().map_err(|_| Refused::NotText));
        Self::of_account(account.transpose()?)
    }

    fn of_account(named: Option<&str>) -> Result<Self, Refused> {
        Ok(Self { scope: named.map_or(Ok(Scope::All), |named| known(named).map(Scope::Account))? })
    }

    /// The accounts that the caller sees.
    pub(crate) fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The accounts of a request that names one, or means all that the caller sees.
    pub(crate) fn scope_of(&self, named: Option<&str>) -> Result<Scope, Refused> {
        named.map_or_else(|| Ok(self.scope.clone()), |named| self.account(named).map(Scope::Account))
    }

    /// The account of a request that names it.
    pub(crate) fn account(&self, named: &str) -> Result<AccountId, Refused> {
        let account = known(named)?;
        self.check(named)?;
        Ok(account)
    }

    /// Checks that a request for what belongs to all accounts may be answered.
    pub(crate) fn check_all(&self) -> Result<(), Refused> {
        match &self.scope {
            Scope::All => Ok(()),
            Scope::Account(own) => Err(Refused::OutOfScope { own: own.clone() }),
        }
    }

    fn check(&self, named: &str) -> Result<(), Refused> {
        if self.scope.includes(named) { Ok(()) } else { self.check_all() }
    }
}

fn known(named: &str) -> Result<AccountId, Refused> {
    AccountId::parse(named).map_err(|error| Refused::NoAccount { named: named.to_owned(), rule: error.to_string() })
}

/// A handler of HTTP requests takes the caller as an argument.
impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Refused> {
        Self::of_http(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(name: &str) -> HashMap<String, String> {
        HashMap::from([(METADATA_DATABASE.to_owned(), name.to_owned())])
    }

    fn header(account: &[u8]) -> MetadataMap {
        let mut headers = HeaderMap::new();
        headers.insert(ACCOUNT_HEADER, axum::http::HeaderValue::from_bytes(account).unwrap());
        MetadataMap::from_headers(headers)
    }

    fn acme() -> Scope {
        Scope::Account(AccountId::parse("acme").unwrap())
    }

    #[test]
    fn a_database_is_an_account_or_all_of_them() {
        assert_eq!(Caller::of_postgresql(&database("acme")).unwrap().scope(), &acme());
        assert_eq!(Caller::of_postgresql(&database(ALL_ACCOUNTS)).unwrap().scope(), &Scope::All);
        assert_eq!(Caller::of_postgresql(&HashMap::new()), Err(Refused::NoDatabase));
        assert!(matches!(Caller::of_postgresql(&database("no/account")), Err(Refused::NoAccount { .. })));
    }

    #[test]
    fn a_header_of_flight_sql_names_the_account() {
        assert_eq!(Caller::of_flight(&header(b"acme")).unwrap().scope(), &acme());
        assert_eq!(Caller::of_flight(&MetadataMap::new()).unwrap().scope(), &Scope::All);
        assert!(matches!(Caller::of_flight(&header(b"")), Err(Refused::NoAccount { .. })));
        assert_eq!(Caller::of_flight(&header(b"\xff")), Err(Refused::NotText));
    }

    #[test]
    fn a_request_over_http_names_any_account() {
        let caller = Caller::of_http(&HeaderMap::new()).unwrap();
        assert_eq!(caller.scope_of(Some("acme")).unwrap(), acme());
        assert_eq!(caller.scope_of(None).unwrap(), Scope::All);
        assert_eq!(caller.account("acme").unwrap().as_str(), "acme");
        assert!(matches!(caller.account("a/b"), Err(Refused::NoAccount { .. })));
        assert!(caller.check_all().is_ok());
    }

    #[test]
    fn a_caller_of_one_account_asks_for_no_other() {
        let caller = Caller { scope: acme() };
        assert_eq!(caller.scope_of(None).unwrap(), acme());
        assert_eq!(caller.account("acme").unwrap().as_str(), "acme");
        let refused = Refused::OutOfScope { own: AccountId::parse("acme").unwrap() };
        assert_eq!(caller.account("bolt").as_ref(), Err(&refused));
        assert_eq!(caller.scope_of(Some("bolt")).as_ref(), Err(&refused));
        assert_eq!(caller.check_all(), Err(refused));
    }
}
