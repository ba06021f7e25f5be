//! Cursors. What is expected is what PostgreSQL 15 says to the same statements.

use skillscope_query::SqlLimits;

use super::client::{Answer, Server, in_time};

const FIVE: &str = "for select value from generate_series(1, 5) order by 1";

#[tokio::test]
async fn a_cursor_goes_forward_and_one_with_scroll_back_too() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    for (options, statements) in [
        (
            "",
            &[
                ("fetch 2 from c", "1 2 [FETCH 2]"),
                ("move c", "[MOVE 1]"),
                ("move 0 c", "[MOVE 1]"),
                ("fetch absolute 4 c", "4 [FETCH 1]"),
                ("fetch relative 1 c", "5 [FETCH 1]"),
                ("fetch next c", "[FETCH 0]"),
                ("fetch all c", "[FETCH 0]"),
                ("fetch 0 c", "[FETCH 0]"),
                ("fetch first c", "ERROR 55000"),
            ][..],
        ),
        ("no scroll", &[("fetch 2 c", "1 2 [FETCH 2]"), ("fetch 0 from c", "ERROR 55000")]),
        ("no scroll", &[("fetch 2 c", "1 2 [FETCH 2]"), ("fetch absolute 2 c", "ERROR 55000")]),
        ("no scroll", &[("fetch last c", "ERROR 55000")]),
        ("no scroll", &[("fetch backward 1 from c", "ERROR 55000")]),
        ("no scroll", &[("fetch prior c", "ERROR 55000")]),
        ("insensitive", &[("fetch forward all c", "1 2 3 4 5 [FETCH 5]"), ("move forward all c", "[MOVE 0]")]),
        (
            "scroll",
            &[
                ("fetch last c", "5 [FETCH 1]"),
                ("fetch first from c", "1 [FETCH 1]"),
                ("fetch absolute -2 c", "4 [FETCH 1]"),
                ("fetch backward all c", "3 2 1 [FETCH 3]"),
                ("fetch forward all c", "1 2 3 4 5 [FETCH 5]"),
                ("fetch prior c", "5 [FETCH 1]"),
                ("fetch relative -2 c", "3 [FETCH 1]"),
                ("fetch 0 c", "3 [FETCH 1]"),
                ("move backward all c", "[MOVE 2]"),
                ("fetch 0 c", "[FETCH 0]"),
                ("fetch absolute 0 c", "[FETCH 0]"),
                ("move last c", "[MOVE 1]"),
                ("move absolute -1 c", "[MOVE 1]"),
                ("fetch absolute 9 c", "[FETCH 0]"),
                ("fetch -2 c", "5 4 [FETCH 2]"),
            ],
        ),
    ] {
        in_time(client.transcript(&format!("begin; declare c {options} cursor {FIVE}"))).await;
        for (statement, expected) in statements {
            assert_eq!(in_time(client.transcript(statement)).await, *expected, "{options}: {statement}");
        }
        client.query("rollback").await;
    }
}

#[tokio::test]
async fn a_cursor_that_cannot_go_back_says_what_to_do() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    let answers = in_time(client.query(&format!("begin; declare c cursor {FIVE}; fetch prior c"))).await;
    let error = answers.last().unwrap();
    assert_eq!(error.error().1, "cursor can only scan forward");
    let hint = "HDeclare it with SCROLL option to enable backward scan.\0";
    assert!(String::from_utf8_lossy(&error.body).contains(hint));
}

#[tokio::test]
async fn cursors_end_with_their_transaction_or_are_held() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    let held = "declare h cursor with hold for select 7";
    for (statement, expected) in [
        (format!("declare c cursor {FIVE}").as_str(), "ERROR 25P01"),
        (held, "[DECLARE CURSOR]"),
        (held, "ERROR 42P03"),
        ("fetch h", "7 [FETCH 1]"),
        ("close h", "[CLOSE CURSOR]"),
        ("fetch h", "ERROR 34000"),
        ("close h", "ERROR 34000"),
        (
            &format!("begin; declare c cursor {FIVE}; {held}; fetch c; commit"),
            "[BEGIN] [DECLARE CURSOR] [DECLARE CURSOR] 1 [FETCH 1] [COMMIT]",
        ),
        ("fetch c", "ERROR 34000"),
        ("fetch h", "7 [FETCH 1]"),
        ("close all", "[CLOSE CURSOR ALL]"),
        ("fetch h", "ERROR 34000"),
        (&format!("begin; {held}; rollback"), "[BEGIN] [DECLARE CURSOR] [ROLLBACK]"),
        ("fetch h", "ERROR 34000"),
        // The statements of one text are a transaction.
        (&format!("declare c cursor {FIVE}; fetch c"), "[DECLARE CURSOR] 1 [FETCH 1]"),
        ("fetch c", "ERROR 34000"),
        (held, "[DECLARE CURSOR]"),
        ("discard all", "[DISCARD ALL]"),
        ("fetch h", "ERROR 34000"),
    ] {
        assert_eq!(in_time(client.transcript(statement)).await, expected, "{statement}");
    }
}

#[tokio::test]
async fn a_client_has_only_so_many_cursors_and_rows_to_go_back_to() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.query("begin").await;
    for number in 0..100 {
        let declared = client.transcript(&format!("declare c{number} cursor for select 1")).await;
        assert_eq!(declared, "[DECLARE CURSOR]");
    }
    assert_eq!(client.transcript("declare c cursor for select 1").await, "ERROR 54000");
    client.query("rollback").await;
    assert_eq!(server.memory.taken(), 0);
    // Rows of some 100 MiB.
    let rows = "for select repeat('x', 10000) as x from generate_series(1, 10000)";
    client.query(&format!("begin; declare s scroll cursor {rows}; declare n no scroll cursor {rows}")).await;
    assert_eq!(in_time(client.transcript("move all n")).await, "[MOVE 10000]");
    let answers = in_time(client.query("move all s")).await;
    let (code, text) = answers[0].error();
    assert_eq!(code, "ERROR 54000");
    assert_eq!(
        text,
        "the rows that cursors with SCROLL keep take at most 32 MiB in a connection; NO SCROLL keeps none"
    );
    client.query("rollback").await;
    assert_eq!(server.memory.taken(), 0);
}

#[tokio::test]
async fn a_cursor_leaves_its_turn_to_others_and_can_be_cancelled() {
    let server = Server::with_limits(SqlLimits { running: 1, ..SqlLimits::default() });
    let mut client = server.open("skillscope").await;
    in_time(client.query("begin; declare c cursor for select * from generate_series(1, 100000000)")).await;
    assert_eq!(in_time(client.transcript("fetch 2 c")).await, "1 2 [FETCH 2]");
    // Another statement gets the one turn, whoever asks.
    in_time(client.answers()).await;
    in_time(server.open("acme").await.answers()).await;
    assert_eq!(in_time(client.transcript("fetch c")).await, "3 [FETCH 1]");
    let end =
        "select count(kill_query(id)) from system.queries where query ilike '%generate_series%' and state = 'unread'";
    let mut other = server.open("skillscope").await;
    in_time(async { while other.transcript(end).await != "1 [SELECT 1]" {} }).await;
    in_time(async { while client.transcript("move 100000 c").await != "ERROR 57014" {} }).await;
    assert_eq!(client.transcript("fetch c").await, "ERROR 25P02");
}

#[tokio::test]
async fn the_time_limit_of_a_client_is_that_of_each_fetch() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    let endless = "select count(*) from generate_series(1, 100000000) a, generate_series(1, 100000000) b \
                   where a.value <> b.value + 1";
    client.query("set statement_timeout = 50").await;
    assert_eq!(
        in_time(client.transcript(&format!("begin; declare c cursor for {endless}"))).await,
        "[BEGIN] [DECLARE CURSOR]"
    );
    let answers = in_time(client.query("fetch c")).await;
    let cancelled = ("ERROR 57014".to_owned(), "canceling statement due to statement timeout".to_owned());
    assert_eq!(answers.last().unwrap().error(), cancelled);
    client.query("rollback").await;
    in_time(client.answers()).await;
}

/// Sends a statement of the extended protocol whole, with these formats of its columns.
async fn asked(client: &mut super::client::Client, text: &str, formats: &[u8]) -> Vec<Answer> {
    client.send(b'P', format!("\0{text}\0\0\0").as_bytes()).await;
    client.send(b'B', &[&b"\0\0\0\0\0\0"[..], formats].concat()).await;
    client.send(b'D', b"P\0").await;
    client.send(b'E', b"\0\0\0\0\0").await;
    client.send(b'S', b"").await;
    in_time(client.until_ready()).await
}

#[tokio::test]
async fn cursors_are_portals_of_the_extended_protocol() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    client.query("begin").await;
    // With a value for a parameter of the query.
    client.send(b'P', b"\0declare c cursor for select value from generate_series(1, 5) where value > $1\0\0\0").await;
    client.send(b'B', b"\0\0\0\0\0\x01\0\0\0\x012\0\0").await;
    client.send(b'E', b"\0\0\0\0\0").await;
    client.send(b'S', b"").await;
    assert_eq!(in_time(client.kinds()).await, "12C");
    // As psycopg asks what a cursor has.
    client.send(b'D', b"Pc\0").await;
    client.send(b'S', b"").await;
    let columns = in_time(client.until_ready()).await;
    assert!(columns[0].kind == 'T' && columns[0].body[2..].starts_with(b"value\0"), "{columns:?}");
    let kinds = |answers: &[Answer]| answers.iter().map(|answer| answer.kind).collect::<String>();
    let text = asked(&mut client, "fetch 2 from c", b"\0\0").await;
    assert_eq!((kinds(&text).as_str(), text[3].text().as_deref()), ("12TDDC", Some("3")));
    let binary = asked(&mut client, "fetch forward all from c", b"\0\x01\0\x01").await;
    assert_eq!((kinds(&binary).as_str(), &binary[3].body[6..]), ("12TDC", &5_u64.to_be_bytes()[..]));
    client.send(b'C', b"Pc\0").await;
    client.send(b'S', b"").await;
    in_time(client.until_ready()).await;
    let missing = asked(&mut client, "fetch 2 from c", b"\0\0").await;
    assert_eq!(missing.last().unwrap().error().0, "ERROR 34000");
}

#[tokio::test]
async fn a_binary_cursor_sends_binary_rows() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    let answers = in_time(client.query("begin; declare c binary cursor for select 7::bigint; fetch c")).await;
    let row = answers.iter().find(|answer| answer.kind == 'D').unwrap();
    assert_eq!(&row.body[6..], &7_u64.to_be_bytes());
}

#[tokio::test]
async fn cursors_are_listed_to_their_connection() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    let declared = "declare \"A b\" binary scroll cursor with hold for select 1";
    client.query(declared).await;
    let list = "select name || ', ' || statement || ', ' || is_holdable || is_binary || is_scrollable from pg_cursors \
                where creation_time > '2020-01-01'";
    let expected = format!("A b, {declared}, truetruetrue [SELECT 1]");
    assert_eq!(in_time(client.transcript(list)).await, expected);
    let found = "SELECT 1 FROM pg_catalog.pg_cursors WHERE name = 'A b'";
    assert_eq!(in_time(client.transcript(found)).await, "1 [SELECT 1]");
    assert_eq!(in_time(server.open("acme").await.transcript(found)).await, "[SELECT 0]");
    in_time(client.close()).await;
    assert_eq!(server.memory.taken(), 0);
}
