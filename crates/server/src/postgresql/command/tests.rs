//! Statements as clients write them.

use datafusion_postgres::pgwire::error::ErrorInfo;

use super::*;

#[track_caller]
fn one(text: &str) -> Command {
    let mut commands = read(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(commands.len(), 1, "{text}");
    commands.remove(0)
}

#[track_caller]
fn refused(text: &str) -> (String, String) {
    let error = ErrorInfo::from(read(text).expect_err(text));
    (error.code, error.message)
}

fn fetch(name: &str, direction: Direction) -> Command {
    Command::Fetch(Fetch { name: name.to_owned(), direction, is_move: false })
}

#[test]
fn cursors_are_fetched_in_every_direction() {
    use Direction::{Absolute, Forward, Relative};
    for (text, name, direction) in [
        ("fetch c", "c", Forward(1)),
        ("FETCH FROM C", "c", Forward(1)),
        ("fetch next from \"C d\"", "C d", Forward(1)),
        ("fetch next c", "c", Forward(1)),
        ("fetch next", "next", Forward(1)),
        ("fetch prior in c", "c", Forward(-1)),
        ("fetch 100 from c1", "c1", Forward(100)),
        ("fetch -3 in c", "c", Forward(-3)),
        ("fetch 0 c", "c", Forward(0)),
        ("fetch all in c", "c", Forward(ALL)),
        ("fetch forward c", "c", Forward(1)),
        ("fetch forward 10 from c", "c", Forward(10)),
        ("fetch forward all from c", "c", Forward(ALL)),
        ("fetch backward c", "c", Forward(-1)),
        ("fetch backward 2 c", "c", Forward(-2)),
        ("fetch backward all c", "c", Forward(-ALL)),
        ("fetch first c", "c", Absolute(1)),
        ("fetch last from c", "c", Absolute(-1)),
        ("fetch absolute -2 from c", "c", Absolute(-2)),
        ("fetch relative 0 c", "c", Relative(0)),
    ] {
        assert_eq!(one(text), fetch(name, direction), "{text}");
    }
    let moved = Fetch { name: "c".to_owned(), direction: Forward(5), is_move: true };
    assert_eq!(one("move forward 5 in c;"), Command::Fetch(moved));
    assert_eq!((one("close c"), one("close all")), (Command::Close(Some("c".to_owned())), Command::Close(None)));
    assert_eq!(refused("fetch 1 from").0, "42601");
}

#[test]
fn cursors_are_declared_with_options_in_any_order() {
    for (text, is_binary, is_scrollable, is_held) in [
        ("declare c cursor for select 1", false, false, false),
        ("DECLARE c BINARY INSENSITIVE NO SCROLL CURSOR WITHOUT HOLD FOR select 1", true, false, false),
        ("declare \"c\" scroll asensitive cursor with hold for (select 1)", false, true, true),
        ("declare c cursor for values (1)", false, false, false),
    ] {
        let Command::Declare(declared) = one(text) else { panic!("{text}") };
        let found = (declared.is_binary, declared.is_scrollable, declared.is_held);
        assert_eq!(found, (is_binary, is_scrollable, is_held), "{text}");
        assert_eq!((declared.name.as_str(), declared.text.as_str()), ("c", text));
    }
    let wrong = ("42601".to_owned(), "syntax error at or near \"insert\"".to_owned());
    assert_eq!(refused("declare c cursor for insert into x values (1)"), wrong);
}

#[test]
fn settings_are_set_in_each_of_their_ways() {
    let set = |name: &str, value: Option<&str>, is_local| {
        Command::Set(vec![Assignment { name: name.to_owned(), value: value.map(str::to_owned), is_local }])
    };
    for (text, expected) in [
        ("set a.b = 'x'", set("a.b", Some("x"), false)),
        ("SET SESSION statement_timeout TO 1500", set("statement_timeout", Some("1500"), false)),
        ("set local work_mem to '1GB'", set("work_mem", Some("1GB"), true)),
        ("set DateStyle = ISO, DMY", set("datestyle", Some("iso, dmy"), false)),
        ("set search_path = public, \"My s\", 'a'", set("search_path", Some("public, \"My s\", a"), false)),
        ("set search_path to ''", set("search_path", Some("\"\""), false)),
        ("set x to default", set("x", None, false)),
        ("set extra_float_digits = -1", set("extra_float_digits", Some("-1"), false)),
        ("set random_page_cost = 1.1", set("random_page_cost", Some("1.1"), false)),
        ("set enable_seqscan to off", set("enable_seqscan", Some("off"), false)),
        ("set time zone 'Europe/Berlin'", set("TimeZone", Some("Europe/Berlin"), false)),
        ("set local time zone -5.5", set("TimeZone", Some("-5.5"), true)),
        ("set time zone interval '-08:30' hour to minute", set("TimeZone", Some("-8.5"), false)),
        ("set time zone local", set("TimeZone", None, false)),
        ("set names 'utf8'", set("client_encoding", Some("utf8"), false)),
        ("set session authorization default", set("session_authorization", None, false)),
        ("set role none", set("role", Some("none"), false)),
    ] {
        assert_eq!(one(text), expected, "{text}");
    }
    let all = one("set session characteristics as transaction isolation level serializable, read only");
    let Command::Set(all) = all else { panic!("{all:?}") };
    let names: Vec<&str> = all.iter().map(|assignment| assignment.name.as_str()).collect();
    assert_eq!(names, ["default_transaction_isolation", "default_transaction_read_only"]);
    assert_eq!(one("show time zone"), Command::Show(Shown::One("TimeZone".to_owned())));
    assert_eq!(one("show all"), Command::Show(Shown::All));
    assert_eq!(one("reset all"), Command::Reset(None));
    assert_eq!(one("discard temporary"), Command::Discard(Discarded::Temporary));
    for text in ["set", "set x", "set x =", "set x = 1 2", "show", "reset", "discard", "set time zone"] {
        assert_eq!(refused(text).0, "42601", "{text}");
    }
}

#[test]
fn transactions_begin_and_end_in_many_words() {
    use TransactionCommand::{Begin, Commit, Release, Rollback, RollbackTo, Savepoint};
    let begin = |tag, modes: &[(&'static str, &'static str)]| Begin {
        tag,
        modes: modes.iter().map(|(setting, value)| Mode { setting, value }).collect(),
    };
    let level = ("transaction_isolation", "repeatable read");
    for (text, expected) in [
        ("begin", begin("BEGIN", &[])),
        ("BEGIN WORK", begin("BEGIN", &[])),
        ("begin transaction isolation level repeatable read", begin("BEGIN", &[level])),
        (
            "START TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY NOT DEFERRABLE",
            begin("START TRANSACTION", &[level, ("transaction_read_only", "on"), ("transaction_deferrable", "off")]),
        ),
        ("commit", Commit { is_chained: false }),
        ("end transaction and no chain", Commit { is_chained: false }),
        ("commit work and chain", Commit { is_chained: true }),
        ("rollback and chain", Rollback { is_chained: true }),
        ("abort", Rollback { is_chained: false }),
        ("savepoint \"a b\"", Savepoint("a b".to_owned())),
        ("release savepoint x", Release("x".to_owned())),
        ("release savepoint", Release("savepoint".to_owned())),
        ("rollback to x", RollbackTo("x".to_owned())),
        ("rollback work to savepoint x", RollbackTo("x".to_owned())),
    ] {
        assert_eq!(one(text), Command::Transaction(expected), "{text}");
    }
    let disabled = ("55000".to_owned(), "prepared transactions are disabled".to_owned());
    assert_eq!(refused("prepare transaction 'x'"), disabled);
    for text in ["begin 1", "commit x", "rollback to", "savepoint", "start", "begin isolation level chaos"] {
        assert_eq!(refused(text).0, "42601", "{text}");
    }
}

#[test]
fn several_statements_are_taken_one_by_one_or_not_at_all() {
    let commands = read("select 1; begin;; fetch c").unwrap();
    assert!(matches!(commands.as_slice(), [Command::Query(_), Command::Transaction(_), Command::Fetch(_)]));
    assert_eq!(read(" ; /* nothing */ ").unwrap(), []);
    assert_eq!(refused("select 1; selec 2").0, "42601");
    assert_eq!(refused("select 'a").0, "42601");
}

#[test]
fn statements_are_prepared_with_types_and_run_with_values() {
    let types = vec!["int".to_owned(), "numeric(10, 2)".to_owned()];
    let query = "SELECT $1 + $2".to_owned();
    let prepared = Command::Prepare { name: "p".to_owned(), types, query };
    assert_eq!(one("prepare p(int, numeric(10, 2)) as select $1 + $2"), prepared);
    let values = vec!["1".to_owned(), "'a,b'".to_owned(), "array[1,2]".to_owned()];
    assert_eq!(one("execute p(1, 'a,b', array[1,2])"), Command::Execute { name: "p".to_owned(), values });
    assert_eq!(one("deallocate prepare all"), Command::Deallocate(None));
}

#[test]
fn copies_have_options_in_both_syntaxes() {
    let same = |one_text: &str, other: &str| assert_eq!(one(one_text), one(other), "{one_text}");
    same("copy (select 1) to stdout", "copy (select 1) to stdout with (format text, delimiter E'\\t', null '\\N')");
    same("copy t to stdout csv header", "copy (select * from t) to stdout (format csv, header)");
    same("copy t (a, b) to stdout csv", "copy (select a, b from t) to stdout (format 'csv', header false)");
    same(
        "copy t to stdout with csv header delimiter ';' null as 'x' quote '''' escape '\\' force quote a, b",
        "copy t to stdout (header, format csv, delimiter ';', null 'x', quote '''', escape '\\', force_quote (a, b))",
    );
    same("copy binary t to stdout", "copy t to stdout (format binary)");
    same("copy t to stdout with binary", "copy t to stdout (format binary)");
    for (text, code, message) in [
        ("copy t from stdin", "25006", "only statements that read are allowed here: COPY FROM writes"),
        ("copy t to '/tmp/x'", "25006", "only statements that read are allowed here: COPY writes to STDOUT"),
        ("copy t to stdout (format xml)", "22023", "COPY format \"xml\" not recognized"),
        ("copy t to stdout (colour red)", "42601", "option \"colour\" not recognized"),
        ("copy t to stdout (format csv, format csv)", "42601", "conflicting or redundant options"),
        ("copy t to stdout binary null 'x'", "42601", "cannot specify NULL in BINARY mode"),
        ("copy t to stdout (quote 'x')", "0A000", "COPY quote available only in CSV mode"),
        ("copy t to stdout delimiter 'ab'", "0A000", "COPY delimiter must be a single one-byte character"),
        ("copy t to stdout delimiter 'a'", "22023", "COPY delimiter cannot be \"a\""),
        ("copy t to stdout csv delimiter '\"'", "22023", "COPY delimiter and quote must be different"),
        ("copy t to stdout csv null ','", "0A000", "COPY delimiter must not appear in the NULL specification"),
        ("copy t to stdout (force_null (a))", "0A000", "COPY force null only available using COPY FROM"),
    ] {
        assert_eq!(refused(text), (code.to_owned(), message.to_owned()), "{text}");
    }
}

#[test]
fn queries_in_words_of_duckdb_are_queries() {
    for (text, query) in [
        ("from segments", "SELECT * FROM segments"),
        ("-- x\nFROM segments WHERE a = $1;", "SELECT * FROM segments WHERE a = $1"),
        (
            "from segments select a group by all order by all desc",
            "SELECT a FROM segments GROUP BY ALL ORDER BY all DESC",
        ),
        ("summarize segments", "SUMMARIZE SELECT * FROM segments"),
        ("/* x */ Summarize \"A b\";", "SUMMARIZE SELECT * FROM \"A b\""),
        ("SUMMARIZE from segments where a", "SUMMARIZE SELECT * FROM segments WHERE a"),
        ("summarize (select 1)", "SUMMARIZE (SELECT 1)"),
    ] {
        assert_eq!(one(text), Command::Query(query.to_owned()), "{text}");
    }
    let summary = "SUMMARIZE SELECT * FROM segments".to_owned();
    let prepared = Command::Prepare { name: "p".to_owned(), types: Vec::new(), query: summary.clone() };
    assert_eq!(one("prepare p as summarize segments"), prepared);
    let explained = Command::Explain { query: format!("EXPLAIN {summary}"), is_verbose: false };
    assert_eq!(
        (one("explain summarize segments"), one("explain (costs off) summarize segments")),
        (explained.clone(), explained)
    );
    assert_eq!(one("explain (from segments)"), one("explain (select * from segments)"));
    for text in ["declare c cursor for summarize segments", "copy (summarize segments) to stdout"] {
        let query = match one(text) {
            Command::Declare(declared) => declared.query,
            Command::Copy { query, .. } => query,
            other => panic!("{other:?}"),
        };
        assert_eq!(query, summary, "{text}");
    }
    assert!(matches!(one("declare c cursor for from segments"), Command::Declare(_)));
    assert_eq!(refused("summarize").0, "42601");
    assert_eq!(refused("summarize delete from segments").0, "42601");
}
