//! `COPY … TO STDOUT`, byte by byte.

use super::client::{Server, in_time};

async fn copied(statement: &str) -> Vec<u8> {
    let server = Server::new();
    let mut client = server.open("skillscope").await;
    let answers = in_time(client.query(statement)).await;
    assert!(answers.iter().all(|answer| answer.kind != 'E'), "{answers:?}");
    answers.into_iter().filter(|answer| answer.kind == 'd').flat_map(|answer| answer.body).collect()
}

#[tokio::test]
async fn a_binary_copy_has_one_end() {
    let head = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
    let one = b"\0\x02\0\0\0\x02\0\x02\xff\xff\xff\xff";
    let statement = "copy (select arrow_cast(2, 'Int8'), null::text) to stdout (format binary)";
    assert_eq!(copied(statement).await, [&head[..], one, &[0xff, 0xff]].concat());
    let empty = "copy (select 1 where false) to stdout with binary";
    assert_eq!(copied(empty).await, [&head[..], &[0xff, 0xff]].concat());
}

#[tokio::test]
async fn copies_have_postgresql_s_texts() {
    let query = "select true as a, timestamp '2018-01-17 08:00:00.07' as b, '' as c, null as \"d,e\", E'x\\ty\"' as f, \
                 0.1::double as g";
    let text = copied(&format!("copy ({query}) to stdout")).await;
    assert_eq!(String::from_utf8(text).unwrap(), "t\t2018-01-17 08:00:00.07\t\t\\N\tx\\ty\"\t0.1\n");
    let csv = copied(&format!("copy ({query}) to stdout csv header")).await;
    let expected = "a,b,c,\"d,e\",f,g\nt,2018-01-17 08:00:00.07,\"\",,\"x\ty\"\"\",0.1\n";
    assert_eq!(String::from_utf8(csv).unwrap(), expected);
}

#[tokio::test]
async fn a_time_beyond_the_calendar_is_an_error_in_each_format() {
    let server = Server::new();
    let mut client = server.open("skillscope").await;
    let beyond = "select arrow_cast(9223372036854775807, 'Timestamp(Millisecond, Some(\"UTC\"))') x";
    for statement in [
        beyond.to_owned(),
        format!("copy ({beyond}) to stdout"),
        format!("copy ({beyond}) to stdout csv"),
        format!("copy ({beyond}) to stdout binary"),
    ] {
        let answers = in_time(client.query(&statement)).await;
        let error = answers.iter().find(|answer| answer.kind == 'E').expect("an error").error();
        assert_eq!(error, ("ERROR 22008".to_owned(), "timestamp out of range".to_owned()), "{statement}");
    }
}

#[tokio::test]
async fn copies_have_the_options_of_postgresql() {
    // As PostgreSQL 15 writes them.
    let query = "select 1 as a, 'x;y' as b, null as c, '' as d, 'q\"r' as e, E'tab\\there' as f";
    for (options, expected) in [
        ("(format csv, delimiter ';', null 'x', header)", "a;b;c;d;e;f\n1;\"x;y\";x;;\"q\"\"r\";tab\there\n"),
        ("csv header delimiter ';' null 'x'", "a;b;c;d;e;f\n1;\"x;y\";x;;\"q\"\"r\";tab\there\n"),
        ("(format csv, force_quote *)", "\"1\",\"x;y\",,\"\",\"q\"\"r\",\"tab\there\"\n"),
        ("csv force quote a, f", "\"1\",x;y,,\"\",\"q\"\"r\",\"tab\there\"\n"),
        ("(format csv, quote '''', escape '\\')", "1,x;y,,'',q\"r,tab\there\n"),
        ("(format csv, quote 'q', escape '\\')", "1,x;y,,qq,q\\q\"rq,tab\there\n"),
        ("(delimiter ';', null '-')", "1;x\\;y;-;;q\"r;tab\\there\n"),
        ("(header true)", "a\tb\tc\td\te\tf\n1\tx;y\t\\N\t\tq\"r\ttab\\there\n"),
        ("delimiter '|' null as 'NULL'", "1|x;y|NULL||q\"r|tab\\there\n"),
    ] {
        let copied = copied(&format!("copy ({query}) to stdout {options}")).await;
        assert_eq!(String::from_utf8(copied).unwrap(), expected, "{options}");
    }
    let server = Server::new();
    let mut client = server.open("skillscope").await;
    let answers = in_time(client.query("copy (select 1 as a) to stdout csv force quote b")).await;
    assert_eq!(answers.last().unwrap().error().0, "ERROR 42703");
    // psql counts rows, and not the header.
    assert_eq!(in_time(client.transcript("copy (select 1 as a) to stdout csv header")).await, "[COPY 1]");
}
