//! How connections begin.

use super::client::{Server, in_time};

async fn refused(parameters: &[u8]) -> (String, String) {
    let mut client = Server::new().connect();
    client.start(parameters).await;
    in_time(client.ended_with()).await
}

#[tokio::test]
async fn a_database_is_named_once() {
    let (code, text) = refused(b"user\0a\0\0").await;
    assert_eq!(code, "FATAL 3D000");
    assert_eq!(text, "the start-up packet names no database: it is an account, or skillscope for all of them");
    let (code, text) = refused(b"database\0acme\0user\0a\0database\0skillscope\0\0").await;
    assert_eq!((code.as_str(), text.as_str()), ("FATAL 08P01", "the start-up packet names the database twice"));
    assert_eq!(refused(b"user\0a\0database\0\0\0").await.0, "FATAL 3D000");
    assert_eq!(refused(b"user\0a\0database\0no/account\0\0").await.0, "FATAL 3D000");
}

#[tokio::test]
async fn a_packet_that_is_none_is_refused() {
    let server = Server::new();
    for (packet, code) in [
        (&b"\x7f\xff\xff\xff"[..], "FATAL 08P01"),
        (b"\0\0\x27\x11", "FATAL 08P01"),
        (b"\0\0\0\0", "FATAL 08P01"),
        (b"GET / HTTP/1.1\r\n\r\n", "FATAL 08P01"),
        (b"\x16\x03\x01\x02\x00", "FATAL 08P01"),
        (b"\0\0\0\x09\0\x02\0\0\0", "FATAL 0A000"),
        (b"\0\0\0\x08\0\x03\0\0", "FATAL 08P01"),
        (b"\0\0\0\x0b\0\x03\0\0a\0b", "FATAL 08P01"),
    ] {
        let mut client = server.connect();
        client.raw(packet).await;
        assert_eq!(in_time(client.ended_with()).await.0, code, "{packet:?}");
    }
    in_time(async { server.open("acme").await.answers().await }).await;
}

#[tokio::test]
async fn encryption_is_asked_for_twice_at_most() {
    let server = Server::new();
    let mut client = server.connect();
    for request in [[4, 210, 22, 48], [4, 210, 22, 47]] {
        client.raw(&[&[0, 0, 0, 8][..], &request].concat()).await;
        let mut answer = [0];
        tokio::io::AsyncReadExt::read_exact(&mut client.stream, &mut answer).await.unwrap();
        assert_eq!(answer, *b"N");
    }
    client.start(b"user\0a\0database\0acme\0\0").await;
    in_time(client.until_ready()).await;
    client.answers().await;
}
