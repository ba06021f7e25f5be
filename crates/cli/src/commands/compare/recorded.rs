//! Opens files of recorded answers.

use std::fs::File;
use std::io::{self, Seek};
use std::path::Path;

use anyhow::{Context, Result};
use skillscope_replay::RecordedFile;
use skillscope_segment::Input;

/// Opens a file, or standard input. What is compressed, or can be read only once, is copied to a temporary file first.
pub(super) fn open(path: &Path) -> Result<RecordedFile> {
    let is_standard_input = path == Path::new("-");
    let name = if is_standard_input { "standard input".to_owned() } else { path.display().to_string() };
    let file = content(path, is_standard_input).with_context(|| format!("cannot read {name}"))?;
    Ok(RecordedFile::new(name, file))
}

fn content(path: &Path, is_standard_input: bool) -> Result<File> {
    let input = if is_standard_input { Input::Stream(Box::new(io::stdin())) } else { Input::File(File::open(path)?) };
    match input.unpacked()? {
        Input::File(file) => Ok(file),
        input => {
            let mut file = tempfile::tempfile().context("cannot make a temporary file")?;
            io::copy(&mut input.into_read(), &mut file)?;
            file.rewind()?;
            Ok(file)
        }
    }
}
