//! Recorded answers of another endpoint against ours.

mod differences;
mod explanations;
mod recorded;

use std::process::ExitCode;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use skillscope_replay::{Comparison, Error, Findings, Location, PlanRunner, Recordings};
use tokio::runtime::Builder;

use crate::archive;
use crate::arguments::CompareArguments;
use crate::escaped::Escaped;
use crate::output::{self, Usage};
use crate::threads::PLAN_STACK_BYTES;

/// Compares recorded answers with ours, and prints where they differ. Exit code 1 says that they do, or that some could
/// not be read.
pub(crate) fn run(arguments: CompareArguments) -> Result<ExitCode> {
    let files = arguments.recorded.iter().map(|path| recorded::open(path)).collect::<Result<Vec<_>>>()?;
    let recordings = Recordings::read(files, arguments.account.clone())?;
    let unreadable = recordings.unreadable_count();
    complain_of_unreadable(&recordings);
    anyhow::ensure!(recordings.count() > 0, "there is no recorded answer to compare with");
    let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(PLAN_STACK_BYTES).build();
    let runtime = runtime.context("cannot start the threads of the comparison")?;
    let findings = runtime.block_on(compare(&arguments, recordings));
    runtime.shutdown_background();
    let findings = findings.map_err(|error| match error.downcast_ref::<Error>() {
        Some(Error::Usage(_)) => Usage::error(error),
        _ => error,
    })?;
    differences::print(&findings, arguments.limit);
    for verdict in findings.verdicts.iter().flatten() {
        explanations::print(verdict, arguments.limit);
    }
    let is_equal = findings.differing == 0 && unreadable == 0;
    Ok(if is_equal { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn compare(arguments: &CompareArguments, recordings: Recordings) -> Result<Findings> {
    let of_directory = || Location::Folder(arguments.directory.data_dir.clone());
    let location = arguments.archive.clone().unwrap_or_else(of_directory);
    let template = "{elapsed_precise} {wide_bar} {human_pos} of {human_len} recordings, {per_sec}, {eta} left";
    let bar = ProgressBar::new(recordings.count()).with_style(ProgressStyle::with_template(template)?);
    let (archive, _copy) = archive::open(&location, false).await?;
    let comparison = Comparison::new(recordings, archive, PlanRunner::local()?, arguments.explain);
    let findings = comparison.run(|done| bar.set_position(done)).await;
    bar.finish_and_clear();
    Ok(findings?)
}

fn complain_of_unreadable(recordings: &Recordings) {
    for unreadable in recordings.unreadable() {
        let (file, line, problem) = (&unreadable.file, unreadable.line, Escaped(&unreadable.problem));
        output::complain(&format!("{file}:{line}: {problem}"));
    }
    let count = recordings.unreadable_count();
    let unlisted = count.saturating_sub(recordings.unreadable().len() as u64);
    if unlisted > 0 {
        output::complain(&format!("{unlisted} more lines cannot be read"));
    }
    if count > 0 {
        output::complain(&format!("{count} lines have no recorded answer that can be compared"));
    }
}
