//! Reports at many instants of the past, written to a file.

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use skillscope_replay::{Instants, PlanRunner, Question, Replay};

use super::{complain_of_skipped, show};
use crate::archive;
use crate::arguments::{ReplayArguments, scope};
use crate::output::Usage;

/// Writes the reports to a file, and returns a sentence that says so.
pub(super) async fn write(arguments: &ReplayArguments) -> Result<String> {
    let question = question(arguments)?;
    let out = arguments.out.as_deref().context("--out is needed")?;
    let instants = question.instants().count();
    let runner = arguments.ballista.as_deref().map_or_else(PlanRunner::local, PlanRunner::cluster)?;
    let (archive, _copy) = archive::open(&arguments.archive, arguments.keep_going).await?;
    let replay = Replay::new(question, archive, runner, out)?;
    let template = "{elapsed_precise} {wide_bar} {human_pos} of {human_len} instants, {per_sec}, {eta} left";
    let bar = show(ProgressBar::new(instants), template)?;
    let shown = bar.clone();
    let summary = replay.run(move |progress| shown.set_position(progress.done)).await;
    bar.finish_and_clear();
    let summary = summary?;
    complain_of_skipped(&summary.skipped);
    let resumed = match summary.resumed_at {
        0 => String::new(),
        done => format!(", going on after {done} instants of an earlier run"),
    };
    Ok(format!("wrote {} reports to {}{resumed}", summary.reports, out.display()))
}

fn question(arguments: &ReplayArguments) -> Result<Question> {
    let from = arguments.from.context("--from is needed")?;
    let instants = Instants::new(from, arguments.to.unwrap_or(from), arguments.every.0)?;
    let options = [
        ("timeframe", &arguments.timeframe),
        ("interval", &arguments.interval),
        ("skillIds", &arguments.skill_ids),
        ("userType", &arguments.user_type),
    ];
    let parameters: Vec<_> = options.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    let question = Question::new(scope(arguments.account.as_ref()), instants, &parameters).map_err(Usage::error)?;
    Ok(if arguments.as_known { question.as_known() } else { question })
}
