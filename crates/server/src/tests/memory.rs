//! What the defaults of all options that are memory come to.

use skillscope_query::SqlLimits;
use skillscope_store::{StoreOptions, memory_bytes};

use crate::{HttpOptions, flight, postgresql};

/// The hundredths that each consumer takes by default, at most.
const PERCENTS: [u64; 7] = [
    StoreOptions::HOT_PERCENT,
    StoreOptions::TOTALS_PERCENT,
    SqlLimits::MEMORY_PERCENT,
    HttpOptions::REPORT_PERCENT,
    HttpOptions::BODY_PERCENT,
    postgresql::MEMORY_PERCENT,
    flight::MEMORY_PERCENT,
];

#[test]
fn the_defaults_together_leave_a_fifth_of_the_memory_free() {
    assert_eq!(PERCENTS.iter().sum::<u64>(), 80);
    let (store, sql, http) = (StoreOptions::default(), SqlLimits::default(), HttpOptions::default());
    let counted = [store.hot_bytes, store.totals_bytes, sql.memory_bytes as u64, http.report_memory as u64];
    let bodies = http.body_memory as u64;
    let of_doors = memory_bytes() / 100 * (postgresql::MEMORY_PERCENT + flight::MEMORY_PERCENT);
    assert!(counted.iter().sum::<u64>() + bodies + of_doors <= memory_bytes() / 5 * 4);
}

#[test]
fn bodies_take_their_share_of_a_small_machine_and_no_more_of_a_large_one() {
    assert_eq!(HttpOptions::of_bodies(1 << 40), (64 << 20, 512 << 20));
    assert_eq!(HttpOptions::of_bodies(3_000_000_000), (64 << 20, 300_000_000));
    assert_eq!(HttpOptions::of_bodies(1_000_000_000), (25_000_000, 100_000_000));
}

#[test]
fn the_page_of_limits_tells_each_share() {
    let page = include_str!("../../../../docs/limits.md");
    for (share, what) in [
        (StoreOptions::HOT_PERCENT, "`--hot-bytes`"),
        (StoreOptions::TOTALS_PERCENT, "running totals of older files"),
        (SqlLimits::MEMORY_PERCENT, "`--sql-memory`"),
        (HttpOptions::REPORT_PERCENT, "`--report-memory`"),
        (HttpOptions::BODY_PERCENT, "`--body-memory`"),
        (postgresql::MEMORY_PERCENT, "all connections of PostgreSQL together"),
        (flight::MEMORY_PERCENT, "requests of Flight SQL that are still coming"),
    ] {
        let line = page.lines().find(|line| line.contains(what) && line.contains(&format!("{share} %")));
        assert!(line.is_some(), "no line tells of {what} that it is {share} %");
    }
}
