use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::TimestampMillisecondType;
use indicatif::{ProgressBar, ProgressStyle};
use skillscope_replay::{Archive, Error, Instants, PlanRunner, Playback, Question, Replay, SkippedFile};
use skillscope_segment::column;
use skillscope_store::Clock;
use tokio::runtime::{Builder, Handle};

use super::remote::RemoteStore;

use crate::arguments::{ReplayArguments, scope};
use crate::output::{self, Usage};

/// A thread's stack: the plans of many files are deep.
const STACK_BYTES: usize = 8 << 20;

/// How often a progress bar shows that time goes on.
const TICK: Duration = Duration::from_millis(500);

/// How often segments are sent.
const PLAY_PERIOD: Duration = Duration::from_millis(100);

/// Segments that are sent at once: about half a megabyte.
const PLAY_ROWS: usize = 1 << 12;

/// Writes the reports of many instants to a file, or plays segments into a server.
pub(crate) fn run(arguments: ReplayArguments) -> Result<ExitCode> {
    let runtime = Builder::new_multi_thread().enable_all().thread_stack_size(STACK_BYTES).build();
    let runtime = runtime.context("cannot start the threads of the replay")?;
    let done = match &arguments.into {
        Some(url) => play(&arguments, url, runtime.handle()),
        None => runtime.block_on(replay(&arguments)),
    };
    runtime.shutdown_background();
    let done = done.map_err(|error| match error.downcast_ref::<Error>() {
        Some(Error::Usage(_)) => Usage::error(error),
        _ => error,
    })?;
    output::print(&done);
    Ok(ExitCode::SUCCESS)
}

async fn replay(arguments: &ReplayArguments) -> Result<String> {
    let question = question(arguments)?;
    let out = arguments.out.as_deref().context("--out is needed")?;
    let instants = question.instants().count();
    let runner = arguments.ballista.as_deref().map_or_else(PlanRunner::local, PlanRunner::cluster)?;
    let archive = Archive::open(arguments.archive.clone(), arguments.keep_going).await?;
    let replay = Replay::new(question, archive, runner, out)?;
    let bar = ProgressBar::new(instants).with_style(ProgressStyle::with_template(
        "{elapsed_precise} {wide_bar} {human_pos} of {human_len} instants, {per_sec}, {eta} left",
    )?);
    bar.enable_steady_tick(TICK);
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
    Question::new(scope(arguments.account.as_ref()), instants, &parameters).map_err(Usage::error)
}

/// Sends segments to a server when they are to close.
fn play(arguments: &ReplayArguments, url: &str, runtime: &Handle) -> Result<String> {
    let server = RemoteStore::new(url)?;
    let archive = runtime.block_on(Archive::open(arguments.archive.clone(), arguments.keep_going))?;
    let (range, speed) = ((arguments.from, arguments.to), arguments.speed.0);
    let scope = scope(arguments.account.as_ref());
    let playback = Playback::new(archive, PlanRunner::local()?, scope, range, Clock::System.now(), speed);
    let mut playback = runtime.block_on(playback)?;
    let bar = ProgressBar::new_spinner().with_style(ProgressStyle::with_template("{elapsed_precise} {spinner} {msg}")?);
    bar.enable_steady_tick(TICK);
    let (mut accepted, mut refused) = (0, 0);
    while let Some(rows) = runtime.block_on(playback.next())? {
        let mut sent = 0;
        while sent < rows.num_rows() {
            let due = due(&rows, sent, Clock::System.now())?;
            if due == 0 {
                std::thread::sleep(PLAY_PERIOD);
                continue;
            }
            let appended = server.append(&rows.slice(sent, due))?;
            if let Some(row) = appended.refused.first().filter(|_| refused == 0) {
                bar.suspend(|| {
                    output::complain(&format!("{url} refuses segments, such as one because: {}", row.reason))
                });
            }
            sent += due;
            (accepted, refused) = (accepted + appended.accepted, refused + appended.refused_count);
            bar.set_message(format!("{accepted} segments sent"));
        }
    }
    bar.finish_and_clear();
    complain_of_skipped(playback.skipped());
    Ok(format!("sent {accepted} segments to {url}, which refused {refused}"))
}

fn complain_of_skipped(skipped: &[SkippedFile]) {
    for SkippedFile { file, problem } in skipped {
        output::complain(&format!("left out {file}: {problem}"));
    }
}

/// How many of the rows from `first` on, which are in the order of their end times, are to close by `now`.
fn due(rows: &RecordBatch, first: usize, now: i64) -> Result<usize> {
    let ends = rows.column_by_name(column::END_TIME).context("segments have end times")?;
    let ends = ends.as_primitive::<TimestampMillisecondType>().values();
    let rest = ends.get(first..).unwrap_or_default();
    Ok(rest.partition_point(|end| *end <= now).min(PLAY_ROWS))
}
