//! Options whose value is an instant.

use anyhow::Result;
use skillscope_segment::{format_instant, parse_instant};

use crate::output::Usage;

const HOUR_MS: i64 = 3_600_000;

/// Parses the value of an option that is an instant. Segments exist in the years 1970 to 2199 only.
pub(super) fn instant(text: &str) -> Result<i64, String> {
    const END_OF_2199: &str = "2200-01-01T00:00:00Z";
    let end = parse_instant(END_OF_2199).map_err(|error| error.to_string())?;
    let instant = parse_instant(text).map_err(|error| error.to_string())?;
    if (0..=end).contains(&instant) { Ok(instant) } else { Err("it is outside the years 1970 to 2199".to_owned()) }
}

/// Checks that a workload begins in 1970 or later. Its segments end in the `hours` before `end`, and each begins up to
/// an hour before it ends.
pub(crate) fn check_not_before_1970(end: i64, hours: u32) -> Result<()> {
    if end < i64::from(hours).saturating_add(1).saturating_mul(HOUR_MS) {
        let end = format_instant(end);
        return Err(Usage::error(format!("{hours} hours before {end} reach back to before 1970")));
    }
    Ok(())
}
