//! `\watch`: a statement that is run again and again.

use std::time::Duration;

use anyhow::{Result, bail};
use chrono::Local;

use super::arguments::words;
use super::state::State;
use crate::output;

/// How long to wait where nobody says.
const PERIOD: Duration = Duration::from_secs(2);

/// The longest wait.
const MAX_SECONDS: f64 = 86_400.0;

/// How a statement is watched.
#[derive(Debug, PartialEq)]
struct Watch {
    period: Duration,
    /// How often it is run; `None` without an end.
    times: Option<u64>,
}

/// Runs the statement that has begun, or the last one, until Ctrl-C.
pub(super) fn watch(state: &mut State, text: &str) -> Result<()> {
    let Watch { period, times } = Watch::read(text)?;
    let statement = state.take_begun_or_last();
    if statement.trim().is_empty() {
        bail!("there is no statement to watch");
    }
    let mut done = 0;
    loop {
        output::print(&format!("{} (every {} s)", Local::now().format("%Y-%m-%d %H:%M:%S"), period.as_secs_f64()));
        state.run_statement(&statement)?;
        done += 1;
        if times.is_some_and(|times| done >= times) || is_interrupted(state, period)? {
            return Ok(());
        }
    }
}

/// Waits; true where Ctrl-C comes first.
fn is_interrupted(state: &State, period: Duration) -> Result<bool> {
    state.runtime.block_on(async {
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| true).map_err(Into::into),
            () = tokio::time::sleep(period) => Ok(false),
        }
    })
}

impl Watch {
    /// Reads seconds, and how often: `5`, `i=0.5 c=10`.
    fn read(text: &str) -> Result<Self> {
        let mut watch = Self { period: PERIOD, times: None };
        for word in words(text)? {
            match word.split_once('=') {
                Some(("c" | "count", times)) => match times.parse() {
                    Ok(times @ 1..) => watch.times = Some(times),
                    _ => bail!("{times} is no number of times"),
                },
                Some(("i" | "interval", seconds)) => watch.period = seconds_of(seconds)?,
                Some(_) => bail!("\\watch takes seconds, and c=N"),
                None => watch.period = seconds_of(&word)?,
            }
        }
        Ok(watch)
    }
}

fn seconds_of(text: &str) -> Result<Duration> {
    match text.parse::<f64>() {
        Ok(seconds) if (0.0..=MAX_SECONDS).contains(&seconds) => Ok(Duration::from_secs_f64(seconds)),
        _ => bail!("{text} is no number of seconds up to {MAX_SECONDS}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_times_are_read() {
        let of = |seconds: f64, times| Watch { period: Duration::from_secs_f64(seconds), times };
        assert_eq!(Watch::read("").unwrap(), of(2.0, None));
        assert_eq!(Watch::read("0.5").unwrap(), of(0.5, None));
        assert_eq!(Watch::read("i=10 c=3").unwrap(), of(10.0, Some(3)));
        for wrong in ["-1", "x", "nan", "c=0", "c=x", "y=1", "1e9"] {
            assert!(Watch::read(wrong).is_err(), "{wrong}");
        }
    }
}
