use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{Context, Result};
use flate2::write::GzEncoder;
use indicatif::{ProgressBar, ProgressStyle};
use skillscope_segment::{AccountId, Compression, EventKind, Format, SegmentWriter, format_instant};
use skillscope_workload::{HistoryWriter, Workload, WorkloadOptions};

use crate::arguments::GenerateWhat;
use crate::output::Usage;

const HOUR_MS: i64 = 3_600_000;

const BATCH_ROWS: usize = 65_536;

/// Writes a workload to a file, in one of its three forms.
pub(crate) fn run(what: GenerateWhat) -> Result<ExitCode> {
    let form = match &what {
        GenerateWhat::Segments(_) => Form::Segments,
        GenerateWhat::Events(_) => Form::Events,
        GenerateWhat::History(_) => Form::History,
    };
    let (GenerateWhat::Segments(arguments) | GenerateWhat::Events(arguments) | GenerateWhat::History(arguments)) = what;
    let (format, compression) = target(form, &arguments.out)?;
    check_end(arguments.end, arguments.hours)?;
    let accounts = (1..=arguments.accounts).map(|number| AccountId::parse(&format!("account-{number}")));
    let workload = Workload::new(WorkloadOptions {
        rows: arguments.rows,
        skills: arguments.skills,
        accounts: accounts.collect::<Result<_, _>>()?,
        hours: arguments.hours,
        end: arguments.end,
        seed: arguments.seed,
    });
    let out = output(&arguments.out, compression)?;
    let progress = ProgressBar::new(arguments.rows).with_style(ProgressStyle::with_template(
        "{elapsed_precise} {wide_bar} {human_pos} of {human_len} segments, {per_sec}, {eta} left",
    )?);
    let written = match form {
        Form::Segments => write_segments(&workload, &progress, format, out),
        Form::Events => write_events(&workload, &progress, out),
        Form::History => write_history(&workload, &progress, out),
    };
    progress.finish_and_clear();
    written.with_context(|| format!("cannot write {}", arguments.out.display()))?;
    Ok(ExitCode::SUCCESS)
}

/// What a workload is written as.
#[derive(Debug, Clone, Copy)]
enum Form {
    Segments,
    Events,
    History,
}

/// Segments end in the hours before `end`, and begin up to an hour before that; there is no time before 1970.
pub(crate) fn check_end(end: i64, hours: u32) -> Result<()> {
    if end < i64::from(hours).saturating_add(1).saturating_mul(HOUR_MS) {
        let end = format_instant(end);
        return Err(Usage::error(format!("{hours} hours before {end} reach back to before 1970")));
    }
    Ok(())
}

fn target(form: Form, path: &Path) -> Result<(Format, Compression)> {
    let (told, compression) = Format::from_path(path);
    if path == Path::new("-") {
        return Ok((Format::Ndjson, Compression::None));
    }
    let (allowed, endings): (&[Format], _) = match form {
        Form::Segments => {
            (&[Format::Ndjson, Format::Json, Format::Arrow, Format::Parquet], ".ndjson, .json, .arrow or .parquet")
        }
        Form::Events => (&[Format::Ndjson], ".ndjson"),
        // Pages are JSON each, and lines all together.
        Form::History => (&[Format::Json, Format::Ndjson], ".json"),
    };
    match told.filter(|told| allowed.contains(told)) {
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
        let (sender, receiver) = sync_channel(4);
        scope.spawn(move || {
            // The other side hangs up when it cannot write any more.
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

fn output(path: &Path, compression: Compression) -> Result<Box<dyn Finish>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufWriter::new(std::io::stdout())));
    }
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let file = BufWriter::with_capacity(1 << 20, file);
    Ok(match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(GzEncoder::new(file, flate2::Compression::fast())),
        Compression::Zstd => Box::new(zstd::Encoder::new(file, 1)?),
    })
}

/// A stream that has an end to write.
trait Finish: Write + Send {
    fn finish(self: Box<Self>) -> std::io::Result<()>;
}

impl<W: Write + Send> Finish for BufWriter<W> {
    fn finish(mut self: Box<Self>) -> std::io::Result<()> {
        self.flush()
    }
}

impl<W: Write + Send> Finish for GzEncoder<W> {
    fn finish(self: Box<Self>) -> std::io::Result<()> {
        GzEncoder::finish(*self)?.flush()
    }
}

impl<W: Write + Send> Finish for zstd::Encoder<'_, W> {
    fn finish(self: Box<Self>) -> std::io::Result<()> {
        zstd::Encoder::finish(*self)?.flush()
    }
}
