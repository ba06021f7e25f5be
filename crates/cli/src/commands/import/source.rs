//! The input of an import: a file or standard input, in a known format.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use indicatif::ProgressBar;
use skillscope_segment::{Compression, Format, Input};

use crate::arguments::RecordKind;
use crate::output::Usage;

/// A file to load, or standard input.
pub(super) struct Source {
    /// The name in messages.
    pub(super) name: String,
    /// `None` for standard input.
    path: Option<PathBuf>,
    pub(super) format: Format,
    compression: Compression,
    /// The length of the file; 0 if it is not known.
    pub(super) bytes: u64,
}

impl Source {
    /// Finds a file that holds records of a kind, in the format that the user gives or that the name tells.
    pub(super) fn find(path: &Path, kind: RecordKind, given: Option<Format>) -> Result<Self> {
        let (named, compression) = Format::from_path(path);
        let name = path.display().to_string();
        let format = input_format(kind, given, named, &name)?;
        if path == Path::new("-") {
            return Ok(Self { name: "standard input".to_owned(), path: None, format, compression, bytes: 0 });
        }
        let bytes = path.metadata().with_context(|| format!("cannot open {name}"))?.len();
        Ok(Self { name, path: Some(path.to_owned()), format, compression, bytes })
    }

    /// Opens the input. Reading it advances the progress bar, except in a Parquet file: that is read out of order, so
    /// it advances the bar at its end.
    pub(super) fn open(&self, progress: &ProgressBar) -> Result<Input> {
        let input = match &self.path {
            None => Input::Stream(Box::new(std::io::stdin())),
            Some(path) => Input::File(File::open(path).with_context(|| format!("cannot open {}", self.name))?),
        };
        if self.format == Format::Parquet && self.compression == Compression::None {
            return Ok(input);
        }
        // A file that grows is read up to the length that it had. It may be the file of dead letters, to which this
        // very import appends.
        let length = if self.bytes > 0 { self.bytes } else { u64::MAX };
        let counted = progress.wrap_read(input.into_read().take(length));
        Ok(Input::Stream(Box::new(counted)).decompressed(self.compression)?)
    }
}

/// The format of a file of records of a kind: the `given` one, or the one that its name tells.
///
/// # Errors
/// [`Usage`] if there is neither, or if such records are not read in the given format.
fn input_format(kind: RecordKind, given: Option<Format>, named: Option<Format>, name: &str) -> Result<Format> {
    let (only, refusal) = match kind {
        RecordKind::Segments => {
            let unknown = || format!("the name {name} tells no format: say --format ndjson, json, arrow or parquet");
            return given.or(named).ok_or_else(|| Usage::error(unknown()));
        }
        RecordKind::Events => (Format::Ndjson, "events are read as NDJSON alone"),
        RecordKind::History => (Format::Json, "message history is read as JSON pages alone"),
    };
    if given.is_some_and(|given| given != only) { Err(Usage::error(refusal)) } else { Ok(only) }
}
