//! Statements that ask for more than there is: of memory, of stack, of time, of numbers.

use std::time::Duration;

use arrow::array::RecordBatch;
use arrow::util::pretty::pretty_format_batches;
use futures::TryStreamExt;
use skillscope_segment::{Outcome, UserType};

use super::world::{Facts, World, segments};
use crate::{Clock, Engine, Error, Scope, SqlLimits};

const NOW: i64 = 1_516_265_515_679;

fn world() -> World {
    let fact = |skill| Facts {
        account: "acme",
        skill,
        end_time: NOW - skill,
        user_type: UserType::Human,
        outcome: Outcome::Interactive,
        in_queue: false,
        sample: Some(3),
    };
    World::new(NOW, &segments(&(1..=10).map(fact).collect::<Vec<_>>()))
}

/// An engine that gives statements little memory and time.
fn engine(world: &World, seconds: u64) -> Engine {
    let limits = SqlLimits { memory_bytes: 200 << 20, time: Duration::from_secs(seconds), ..SqlLimits::default() };
    Engine::new(std::sync::Arc::clone(&world.store), Clock::Fixed(NOW), limits).unwrap()
}

async fn text(engine: &Engine, statement: &str) -> Result<String, Error> {
    let rows = engine.sql(Scope::All, "http").run(statement, Vec::new()).await?;
    let batches: Vec<RecordBatch> = rows.try_collect().await?;
    Ok(pretty_format_batches(&batches).unwrap().to_string())
}

/// Takes all rows of a statement, and keeps none.
async fn ended(engine: &Engine, statement: &str) -> Result<(), Error> {
    let mut rows = engine.sql(Scope::All, "http").run(statement, Vec::new()).await?;
    while rows.try_next().await?.is_some() {}
    Ok(())
}

/// Whether a statement ended in a panic.
fn is_panic(error: &Error) -> bool {
    matches!(error, Error::Defect(_)) || error.to_string().contains("of gigabytes")
}

/// The most memory that this process has had so far, in bytes; `None` where the system does not tell.
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

#[tokio::test]
async fn every_seed_of_the_fuzzer_ends_in_rows_or_an_error() {
    let world = world();
    let engine = engine(&world, 5);
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/seeds/sql");
    let mut seen = 0;
    for seed in std::fs::read_dir(seeds).unwrap() {
        let seed = seed.unwrap().path();
        let statement = std::fs::read_to_string(&seed).unwrap();
        if let Err(error) = ended(&engine, &statement).await {
            assert!(!is_panic(&error), "{} panicked: {error}", seed.display());
        }
        let memory = most_memory().unwrap_or(0);
        assert!(memory < 3 << 30, "{} took {memory} bytes, with all before it", seed.display());
        seen += 1;
    }
    assert!(seen > 40);
    // The same process answers.
    assert!(text(&engine, "select count(*) from segments").await.unwrap().contains("10"));
}

#[tokio::test]
async fn what_outgrows_its_arguments_is_refused_before_there_is_any() {
    let world = world();
    let engine = engine(&world, 60);
    for statement in [
        "select repeat('x', 1000000000)",
        "select length(repeat('x', 1000000000))",
        "select max(length(repeat(conversation_id, 100000000))) from segments",
        "select lpad('a', 2000000000)",
        "select rpad(conversation_id, 2000000000, 'ab') from segments",
        "select replace(repeat('a', 60000), 'a', repeat('b', 60000))",
        "select regexp_replace(repeat('a', 60000), 'a', repeat('b', 60000), 'g')",
        "select max(length(x || x)) from (select repeat(conversation_id, 3000000) as x from segments) t",
        "select concat_ws(repeat('x', 60000), conversation_id, conversation_id) || repeat(conversation_id, 9000000) from segments",
        "select arrow_cast(null, 'FixedSizeList(65536, FixedSizeList(65536, Int64))')",
        "select arrow_cast(null, 'FixedSizeBinary(2000000000)')",
        "select arrow_typeof(arrow_cast(null, 'FixedSizeList(65536, Int64)'))",
        "select x from (select repeat('x', 60000) as x) t, segments",
    ] {
        let error = text(&engine, statement).await.unwrap_err();
        assert!(matches!(error, Error::Sql(_) | Error::OutOfMemory), "{statement}: {error}");
        assert!(!is_panic(&error), "{statement}: {error}");
    }
    for statement in [
        format!("select arrow_cast(1, '{}Int64{}')", "List(".repeat(3_000), ")".repeat(3_000)),
        format!("select arrow_try_cast(1, '{}Int64{}')", "List(".repeat(3_000), ")".repeat(3_000)),
        format!("select 1 + {} from segments", "length(repeat(conversation_id, 10000000))"),
    ] {
        assert!(text(&engine, &statement).await.is_err(), "{}", &statement[..60]);
    }
}

#[tokio::test]
async fn rows_that_grow_stay_within_memory() {
    let world = world();
    let engine = engine(&world, 120);
    // A gigabyte, of which a batch is there at a time.
    let longest = "select max(length(repeat('x', value % 1000 + 9000))) as longest from generate_series(1, 100000)";
    assert!(text(&engine, longest).await.unwrap().contains("9999"));
    // 512 rows of it are more than a quarter of what one statement may have.
    let wide = "select max(length(repeat('x', value % 2 + 100000))) from generate_series(1, 100000)";
    let error = text(&engine, wide).await.unwrap_err().to_string();
    assert!(error.contains("bytes for 512 rows") && error.contains("--sql-memory"), "{error}");
    for statement in [
        "select array_length(array_agg(repeat('x', value % 2 + 10000))) from generate_series(1, 100000)",
        "select length(string_agg(repeat('x', value % 2 + 10000), ',')) from generate_series(1, 100000)",
        "select value % 10, array_agg(repeat('x', value % 2 + 10000)) from generate_series(1, 40000) group by 1",
        "select max(repeat('x', value % 2 + 100000)) over () from generate_series(1, 100000)",
    ] {
        let error = ended(&engine, statement).await.unwrap_err();
        assert!(matches!(error, Error::OutOfMemory | Error::Sql(_)), "{statement}: {error}");
    }
    let memory = most_memory().unwrap_or(0);
    assert!(memory < 3 << 30, "{memory} bytes");
}

#[tokio::test]
async fn rows_without_columns_are_kept_as_their_number() {
    let world = world();
    let engine = engine(&world, 60);
    let statement = "select count(*) from segments a, segments b, segments c, segments d, segments e";
    assert!(text(&engine, statement).await.unwrap().contains(" 100000 "));
    let explained = text(&engine, &format!("explain analyze {statement}")).await.unwrap();
    let lines: Vec<&str> = explained.lines().collect();
    let joins = lines.windows(2).filter(|pair| pair[0].contains("CrossJoinExec"));
    let guarded = joins.filter(|pair| pair[1].contains("GuardExec")).count();
    assert_eq!(guarded, 4, "{explained}");
}

#[tokio::test]
async fn what_a_window_adds_to_rows_without_columns_is_counted() {
    let world = world();
    let engine = engine(&world, 60);
    let numbers = "generate_series(1, 10000)";
    let statement = format!("select count(*) over () from {numbers} a, {numbers} b");
    assert!(matches!(text(&engine, &statement).await.unwrap_err(), Error::OutOfMemory));
}

#[tokio::test]
async fn bounded_calls_answer_as_they_did() {
    let world = world();
    let engine = engine(&world, 60);
    for (expression, value) in [
        ("repeat('ab', 3)", "ababab"),
        ("repeat(conversation_id, 2)", "c-0c-0"),
        ("lpad('a', 3, '-')", "--a"),
        ("replace('banana', 'an', 'AN')", "bANANa"),
        ("conversation_id || '-' || skill_id", "c-0-1"),
        ("'a' || null", " "),
        ("concat('a', null, 'b')", "ab"),
        ("concat_ws('-', conversation_id, 'b')", "c-0-b"),
        ("upper(conversation_id)", "C-0"),
        ("arrow_typeof(arrow_cast(1, 'Int8'))", "Int8"),
        ("length(repeat('x', 60000))", "60000"),
        ("coalesce(null, conversation_id)", "c-0"),
        ("substring(conversation_id from 1 for 1)", "c"),
        ("regexp_replace(conversation_id, '[0-9]', 'n')", "c-n"),
        ("skill_id + 1", "2"),
        ("-skill_id", "-1"),
        ("(skill_id - 3) * 2", "-4"),
        ("2 * 3", "6"),
        ("9223372036854775806 + 1", "9223372036854775807"),
        ("end_time - interval '1 ms' < end_time", "true"),
    ] {
        let statement = format!("select {expression} as value from segments where skill_id = 1");
        let answer = text(&engine, &statement).await.unwrap();
        assert_eq!(answer.lines().nth(3).unwrap().trim_matches('|').trim(), value.trim(), "{expression}");
    }
    let names =
        text(&engine, "select skill_id + 1, 'a' || conversation_id, upper(outcome) from segments limit 1").await;
    let names = names.unwrap();
    assert!(names.contains(" segments.skill_id + Int64(1) ") && names.contains(" upper(segments.outcome) "), "{names}");
}

#[tokio::test]
async fn a_number_out_of_range_is_an_error() {
    let world = world();
    let engine = engine(&world, 60);
    for expression in [
        "9223372036854775807 + 1",
        "9223372036854775807 + skill_id",
        "-9223372036854775807 - skill_id - 1",
        "skill_id * 9223372036854775807 * 2",
        "-(-9223372036854775807 - skill_id)",
        "cast(2147483647 as int) + cast(skill_id as int)",
    ] {
        let error = text(&engine, &format!("select {expression} from segments where skill_id = 1")).await.unwrap_err();
        assert!(error.to_string().contains("out of range"), "{expression}: {error}");
    }
    let filtered = "select count(*) from segments where skill_id + 9223372036854775800 > 0";
    assert!(text(&engine, filtered).await.unwrap_err().to_string().contains("bigint out of range"));
    assert!(
        text(&engine, "select abs(-9223372036854775807 - skill_id) from segments where skill_id = 1").await.is_err()
    );
}

/// A nested loop join whose left side does not fit into memory would read it again, and could not.
#[tokio::test]
async fn a_join_beyond_memory_says_that_memory_ran_out() {
    let world = world();
    let limits = SqlLimits { memory_bytes: 48 << 20, time: Duration::from_secs(120), ..SqlLimits::default() };
    let engine = Engine::new(std::sync::Arc::clone(&world.store), Clock::Fixed(NOW), limits).unwrap();
    let side = "(select value as v, repeat('x', 15000) as x from generate_series(1, 4000) group by value)";
    for join in ["join", "left join", "full join"] {
        let statement = format!("select count(a.x), count(b.x) from {side} a {join} {side} b on a.v > b.v + 3990");
        match text(&engine, &statement).await {
            // 9 + 8 + … + 1 pairs, where there is room.
            Ok(rows) => assert!(join != "join" || rows.contains(" 45 "), "{join}: {rows}"),
            Err(error) => {
                assert!(matches!(error, Error::OutOfMemory), "{join}: {error}");
                assert!(error.to_string().contains("--sql-memory"), "{error}");
            }
        }
    }
}
