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
    /// The format that the user gives, or else the one that the name tells.
    format: Format,
    is_format_given: bool,
    /// The length of the file; 0 if it is not known.
    pub(super) bytes: u64,
}

impl Source {
    /// Finds a file that holds records of a kind, in the format that the user gives or that the name tells.
    pub(super) fn find(path: &Path, kind: RecordKind, given: Option<Format>) -> Result<Self> {
        let (named, _) = Format::from_path(path);
        let name = path.display().to_string();
        let format = input_format(kind, given, named, &name)?;
        if path == Path::new("-") {
            return Ok(Self { name: "standard input".to_owned(), path: None, format, is_format_given: true, bytes: 0 });
        }
        let bytes = path.metadata().with_context(|| format!("cannot open {name}"))?.len();
        let is_format_given = given.is_some() || kind != RecordKind::Segments;
        Ok(Self { name, path: Some(path.to_owned()), format, is_format_given, bytes })
    }

    /// Opens the input, and tells its format. Names may be wrong of what is in a file: it is decompressed as its first
    /// bytes say, and they say the format, too, unless the user gave it.
    ///
    /// Reading the input advances the progress bar, except in files that are read out of order: they advance it at
    /// their end.
    pub(super) fn open(&self, progress: &ProgressBar) -> Result<(Input, Format)> {
        let input = match &self.path {
            None => Input::Stream(Box::new(std::io::stdin())),
            Some(path) => Input::File(File::open(path).with_context(|| format!("cannot open {}", self.name))?),
        };
        let (first, input) = input.peeked()?;
        let format = self.format_of(&first);
        if Compression::of(&first) == Compression::None && matches!(format, Format::Parquet | Format::Arrow) {
            return Ok((input, format));
        }
        // A file that grows is read up to the length that it had. It may be the file of dead letters, to which this
        // very import appends.
        let length = if self.bytes > 0 { self.bytes } else { u64::MAX };
        let counted = progress.wrap_read(input.into_read().take(length));
        let (first, input) = Input::Stream(Box::new(counted)).unpacked()?.peeked()?;
        Ok((input, self.format_of(&first)))
    }

    fn format_of(&self, first: &[u8]) -> Format {
        if self.is_format_given { self.format } else { Format::of(first).unwrap_or(self.format) }
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
        RecordKind::History if given == Some(Format::Ndjson) => return Ok(Format::Json),
        RecordKind::History => (Format::Json, "message history is read as JSON alone"),
    };
    if given.is_some_and(|given| given != only) { Err(Usage::error(refusal)) } else { Ok(only) }
}
