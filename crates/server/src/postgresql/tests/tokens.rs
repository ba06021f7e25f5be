//! Clients that have to prove who they are. They speak as the library of another program's drivers does.

use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use skillscope_query::Scope;
use skillscope_segment::AccountId;

use super::client::{Client, Server, in_time};
use crate::{NewToken, Permission, TokenAdministration};

const SCRAM: &str = "SCRAM-SHA-256";

struct Guarded {
    server: Server,
    tokens: TokenAdministration,
}

impl Guarded {
    /// A server with a token for SQL over the account acme, which is called so as well.
    fn new() -> (Self, String) {
        let server = Server::new();
        let tokens = TokenAdministration::of(server.directory()).unwrap();
        let guarded = Self { server, tokens };
        let account = Scope::Account(AccountId::parse("acme").unwrap());
        let token = guarded.add("acme", account, Permission::Sql);
        (guarded, token)
    }

    fn add(&self, name: &str, account: Scope, permission: Permission) -> String {
        let wanted = NewToken { name: name.to_owned(), account, permissions: vec![permission], expires: None };
        let secret = self.tokens.add(wanted).unwrap();
        self.server.app.access().reload().unwrap();
        secret.reveal().to_owned()
    }

    /// A client whose proof was taken; or why it was not.
    async fn prove(&self, user: &str, token: &str, database: &str) -> Result<Client, (String, String)> {
        let mut client = self.server.connect();
        client.start(format!("user\0{user}\0database\0{database}\0\0").as_bytes()).await;
        let asked = client.next().await.unwrap();
        assert_eq!((asked.kind, &asked.body[..4]), ('R', &[0, 0, 0, 10][..]));
        assert_eq!(&asked.body[4..], format!("{SCRAM}\0\0").as_bytes());
        let mut scram = ScramSha256::new(token.as_bytes(), ChannelBinding::unsupported());
        let length = i32::try_from(scram.message().len()).unwrap().to_be_bytes();
        client.send(b'p', &[SCRAM.as_bytes(), &[0], &length, scram.message()].concat()).await;
        let challenge = client.next().await.unwrap();
        assert_eq!((challenge.kind, &challenge.body[..4]), ('R', &[0, 0, 0, 11][..]));
        scram.update(&challenge.body[4..]).unwrap();
        client.send(b'p', scram.message()).await;
        match client.next().await {
            Some(last) if last.kind == 'R' => {
                assert_eq!(&last.body[..4], [0, 0, 0, 12]);
                scram.finish(&last.body[4..]).expect("the server proves that it knows the token, too");
                Ok(client)
            }
            answer => Err(answer.expect("a reason").error()),
        }
    }

    /// Why a client is not let in.
    async fn refused(&self, user: &str, token: &str, database: &str) -> (String, String) {
        match self.prove(user, token, database).await {
            Ok(client) => client.ended_with().await,
            Err(reason) => reason,
        }
    }
}

#[tokio::test]
async fn who_proves_that_it_has_the_token_is_let_in() {
    let (guarded, token) = Guarded::new();
    let mut client = in_time(guarded.prove("acme", &token, "acme")).await.unwrap();
    in_time(client.until_ready()).await;
    in_time(client.answers()).await;
}

#[tokio::test]
async fn a_wrong_token_and_an_unknown_name_are_the_same() {
    let (guarded, token) = Guarded::new();
    let without_name = |(code, message): (String, String), name: &str| (code, message.replace(name, "NAME"));
    let wrong = without_name(in_time(guarded.refused("acme", "skt_wrong", "acme")).await, "acme");
    let unknown = without_name(in_time(guarded.refused("nobody", &token, "acme")).await, "nobody");
    assert_eq!(wrong.0, "FATAL 28P01");
    assert_eq!(wrong, unknown);
    guarded.tokens.revoke("acme").unwrap();
    guarded.server.app.access().reload().unwrap();
    let revoked = without_name(in_time(guarded.refused("acme", &token, "acme")).await, "acme");
    assert_eq!(wrong, revoked);
}

#[tokio::test]
async fn a_token_opens_its_own_database() {
    let (guarded, acme) = Guarded::new();
    let all = guarded.add("all", Scope::All, Permission::Sql);
    let report = guarded.add("report", Scope::All, Permission::Report);
    for database in ["bolt", "skillscope"] {
        assert_eq!(in_time(guarded.refused("acme", &acme, database)).await.0, "FATAL 42501");
    }
    assert_eq!(in_time(guarded.refused("report", &report, "acme")).await.0, "FATAL 42501");
    for database in ["bolt", "skillscope"] {
        let mut client = in_time(guarded.prove("all", &all, database)).await.unwrap();
        in_time(client.until_ready()).await;
    }
}

#[tokio::test]
async fn a_session_ends_with_its_token() {
    let (guarded, token) = Guarded::new();
    let mut client = in_time(guarded.prove("acme", &token, "acme")).await.unwrap();
    in_time(client.until_ready()).await;
    guarded.tokens.revoke("acme").unwrap();
    guarded.server.app.access().reload().unwrap();
    let (code, message) = in_time(client.ended_with()).await;
    assert_eq!(code, "FATAL 57P01");
    assert!(message.contains("revoked"), "{message}");
}

#[tokio::test]
async fn a_session_that_nobody_was_asked_for_ends_with_the_first_token() {
    let server = Server::new();
    let client = server.open("acme").await;
    let tokens = TokenAdministration::of(server.directory()).unwrap();
    let permissions = vec![Permission::Sql];
    tokens.add(NewToken { name: "a".to_owned(), account: Scope::All, permissions, expires: None }).unwrap();
    server.app.access().reload().unwrap();
    assert_eq!(in_time(client.ended_with()).await.0, "FATAL 57P01");
}

#[tokio::test]
async fn who_does_not_keep_to_the_protocol_is_sent_away() {
    let (guarded, _) = Guarded::new();
    for wrong in [&b"SCRAM-SHA-1\0\0\0\0\x09n,,n=,r=C"[..], b"SCRAM-SHA-256\0\xff\xff\xff\xff", b"", b"\xff\0"] {
        let mut client = guarded.server.connect();
        client.start(b"user\0acme\0database\0acme\0\0").await;
        assert_eq!(in_time(client.next()).await.unwrap().kind, 'R');
        client.send(b'p', wrong).await;
        assert_eq!(in_time(client.ended_with()).await.0, "FATAL 08P01", "{wrong:?}");
    }
    let mut client = guarded.server.connect();
    client.start(b"user\0acme\0database\0acme\0\0").await;
    assert_eq!(in_time(client.next()).await.unwrap().kind, 'R');
    client.send(b'Q', b"select 1\0").await;
    assert_eq!(in_time(client.ended_with()).await.0, "FATAL 08P01");
}
