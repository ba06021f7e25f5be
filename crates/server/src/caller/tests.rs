use axum::http::{HeaderMap, HeaderValue, Request};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use skillscope_query::Clock;

use super::*;
use crate::access::{NewToken, TokenAdministration};

/// A directory with a token of the account acme and one of all accounts, and who may enter by them.
struct Guarded {
    access: Access,
    acme: String,
    all: String,
    folder: tempfile::TempDir,
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
        Self { access: Access::of_directory(folder.path()).unwrap(), acme, all, folder }
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
    assert_eq!((caller.name(), caller.permissions()), (None, Permission::ALL.to_vec()));
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

fn asked(path: &str) -> AskedUrl<'_> {
    AskedUrl { method: "GET", scheme: "https", host: "wall.example", path, query: "" }
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
        let caller = Caller::of_http(asked("/"), &parts.headers, &guarded.access, None).await;
        caller.map(|caller| caller.scope().clone())
    };
    assert_eq!(of_http(None).await, Err(Refused::NoToken));
    let basic = STANDARD.encode(format!("all:{}", guarded.all));
    for wrong in ["Bearer skt_wrong".to_owned(), format!("Bearer {}x", guarded.all), format!("Basic {basic}")] {
        assert_eq!(of_http(Some(wrong)).await, Err(Refused::UnknownToken));
    }
    assert_eq!(of_http(Some(format!("Bearer {}", guarded.acme))).await, Ok(account()));
    let sent = headers(&[("authorization", format!("Basic {basic}").as_bytes())]);
    assert_eq!(Caller::of_flight(&sent, &guarded.access, None).await.unwrap().scope(), &Scope::All);
    assert_eq!(guarded.access.failed_attempts(), 3);
}

/// A token of OAuth 1.0 of the account acme, and a header that it signs for a request of `/signed`.
struct Signer {
    guarded: Guarded,
    secrets: crate::Oauth1Secrets,
}

impl Signer {
    fn new() -> Self {
        let guarded = Guarded::new();
        let tokens = TokenAdministration::of(guarded.folder.path()).unwrap();
        let (name, permissions) = ("signer".to_owned(), vec![Permission::Sql]);
        let secrets = tokens.add_oauth1(NewToken { name, account: account(), permissions, expires: None }).unwrap();
        guarded.access.reload().unwrap();
        Self { guarded, secrets }
    }

    fn header(&self, ahead: i64, nonce: &str) -> String {
        let crate::Oauth1Secrets { consumer_key, consumer_secret, token, token_secret } = &self.secrets;
        let timestamp = Clock::System.now() / 1000 + ahead;
        // All of these are of characters that stay as they are.
        let signed = format!(
            "oauth_consumer_key={consumer_key}&oauth_nonce={nonce}&oauth_signature_method=HMAC-SHA256&oauth_timestamp={timestamp}&oauth_token={token}"
        );
        let text =
            format!("GET&https%3A%2F%2Fwall.example%2Fsigned&{}", signed.replace('=', "%3D").replace('&', "%26"));
        let mut mac = Hmac::<Sha256>::new_from_slice(format!("{consumer_secret}&{token_secret}").as_bytes()).unwrap();
        mac.update(text.as_bytes());
        let signature = STANDARD.encode(mac.finalize().into_bytes());
        let signature = signature.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let list = signed.replace('=', "=\"").replace('&', "\", ");
        format!("OAuth realm=\"a, b\", {list}\", oauth_signature=\"{signature}\"")
    }

    async fn caller(&self, path: &str, header: &str) -> Result<Caller, Refused> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_str(header).unwrap());
        Caller::of_http(asked(path), &headers, &self.guarded.access, None).await
    }

    async fn ask(&self, path: &str, header: &str) -> Result<Scope, Refused> {
        self.caller(path, header).await.map(|caller| caller.scope().clone())
    }
}

#[tokio::test]
async fn a_signed_request_is_let_in_once() {
    let signer = Signer::new();
    let not_signed =
        |path: &str| Err(Refused::NotSigned { method: "GET".to_owned(), url: format!("https://wall.example{path}") });
    let header = signer.header(0, "a");
    assert_eq!(signer.ask("/signed", &header).await, Ok(account()));
    assert_eq!(signer.ask("/signed", &header).await, not_signed("/signed"), "again");
    assert_eq!(signer.ask("/other", &signer.header(0, "b")).await, not_signed("/other"));
    assert_eq!(signer.ask("/signed", &signer.header(0, "b").replace("\"b\"", "\"c\"")).await, not_signed("/signed"));
    let unknown = signer.header(0, "d").replace(&signer.secrets.consumer_key, "nobody's");
    assert_eq!(signer.ask("/signed", &unknown).await, not_signed("/signed"));
    assert_eq!(signer.ask("/signed", "OAuth").await, not_signed("/signed"));
    let caller = signer.caller("/signed", &signer.header(0, "e")).await.unwrap();
    assert_eq!((caller.name(), caller.permissions()), (Some("signer"), vec![Permission::Sql]));
    assert_eq!(signer.guarded.access.failed_attempts(), 5);
}

#[tokio::test]
async fn a_client_whose_clock_is_off_is_told_if_its_signature_is_right() {
    let signer = Signer::new();
    for ahead in [-400, 400] {
        let refused = signer.ask("/signed", &signer.header(ahead, "a")).await.unwrap_err();
        let Refused::SignedAtAnotherTime { ahead: told } = refused else { panic!("{refused}") };
        assert!((told - ahead).abs() <= 2, "{told}");
        let refused = signer.ask("/other", &signer.header(ahead, "a")).await.unwrap_err();
        assert!(matches!(refused, Refused::NotSigned { .. }), "{refused}");
    }
}

#[tokio::test]
async fn what_was_signed_before_a_restart_is_not_taken_after_it() {
    let mut signer = Signer::new();
    // A clock that is ahead, so that its requests are of the time after the restart.
    let header = signer.header(60, "a");
    assert_eq!(signer.ask("/signed", &header).await, Ok(account()));
    signer.guarded.access = Access::of_directory(signer.guarded.folder.path()).unwrap();
    assert_eq!(signer.ask("/signed", &header).await, Err(Refused::SignedTooEarly));
    assert_eq!(signer.ask("/signed", &signer.header(70, "b")).await, Ok(account()));
}

#[tokio::test]
async fn signatures_end_with_their_token() {
    let signer = Signer::new();
    TokenAdministration::of(signer.guarded.folder.path()).unwrap().revoke("signer").unwrap();
    signer.guarded.access.reload().unwrap();
    let refused = signer.ask("/signed", &signer.header(0, "a")).await.unwrap_err();
    assert!(matches!(refused, Refused::NotSigned { .. }), "{refused}");
}

#[tokio::test]
async fn without_tokens_a_signature_does_not_matter() {
    let signer = Signer::new();
    let anybody = Access::of_anybody().unwrap();
    let signer = Signer { guarded: Guarded { access: anybody, ..signer.guarded }, ..signer };
    assert_eq!(signer.ask("/any", "OAuth wrong").await, Ok(Scope::All));
}
