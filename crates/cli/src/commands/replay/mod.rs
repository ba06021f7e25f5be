//! Reports of the past, or segments of the past played into a server.

mod playback;
mod reports;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use skillscope_replay::{Error, SkippedFile};
use tokio::runtime::Builder;

use crate::arguments::ReplayArguments;
use crate::output::{self, Usage};
use crate::threads::PLAN_STACK_BYTES;

/// How often a progress bar updates its clock.
const TICK: Duration = Duration::from_millis(500);

/// Writes the reports of many instants to a file, or plays segments into a server.
pub(crate) fn run(arguments: ReplayArguments) -> Result<ExitCode> {
    let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(PLAN_STACK_BYTES).build();
    let runtime = runtime.context("cannot start the threads of the replay")?;
    let done = match &arguments.into {
        Some(url) => playback::play(&arguments, url, runtime.handle()),
        None => runtime.block_on(reports::write(&arguments)),
    };
    runtime.shutdown_background();
    let done = done.map_err(|error| match error.downcast_ref::<Error>() {
        Some(Error::Usage(_)) => Usage::error(error),
        _ => error,
    })?;
    output::print(&done);
    Ok(ExitCode::SUCCESS)
}

/// Shows a progress bar whose clock goes on while nothing else happens.
fn show(bar: ProgressBar, template: &str) -> Result<ProgressBar> {
    let bar = bar.with_style(ProgressStyle::with_template(template)?);
    bar.enable_steady_tick(TICK);
    Ok(bar)
}

fn complain_of_skipped(skipped: &[SkippedFile]) {
    for SkippedFile { file, problem, rows } in skipped {
        match rows {
            Some(rows) => output::complain(&format!("left out {rows} rows of {file}: they have {problem}")),
            None => output::complain(&format!("left out {file}: {problem}")),
        }
    }
}
