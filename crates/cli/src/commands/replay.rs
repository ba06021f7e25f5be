use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use skillscope_replay::{Archive, Engine, Error, Instants, Question, Replay, Summary};
use tokio::runtime::Builder;

use crate::arguments::ReplayArguments;
use crate::output::{self, Usage};

/// A thread's stack: the plans of many files are deep.
const STACK_BYTES: usize = 8 << 20;

/// Writes the reports of many instants to a file.
pub(crate) fn run(arguments: ReplayArguments) -> Result<ExitCode> {
    let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build();
    let runtime = runtime.context("cannot start the threads of the replay")?;
    let replayed = runtime.block_on(replay(&arguments));
    runtime.shutdown_background();
    let summary = replayed.map_err(|error| match error.downcast_ref::<Error>() {
        Some(Error::Usage(_)) => Usage::error(error),
        _ => error,
    })?;
    for skipped in &summary.skipped {
        output::complain(&format!("left out {}: {}", skipped.file, skipped.problem));
    }
    let resumed = match summary.resumed_at {
        0 => String::new(),
        done => format!(", going on after {done} instants of an earlier run"),
    };
    output::print(&format!("wrote {} reports to {}{resumed}", summary.reports, arguments.out.display()));
    Ok(ExitCode::SUCCESS)
}

async fn replay(arguments: &ReplayArguments) -> Result<Summary> {
    let question = question(arguments)?;
    let instants = question.instants().count();
    let archive = Archive::open(arguments.archive.clone(), arguments.keep_going).await?;
    let replay = Replay::new(question, archive, Engine::local()?, &arguments.out)?;
    let bar = ProgressBar::new(instants).with_style(ProgressStyle::with_template(
        "{elapsed_precise} {wide_bar} {human_pos} of {human_len} instants, {per_sec}, {eta} left",
    )?);
    bar.enable_steady_tick(Duration::from_millis(500));
    let shown = bar.clone();
    let summary = replay.run(move |progress| shown.set_position(progress.done)).await;
    bar.finish_and_clear();
    Ok(summary?)
}

fn question(arguments: &ReplayArguments) -> Result<Question> {
    let to = arguments.to.unwrap_or(arguments.from);
    let instants = Instants::new(arguments.from, to, arguments.every.0)?;
    let options = [
        ("timeframe", Some(&arguments.timeframe)),
        ("interval", arguments.interval.as_ref()),
        ("skillIds", arguments.skill_ids.as_ref()),
        ("userType", arguments.user_type.as_ref()),
    ];
    let parameters: Vec<_> = options.into_iter().filter_map(|(name, value)| Some((name, value?.clone()))).collect();
    let account = arguments.account.as_ref().map(ToString::to_string);
    Question::new(account, instants, &parameters).map_err(Usage::error)
}
