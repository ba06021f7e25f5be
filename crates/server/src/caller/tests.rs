use axum::http::{HeaderMap, HeaderValue, Request};

use super::*;
use crate::access::{NewToken, TokenAdministration};

/// A directory with a token of the account acme and one of all accounts, and who may enter by them.
struct Guarded {
    access: Access,
    acme: String,
    all: String,
    _folder: tempfile::TempDir,
}

impl Guarded {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let tokens = TokenAdministration::of(folder.path()).unwrap();
        let add = |name: &str, account: Scope| {
            let wanted = NewToken { name: name.to_owned(), account, permissions: vec![Permission::Sql], expires: None };
            tokens.add(wanted).unwrap().reveal().to_owned()
        };
        let (acme, all) = (add("acme's", account()), add("all", Scope::All));
        Self { access: Access::of_directory(folder.path()).unwrap(), acme, all, _folder: folder }
    }

    fn pass(&self, token: &str) -> Pass {
        self.access.by_secret(token).unwrap()
    }

    fn caller(&self, token: &str) -> Caller {
        Caller::within(self.pass(token), None).unwrap()
    }
}

fn account() -> Scope {
    Scope::Account(AccountId::parse("acme").unwrap())
}

fn database(name: &str) -> HashMap<String, String> {
    HashMap::from([(METADATA_DATABASE.to_owned(), name.to_owned())])
}

fn headers(headers: &[(&'static str, &[u8])]) -> MetadataMap {
    let values = headers
        .iter()
        .map(|(name, value)| (axum::http::HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap()));
    MetadataMap::from_headers(values.collect::<HeaderMap>())
}

fn out_of_acme() -> Refused {
    Refused::OutOfScope { own: AccountId::parse("acme").unwrap() }
}

#[tokio::test]
async fn without_tokens_anybody_names_any_account() {
    let access = Access::of_anybody().unwrap();
    let pass = || access.without_token().unwrap();
    assert_eq!(Caller::of_postgresql(&database("acme"), pass()).unwrap().scope(), &account());
    assert_eq!(Caller::of_postgresql(&database(ALL_ACCOUNTS), pass()).unwrap().scope(), &Scope::All);
    assert_eq!(Caller::of_postgresql(&HashMap::new(), pass()).unwrap_err(), Refused::NoDatabase);
    assert!(matches!(Caller::of_postgresql(&database("no/account"), pass()), Err(Refused::NoAccount { .. })));
    let of_flight = async |sent: &[(&'static str, &[u8])]| Caller::of_flight(&headers(sent), &access, None).await;
    assert_eq!(of_flight(&[("account", b"acme")]).await.unwrap().scope(), &account());
    assert_eq!(of_flight(&[("authorization", b"Bearer any")]).await.unwrap().scope(), &Scope::All);
    assert!(matches!(of_flight(&[("account", b"")]).await, Err(Refused::NoAccount { .. })));
    assert_eq!(of_flight(&[("account", b"\xff")]).await.unwrap_err(), Refused::NotText);
    let caller = Caller::within(pass(), None).unwrap();
    assert_eq!(caller.scope_of(Some("acme")).unwrap(), account());
    assert_eq!(caller.scope_of(None).unwrap(), Scope::All);
    assert!(matches!(caller.account("a/b"), Err(Refused::NoAccount { .. })));
    assert!(caller.check_all().is_ok() && caller.check_permission(Permission::Admin).is_ok());
}

#[tokio::test]
async fn a_token_of_one_account_asks_for_no_other() {
    let guarded = Guarded::new();
    let caller = guarded.caller(&guarded.acme);
    assert_eq!(caller.scope_of(None).unwrap(), account());
    assert_eq!(caller.account("acme").unwrap().as_str(), "acme");
    assert_eq!(caller.account("bolt").unwrap_err(), out_of_acme());
    assert_eq!(caller.scope_of(Some("bolt")).unwrap_err(), out_of_acme());
    assert_eq!(caller.check_all().unwrap_err(), out_of_acme());
    let of_postgresql = |name, token: &str| Caller::of_postgresql(&database(name), guarded.pass(token));
    assert_eq!(of_postgresql("acme", &guarded.acme).unwrap().scope(), &account());
    for other in ["bolt", ALL_ACCOUNTS] {
        assert_eq!(of_postgresql(other, &guarded.acme).unwrap_err(), out_of_acme());
    }
    assert_eq!(of_postgresql(ALL_ACCOUNTS, &guarded.all).unwrap().scope(), &Scope::All);
    let bearer = format!("Bearer {}", guarded.acme);
    let sent = headers(&[("authorization", bearer.as_bytes()), ("account", b"bolt")]);
    assert_eq!(Caller::of_flight(&sent, &guarded.access, None).await.unwrap_err(), out_of_acme());
}

#[tokio::test]
async fn a_token_opens_what_it_says_and_nothing_else() {
    let guarded = Guarded::new();
    let caller = guarded.caller(&guarded.all);
    assert!(caller.check_permission(Permission::Sql).is_ok());
    for other in [Permission::Report, Permission::Ingest, Permission::Admin] {
        assert_eq!(caller.check_permission(other), Err(Refused::NotPermitted(other)));
    }
}

#[tokio::test]
async fn who_shows_no_token_or_a_wrong_one_is_refused() {
    let guarded = Guarded::new();
    let of_http = async |authorization: Option<String>| {
        let mut request = Request::builder();
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        let (parts, ()) = request.body(()).unwrap().into_parts();
        Caller::of_http(&parts, &guarded.access, None).await.map(|caller| caller.scope().clone())
    };
    assert_eq!(of_http(None).await, Err(Refused::NoToken));
    let basic = STANDARD_BASIC.encode(format!("all:{}", guarded.all));
    for wrong in ["Bearer skt_wrong".to_owned(), format!("Bearer {}x", guarded.all), format!("Basic {basic}")] {
        assert_eq!(of_http(Some(wrong)).await, Err(Refused::UnknownToken));
    }
    assert_eq!(of_http(Some(format!("Bearer {}", guarded.acme))).await, Ok(account()));
    let sent = headers(&[("authorization", format!("Basic {basic}").as_bytes())]);
    assert_eq!(Caller::of_flight(&sent, &guarded.access, None).await.unwrap().scope(), &Scope::All);
    assert_eq!(guarded.access.failed_attempts(), 3);
}

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as STANDARD_BASIC;
