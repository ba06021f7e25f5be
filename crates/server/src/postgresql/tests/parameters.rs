//! Values for parameters, in both forms, with and without types that the client tells.

use super::client::{Answer, Client, Server, in_time};

/// A parameter: the number of its type, 0 where it is not told, and its value as text or in binary.
type Parameter<'a> = (u32, Result<&'a str, &'a [u8]>);

/// What comes of a statement with these parameters.
async fn asked(client: &mut Client, statement: &str, parameters: &[Parameter<'_>]) -> Vec<Answer> {
    let count = u16::try_from(parameters.len()).unwrap().to_be_bytes();
    let types: Vec<u8> = parameters.iter().flat_map(|(of, _)| of.to_be_bytes()).collect();
    client.send(b'P', &[b"\0", statement.as_bytes(), b"\0", &count, &types].concat()).await;
    let formats: Vec<u8> = parameters.iter().flat_map(|(_, value)| u16::from(value.is_err()).to_be_bytes()).collect();
    let mut bind = [&b"\0\0"[..], &count, &formats, &count].concat();
    for (_, value) in parameters {
        let bytes = match value {
            Ok(text) => text.as_bytes(),
            Err(bytes) => bytes,
        };
        bind.extend_from_slice(&u32::try_from(bytes.len()).unwrap().to_be_bytes());
        bind.extend_from_slice(bytes);
    }
    bind.extend_from_slice(b"\0\0");
    client.send(b'B', &bind).await;
    client.send(b'D', b"P\0").await;
    client.send(b'E', b"\0\0\0\0\0").await;
    client.send(b'S', b"").await;
    in_time(client.until_ready()).await
}

#[track_caller]
fn first(answers: &[Answer]) -> String {
    if let Some(error) = answers.iter().find(|answer| answer.kind == 'E') {
        return format!("{:?}", error.error());
    }
    answers.iter().find_map(Answer::text).unwrap_or_else(|| "NULL".to_owned())
}

const BOOL: u32 = 16;
const INT8: u32 = 20;
const INT2: u32 = 21;
const INT4: u32 = 23;
const TEXT: u32 = 25;
const FLOAT8: u32 = 701;
const TEXT_ARRAY: u32 = 1009;
const INT4_ARRAY: u32 = 1007;
const VARCHAR: u32 = 1043;
const TIMESTAMPTZ: u32 = 1184;
const INTERVAL: u32 = 1186;
const NUMERIC: u32 = 1700;

#[tokio::test]
async fn values_have_the_types_that_the_client_tells() {
    let server = Server::new();
    let mut client = server.open("skillscope").await;
    let half = 0.5_f64.to_be_bytes();
    for (statement, parameters, expected) in [
        ("select count(*) from generate_series(1, 3) t(x) where x > $1", &[(FLOAT8, Ok("1.5"))][..], "2"),
        ("select count(*) from generate_series(1, 3) t(x) where x > $1", &[(FLOAT8, Err(&half[..]))], "3"),
        ("select count(*) from generate_series(1, 3) t(x) where x > $1", &[(NUMERIC, Ok("2.5"))], "1"),
        ("select $1 / 2", &[(FLOAT8, Ok("1"))], "0.5"),
        ("select $1 / 2", &[(INT4, Ok("1"))], "0"),
        ("select timestamp '2018-01-18' - $1", &[(INTERVAL, Ok("1 day 01:00:00"))], "2018-01-16 23:00:00"),
        ("select count(*) from segments where end_time > now() - $1", &[(INTERVAL, Ok("9999 days"))], "0"),
        ("select sum(case when 'a' = $1 then $2 else $3 end)", &[(0, Ok("a")), (INT2, Ok("1")), (INT2, Ok("0"))], "1"),
        ("select sum(case when 'a' = $1 then $2 else $3 end)", &[(0, Ok("b")), (0, Ok("1")), (0, Ok("5"))], "5"),
        (
            "select x from generate_series(1, 9) t(x) order by x limit $1 offset $2",
            &[(INT2, Ok("1")), (0, Ok("3"))],
            "4",
        ),
        ("select $1", &[(TIMESTAMPTZ, Ok("2018-01-18 08:00:00.000001+05:30"))], "2018-01-18 02:30:00.000001+00"),
        ("select $1", &[(BOOL, Ok("on"))], "t"),
        ("select $1", &[(TEXT, Ok(" x "))], " x "),
        ("select $1", &[(0, Ok("y"))], "y"),
        ("select $1::int + 1", &[(0, Ok("41"))], "42"),
        ("select $1 + $2", &[(INT8, Ok("40")), (INT4, Ok("2"))], "42"),
        ("select coalesce($1, 7)", &[(0, Ok("5"))], "5"),
        ("select 1 where 2 = $2", &[(INT4, Ok("5")), (INT4, Ok("2"))], "1"),
    ] {
        assert_eq!(first(&asked(&mut client, statement, parameters).await), expected, "{statement} {parameters:?}");
    }
    for (statement, parameter, code) in [
        ("select count(*) from generate_series(1, 3) t(x) where x > $1", (0, Ok("1.5")), "22P02"),
        ("select $1", (INT4, Ok("one")), "22P02"),
        ("select $1", (INT4, Err(&b"\0\0"[..])), "22P03"),
        ("select $1::int[]", (0, Ok("1,2")), "22P02"),
    ] {
        let answer = first(&asked(&mut client, statement, &[parameter]).await);
        assert!(answer.contains(code), "{statement}: {answer}");
    }
}

#[tokio::test]
async fn an_array_is_an_array_however_it_comes() {
    let server = Server::new();
    let mut client = server.open("skillscope").await;
    let binary = b"\0\0\0\x01\0\0\0\0\0\0\0\x19\0\0\0\x02\0\0\0\x01\0\0\0\x01a\0\0\0\x01b";
    let nested =
        b"\0\0\0\x02\0\0\0\0\0\0\0\x17\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\0\0\x01\0\0\0\x04\0\0\0\x01\0\0\0\x04\0\0\0\x02";
    let among = "select count(*) from (values ('a'), ('b'), ('c')) t(x) where x = any($1::text[])";
    let others = "select count(*) from (values ('a'), ('b'), ('c')) t(x) where x <> all($1::text[])";
    let bare = "select count(*) from (values ('a'), ('b'), ('c')) t(x) where x = any($1)";
    for (statement, parameter, expected) in [
        (among, (0, Ok("{a,b}")), "2"),
        (others, (0, Ok("{a,b}")), "1"),
        (bare, (0, Ok("{a,b}")), "2"),
        (bare, (TEXT_ARRAY, Ok("{a,b}")), "2"),
        (bare, (TEXT_ARRAY, Err(&binary[..])), "2"),
        (among, (0, Err(&binary[..])), "2"),
        (among, (TEXT_ARRAY, Ok(r#"{"a","b,c"}"#)), "1"),
        // As JDBC's setString has it.
        (among, (VARCHAR, Ok(r#"{"a","b"}"#)), "2"),
        (others, (VARCHAR, Ok("{a,b}")), "1"),
        (among, (VARCHAR, Ok("{}")), "0"),
        ("select count(*) from generate_series(1, 9) t(x) where x = any($1)", (0, Ok("{1,2,30}")), "2"),
        ("select count(*) from generate_series(1, 9) t(x) where x = any($1::int[])", (TEXT, Ok("{1,2,30}")), "2"),
        ("select $1::text[]", (0, Ok(r#"{NULL,"null","",a b,"\"\\"}"#)), r#"{NULL,"null","","a b","\"\\"}"#),
        ("select $1", (INT4_ARRAY, Ok("{{1,2},{3,4}}")), "{{1,2},{3,4}}"),
        ("select $1", (INT4_ARRAY, Err(&nested[..])), "{{1},{2}}"),
        ("select $1", (INT4_ARRAY, Ok("{}")), "{}"),
        ("select array_length($1)", (INT4_ARRAY, Ok("{5,6,7}")), "3"),
    ] {
        assert_eq!(first(&asked(&mut client, statement, &[parameter]).await), expected, "{statement} {parameter:?}");
    }
    for text in ["select '{a,b}'::text[]", "select cast('{a,b}' as text[])"] {
        let answers = in_time(client.query(text)).await;
        assert_eq!(first(&answers), "{a,b}", "{text}");
    }
}

/// The numbers of the types that the parameters of a statement are said to have.
async fn described(client: &mut Client, statement: &str) -> Vec<u32> {
    client.send(b'P', format!("\0{statement}\0\0\0").as_bytes()).await;
    client.send(b'D', b"S\0").await;
    client.send(b'S', b"").await;
    let answers = in_time(client.until_ready()).await;
    let told = answers.iter().find(|answer| answer.kind == 't').unwrap_or_else(|| panic!("{statement}: {answers:?}"));
    told.body[2..].chunks(4).map(|number| u32::from_be_bytes(number.try_into().unwrap())).collect()
}

#[tokio::test]
async fn parameters_have_the_types_that_postgresql_gives_them() {
    const FLOAT4: u32 = 700;
    const DATE: u32 = 1082;
    const TIMESTAMP: u32 = 1114;
    const BYTEA: u32 = 17;
    const TIME: u32 = 1083;
    const INT8_ARRAY: u32 = 1016;
    const TIMESTAMPTZ_ARRAY: u32 = 1185;
    let server = Server::new();
    let mut client = server.open("skillscope").await;
    // As PostgreSQL 15 describes them over a table of the same columns.
    for (statement, expected) in [
        ("select skill_id from segments limit $1 offset $2", &[INT8, INT8][..]),
        ("select skill_id from segments order by end_time fetch first $1 rows only", &[INT8]),
        (
            "select $1::int, $2::bigint, $3::smallint, $4::text, $5::float8, $6::real, $7::numeric, $8::bool",
            &[INT4, INT8, INT2, TEXT, FLOAT8, FLOAT4, NUMERIC, BOOL],
        ),
        (
            "select $1::timestamptz, $2::timestamp, $3::date, $4::time, $5::interval, $6::bytea, cast($7 as bigint)",
            &[TIMESTAMPTZ, TIMESTAMP, DATE, TIME, INTERVAL, BYTEA, INT8],
        ),
        ("select $1::int[], $2::text[], $3::bigint[]", &[INT4_ARRAY, TEXT_ARRAY, INT8_ARRAY]),
        ("select count(*) from segments where skill_id = any($1)", &[INT8_ARRAY]),
        ("select count(*) from segments where outcome = any($1)", &[TEXT_ARRAY]),
        ("select count(*) from segments where outcome <> all($1)", &[TEXT_ARRAY]),
        ("select count(*) from segments where end_time = any($1)", &[TIMESTAMPTZ_ARRAY]),
        ("select count(*) from segments where skill_id between $1 and $2", &[INT8, INT8]),
        ("select count(*) from segments where end_time between $1 and $2", &[TIMESTAMPTZ, TIMESTAMPTZ]),
        ("select count(*) from segments where skill_id in ($1, $2)", &[INT8, INT8]),
        ("select count(*) from segments where skill_id = $1 or $1 is null", &[INT8]),
        ("select count(*) from segments where $1 is null or skill_id = $1", &[INT8]),
        ("select count(*) from segments where $1::bigint is null or skill_id = $1", &[INT8]),
        ("select count(*) from segments where outcome like $1", &[TEXT]),
        ("select count(*) from segments where end_time > $1", &[TIMESTAMPTZ]),
        ("select count(*) from segments where end_time > now() - $1::interval", &[INTERVAL]),
        ("select end_time + $1 from segments", &[INTERVAL]),
        ("select date_trunc($1, end_time), count(*) from segments group by 1", &[TEXT]),
        ("select interval '1 day' * $1", &[FLOAT8]),
        ("select coalesce($1, skill_id) from segments", &[INT8]),
        ("select case when outcome = $1 then $2 else $3 end from segments", &[TEXT, TEXT, TEXT]),
        ("select percentile_cont($1) within group (order by skill_id) from segments", &[FLOAT8]),
        ("select outcome, count(*) from segments group by 1 having count(*) > $1", &[INT8]),
        (
            "with a as (select * from segments where skill_id = $1) select count(*) from a where outcome = $2",
            &[INT8, TEXT],
        ),
        ("select exists(select 1 from segments where skill_id = $1)", &[INT8]),
        ("select not $1", &[BOOL]),
        ("select true and $1", &[BOOL]),
        ("select upper($1), $2 || 'x', $3", &[TEXT, TEXT, TEXT]),
    ] {
        assert_eq!(described(&mut client, statement).await, expected, "{statement}");
    }
    // DataFusion counts places in texts, rows and digits by bigint.
    for (statement, expected) in [
        ("select substr($1, $2, $3)", &[TEXT, INT8, INT8][..]),
        ("select split_part($1, $2, $3)", &[TEXT, TEXT, INT8]),
        ("select round(1.55, $1)", &[INT8]),
        ("select lag(skill_id, $1) over (order by end_time) from segments", &[INT8]),
        ("select $1 + 1", &[INT8]),
    ] {
        assert_eq!(described(&mut client, statement).await, expected, "{statement}");
    }
}

#[tokio::test]
async fn arguments_of_a_report_are_parameters() {
    let server = Server::new();
    let mut client = server.open("acme").await;
    let types = described(&mut client, "select * from skill_report($1, $2, $3, $4, $5, $6)").await;
    assert_eq!(types, [TEXT, TIMESTAMPTZ, INT8, INT8, TEXT, TEXT]);
    let statement = "select count(*) >= 0 from skill_report($1, $2, $3)";
    for now in [(0, Ok("2018-01-18 09:51:55.679+01")), (INT8, Ok("1516265515679")), (TEXT, Ok("2018-01-18T08:51:55Z"))]
    {
        let values = [(0, Ok("acme")), now, (0, Ok("60"))];
        assert_eq!(first(&asked(&mut client, statement, &values).await), "t", "{now:?}");
    }
    let other = [(0, Ok("bolt")), (0, Ok("2018-01-18 08:51:55+00")), (0, Ok("60"))];
    let refused = first(&asked(&mut client, statement, &other).await);
    assert!(refused.contains("its own account only"), "{refused}");
}

#[tokio::test]
async fn queries_in_words_of_duckdb_are_prepared() {
    let server = Server::new();
    let mut client = server.open("skillscope").await;
    for (statement, types) in [
        ("from segments where skill_id = $1 order by all limit $2", &[INT8, INT8][..]),
        ("summarize from segments where outcome = $1", &[TEXT]),
        ("SUMMARIZE segments", &[]),
    ] {
        assert_eq!(described(&mut client, statement).await, types, "{statement}");
    }
    let answers = asked(&mut client, "summarize select $1 as x", &[(INT4, Ok("7"))]).await;
    assert_eq!(first(&answers), "x");
    let columns = answers.iter().find(|answer| answer.kind == 'T').unwrap();
    let names =
        ["column_name", "column_type", "min", "max", "approx_unique", "avg", "std", "q25", "q50", "q75", "count"];
    assert!(names.iter().all(|name| String::from_utf8_lossy(&columns.body).contains(name)), "{columns:?}");
    let several = "summarize select 1 as x, 2 as y; from (values (2), (1)) t(x) order by all; \
                   prepare p as summarize select $1::int as z; execute p(1); explain (costs off) summarize segments";
    let transcript = in_time(client.transcript(several)).await;
    assert!(transcript.starts_with("x y [SELECT 2] 1 2 [SELECT 2] [PREPARE] z [SELECT 1]"), "{transcript}");
}
