//! Reading a file of the archive: nothing is handed out that does not have its checksum.

use std::hash::Hasher;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use arrow::array::RecordBatch;
use bytes::Bytes;
use twox_hash::XxHash3_64;

use super::file::ArchiveFile;
use super::parquet;
use crate::disk::DiskFile;
use crate::error::{Error, Result};
use crate::journal::verified::{BLOCK_BYTES, BlockChecksums, each};

/// A whole file is read in parts of so many bytes, each of whole blocks.
const PART_BYTES: usize = 16 * BLOCK_BYTES;

/// A file of the archive that is open for reading, also where it is removed meanwhile. Each block is compared with its
/// checksum every time that it is read: a disk may fail at any time.
#[derive(Debug, Clone)]
pub struct OpenArchiveFile {
    file: Arc<ArchiveFile>,
    open: Arc<dyn DiskFile>,
}

impl ArchiveFile {
    /// Opens the file, even where it has been removed since the snapshot of this value was taken.
    ///
    /// # Errors
    /// [`Error::Io`] where it cannot be opened. A file of an older program is read whole the first time, since only its
    /// own checksum is known: [`Error::Corrupt`] where it has changed.
    pub fn open(self: &Arc<Self>) -> Result<OpenArchiveFile> {
        if self.verified().is_none() {
            self.compare()?;
        }
        Ok(OpenArchiveFile { file: Arc::clone(self), open: self.open_unverified()? })
    }

    /// Compares the file with its checksum, the first time that it is read and after a read of it has differed.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where they differ, [`Error::Io`] where the file cannot be read.
    pub fn verify(&self) -> Result<()> {
        if self.is_verified() { Ok(()) } else { self.compare() }
    }

    /// Compares the file with its checksum. What differs is read a second time, since a cable or memory may err once.
    ///
    /// # Errors
    /// As with [`verify`](Self::verify).
    pub(crate) fn compare(&self) -> Result<()> {
        let compared = match self.compare_once(self.open_unverified()?.as_ref()) {
            Err(Error::Corrupt { .. }) => self.compare_once(self.open_unverified()?.as_ref()),
            compared => compared,
        };
        match &compared {
            Ok(blocks) => self.set_whole(blocks.clone()),
            Err(Error::Corrupt { .. }) => self.suspect(),
            Err(_) => {}
        }
        compared.map(drop)
    }

    fn compare_once(&self, open: &dyn DiskFile) -> Result<BlockChecksums> {
        let mut whole = XxHash3_64::with_seed(0);
        let (mut blocks, mut offset) = (Vec::new(), 0);
        while offset < self.bytes() {
            let length = self.bytes().saturating_sub(offset).min(PART_BYTES as u64);
            let part = self.read_unverified(open, &(offset..offset + length))?;
            whole.write(&part);
            blocks.extend(each(&part));
            offset += length;
        }
        let length = open.length().map_err(Error::io("read", self.path()))?;
        if length == self.bytes() && whole.finish() == self.checksum() {
            return Ok(BlockChecksums::of_parts(blocks));
        }
        let differing = |known: BlockChecksums| known.differing_from(0, blocks.into_iter());
        Err(self.corrupt(self.verified().and_then(|verified| differing(verified.blocks))))
    }

    /// Bytes as they are. A file that ends before them has changed.
    fn read_unverified(&self, open: &dyn DiskFile, range: &Range<u64>) -> Result<Bytes> {
        let read = usize::try_from(range.end.saturating_sub(range.start)).map_err(io::Error::other);
        match read.and_then(|length| open.read_at(range.start, length)) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(self.corrupt(Some(range.clone()))),
            read => read.map_err(Error::io("read", self.path())),
        }
    }

    /// The file's bytes.
    pub(crate) fn read(self: &Arc<Self>) -> Result<Bytes> {
        let all = self.open()?.read_stretch(0..self.bytes())?;
        self.set_verified();
        Ok(all)
    }

    /// The file's rows.
    pub(crate) fn read_rows(self: &Arc<Self>) -> Result<Vec<RecordBatch>> {
        parquet::decode(self.read()?)
    }
}

impl OpenArchiveFile {
    /// The file's length.
    pub fn bytes(&self) -> u64 {
        self.file.bytes()
    }

    /// Stretches of the file's bytes. Blocks in which several lie are read once.
    ///
    /// # Errors
    /// [`Error::Corrupt`] where the file has changed since it was written. It is given up when somebody reads it again,
    /// or by the next round of maintenance. Others where it cannot be read.
    pub fn read(&self, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let mut stretches: Vec<Range<u64>> =
            ranges.iter().map(|range| BlockChecksums::around(range, self.bytes())).collect();
        stretches.sort_by_key(|stretch| stretch.start);
        let mut joined: Vec<Range<u64>> = Vec::with_capacity(stretches.len());
        for stretch in stretches {
            match joined.last_mut() {
                Some(last) if stretch.start <= last.end => last.end = last.end.max(stretch.end),
                _ => joined.push(stretch),
            }
        }
        let read = joined.into_iter().map(|stretch| Ok((stretch.start, self.read_blocks(stretch)?)));
        let read = read.collect::<Result<Vec<_>>>()?;
        ranges.iter().map(|range| self.part_of(&read, range)).collect()
    }

    /// One stretch of the file's bytes, like [`read`](Self::read).
    pub(crate) fn read_stretch(&self, range: Range<u64>) -> Result<Bytes> {
        let mut read = self.read(std::slice::from_ref(&range))?;
        Ok(read.pop().unwrap_or_default())
    }

    /// The bytes of one range, out of the stretches that were read, by their starts.
    fn part_of(&self, read: &[(u64, Bytes)], range: &Range<u64>) -> Result<Bytes> {
        let stretch = read.partition_point(|(start, _)| *start <= range.start).checked_sub(1);
        let (start, bytes) = stretch.and_then(|place| read.get(place)).ok_or_else(|| self.beyond_end())?;
        let place = |offset: u64| usize::try_from(offset.saturating_sub(*start)).unwrap_or(usize::MAX);
        let (from, to) = (place(range.start), place(range.end));
        if from <= to && to <= bytes.len() { Ok(bytes.slice(from..to)) } else { Err(self.beyond_end()) }
    }

    fn beyond_end(&self) -> Error {
        Error::io("read", self.file.path())(io::ErrorKind::UnexpectedEof.into())
    }

    /// Whole blocks, as they were written. Where some differ, the whole file says whether it has changed.
    fn read_blocks(&self, range: Range<u64>) -> Result<Bytes> {
        match self.read_blocks_once(&range) {
            Err(Error::Corrupt { .. }) => self.file.compare()?,
            read => return read,
        }
        tracing::warn!(file = %self.file.path().display(), "a read of a file differed, and the file has not changed");
        match self.read_blocks_once(&range) {
            // A good file is not given up for a disk that gives other bytes each time.
            Err(Error::Corrupt { .. }) => {
                let source = io::Error::new(io::ErrorKind::InvalidData, "it has other bytes each time that it is read");
                Err(Error::io("read", self.file.path())(source))
            }
            read => read,
        }
    }

    fn read_blocks_once(&self, range: &Range<u64>) -> Result<Bytes> {
        let bytes = self.file.read_unverified(self.open.as_ref(), range)?;
        let first = usize::try_from(range.start / BLOCK_BYTES as u64).unwrap_or(usize::MAX);
        let differing = match self.file.verified() {
            Some(verified) => verified.blocks.differing(first, &bytes),
            None => Some(range.clone()),
        };
        match differing {
            None => Ok(bytes),
            Some(differing) => {
                self.file.suspect();
                Err(self.file.corrupt(Some(differing)))
            }
        }
    }
}
