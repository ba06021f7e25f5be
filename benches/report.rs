//! The three shapes of report that all work on speed is measured with, each split into plan, execute and serialise.
//!
//! Over 1 and 10 million segments of 200 skills in 24 hours:
//! (a) all skills by 5 minutes, (b) all skills without interval, (c) two skills, human, the last hour by 5 minutes.
//!
//! `SKILLSCOPE_BENCH_ROWS=1000000 cargo bench` measures one size alone.

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a benchmark may panic, and prints its results")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::{BenchmarkId, Criterion};
use skillscope_query::{Clock, Engine, ReportRequest, SqlLimits};
use skillscope_segment::AccountId;
use skillscope_store::{Store, StoreOptions};
use skillscope_workload::{Workload, WorkloadOptions};
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// 18 January 2018, shortly before nine: not a round instant.
const NOW: i64 = 1_516_265_515_679;

const ACCOUNT: &str = "bench";

const SHAPES: [(&str, &[(&str, &str)]); 3] = [
    ("a all skills by 5 min", &[("timeframe", "1440"), ("interval", "5"), ("v", "1")]),
    ("b all skills", &[("timeframe", "1440"), ("v", "1")]),
    (
        "c two skills human last hour by 5 min",
        &[("timeframe", "60"), ("interval", "5"), ("skillIds", "7,12"), ("userType", "human"), ("v", "1")],
    ),
];

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4))
        .configure_from_args();
    let sizes = match std::env::var("SKILLSCOPE_BENCH_ROWS") {
        Ok(rows) => vec![rows.parse().expect("SKILLSCOPE_BENCH_ROWS is a number")],
        Err(_) => vec![1_000_000, 10_000_000],
    };
    for rows in sizes {
        measure(&mut criterion, rows);
    }
    criterion.final_summary();
}

fn measure(criterion: &mut Criterion, rows: u64) {
    let runtime = Runtime::new().expect("a runtime starts");
    let (engine, _directory) = engine(rows);
    for (shape, parameters) in SHAPES {
        let request = ReportRequest::from_parameters(ACCOUNT, NOW, parameters).expect("the request is valid");
        let plan = runtime.block_on(engine.plan_report(&request)).expect("the request is planned");
        let report = runtime.block_on(plan.run()).expect("the plan runs");
        let mut json = Vec::new();
        report.write_json(&mut json);
        println!("{shape}, {rows} rows: {} segments counted, {} bytes of JSON", report.summary.total.total, json.len());

        let mut group = criterion.benchmark_group(shape);
        group.bench_function(BenchmarkId::new("plan", rows), |bencher| {
            bencher.iter(|| runtime.block_on(engine.plan_report(black_box(&request))));
        });
        group.bench_function(BenchmarkId::new("execute", rows), |bencher| {
            // A physical plan keeps counts of its runs, so that each run has one of its own; planning is not timed.
            bencher.iter_batched(
                || runtime.block_on(engine.plan_report(&request)).expect("the request is planned"),
                |plan| runtime.block_on(plan.run()),
                criterion::BatchSize::PerIteration,
            );
        });
        group.bench_function(BenchmarkId::new("serialise", rows), |bencher| {
            bencher.iter(|| {
                let mut json = Vec::new();
                black_box(&report).write_json(&mut json);
                json
            });
        });
        group.finish();
    }
}

/// An engine over `rows` segments that ended within the 24 hours before [`NOW`].
fn engine(rows: u64) -> (Engine, TempDir) {
    let directory = TempDir::new().expect("there is room for the data");
    let (clock, hot_clock) = (Clock::Fixed(NOW), Clock::Fixed(NOW));
    let options = StoreOptions { clock, hot_clock, ..StoreOptions::default() };
    let store = Arc::new(Store::open_with(directory.path(), options).expect("the store opens"));
    let workload = Workload::new(WorkloadOptions {
        rows,
        skills: 200,
        accounts: vec![AccountId::parse(ACCOUNT).expect("the account is one")],
        hours: 24,
        end: NOW,
        seed: 1,
    });
    for batch in workload.batches(1 << 18) {
        store.append(&batch.expect("a batch is made")).expect("a batch is stored");
    }
    // As a server leaves it: runs are merged, and what is over is archived and in memory.
    while store.maintain().expect("the store is maintained") {}
    (Engine::new(store, Clock::Fixed(NOW), SqlLimits::default()).expect("the engine starts"), directory)
}
