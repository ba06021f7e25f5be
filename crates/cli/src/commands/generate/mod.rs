//! The command `generate`: a reproducible workload as segments, events or message history.

mod output;

use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use skillscope_segment::{AccountId, Compression, EventKind, Format, SegmentWriter};
use skillscope_workload::{HistoryWriter, Workload, WorkloadOptions};

use crate::arguments::{GenerateArguments, GenerateCommand, RecordKind, check_not_before_1970};
use crate::output::Usage;
use output::Finish;

const BATCH_ROWS: usize = 65_536;

/// Batches that are made ahead of writing.
const BATCHES_AHEAD: usize = 4;

/// Writes a workload to a file, as records of one kind.
pub(crate) fn run(command: GenerateCommand) -> Result<ExitCode> {
    let (kind, arguments) = command.into_parts();
    let (format, compression) = file_format(kind, &arguments.out)?;
    let workload = workload(&arguments)?;
    let out = output::open(&arguments.out, compression)?;
    let progress = ProgressBar::new(arguments.rows).with_style(ProgressStyle::with_template(
        "{elapsed_precise} {wide_bar} {human_pos} of {human_len} segments, {per_sec}, {eta} left",
    )?);
    let written = match kind {
        RecordKind::Segments => write_segments(&workload, &progress, format, out),
        RecordKind::Events => write_events(&workload, &progress, out),
        RecordKind::History => write_history(&workload, &progress, out),
    };
    progress.finish_and_clear();
    written.with_context(|| format!("cannot write {}", arguments.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

fn workload(arguments: &GenerateArguments) -> Result<Workload> {
    check_not_before_1970(arguments.end, arguments.hours)?;
    let accounts = (1..=arguments.accounts).map(|number| AccountId::parse(&format!("account-{number}")));
    Ok(Workload::new(WorkloadOptions {
        rows: arguments.rows,
        skills: arguments.skills,
        accounts: accounts.collect::<Result<_, _>>()?,
        hours: arguments.hours,
        end: arguments.end,
        seed: arguments.seed,
    }))
}

/// The format and compression of a file, by its name.
///
/// # Errors
/// [`Usage`] if records of this kind are not written in that format.
fn file_format(kind: RecordKind, path: &Path) -> Result<(Format, Compression)> {
    if path == Path::new("-") {
        return Ok((Format::Ndjson, Compression::None));
    }
    let (named, compression) = Format::from_path(path);
    let (allowed, endings): (&[Format], _) = match kind {
        RecordKind::Segments => {
            (&[Format::Ndjson, Format::Json, Format::Arrow, Format::Parquet], ".ndjson, .json, .arrow or .parquet")
        }
        RecordKind::Events => (&[Format::Ndjson], ".ndjson"),
        // Each page is a JSON document on a line of its own.
        RecordKind::History => (&[Format::Json, Format::Ndjson], ".json"),
    };
    match named.filter(|named| allowed.contains(named)) {
        Some(format) => Ok((format, compression)),
        None => Err(Usage::error(format!(
            "the name {} tells no format for this: end it with {endings}, and .gz or .zst after it if you like",
            path.display()
        ))),
    }
}

/// Makes batches on one thread and writes them on another.
fn write_segments(workload: &Workload, progress: &ProgressBar, format: Format, out: Box<dyn Finish>) -> Result<()> {
    let mut writer = SegmentWriter::new(format, out)?;
    thread::scope(|scope| {
        let (sender, receiver) = sync_channel(BATCHES_AHEAD);
        scope.spawn(move || {
            // Sending fails once the writer has failed and hung up.
            workload.batches(BATCH_ROWS).try_for_each(|batch| sender.send(batch))
        });
        for batch in receiver {
            let batch = batch?;
            writer.write(&batch)?;
            progress.inc(batch.num_rows() as u64);
        }
        writer.finish()?.finish()?;
        Ok(())
    })
}

fn write_events(workload: &Workload, progress: &ProgressBar, mut out: Box<dyn Finish>) -> Result<()> {
    workload.for_each_event(|event| {
        let ends_segment = matches!(event.kind, EventKind::Closed { .. } | EventKind::Transferred { .. });
        progress.inc(u64::from(ends_segment));
        event.write_line(&mut out)
    })?;
    Ok(out.finish()?)
}

fn write_history(workload: &Workload, progress: &ProgressBar, out: Box<dyn Finish>) -> Result<()> {
    let mut writer = HistoryWriter::new(out);
    for conversation in workload.conversations() {
        writer.write(&conversation)?;
        progress.inc(conversation.segment_count() as u64);
    }
    Ok(writer.finish()?.finish()?)
}
