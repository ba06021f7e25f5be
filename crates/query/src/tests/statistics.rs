//! What is counted of statements.

use std::time::Duration;

use futures::{StreamExt, TryStreamExt};

use super::world::World;
use crate::{Engine, Error, Scope, SqlLimits, StatementOutcome};

/// How many statements of a door ended in each way that occurred.
fn outcomes(engine: &Engine, door: &str) -> Vec<(StatementOutcome, u64)> {
    let counts = engine.sql_counts();
    let of_door = counts.iter().find(|counts| counts.door == door);
    let occurred = of_door.into_iter().flat_map(|counts| &counts.outcomes).filter(|(_, number)| *number > 0);
    occurred.copied().collect()
}

async fn run(engine: &Engine, door: &'static str, text: &str) -> Result<usize, Error> {
    let rows = engine.sql(Scope::All, door).run(text, Vec::new()).await?;
    rows.map_ok(|batch| batch.num_rows()).try_fold(0, |all, rows| async move { Ok(all + rows) }).await
}

#[tokio::test]
async fn each_statement_is_counted_once_by_its_door_and_how_it_ended() {
    let world = World::new(0, &[]);
    let engine = &world.engine;
    assert_eq!(run(engine, "http", "select * from generate_series(1, 7)").await.unwrap(), 7);
    assert_eq!(run(engine, "http", "select 1").await.unwrap(), 1);
    assert!(run(engine, "http", "select 1 +").await.is_err());
    assert!(run(engine, "flight-sql", "select * from nowhere").await.is_err());
    let session = engine.sql(Scope::All, "flight-sql");
    session.describe("select 1").await.unwrap();
    assert!(session.describe("delete from segments").await.is_err());
    assert_eq!(outcomes(engine, "http"), [(StatementOutcome::Answered, 2), (StatementOutcome::Wrong, 1)]);
    assert_eq!(outcomes(engine, "flight-sql"), [(StatementOutcome::Wrong, 2)]);
    let counts = engine.sql_counts();
    let http = counts.iter().find(|counts| counts.door == "http").unwrap();
    assert_eq!((http.seconds.count(), http.rows), (3, 8));
}

#[tokio::test]
async fn statements_that_do_not_come_to_their_end_are_counted_by_why() {
    let world = World::new(0, &[]);
    let limits = SqlLimits { time: Duration::from_millis(50), ..SqlLimits::default() };
    let hurried = Engine::new(world.store.clone(), world.engine.clock().clone(), limits).unwrap();
    let endless = "select count(*) from generate_series(1, 1000000) a, generate_series(1, 1000000) b \
                   where a.value <> b.value + 3";
    assert!(matches!(run(&hurried, "postgresql", endless).await, Err(Error::TimeLimit { .. })));
    assert_eq!(outcomes(&hurried, "postgresql"), [(StatementOutcome::TimedOut, 1)]);

    let engine = &world.engine;
    let session = engine.sql(Scope::All, "postgresql");
    let mut rows = session.run("select * from generate_series(1, 100000000)", Vec::new()).await.unwrap();
    assert!(rows.next().await.unwrap().is_ok());
    let at_work: u64 = engine.sql_load().statements.iter().map(|(_, number)| number).sum();
    assert_eq!(at_work, 1);
    session.kill_running();
    while let Some(batch) = rows.next().await {
        if batch.is_err() {
            break;
        }
    }
    assert_eq!(outcomes(engine, "postgresql"), [(StatementOutcome::Killed, 1)]);

    let rows = session.run("select * from generate_series(1, 100000000)", Vec::new()).await.unwrap();
    drop(rows);
    // It ends on a thread of its own.
    while outcomes(engine, "postgresql").len() < 2 {
        tokio::task::yield_now().await;
    }
    assert_eq!(outcomes(engine, "postgresql"), [(StatementOutcome::Abandoned, 1), (StatementOutcome::Killed, 1)]);
}

#[tokio::test]
async fn memory_and_limits_are_told() {
    let world = World::new(0, &[]);
    let limits = SqlLimits { memory_bytes: 64 << 20, spill_bytes: 1 << 30, running: 3, ..SqlLimits::default() };
    let engine = Engine::new(world.store.clone(), world.engine.clock().clone(), limits).unwrap();
    let load = engine.sql_load();
    assert_eq!((load.memory_limit_bytes, load.spill_limit_bytes, load.most_at_work), (64 << 20, 1 << 30, 3));
    assert_eq!((load.memory_bytes, load.spill_bytes), (0, 0));
    let phases: Vec<_> = load.statements.iter().map(|(phase, _)| *phase).collect();
    assert_eq!(phases, ["waiting", "planning", "running", "unread"]);
    // The rows that wait for their reader count.
    let session = engine.sql(Scope::All, "http");
    let rows = session.run("select * from generate_series(1, 1000000)", Vec::new()).await.unwrap();
    while engine.sql_load().memory_bytes == 0 {
        tokio::task::yield_now().await;
    }
    drop(rows);
}
