//! The output of a workload: standard output, or a file that may be compressed.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use flate2::write::GzEncoder;
use skillscope_segment::Compression;

const FILE_BUFFER_BYTES: usize = 1 << 20;

/// Opens the file to write, or standard output for `-`.
pub(super) fn open(path: &Path, compression: Compression) -> Result<Box<dyn Finish>> {
    if path == Path::new("-") {
        return Ok(Box::new(BufWriter::new(std::io::stdout())));
    }
    let file = File::create(path).with_context(|| format!("cannot create {}", path.display()))?;
    let file = BufWriter::with_capacity(FILE_BUFFER_BYTES, file);
    Ok(match compression {
        Compression::None => Box::new(file),
        Compression::Gzip => Box::new(GzEncoder::new(file, flate2::Compression::fast())),
        Compression::Zstd => Box::new(zstd::Encoder::new(file, 1)?),
    })
}

/// A stream whose last bytes are written when it is finished.
pub(super) trait Finish: Write + Send {
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
