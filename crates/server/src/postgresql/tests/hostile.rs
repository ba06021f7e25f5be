//! Messages that claim more than they have, and more than there may be.

use super::client::{Client, Server, in_time};

/// The type of an array of `int4`.
const INT4_ARRAY: i32 = 1007;

/// Prepares `select $1` with a parameter of this type, and binds a value in binary. Gives the code of the error.
async fn bound(client: &mut Client, of: i32, value: &[u8]) -> String {
    client.send(b'P', &[b"\0select $1\0\0\x01", &of.to_be_bytes()[..]].concat()).await;
    let length = u32::try_from(value.len()).unwrap().to_be_bytes();
    client.send(b'B', &[b"\0\0\0\x01\0\x01\0\x01", &length[..], value, b"\0\0"].concat()).await;
    client.send(b'E', b"\0\0\0\0\0").await;
    client.send(b'S', b"").await;
    let answers = in_time(client.until_ready()).await;
    answers.last().expect("an answer").error().0
}

#[tokio::test]
async fn a_value_is_as_long_as_its_bytes() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    let array =
        |length: i32| [&[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 23][..], &length.to_be_bytes(), &[0, 0, 0, 1]].concat();
    assert_eq!(bound(&mut client, INT4_ARRAY, &array(i32::MAX)).await, "ERROR 54000");
    assert_eq!(bound(&mut client, INT4_ARRAY, &array(1_000)).await, "ERROR 22P03");
    assert_eq!(bound(&mut client, INT4_ARRAY, b"\x7f\xff\xff\xff").await, "ERROR 22P03");
    // An interval, a numeric, times that cannot be told.
    assert_eq!(bound(&mut client, 1186, b"x").await, "ERROR 22P03");
    assert_eq!(bound(&mut client, 1700, b"\xff\xff\0\0\0\0\0\0").await, "ERROR 22P03");
    assert_eq!(bound(&mut client, 1114, &i64::MAX.to_be_bytes()).await, "ERROR 22008");
    assert_eq!(bound(&mut client, 1082, &i32::MAX.to_be_bytes()).await, "ERROR 22008");
    client.answers().await;
}

#[tokio::test]
async fn a_message_that_is_too_long_ends_the_connection_before_its_bytes_come() {
    let server = Server::new();
    for kind in b"QPBDECdSX" {
        let mut client = server.open("acme").await;
        client.raw(&[&[*kind][..], &0x3fff_ffff_i32.to_be_bytes()].concat()).await;
        let (code, text) = in_time(client.ended_with()).await;
        assert_eq!(code, "FATAL 54000", "{text}");
    }
    for head in [b"Q\0\0\0\0", b"Q\xff\xff\xff\xff", b"?\0\0\0\x04", b"p\0\0\0\x04"] {
        let mut client = server.open("acme").await;
        client.raw(head).await;
        assert_eq!(in_time(client.ended_with()).await.0, "FATAL 08P01", "{head:?}");
    }
    in_time(async { server.open("acme").await.answers().await }).await;
    assert_eq!(server.memory.taken(), 0);
}

#[tokio::test]
async fn a_body_that_is_not_what_its_kind_says_is_an_error_of_its_question() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    for (kind, body) in [
        (b'P', &b"\0select 1\0\xff\xff"[..]),
        (b'B', b"\0\0\xff\xff"),
        (b'B', b"\0\0\0\0\0\x01\x7f\xff\xff\xff"),
        (b'B', b"\0\0\0\x02\0\0\0\0\0\0\0\0"),
        (b'D', b""),
        (b'C', b"X\0"),
        (b'E', b"\0"),
        (b'H', b"x"),
    ] {
        client.send(kind, body).await;
        // What comes before the end of the question is passed over.
        client.send(b'E', b"\0\0\0\0\0").await;
        client.send(b'S', b"").await;
        let answers = in_time(client.until_ready()).await;
        assert_eq!(answers.len(), 1, "{answers:?}");
        assert_eq!(answers[0].error().0, "ERROR 08P01", "{body:?}");
    }
    client.send(b'Q', b"select '\xff'\0").await;
    assert_eq!(in_time(client.until_ready()).await[0].error().0, "ERROR 22021");
    client.send(b'Q', b"select 1").await;
    assert_eq!(in_time(client.until_ready()).await[0].error().0, "ERROR 08P01");
    client.send(b'F', b"\0\0\0\x01").await;
    assert_eq!(in_time(client.until_ready()).await[0].error().0, "ERROR 0A000");
    client.send(b'd', b"data that nobody asked for").await;
    client.answers().await;
}

#[tokio::test]
async fn columns_have_formats_of_their_own_or_none() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.send(b'P', b"\0select 1, 2, 3\0\0\0").await;
    client.send(b'B', b"\0\0\0\0\0\0\0\x02\0\0\0\x01").await;
    client.send(b'D', b"P\0").await;
    client.send(b'S', b"").await;
    let answers = in_time(client.until_ready()).await;
    assert_eq!(answers[1].error().1, "bind message has 2 result formats but query has 3 columns");
    client.answers().await;
}
