//! Sessions: whose they are, what they may use, and how their statements end.

use std::time::{Duration, Instant};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use arrow::util::pretty::pretty_format_batches;
use datafusion::common::ScalarValue;
use futures::{StreamExt, TryStreamExt};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use skillscope_segment::{Event, EventKind, Outcome, UserType};

use super::world::{Facts, World, scope, segments};
use crate::{Clock, Engine, Error, Scope, SqlLimits, SqlSession};

const NOW: i64 = 1_516_265_515_679;

/// Two accounts, each in memory and in a file of its own, with an open conversation.
fn two_accounts() -> World {
    let fact = |account, skill, age| Facts {
        account,
        skill,
        end_time: NOW - age,
        user_type: UserType::Bot,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: Some(3),
    };
    let old = 5 * 3_600_000;
    let facts = [fact("acme", 1, 1), fact("bolt", 777_777, 1), fact("acme", 1, old), fact("bolt", 777_777, old)];
    let world = World::with_hot_hours(NOW, 1, 4, &segments(&facts));
    for (account_id, skill_id) in [("acme", 1), ("bolt", 777_777)] {
        let kind = EventKind::Started { skill_id, source: Some(account_id) };
        world.send(&[Event { account_id, conversation_id: "open", sequence: 0, time: NOW - 1, kind }]);
    }
    world
}

/// An engine over the same rows, within other limits.
fn limited(world: &World, limits: SqlLimits) -> Engine {
    Engine::new(std::sync::Arc::clone(&world.store), Clock::Fixed(NOW), limits).unwrap()
}

/// A statement that takes longer than any test.
const ENDLESS: &str =
    "select count(*) from generate_series(1, 1000000) a, generate_series(1, 1000000) b where a.value <> b.value + 3";

async fn text(engine: &Engine, account: Option<&str>, statement: &str) -> Result<String, Error> {
    let rows = engine.sql(scope(account), "http").run(statement, Vec::new()).await?;
    let batches: Vec<RecordBatch> = rows.try_collect().await?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

#[tokio::test]
async fn nothing_of_another_account_is_seen_by_any_table_or_plan() {
    let world = two_accounts();
    for statement in [
        "select * from segments",
        "select * from segments where account_id = 'bolt' or skill_id > 0",
        "select * from open_conversations",
        "select * from open_conversations where account_id = 'bolt' or skill_id > 0",
        "explain analyze select * from open_conversations where skill_id > 0",
        "select * from system.accounts",
        "select * from system.files",
        "select * from system.partitions",
        "select * from system.queries",
        "select * from metrics_by_hour",
        "select * from skillscope.public.segments",
        "select * from information_schema.tables",
        "select * from information_schema.views",
        "select * from information_schema.df_settings",
        "explain select * from segments",
        "explain verbose select skill_id from segments where skill_id > 1",
        "explain analyze select count(*) from segments",
        "explain analyze select max(conversation_id) from segments where end_time < now() - interval '2 hours'",
        "select * from skill_report(null, now(), 1440, 60)",
        "select * from report_segments(null, now(), 1440)",
        "explain select * from report_segments('acme', now(), 1440)",
        "select (select max(skill_id) from segments), (select string_agg(path, ',') from system.files)",
    ] {
        let own = text(&world.engine, Some("acme"), statement).await.unwrap();
        for secret in ["bolt", "777777"] {
            // The statement itself may name it.
            let own = own.replace(statement, "");
            assert!(!own.contains(secret), "{statement}\n{own}");
        }
    }
    let seen = text(&world.engine, None, "select * from segments").await.unwrap();
    assert!(seen.contains("bolt") && seen.contains("777777"), "an operator sees all:\n{seen}");
    for function in ["skill_report", "report_segments"] {
        let statement = format!("select * from {function}('bolt', now(), 60)");
        let of_another = text(&world.engine, Some("acme"), &statement).await;
        assert!(of_another.unwrap_err().to_string().contains("own account"));
    }
}

#[tokio::test]
async fn an_account_lists_and_ends_its_own_statements_alone() {
    let world = two_accounts();
    let engine = &world.engine;
    let run = |account: &str| {
        let session = engine.sql(scope(Some(account)), "flight-sql");
        async move {
            let mut rows = session.run(ENDLESS, Vec::new()).await.unwrap();
            rows.next().await
        }
    };
    let (acme, bolt) = (tokio::spawn(run("acme")), tokio::spawn(run("bolt")));
    let count = "select count(*) from system.queries where door = 'flight-sql' and state = 'running'";
    until(async || number(engine, None, count).await == 2).await;
    assert_eq!(number(engine, Some("acme"), count).await, 1);
    let id_of_bolts =
        number(engine, Some("bolt"), "select min(id) from system.queries where door = 'flight-sql'").await;
    let kill = format!("select cast(kill_query({id_of_bolts}) as bigint)");
    assert_eq!(number(engine, Some("acme"), &kill).await, 0, "to another account it is not there");
    assert!(!bolt.is_finished());
    assert_eq!(number(engine, Some("bolt"), &kill).await, 1);
    assert!(matches!(bolt.await.unwrap(), Some(Err(Error::Killed))));
    assert!(!acme.is_finished());
    // An operator ends whatever runs.
    let all = "select kill_query(id) as killed from system.queries where door = 'flight-sql'";
    assert!(text(engine, None, all).await.unwrap().contains("true"));
    assert!(matches!(acme.await.unwrap(), Some(Err(Error::Killed))));
    // This one alone.
    until(async || number(engine, None, "select count(*) from system.queries").await == 1).await;
}

async fn number(engine: &Engine, account: Option<&str>, statement: &str) -> i64 {
    let rows = engine.sql(scope(account), "http").run(statement, Vec::new()).await.unwrap();
    let batches: Vec<RecordBatch> = rows.try_collect().await.unwrap();
    batches[0].column(0).as_primitive::<Int64Type>().value(0)
}

/// The error of a statement, whether it comes before or instead of its first rows.
async fn failure(session: &SqlSession, statement: &str) -> Error {
    match session.run(statement, Vec::new()).await {
        Ok(mut rows) => rows.next().await.unwrap().unwrap_err(),
        Err(error) => error,
    }
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !is_so().await {
        assert!(start.elapsed() < Duration::from_secs(60), "it does not come to be so");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_statement_whose_reader_goes_is_ended() {
    let world = two_accounts();
    let session = world.engine.sql(Scope::All, "flight-sql");
    let running = tokio::spawn(async move { session.run(ENDLESS, Vec::new()).await.unwrap().next().await });
    let count = "select count(*) from system.queries where door = 'flight-sql'";
    until(async || number(&world.engine, None, count).await == 1).await;
    running.abort();
    until(async || number(&world.engine, None, count).await == 0).await;
    // The same for one that has rows already, which nobody takes.
    let rows = "select * from generate_series(1, 100000000)";
    let mut taken = world.engine.sql(Scope::All, "flight-sql").run(rows, Vec::new()).await.unwrap();
    taken.next().await.unwrap().unwrap();
    assert_eq!(number(&world.engine, None, count).await, 1);
    drop(taken);
    until(async || number(&world.engine, None, count).await == 0).await;
}

#[tokio::test]
async fn a_session_ends_its_statements_and_no_others() {
    let world = two_accounts();
    let (one, other) = (world.engine.sql(Scope::All, "postgresql"), world.engine.sql(Scope::All, "flight-sql"));
    let run = |session: crate::SqlSession| async move { session.run(ENDLESS, Vec::new()).await.unwrap().next().await };
    let (first, second) = (tokio::spawn(run(one.clone())), tokio::spawn(run(other.clone())));
    let count = "select count(*) from system.queries where state = 'running' and door <> 'http'";
    until(async || number(&world.engine, None, count).await == 2).await;
    one.kill_running();
    assert!(matches!(first.await.unwrap(), Some(Err(Error::Killed))));
    assert!(!second.is_finished());
    other.kill_running();
    second.await.unwrap();
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_ended_and_says_so() {
    let world = two_accounts();
    let engine = limited(&world, SqlLimits { time: Duration::from_millis(300), ..SqlLimits::default() });
    let error = text(&engine, None, ENDLESS).await.unwrap_err();
    assert!(matches!(error, Error::TimeLimit { .. }), "{error}");
    assert!(error.to_string().contains("0.3 s"), "{error}");
    // A busy machine may need more than the limit for any statement.
    until(async || text(&engine, None, "select 1").await.is_ok()).await;
    // A client's own limit is kept where it is shorter, and no longer than it may be.
    let session = world.engine.sql(Scope::All, "http").within(Duration::from_millis(200));
    let error = failure(&session, ENDLESS).await;
    assert!(error.to_string().contains("0.2 s"), "{error}");
    let session = engine.sql(Scope::All, "http").within(Duration::from_secs(1000));
    let error = failure(&session, ENDLESS).await;
    assert!(error.to_string().contains("0.3 s"), "{error}");
}

#[tokio::test]
async fn one_statement_too_many_waits_and_is_refused_in_plain_words() {
    let world = two_accounts();
    let limits = SqlLimits { running: 1, patience: Duration::from_millis(200), ..SqlLimits::default() };
    let engine = limited(&world, limits);
    let running = engine.sql(Scope::All, "http").run(ENDLESS, Vec::new()).await.unwrap();
    let refused = text(&engine, None, "select 1").await;
    assert!(matches!(refused, Err(Error::TooManyQueries { running: 1 })), "{refused:?}");
    // To tell what columns it has takes a turn as well.
    let described = engine.sql(Scope::All, "http").describe("select 1").await;
    assert!(matches!(described, Err(Error::TooManyQueries { running: 1 })));
    drop(running);
    // A place is free again, soon.
    until(async || text(&engine, None, "select 1").await.is_ok()).await;
}

#[tokio::test]
async fn readers_that_stall_hold_up_nobody() {
    let world = two_accounts();
    let engine = limited(&world, SqlLimits { running: 1, ..SqlLimits::default() });
    let mut stalled = Vec::new();
    for _ in 0..4 {
        // Only the first rows are taken.
        let rows = "select * from generate_series(1, 100000000)";
        let mut rows = engine.sql(Scope::All, "flight-sql").run(rows, Vec::new()).await.unwrap();
        rows.next().await.unwrap().unwrap();
        stalled.push(rows);
    }
    let unread = "select count(*) from system.queries where door = 'flight-sql' and state = 'unread'";
    until(async || number(&engine, None, unread).await == 4).await;
    // They go on where they were.
    let mut rows = stalled.swap_remove(0);
    for _ in 0..20 {
        rows.next().await.unwrap().unwrap();
    }
    assert_eq!(number(&engine, None, "select count(*) from segments").await, 4);
}

#[tokio::test]
async fn rows_that_nobody_takes_are_gone_after_a_while() {
    let world = two_accounts();
    let engine = limited(&world, SqlLimits { stall: Duration::from_millis(100), ..SqlLimits::default() });
    // Whether there are more rows to come, or all of them wait.
    for rows in ["select * from generate_series(1, 100000000)", "select 1"] {
        let session = engine.sql(Scope::All, "flight-sql");
        let mut rows = session.run(rows, Vec::new()).await.unwrap();
        // Another statement's rows might not be taken in time either, where the machine is slow.
        until(async || listed(&engine).await == 0).await;
        let error = rows.next().await.unwrap().unwrap_err();
        assert!(matches!(error, Error::Stalled { .. }), "{error}");
        assert!(error.to_string().contains("--sql-stall-limit"), "{error}");
    }
}

#[tokio::test]
async fn rows_may_wait_for_a_client_that_pauses_until_the_time_is_over() {
    let world = two_accounts();
    let (stall, time) = (Duration::from_millis(1), Duration::from_secs(2));
    let engine = limited(&world, SqlLimits { stall, time, ..SqlLimits::default() });
    let session = engine.sql(Scope::All, "postgresql").with_pauses();
    let error = match session.run("select * from generate_series(1, 100000000)", Vec::new()).await {
        Ok(mut rows) => {
            until(async || listed(&engine).await == 0).await;
            rows.next().await.unwrap().unwrap_err()
        }
        Err(error) => error,
    };
    assert!(matches!(error, Error::Stalled { limit } if limit == time), "{error}");
}

#[tokio::test]
async fn a_statement_is_on_the_list_while_it_is_described_or_parsed() {
    let world = two_accounts();
    let engine = limited(&world, SqlLimits { running: 1, patience: Duration::from_secs(60), ..SqlLimits::default() });
    let session = engine.sql(Scope::All, "http");
    let running = tokio::spawn(async move { session.run(ENDLESS, Vec::new()).await.unwrap().next().await });
    until(async || listed(&engine).await == 1).await;
    // It waits for its turn.
    let session = engine.sql(Scope::All, "postgresql");
    let describing = tokio::spawn(async move { session.describe("select 1").await });
    until(async || listed(&engine).await == 2).await;
    let session = engine.sql(Scope::All, "postgresql");
    let other = session.clone();
    let gone = tokio::spawn(async move { other.describe("select 2").await });
    until(async || listed(&engine).await == 3).await;
    // The client goes.
    gone.abort();
    until(async || listed(&engine).await == 2).await;
    // Text alone needs no turn: a session can be begun and ended while others are busy.
    assert_eq!(session.parse_with("begin", str::len).await.unwrap(), 5);
    running.abort();
    assert_eq!(describing.await.unwrap().unwrap().schema.fields().len(), 1);
    until(async || listed(&engine).await == 0).await;
}

/// The number of statements on the list, asked without one.
async fn listed(engine: &Engine) -> usize {
    engine.listed_statements()
}

#[tokio::test]
async fn what_does_not_fit_in_memory_spills_and_beyond_that_is_refused() {
    let world = two_accounts();
    let folder = tempfile::TempDir::new().unwrap();
    let limits = |spill_bytes| SqlLimits {
        memory_bytes: 20 << 20,
        spill_folder: Some(folder.path().to_owned()),
        spill_bytes,
        ..SqlLimits::default()
    };
    // Some 80 MB to sort.
    let sort = "select count(*) from (select lag(repeat('x', 10)) over (order by value * 7919 % 1000003, value) as before \
                from generate_series(1, 3000000)) s where before is not null";
    assert_eq!(number(&limited(&world, limits(1 << 30)), None, sort).await, 2_999_999);
    let error = text(&limited(&world, limits(1 << 20)), None, sort).await.unwrap_err();
    assert!(matches!(error, Error::OutOfMemory), "{error}");
    assert!(!error.to_string().contains('#'), "it names no part of other statements: {error}");
    // Nothing is left on disk.
    until(async || folder.path().read_dir().unwrap().count() == 0).await;
}

#[tokio::test]
async fn parameters_are_values_and_nothing_else() {
    let world = two_accounts();
    let session = world.engine.sql(scope(Some("acme")), "postgresql");
    let description =
        session.describe("select skill_id from segments where skill_id = $2 and outcome = $1").await.unwrap();
    assert_eq!(description.schema.fields().len(), 1);
    assert_eq!(description.parameters.len(), 2);
    let count = async |value: &str| {
        let statement = "select count(*) from segments where outcome = $1";
        let rows = session.run(statement, vec![ScalarValue::from(value)]).await.unwrap();
        let batches: Vec<RecordBatch> = rows.try_collect().await.unwrap();
        batches[0].column(0).as_primitive::<Int64Type>().value(0)
    };
    assert_eq!(count("interactive").await, 2);
    assert_eq!(count("x' or 'a' = 'a").await, 0);
    for values in [vec![], vec![ScalarValue::from("a"), ScalarValue::from("b")]] {
        let error = session.run("select $1", values).await.unwrap_err();
        assert!(error.to_string().contains("1 parameters"), "{error}");
    }
}

/// Pieces that statements are made of, some of which reach for what is not theirs.
const PIECES: [&str; 67] = [
    "select",
    "*",
    "from",
    "segments",
    "where",
    "account_id",
    "=",
    "'bolt'",
    "or",
    "true",
    "union all",
    "join",
    "on",
    "open_conversations",
    "system.accounts",
    "system.files",
    "system.queries",
    "system.partitions",
    "information_schema.columns",
    "skill_report('bolt', now(), 60)",
    "report_segments('bolt', now(), 60)",
    "metrics_by_hour",
    "group by",
    "skill_id",
    "order by",
    "limit",
    "1",
    "count(*)",
    ",",
    "(",
    ")",
    "explain",
    "analyze",
    "with",
    "x as",
    "insert into",
    "drop table",
    "create view v as",
    "copy",
    "to '/tmp/x.csv'",
    "set",
    "datafusion.catalog.location",
    "read_parquet('/tmp/x')",
    "'/etc/passwd'",
    "prepare p as",
    "execute p",
    "kill_query(1)",
    "max(path)",
    "case when",
    "then",
    "end",
    "is null",
    "not",
    "exists",
    "in",
    "over",
    "distinct",
    "having",
    "cast(",
    "as varchar)",
    "interval '1 hour'",
    "now()",
    "$1",
    ";",
    "--",
    "\u{1f980}",
    "skillscope.public.segments",
];

fn any_statement() -> impl Strategy<Value = String> {
    let words = vec(select(PIECES.to_vec()), 0..14).prop_map(|pieces| pieces.join(" "));
    let reading = vec(select(PIECES.to_vec()), 0..10).prop_map(|rest| format!("select * from {}", rest.join(" ")));
    let nested = (any_table(), any_table(), any_condition()).prop_map(|(table, other, condition)| {
        format!("select * from {table} a where exists (select 1 from {other} b where {condition}) or {condition}")
    });
    let united = (any_table(), any_table()).prop_map(|(table, other)| {
        format!("select cast(count(*) as varchar) from {table} union all select cast(max(x) as varchar) from (select * from {other}) t(x)")
    });
    let joined = (any_table(), any_table(), any_condition())
        .prop_map(|(table, other, condition)| format!("select * from {table} a full join {other} b on {condition}"));
    prop_oneof![2 => words, 2 => reading, 2 => nested, 1 => united, 2 => joined, 1 => "\\PC{0,60}"]
}

fn any_table() -> impl Strategy<Value = &'static str> {
    select(vec![
        "segments",
        "open_conversations",
        "system.accounts",
        "system.files",
        "system.partitions",
        "system.queries",
        "metrics_by_day",
        "information_schema.tables",
        "(select * from segments where account_id = 'bolt')",
        "(values ('acme')) v(account_id)",
        "skill_report(null, now(), 60)",
        "report_segments(null, now(), 60)",
    ])
}

fn any_condition() -> impl Strategy<Value = &'static str> {
    select(vec![
        "true",
        "account_id = 'bolt'",
        "a.account_id <> 'acme'",
        "account_id in (select account_id from segments)",
        "skill_id > 1000",
        "not (account_id = 'acme')",
        "end_time is not null",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_statement_panics_or_sees_another_account(statements in vec(any_statement(), 4)) {
        // One world for all: it is never changed.
        static WORLD: std::sync::LazyLock<World> = std::sync::LazyLock::new(two_accounts);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        for statement in statements {
            let session = WORLD.engine.sql(scope(Some("acme")), "http").within(Duration::from_secs(20));
            let answer: Result<Vec<RecordBatch>, Error> = runtime.block_on(async {
                session.describe(&statement).await?;
                session.run(&statement, Vec::new()).await?.try_collect().await
            });
            match answer {
                Ok(batches) => {
                    let text = pretty_format_batches(&batches).unwrap().to_string();
                    // What the statement itself says may come back: as a constant, in a plan, in the list of
                    // statements.
                    prop_assert!(!text.contains("777777") && !text.contains("account=bolt"), "{}\n{}", statement, text);
                    if !statement.contains("bolt") {
                        prop_assert!(!text.contains("bolt"), "{}\n{}", statement, text);
                    }
                }
                Err(error) => {
                    let text = error.to_string();
                    prop_assert!(!text.contains("of gigabytes"), "{} panicked", statement);
                    prop_assert!(!matches!(error, Error::Defect(_)), "{} panicked: {}", statement, text);
                    prop_assert!(!text.contains("777777") && !text.contains("account=bolt"), "{}\n{}", statement, text);
                }
            }
        }
    }
}
