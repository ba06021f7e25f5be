//! Connections that ask for TLS, speak it at once, or do not speak it.

use std::net::SocketAddr;
use std::time::Duration;

use futures::future::pending;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::client::{Client, Server, in_time};
use crate::connections::ConnectionLimits;
use crate::tls::TestCertificate;
use crate::{Listener, serve_postgresql};

const ASK_FOR_TLS: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x2f";
const ASK_FOR_GSS: &[u8] = b"\0\0\0\x08\x04\xd2\x16\x30";
const START: &[u8] = b"user\0a\0database\0acme\0\0";

/// A server whose clients must encrypt, until the value is dropped.
struct Encrypted {
    _server: Server,
    certificate: TestCertificate,
    address: SocketAddr,
}

impl Encrypted {
    fn with(most: usize) -> Self {
        let (server, certificate) = (Server::new(), TestCertificate::new(&["localhost"]));
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let listener = Listener::new(socket, Some(certificate.tls()));
        tokio::spawn(serve_postgresql(listener, server.app.clone(), ConnectionLimits::of(most), pending()));
        Self { _server: server, certificate, address }
    }

    async fn plain(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// A connection that has asked for TLS, and begun to speak it.
    async fn connect(&self) -> Client<TlsStream<TcpStream>> {
        let mut stream = self.plain().await;
        stream.write_all(ASK_FOR_TLS).await.unwrap();
        assert_eq!(in_time(stream.read_u8()).await.unwrap(), b'S');
        Client::over(self.certificate.connect(stream, &[]).await.unwrap())
    }

    async fn open(&self) -> Client<TlsStream<TcpStream>> {
        let mut client = self.connect().await;
        client.start(START).await;
        in_time(client.until_ready()).await;
        client
    }
}

#[tokio::test]
async fn a_client_that_asks_for_tls_gets_it_whatever_it_asks_for_before() {
    let server = Encrypted::with(10);
    in_time(async { server.open().await.answers().await }).await;
    let mut stream = server.plain().await;
    stream.write_all(ASK_FOR_GSS).await.unwrap();
    assert_eq!(in_time(stream.read_u8()).await.unwrap(), b'N');
    stream.write_all(ASK_FOR_TLS).await.unwrap();
    assert_eq!(in_time(stream.read_u8()).await.unwrap(), b'S');
    let mut client = Client::over(server.certificate.connect(stream, &["postgresql"]).await.unwrap());
    client.start(START).await;
    in_time(client.until_ready()).await;
    in_time(client.answers()).await;
}

#[tokio::test]
async fn tls_at_once_needs_the_name_of_the_protocol() {
    let server = Encrypted::with(10);
    let direct = async |protocols: &[&str]| server.certificate.connect(server.plain().await, protocols).await;
    let mut client = Client::over(direct(&["postgresql"]).await.unwrap());
    client.start(START).await;
    in_time(client.until_ready()).await;
    in_time(client.answers()).await;
    assert!(direct(&["http/1.1"]).await.is_err());
    // The handshake itself succeeds. Then there is nothing.
    let mut client = Client::over(direct(&[]).await.unwrap());
    client.start(START).await;
    assert_eq!(in_time(client.next()).await, None);
}

#[tokio::test]
async fn plain_text_is_refused_in_words() {
    let server = Encrypted::with(10);
    for asked_before in [&b""[..], ASK_FOR_GSS] {
        let mut stream = server.plain().await;
        if !asked_before.is_empty() {
            stream.write_all(asked_before).await.unwrap();
            assert_eq!(in_time(stream.read_u8()).await.unwrap(), b'N');
        }
        let mut client = Client::over(stream);
        client.start(START).await;
        let (code, text) = in_time(client.ended_with()).await;
        assert_eq!(code, "FATAL 28000");
        assert!(text.contains("sslmode=require"), "{text}");
    }
}

#[tokio::test]
async fn what_comes_in_plain_text_after_the_request_is_not_taken_for_encrypted() {
    let server = Encrypted::with(10);
    let start = [&31_u32.to_be_bytes()[..], &[0, 3, 0, 0], b"user\0a\0database\0acme\0\0"].concat();
    let query = b"Q\0\0\0\x0dselect 1\0";
    for injected in [&start[..], query, b"\0"] {
        let mut stream = server.plain().await;
        // In one go, so that one read takes both; and one after the other, so that the second waits in the system.
        stream.write_all(&[ASK_FOR_TLS, injected].concat()).await.unwrap();
        let mut answer = Vec::new();
        let _ = in_time(stream.read_to_end(&mut answer)).await;
        assert!(!answer.contains(&b'Z') && !answer.starts_with(b"R"), "{answer:?}");
        let mut stream = server.plain().await;
        stream.write_all(ASK_FOR_TLS).await.unwrap();
        stream.write_all(injected).await.unwrap();
        let connected = match in_time(stream.read_u8()).await {
            Ok(b'S') => server.certificate.connect(stream, &[]).await.is_ok(),
            _ => false,
        };
        assert!(!connected);
    }
}

#[tokio::test]
async fn encryption_within_encryption_is_refused() {
    let server = Encrypted::with(10);
    for again in [ASK_FOR_TLS, ASK_FOR_GSS] {
        let mut client = server.connect().await;
        client.raw(again).await;
        assert_eq!(in_time(client.ended_with()).await.0, "FATAL 08P01");
    }
}

#[tokio::test]
async fn one_client_too_many_is_told_so_where_it_listens() {
    let server = Encrypted::with(1);
    let mut only = server.open().await;
    let mut late = server.connect().await;
    late.start(START).await;
    let (code, text) = in_time(late.ended_with()).await;
    assert_eq!((code.as_str(), text.as_str()), ("FATAL 53300", "sorry, too many clients already"));
    in_time(only.answers()).await;
}

/// The number and the key of a connection, by which its statements are cancelled.
async fn number(client: &mut Client<TlsStream<TcpStream>>) -> Vec<u8> {
    client.start(START).await;
    let answers = in_time(client.until_ready()).await;
    answers.into_iter().find(|answer| answer.kind == 'K').expect("a client is told its number").body
}

#[tokio::test]
async fn a_statement_is_cancelled_over_tls_and_in_plain_text() {
    let server = Encrypted::with(10);
    let endless = b"select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value <> b.value + 1\0";
    for is_encrypted in [true, false] {
        let mut client = server.connect().await;
        let number = number(&mut client).await;
        client.send(b'Q', endless).await;
        let length = u32::try_from(8 + number.len()).unwrap();
        let request = [&length.to_be_bytes()[..], b"\x04\xd2\x16\x2e", &number].concat();
        let mut ended = std::pin::pin!(client.until_ready());
        // The statement may not have begun to run when the request comes.
        let answers = in_time(async {
            loop {
                if is_encrypted {
                    server.connect().await.raw(&request).await;
                } else {
                    server.plain().await.write_all(&request).await.unwrap();
                }
                if let Ok(answers) = tokio::time::timeout(Duration::from_millis(200), &mut ended).await {
                    return answers;
                }
            }
        })
        .await;
        assert_eq!(answers.last().unwrap().error().0, "ERROR 57014");
    }
}

#[tokio::test]
async fn a_client_that_goes_ends_its_statement() {
    let server = Encrypted::with(10);
    let (mut client, mut watcher) = (server.open().await, server.open().await);
    let running = "select count(*) from system.queries where state = 'running' and query like '%generate_series%' and query not like '%system%'";
    client.send(b'Q', b"select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b where a.value <> b.value + 1\0").await;
    let mut counts = async |wanted: &str| loop {
        let answers = watcher.query(running).await;
        if answers.iter().any(|answer| answer.text().as_deref() == Some(wanted)) {
            return;
        }
    };
    in_time(counts("1")).await;
    client.stream.shutdown().await.unwrap();
    drop(client);
    in_time(counts("0")).await;
}
