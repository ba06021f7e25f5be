use std::fs::File;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow};
use arrow::array::RecordBatch;
use indicatif::{ProgressBar, ProgressStyle};
use skillscope_segment::{Compression, Format, Input, ReadOptions};
use skillscope_store::{Appended, Ingested, Store, ingest};

use super::remote::RemoteStore;
use crate::arguments::ImportArguments;
use crate::output;

/// Rows that are stored at once: many, so that few files are written.
const DIRECTORY_CHUNK_ROWS: usize = 1 << 18;

/// Rows that are sent at once: some megabytes.
const REMOTE_CHUNK_ROWS: usize = 1 << 14;

/// Loads files of closed segments, and prints what became of their records.
pub(crate) fn run(arguments: ImportArguments) -> Result<ExitCode> {
    let sources = arguments.files.iter().map(|path| Source::open(path, arguments.format.map(Format::from)));
    // A mistyped name is told before hours of loading, not after.
    let sources = sources.collect::<Result<Vec<_>>>()?;
    let destination = Destination::of(&arguments)?;
    let options = ReadOptions { account: arguments.account.clone(), chunk_rows: destination.chunk_rows() };
    let bytes = sources.iter().map(|source| source.bytes).sum();
    let progress = ProgressBar::new(bytes).with_style(ProgressStyle::with_template(
        "{elapsed_precise} {wide_bar} {bytes} of {total_bytes}, {msg}, {eta} left",
    )?);

    let mut sum = Ingested::default();
    for source in sources {
        let ingested = import(source, &destination, &options, &progress, &sum);
        add(&mut sum, ingested?);
    }
    progress.finish_and_clear();
    output::print(&format!(
        "accepted {}, duplicates {}, rejected {}",
        sum.accepted, sum.duplicates, sum.rejected_count
    ));
    let failed = arguments.strict && sum.rejected_count > 0;
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// A file to load, or standard input.
struct Source {
    name: String,
    format: Format,
    compression: Compression,
    input: Input,
    /// Its length; 0 where it is not known.
    bytes: u64,
}

impl Source {
    fn open(path: &Path, format: Option<Format>) -> Result<Self> {
        let (told, compression) = Format::from_path(path);
        let name = path.display().to_string();
        let format = format
            .or(told)
            .ok_or_else(|| anyhow!("the name {name} tells no format: say --format ndjson, json, arrow or parquet"))?;
        if path == Path::new("-") {
            let input = Input::Stream(Box::new(std::io::stdin()));
            return Ok(Self { name: "standard input".to_owned(), format, compression, input, bytes: 0 });
        }
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        let bytes = file.metadata().with_context(|| format!("cannot read {name}"))?.len();
        Ok(Self { name, format, compression, input: Input::File(file), bytes })
    }

    /// The input, which moves the progress bar on as it is read. A Parquet file is read in place instead, here and
    /// there, and moves it at its end.
    fn input(self, progress: &ProgressBar) -> Result<Input> {
        if self.format == Format::Parquet && self.compression == Compression::None {
            return Ok(self.input);
        }
        let counted = progress.wrap_read(self.input.into_read());
        Ok(Input::Stream(Box::new(counted)).decompressed(self.compression)?)
    }
}

/// Where segments are loaded into.
enum Destination {
    Directory(Store),
    Server(RemoteStore),
}

impl Destination {
    fn of(arguments: &ImportArguments) -> Result<Self> {
        Ok(match &arguments.url {
            Some(url) => Self::Server(RemoteStore::new(url)?),
            None => Self::Directory(Store::open(&arguments.data_dir)?),
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
            Self::Directory(store) => Ok(store.append(batch)?),
            Self::Server(server) => server.append(batch),
        }
    }
}

/// Loads one source, and tells which of its records were rejected.
fn import(
    source: Source,
    destination: &Destination,
    options: &ReadOptions,
    progress: &ProgressBar,
    before: &Ingested,
) -> Result<Ingested> {
    let (name, format) = (source.name.clone(), source.format);
    let end = progress.position().saturating_add(source.bytes);
    let told = |so_far: &Ingested| {
        progress.set_message(format!("{} segments", before.accepted.saturating_add(so_far.accepted)));
    };
    let input = source.input(progress)?;
    let ingested = ingest(format, input, options, |batch| destination.append(batch), told)
        .with_context(|| format!("cannot import {name}"))?;
    progress.set_position(end);
    progress.suspend(|| complain_of_rejected(&name, &ingested));
    Ok(ingested)
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

fn add(sum: &mut Ingested, ingested: Ingested) {
    sum.accepted += ingested.accepted;
    sum.duplicates += ingested.duplicates;
    sum.rejected_count += ingested.rejected_count;
}
