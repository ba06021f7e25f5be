//! skillscope's part in `benches/peers/run.py`: it loads a Parquet file, and answers on standard output what it is
//! asked on standard input, a line each.
//!
//! ```text
//! arrow SHAPE   the report's cells in the process: {"ns": …, "rows": …}
//! again SHAPE   the same with the physical plan of an earlier request: {"ns": …, "rows": …}
//! json SHAPE    the request answered as JSON, as it is sent: {"ns": …, "bytes": …}
//! plan SHAPE    the physical plan alone: {"ns": …}
//! cells SHAPE   every cell that has segments: [[interval start or null, skill, the eight metrics], …]
//! totals SHAPE  what running totals take: {"rows": …, "bytes": …}
//! quit
//! ```

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::panic,
    reason = "a benchmark may panic, and prints its results"
)]

use std::fs::File;
use std::io::{BufRead, Write};
use std::sync::Arc;
use std::time::Instant;

use futures::TryStreamExt;
use serde_json::{Value, json};
use skillscope_query::{Breakdown, Clock, Engine, Metrics, Report, ReportRequest, SqlLimits};
use skillscope_segment::{Error, Format, Input, ReadOptions, read_segments};
use skillscope_store::{Store, StoreOptions};
use tempfile::TempDir;
use tokio::runtime::{Handle, Runtime};

/// The instant before which every segment of the file ends.
const NOW: i64 = 1_516_265_515_679;

/// Larger answers are written in pieces, as the server does it.
const STREAMED_BYTES: usize = 1 << 20;

const ACCOUNT: &str = "account-1";

const SHAPES: [(&str, &[(&str, &str)]); 3] = [
    ("a", &[("timeframe", "1440"), ("interval", "5"), ("v", "1")]),
    ("b", &[("timeframe", "1440"), ("v", "1")]),
    ("c", &[("timeframe", "60"), ("interval", "5"), ("skillIds", "7,12"), ("userType", "human"), ("v", "1")]),
];

fn main() {
    // `cargo bench` asks every benchmark without a file.
    let Some(path) = std::env::args().skip(1).find(|argument| !argument.starts_with('-')) else { return };
    let (engine, store, _directory) = engine(&path);
    let runtime = Runtime::new().expect("a runtime starts");
    tell(&"ready");
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("what is asked is text");
        let Some((what, shape)) = line.split_once(' ') else { break };
        let answer = runtime.block_on(answer(&engine, &store, what, shape));
        tell(&answer);
    }
}

fn tell(line: &impl std::fmt::Display) {
    println!("{line}");
    std::io::stdout().flush().expect("somebody listens");
}

/// The time from the request's parameters to the answer, or the answer itself.
async fn answer(engine: &Engine, store: &Store, what: &str, shape: &str) -> Value {
    if what == "totals" {
        return json!({ "rows": rows(store), "bytes": store.totals_bytes() });
    }
    let parameters = SHAPES.iter().find(|(name, _)| *name == shape).map(|(_, parameters)| *parameters);
    let parameters = parameters.unwrap_or_else(|| panic!("there is no shape {shape}"));
    let start = Instant::now();
    let request = ReportRequest::from_parameters(ACCOUNT, NOW, parameters).expect("the request is valid");
    if what == "plan" {
        engine.plan_report(&request).await.expect("the request is planned");
        return json!({ "ns": nanoseconds(start) });
    }
    if what == "arrow" || what == "again" {
        let plan = engine.plan_report(&request).await.expect("the request is planned");
        let start = if what == "again" { Instant::now() } else { start };
        let batches = plan.cells().await.expect("the plan runs");
        let rows: usize = batches.iter().map(|batch| batch.num_rows()).sum();
        return json!({ "ns": nanoseconds(start), "rows": rows });
    }
    let report = engine.report(&request).await.expect("the report is made");
    match what {
        "json" => {
            let bytes = if report.json_bytes() > STREAMED_BYTES {
                Arc::new(report)
                    .json_stream(&Handle::current())
                    .try_fold(0, |sum, piece| async move { Ok(sum + piece.len()) })
                    .await
                    .expect("it is written")
            } else {
                let mut text = Vec::new();
                report.write_json(&mut text);
                text.len()
            };
            json!({ "ns": nanoseconds(start), "bytes": bytes })
        }
        "cells" => cells(&report).map(|(start, skill, metrics)| cell(start, skill, metrics)).collect(),
        _ => panic!("nothing is known of {what}"),
    }
}

fn nanoseconds(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// Cells that have segments, the oldest interval first.
fn cells(report: &Report) -> impl Iterator<Item = (Option<i64>, i64, &Metrics)> {
    let by_interval = report.intervals.iter().flatten().rev();
    let intervals = by_interval.map(|interval| (Some(interval.timestamp), &interval.metrics));
    let whole = report.intervals.is_none().then_some((None, &report.summary));
    intervals.chain(whole).flat_map(|(start, breakdown): (_, &Breakdown)| {
        breakdown.skills.iter().map(move |(skill, metrics)| (start, *skill, metrics))
    })
}

fn cell(start: Option<i64>, skill: i64, metrics: &Metrics) -> Value {
    json!([
        start,
        skill,
        metrics.total,
        metrics.abandoned,
        metrics.abandoned_in_queue,
        metrics.non_responsive_consumer,
        metrics.non_responsive_agent,
        metrics.interactive,
        metrics.samples,
        metrics.sample_sum_ms,
    ])
}

/// Memory for whole segments: those of ten million and more fit, those of a hundred million do not. Running totals of
/// the last hours are in memory in any case.
const HOT_BYTES: u64 = 4 << 30;

/// An engine over the file's segments, as a server has them: in memory, runs merged, and what is over archived as well.
fn engine(path: &str) -> (Engine, Arc<Store>, TempDir) {
    let directory = TempDir::new().expect("there is room for the data");
    let (clock, hot_clock) = (Clock::Fixed(NOW), Clock::Fixed(NOW));
    let options = StoreOptions { clock, hot_clock, hot_bytes: HOT_BYTES, ..StoreOptions::default() };
    let store = Arc::new(Store::open_with(directory.path(), options).expect("the store opens"));
    let file = Input::File(File::open(path).expect("there is a file"));
    let read = ReadOptions { account: None, chunk_rows: 1 << 18, ..ReadOptions::default() };
    read_segments::<Error>(Format::Parquet, file, &read, |chunk| {
        assert!(chunk.rejected.is_empty(), "a segment is rejected");
        store.append(&chunk.batch).expect("a batch is stored");
        store.maintain().expect("the store is maintained");
        Ok(())
    })
    .expect("the file is read");
    while store.maintain().expect("the store is maintained") {}
    (
        Engine::new(Arc::clone(&store), Clock::Fixed(NOW), SqlLimits::default()).expect("the engine starts"),
        store,
        directory,
    )
}

fn rows(store: &Store) -> u64 {
    let snapshot = store.snapshot();
    let rows = |account| {
        let in_memory = snapshot.partitions(account).map(|partition| partition.rows() as u64).sum::<u64>();
        in_memory + snapshot.archived(account).map(|file| file.rows()).sum::<u64>()
    };
    snapshot.accounts().map(rows).sum()
}
