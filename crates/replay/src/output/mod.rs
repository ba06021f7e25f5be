//! The output of a replay: a file of reports. It grows in a file beside its place, with a checkpoint from time to time,
//! and gets its name when it is complete.
//!
//! A new form is a variant of [`Form`] and of [`Output`], and a file beside `ndjson.rs` with the same methods.

mod checkpoint;
mod ndjson;
mod parquet;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};

use skillscope_query::Report;

pub(crate) use checkpoint::Checkpoint;
use ndjson::NdjsonOutput;
use parquet::ParquetOutput;

use crate::{Error, Result};

/// The form of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A line of JSON for each report.
    Ndjson,
    /// A row for each set of metrics.
    Parquet,
}

impl Form {
    /// The form's name, which checkpoints hold.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Parquet => "parquet",
        }
    }

    /// The form that the extension of a file asks for.
    pub(crate) fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|extension| extension.to_str()) {
            Some("ndjson" | "jsonl") => Ok(Self::Ndjson),
            Some("parquet") => Ok(Self::Parquet),
            _ => Err(Error::Usage(format!(
                "the name of {} does not tell how to write it; it ends with .ndjson or .parquet",
                path.display()
            ))),
        }
    }
}

/// A file of reports that is being written.
pub(crate) enum Output {
    Ndjson(NdjsonOutput),
    Parquet(Box<ParquetOutput>),
}

impl Output {
    /// Opens an output at the position of a checkpoint; 0 begins anew.
    pub(crate) fn open(form: Form, path: &Path, position: u64) -> Result<Self> {
        match form {
            Form::Ndjson => NdjsonOutput::open(path, position).map(Self::Ndjson),
            Form::Parquet => ParquetOutput::open(path, position).map(|output| Self::Parquet(Box::new(output))),
        }
    }

    /// Whether the output up to the position of a checkpoint is still there.
    pub(crate) fn reaches(form: Form, path: &Path, position: u64) -> bool {
        match form {
            Form::Ndjson => NdjsonOutput::reaches(path, position),
            Form::Parquet => ParquetOutput::reaches(path, position),
        }
    }

    pub(crate) fn write(&mut self, account: &str, now: i64, report: &Report) -> Result<()> {
        match self {
            Self::Ndjson(output) => output.write(account, now, report),
            Self::Parquet(output) => output.write(account, now, report),
        }
    }

    /// Syncs the output to disk, and returns the position after it.
    pub(crate) fn sync(&mut self) -> Result<u64> {
        match self {
            Self::Ndjson(output) => output.sync(),
            Self::Parquet(output) => output.sync(),
        }
    }

    /// Completes the output, and gives it its name.
    pub(crate) fn finish(self) -> Result<()> {
        match self {
            Self::Ndjson(output) => output.finish(),
            Self::Parquet(output) => output.finish(),
        }
    }
}

/// The path of a file beside the output.
fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Opens and locks the file in which an output grows.
fn open_partial(path: &Path) -> Result<File> {
    let partial = beside(path, ".partial");
    let open = OpenOptions::new().write(true).create(true).truncate(false).open(&partial);
    let file = open.map_err(Error::output(&partial))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Busy { path: path.to_owned() }),
        Err(TryLockError::Error(error)) => Err(Error::output(&partial)(error)),
    }
}

/// Gives a complete output its name, and removes the checkpoint.
fn complete(path: &Path) -> Result<()> {
    Checkpoint::remove(path)?;
    put(&beside(path, ".partial"), path)
}

/// Renames a complete file, and makes the new name durable.
fn put(from: &Path, to: &Path) -> Result<()> {
    fs::rename(from, to).map_err(Error::output(to))?;
    sync_folder(to)
}

fn sync_folder(to: &Path) -> Result<()> {
    let folder = match to.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::output(to))
}

/// Removes a file, if it is there.
fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::output(path)(error)),
        _ => Ok(()),
    }
}
