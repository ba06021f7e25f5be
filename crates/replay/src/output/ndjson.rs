//! Reports as NDJSON, one line each.

use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use skillscope_query::Report;

use super::{beside, complete, open_partial};
use crate::{Error, Result};

/// The size of the buffer, in bytes.
const BUFFER_BYTES: usize = 4 << 20;

/// A line `{"account":…,"now":…,"report":…}` for each report. The report is the body that the endpoint answers.
pub(crate) struct NdjsonOutput {
    path: PathBuf,
    partial: PathBuf,
    file: File,
    buffer: Vec<u8>,
    written: u64,
}

impl NdjsonOutput {
    pub(super) fn open(path: &Path, position: u64) -> Result<Self> {
        let partial = beside(path, ".partial");
        let mut file = open_partial(path)?;
        // The lines after the checkpoint are written again.
        let go_on = file.set_len(position).and_then(|()| file.seek(SeekFrom::Start(position)));
        go_on.map_err(Error::output(&partial))?;
        Ok(Self { path: path.to_owned(), partial, file, buffer: Vec::new(), written: position })
    }

    pub(super) fn reaches(path: &Path, position: u64) -> bool {
        fs::metadata(beside(path, ".partial")).is_ok_and(|partial| partial.len() >= position)
    }

    pub(super) fn write(&mut self, account: &str, now: i64, report: &Report) -> Result<()> {
        let partial = &self.partial;
        let mut head = || {
            self.buffer.extend_from_slice(br#"{"account":"#);
            serde_json::to_writer(&mut self.buffer, account)?;
            write!(self.buffer, r#","now":{now},"report":"#)
        };
        head().map_err(Error::output(partial))?;
        report.write_json(&mut self.buffer);
        self.buffer.extend_from_slice(b"}\n");
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<()> {
        self.file.write_all(&self.buffer).map_err(Error::output(&self.partial))?;
        self.written = self.written.saturating_add(self.buffer.len() as u64);
        self.buffer.clear();
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<u64> {
        self.flush()?;
        self.file.sync_data().map_err(Error::output(&self.partial))?;
        Ok(self.written)
    }

    pub(super) fn finish(mut self) -> Result<()> {
        self.sync()?;
        complete(&self.path)
    }
}
