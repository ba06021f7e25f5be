//! What was known then: a store is asked live while segments come late, and again when all has come.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use skillscope_query::{Clock, Engine, SqlLimits};
use skillscope_segment::column;
use skillscope_store::{Store, StoreOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use super::equality::questions;
use super::world::{Asked, DAY, END, HOUR, MINUTE, rows, write};

const ROWS: usize = 160;

/// How long after its end a segment comes.
fn delays() -> impl Strategy<Value = Vec<i64>> {
    vec(prop_oneof![4 => 0..2_000_i64, 2 => 0..20 * MINUTE, 2 => 0..4 * HOUR, 1 => 0..3 * DAY], ROWS)
}

/// A store that is asked while segments come.
struct Live {
    now: Arc<AtomicI64>,
    store: Arc<Store>,
    engine: Engine,
    /// When each row comes, in the order of time, and its place among the rows.
    arrivals: Vec<(i64, usize)>,
    next: usize,
}

impl Live {
    fn new(directory: &Path, rows: &RecordBatch, delays: &[i64]) -> Self {
        let now = Arc::new(AtomicI64::new(END - 4 * DAY));
        let clock = Clock::Simulated(Arc::clone(&now));
        let options = StoreOptions { clock: clock.clone(), hot_clock: clock.clone(), ..StoreOptions::default() };
        let store = Arc::new(Store::open_with(directory, options).unwrap());
        let engine = Engine::new(Arc::clone(&store), clock, SqlLimits::default()).unwrap();
        let ends = rows.column_by_name(column::END_TIME).unwrap().as_primitive::<TimestampMillisecondType>().values();
        let mut arrivals: Vec<_> = ends.iter().zip(delays).map(|(end, delay)| end + delay).zip(0..).collect();
        arrivals.sort_unstable();
        Self { now, store, engine, arrivals, next: 0 }
    }

    /// Lets come what comes up to an instant.
    fn advance(&mut self, rows: &RecordBatch, until: i64) {
        while let Some((arrival, row)) = self.arrivals.get(self.next).filter(|(arrival, _)| *arrival <= until) {
            self.now.store(*arrival, Ordering::Relaxed);
            assert_eq!(self.store.append(&rows.slice(*row, 1)).unwrap().accepted, 1);
            self.next += 1;
            if self.next.is_multiple_of(50) {
                while self.store.maintain().unwrap() {}
            }
        }
        self.now.store(until, Ordering::Relaxed);
    }
}

#[test]
fn a_replay_of_what_was_known_then_is_what_the_endpoint_answered() {
    let rows = rows(ROWS as u64, 17);
    let runtime = Runtime::new().unwrap();
    let mut runner = TestRunner::new(Config { cases: 12, ..Config::default() });
    let outcome = runner.run(&(questions(), delays()), |(asked, delays)| {
        let directory = TempDir::new().unwrap();
        let mut live = Live::new(directory.path(), &rows, &delays);
        let mut answered = String::new();
        for now in asked.instants() {
            live.advance(&rows, now);
            answered.push_str(&runtime.block_on(asked.answer(&live.engine, now)));
        }
        live.advance(&rows, END + 7 * DAY);

        let asked = Asked { as_known: true, ..asked };
        let mut asked_again = String::new();
        for now in asked.instants() {
            asked_again.push_str(&runtime.block_on(asked.answer(&live.engine, now)));
        }
        prop_assert_eq!(&asked_again, &answered, "asked again");
        drop(live);
        let replayed = runtime.block_on(asked.replayed(directory.path())).unwrap();
        prop_assert_eq!(&replayed, &answered, "replayed from the data directory");
        // Every hour is over: what is in the files is all.
        Store::open(directory.path()).unwrap().seal_finished_hours().unwrap();
        let replayed = runtime.block_on(asked.replayed(&directory.path().join("archive"))).unwrap();
        prop_assert_eq!(&replayed, &answered, "replayed from the files alone");
        Ok(())
    });
    outcome.unwrap();
}

/// Files of other writers do not tell when their rows came: they have always been there.
#[tokio::test]
async fn what_does_not_tell_when_it_came_counts() {
    let rows = rows(500, 5);
    let folder = TempDir::new().unwrap();
    let places: Vec<usize> = (0..rows.num_columns() - 1).collect();
    let without = rows.project(&places).unwrap();
    assert!(without.column_by_name(column::ARRIVAL_TIME).is_none());
    write(&folder.path().join("without.parquet"), &without.slice(0, 250), 100);
    // All are null.
    write(&folder.path().join("nulls.parquet"), &rows.slice(250, 250), 100);
    let asked = Asked { as_known: true, ..Asked::plain() };
    let as_it_is = Asked { as_known: false, ..asked.clone() };
    assert_eq!(asked.replayed(folder.path()).await.unwrap(), as_it_is.replayed(folder.path()).await.unwrap());
}

#[tokio::test]
async fn a_file_that_tells_it_in_no_time_is_refused_where_it_matters() {
    let rows = rows(50, 5);
    let mut columns = rows.columns().to_vec();
    *columns.last_mut().unwrap() = Arc::new(arrow::array::StringArray::from(vec!["yesterday"; rows.num_rows()]));
    let names = rows.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
    let strange = RecordBatch::try_from_iter(names.into_iter().zip(columns)).unwrap();
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("strange.parquet"), &strange, 100);
    let asked = Asked { as_known: true, ..Asked::plain() };
    let error = asked.replayed(folder.path()).await.unwrap_err().to_string();
    assert!(error.contains("arrival_time") && error.contains("a timestamp"), "{error}");
    Asked { as_known: false, ..asked }.replayed(folder.path()).await.unwrap();
}

/// Some write a time that never comes where there is none yet.
#[tokio::test]
async fn what_never_comes_does_not_count() {
    let rows = rows(60, 5);
    let far = arrow::array::TimestampMillisecondArray::from(vec![253_402_300_799_000; rows.num_rows()]);
    let mut columns = rows.columns().to_vec();
    *columns.last_mut().unwrap() = Arc::new(far.with_timezone("UTC"));
    let never = RecordBatch::try_new(rows.schema(), columns).unwrap();
    let folder = TempDir::new().unwrap();
    write(&folder.path().join("never.parquet"), &never.slice(0, 30), 100);
    write(&folder.path().join("always.parquet"), &rows.slice(30, 30), 100);
    let asked = Asked { as_known: true, from: END - DAY, every: HOUR + 7 * MINUTE, ..Asked::plain() };
    let there = TempDir::new().unwrap();
    write(&there.path().join("always.parquet"), &rows.slice(30, 30), 100);
    assert_eq!(asked.replayed(folder.path()).await.unwrap(), asked.replayed(there.path()).await.unwrap());
}
