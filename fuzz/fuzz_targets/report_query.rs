//! Anything at all as the query string of a report: no panic, and what is taken keeps the contract.
#![no_main]

use libfuzzer_sys::fuzz_target;
use skillscope_query::ReportParameters;

const MINUTE: i64 = 60_000;

fuzz_target!(|bytes: &[u8]| {
    // The clock is anywhere, too.
    let now = bytes.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes));
    let parameters: Vec<_> = form_urlencoded::parse(bytes).collect();
    let Ok(parameters) = ReportParameters::parse(now, &parameters) else { return };
    let range = parameters.range();
    assert_eq!(range.end, now);
    let minutes = now.saturating_sub(range.start) / MINUTE;
    assert!((1..=1440).contains(&minutes) || range.start == i64::MIN, "{range:?}");
    if let Some(interval) = parameters.interval_ms() {
        assert!(interval >= 5 * MINUTE && interval <= 1440 * MINUTE);
    }
});
