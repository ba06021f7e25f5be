use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};
use arrow::array::RecordBatch;
use indicatif::{ProgressBar, ProgressStyle};
use skillscope_segment::{Compression, EventBatch, Format, Input, ReadOptions};
use skillscope_store::{Appended, Ingested, RecordSink, Records, Store, StoreOptions, ingest};

use super::remote::RemoteStore;
use crate::arguments::{ImportArguments, ImportWhat};
use crate::output::{self, Usage};

/// Rows that are stored at once: many, so that few files are written.
const DIRECTORY_CHUNK_ROWS: usize = 1 << 18;

/// Rows that are sent at once: about half a megabyte.
const REMOTE_CHUNK_ROWS: usize = 1 << 12;

/// Loads files, and prints what became of their records. A file that cannot be loaded is told, and the others are loaded.
pub(crate) fn run(what: ImportWhat) -> Result<ExitCode> {
    let kind = Kind::of(&what);
    let arguments = what.arguments();
    // A mistyped name is told before hours of loading, not after.
    let sources = arguments.files.iter().map(|path| Source::find(path, kind, arguments.format.map(Format::from)));
    let sources = sources.collect::<Result<Vec<_>>>()?;
    let destination = Destination::of(arguments, &what)?;
    let options = ReadOptions { account: arguments.account.clone(), chunk_rows: destination.chunk_rows() };
    let bytes = sources.iter().map(|source| source.bytes).sum();
    let progress = ProgressBar::new(bytes).with_style(ProgressStyle::with_template(
        "{elapsed_precise} {wide_bar} {bytes} of {total_bytes}, {msg}, {eta} left",
    )?);

    let mut sum = Ingested::default();
    let mut failed = false;
    for source in &sources {
        if let Err(error) = import(source, &destination, &options, &progress, &mut sum) {
            failed = true;
            progress.suspend(|| output::complain(&format!("{error:#}")));
        }
    }
    progress.set_message("writing the archive");
    let finished = destination.finish();
    progress.finish_and_clear();
    output::print(&format!(
        "accepted {}, duplicates {}, rejected {}",
        sum.accepted, sum.duplicates, sum.rejected_count
    ));
    finished?;
    failed |= arguments.strict && sum.rejected_count > 0;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// What files hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Segments,
    Events,
    History,
}

impl Kind {
    fn of(what: &ImportWhat) -> Self {
        match what {
            ImportWhat::Segments(_) => Self::Segments,
            ImportWhat::Events(_) => Self::Events,
            ImportWhat::History(_) => Self::History,
        }
    }

    /// The plural of what is counted.
    fn counted(self) -> &'static str {
        match self {
            Self::Segments | Self::History => "segments",
            Self::Events => "events",
        }
    }

    /// The format of a file that is said to be of `said`, and whose name tells `told`.
    fn format(self, said: Option<Format>, told: Option<Format>, name: &str) -> Result<Format> {
        let only = match self {
            Self::Segments => {
                return said.or(told).ok_or_else(|| {
                    Usage::error(format!(
                        "the name {name} tells no format: say --format ndjson, json, arrow or parquet"
                    ))
                });
            }
            Self::Events => Format::Ndjson,
            Self::History => Format::Json,
        };
        match said.filter(|said| *said != only) {
            Some(_) if self == Self::History => Err(Usage::error("message history is read as JSON pages alone")),
            Some(_) => Err(Usage::error("events are read as NDJSON alone")),
            None => Ok(only),
        }
    }
}

/// A file to load, or standard input.
struct Source {
    name: String,
    /// `None` for standard input.
    path: Option<PathBuf>,
    kind: Kind,
    format: Format,
    compression: Compression,
    /// Its length; 0 where it is not known.
    bytes: u64,
}

impl Source {
    fn find(path: &Path, kind: Kind, format: Option<Format>) -> Result<Self> {
        let (told, compression) = Format::from_path(path);
        let name = path.display().to_string();
        let format = kind.format(format, told, &name)?;
        if path == Path::new("-") {
            return Ok(Self { name: "standard input".to_owned(), path: None, kind, format, compression, bytes: 0 });
        }
        let bytes = path.metadata().with_context(|| format!("cannot open {name}"))?.len();
        Ok(Self { name, path: Some(path.to_owned()), kind, format, compression, bytes })
    }

    fn records(&self) -> Records {
        match self.kind {
            Kind::Segments => Records::Segments(self.format),
            Kind::Events => Records::Events,
            Kind::History => Records::History,
        }
    }

    /// The input, which moves the progress bar on as it is read. A Parquet file is read in place instead, here and
    /// there, and moves it at its end.
    fn open(&self, progress: &ProgressBar) -> Result<Input> {
        let input = match &self.path {
            None => Input::Stream(Box::new(std::io::stdin())),
            Some(path) => Input::File(File::open(path).with_context(|| format!("cannot open {}", self.name))?),
        };
        if self.format == Format::Parquet && self.compression == Compression::None {
            return Ok(input);
        }
        // A file that grows is read as far as it reached: it may be the one that dead letters of this import go to.
        let length = if self.bytes > 0 { self.bytes } else { u64::MAX };
        let counted = progress.wrap_read(input.into_read().take(length));
        Ok(Input::Stream(Box::new(counted)).decompressed(self.compression)?)
    }
}

/// What records are loaded into.
enum Destination {
    Directory(Box<Store>),
    Server(RemoteStore),
}

impl Destination {
    fn of(arguments: &ImportArguments, what: &ImportWhat) -> Result<Self> {
        let mut options = StoreOptions::default();
        if let ImportWhat::Events(events) = what {
            options.event_wait_ms = events.wait_ms();
        }
        Ok(match &arguments.url {
            Some(url) => Self::Server(RemoteStore::new(url)?),
            None => Self::Directory(Box::new(Store::open_with(&arguments.data_dir, options)?)),
        })
    }

    fn chunk_rows(&self) -> usize {
        match self {
            Self::Directory(_) => DIRECTORY_CHUNK_ROWS,
            Self::Server(_) => REMOTE_CHUNK_ROWS,
        }
    }

    fn append(&self, batch: &RecordBatch) -> Result<Appended> {
        match self {
            Self::Directory(store) => maintained(store, store.append(batch)?),
            Self::Server(server) => server.append(batch),
        }
    }

    fn append_events(&self, events: EventBatch) -> Result<Appended> {
        match self {
            Self::Directory(store) => maintained(store, store.append_events(events, false)?),
            Self::Server(server) => server.append_events(&events),
        }
    }

    /// The files of an import need not follow each other in time.
    fn begin_file(&self) {
        if let Self::Directory(store) = self {
            store.restart_event_time();
        }
    }

    /// Archives what is over, and tells of events that had no effect.
    fn finish(&self) -> Result<()> {
        match self {
            Self::Directory(store) => {
                for (reason, count) in store.dead_letters() {
                    let folder = store.dead_letter_folder();
                    let folder = folder.display();
                    output::complain(&format!("without effect, and kept in {folder}: {count} ({reason})"));
                }
                Ok(store.seal_finished_hours()?)
            }
            Self::Server(_) => Ok(()),
        }
    }
}

/// Passes records on to a destination, and gives the outcome so far to `told`.
struct Watched<'d, F> {
    destination: &'d Destination,
    told: F,
}

impl<F: FnMut(&Ingested)> RecordSink for Watched<'_, F> {
    type Error = anyhow::Error;

    fn append(&mut self, batch: &RecordBatch) -> Result<Appended> {
        self.destination.append(batch)
    }

    fn append_events(&mut self, events: EventBatch) -> Result<Appended> {
        self.destination.append_events(events)
    }

    fn progress(&mut self, so_far: &Ingested) {
        (self.told)(so_far);
    }
}

/// What is over is archived on the way: an input may be larger than memory.
fn maintained(store: &Store, appended: Appended) -> Result<Appended> {
    while store.maintain()? {}
    Ok(appended)
}

/// Loads one source, adds what became of its records to `sum`, and tells which of them were rejected.
fn import(
    source: &Source,
    destination: &Destination,
    options: &ReadOptions,
    progress: &ProgressBar,
    sum: &mut Ingested,
) -> Result<()> {
    let end = progress.position().saturating_add(source.bytes);
    let (accepted, duplicates, rejected) = (sum.accepted, sum.duplicates, sum.rejected_count);
    let mut latest = Ingested::default();
    let told = |so_far: &Ingested| {
        // Kept chunk by chunk: where a later chunk fails, the earlier ones are stored.
        latest.clone_from(so_far);
        sum.accepted = accepted.saturating_add(so_far.accepted);
        sum.duplicates = duplicates.saturating_add(so_far.duplicates);
        sum.rejected_count = rejected.saturating_add(so_far.rejected_count);
        progress.set_message(format!("{} {}", sum.accepted, source.kind.counted()));
    };
    let input = source.open(progress)?;
    if source.kind == Kind::Events {
        destination.begin_file();
    }
    let ingested = ingest(source.records(), input, options, Watched { destination, told });
    progress.set_position(end);
    progress.suspend(|| complain_of_rejected(&source.name, &latest));
    ingested.map(drop).with_context(|| format!("cannot import {}", source.name))
}

fn complain_of_rejected(name: &str, ingested: &Ingested) {
    for record in &ingested.rejected {
        output::complain(&format!("{name}:{}: {}", record.line, record.error));
    }
    let unlisted = ingested.rejected_count.saturating_sub(ingested.rejected.len() as u64);
    if unlisted > 0 {
        output::complain(&format!("{name}: {unlisted} more records were rejected"));
    }
}
