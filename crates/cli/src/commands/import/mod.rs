//! Loading files into a data directory or a running server.

mod destination;
mod source;
mod table;

use std::process::ExitCode;

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use indicatif::{ProgressBar, ProgressStyle};
use skillscope_segment::{EventBatch, Format, ReadOptions, ToldRecord};
use skillscope_store::{Appended, Ingested, RecordSink, Records, ingest};

use crate::arguments::{ImportCommand, ImportRecords, RecordKind};
use crate::escaped::Escaped;
use crate::output;
use destination::Destination;
use source::Source;

/// Loads a table, or files of records.
pub(crate) fn run(command: ImportCommand) -> Result<ExitCode> {
    match command {
        ImportCommand::Table(arguments) => table::run(&arguments),
        ImportCommand::Segments(arguments) => load(&ImportRecords::Segments(arguments)),
        ImportCommand::Events(arguments) => load(&ImportRecords::Events(arguments)),
        ImportCommand::History(arguments) => load(&ImportRecords::History(arguments)),
    }
}

/// Loads files, and prints how many records were accepted, duplicates or rejected. A file that cannot be loaded is
/// reported, and the others are loaded.
fn load(command: &ImportRecords) -> Result<ExitCode> {
    let (kind, arguments) = (command.kind(), command.arguments());
    // Every file is found before the first one is loaded, so that a mistyped name is told at once.
    let sources = arguments.files.iter().map(|path| Source::find(path, kind, arguments.format.map(Format::from)));
    let sources = sources.collect::<Result<Vec<_>>>()?;
    let destination = Destination::open(command)?;
    // The files are the user's own, so that there may be any number of records in them.
    let (account, chunk_rows) = (arguments.account.clone(), destination.chunk_rows());
    let time_zone = arguments.time_zone.clone();
    let keeps_records = destination.is_server();
    let options = ReadOptions { account, chunk_rows, time_zone, keeps_records, ..ReadOptions::default() };
    let mut import = Import { kind, destination, options, progress: progress_bar(&sources)?, sum: Ingested::default() };
    let mut failed = false;
    for source in &sources {
        if let Err(error) = import.load(source) {
            failed = true;
            import.progress.suspend(|| output::complain(&format!("{error:#}")));
        }
    }
    import.finish()?;
    failed |= arguments.strict && import.sum.rejected_count > 0;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn progress_bar(sources: &[Source]) -> Result<ProgressBar> {
    let template = "{elapsed_precise} {wide_bar} {bytes} of {total_bytes}, {msg}, {eta} left";
    let bytes = sources.iter().map(|source| source.bytes).sum();
    Ok(ProgressBar::new(bytes).with_style(ProgressStyle::with_template(template)?))
}

/// An import under way.
struct Import {
    kind: RecordKind,
    destination: Destination,
    options: ReadOptions,
    progress: ProgressBar,
    /// The counts over all files so far. The rejected records are listed file by file instead.
    sum: Ingested,
}

impl Import {
    /// Loads one source, adds its counts to the sum, and complains of its rejected records.
    fn load(&mut self, source: &Source) -> Result<()> {
        let end = self.progress.position().saturating_add(source.bytes);
        let mut counted = Ingested::default();
        let before = self.sum.clone();
        let (progress, sum, destination) = (&self.progress, &mut self.sum, &self.destination);
        let noun = noun(self.kind);
        let count = |so_far: &Ingested| {
            // Counted chunk by chunk: if a later chunk fails, the earlier ones are stored all the same.
            counted.clone_from(so_far);
            *sum = added(&before, so_far);
            progress.set_message(format!("{} {noun}", sum.accepted));
        };
        let (input, format) = source.open(progress).with_context(|| format!("cannot import {}", source.name))?;
        let records = match self.kind {
            RecordKind::Segments => Records::Segments(format),
            RecordKind::Events => {
                destination.begin_file();
                Records::Events
            }
            RecordKind::History => Records::History,
        };
        let ingested = ingest(records, input, &self.options, CountingSink { destination, count });
        progress.set_position(end);
        progress.suspend(|| complain_of_rejected(&source.name, &counted));
        ingested.map(drop).with_context(|| format!("cannot import {}", source.name))
    }

    /// Archives the hours that are over, and prints the counts, even if that fails.
    fn finish(&self) -> Result<()> {
        self.progress.set_message("writing the archive");
        let finished = self.destination.finish();
        self.progress.finish_and_clear();
        let Ingested { accepted, duplicates, rejected_count, followed, .. } = self.sum;
        output::print(&format!("accepted {accepted}, duplicates {duplicates}, rejected {rejected_count}"));
        match followed {
            0 => {}
            1 => output::print("1 open conversation is followed"),
            _ => output::print(&format!("{followed} open conversations are followed")),
        }
        finished
    }
}

/// Passes records on to a destination, and the counts so far to `count`.
struct CountingSink<'d, F> {
    destination: &'d Destination,
    count: F,
}

impl<F: FnMut(&Ingested)> RecordSink for CountingSink<'_, F> {
    type Error = anyhow::Error;

    fn append(&mut self, batch: &RecordBatch) -> Result<Appended> {
        self.destination.append(batch)
    }

    fn append_history(&mut self, batch: &RecordBatch, lines: &[u64], told: Vec<ToldRecord>) -> Result<Appended> {
        self.destination.append_history(batch, lines, told)
    }

    fn append_events(&mut self, events: EventBatch) -> Result<Appended> {
        self.destination.append_events(events)
    }

    fn progress(&mut self, so_far: &Ingested) {
        (self.count)(so_far);
    }
}

/// The plural of the records that are counted.
fn noun(kind: RecordKind) -> &'static str {
    match kind {
        RecordKind::Segments | RecordKind::History => "segments",
        RecordKind::Events => "events",
    }
}

/// The counts of two inputs together.
fn added(one: &Ingested, other: &Ingested) -> Ingested {
    Ingested {
        accepted: one.accepted.saturating_add(other.accepted),
        duplicates: one.duplicates.saturating_add(other.duplicates),
        rejected_count: one.rejected_count.saturating_add(other.rejected_count),
        followed: one.followed.saturating_add(other.followed),
        rejected: Vec::new(),
    }
}

fn complain_of_rejected(name: &str, ingested: &Ingested) {
    for record in &ingested.rejected {
        output::complain(&format!("{name}:{}: {}", record.line, Escaped(&record.error)));
    }
    let unlisted = ingested.rejected_count.saturating_sub(ingested.rejected.len() as u64);
    if unlisted > 0 {
        output::complain(&format!("{name}: {unlisted} more records were rejected"));
    }
}
