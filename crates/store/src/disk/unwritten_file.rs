//! A file on disk whose changes stay in memory.

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;

use super::{DiskFile, InPlaceFile};

/// Changes are kept in pages of this size.
const PAGE: usize = 4096;

/// A file that can be changed, while the one on disk stays as it is.
#[derive(Debug)]
pub(crate) struct UnwrittenFile {
    below: Arc<dyn DiskFile>,
    changes: Mutex<Changes>,
}

#[derive(Debug)]
struct Changes {
    length: u64,
    /// From here on nothing of the file on disk is left.
    below_length: u64,
    /// Changed pages, by number.
    pages: BTreeMap<u64, Box<[u8; PAGE]>>,
}

impl UnwrittenFile {
    pub(crate) fn over(below: Arc<dyn DiskFile>) -> io::Result<Self> {
        let length = below.length()?;
        Ok(Self { below, changes: Mutex::new(Changes { length, below_length: length, pages: BTreeMap::new() }) })
    }
}

impl Changes {
    /// The bytes of a stretch, zeros where nothing was ever written.
    fn read(&self, below: &dyn DiskFile, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.below_length.saturating_sub(offset)).unwrap_or(usize::MAX).min(length);
        let mut bytes = if left == 0 { Vec::new() } else { below.read_at(offset, left)?.to_vec() };
        bytes.resize(length, 0);
        let end = offset.saturating_add(length as u64);
        for (number, page) in self.pages.range(offset / PAGE as u64..end.div_ceil(PAGE as u64)) {
            for (to, from) in both(&mut bytes, offset, page.as_ref(), number * PAGE as u64) {
                *to = *from;
            }
        }
        Ok(bytes)
    }
}

/// The bytes that two stretches of a file share.
fn both<'b>(
    to: &'b mut [u8],
    to_offset: u64,
    from: &'b [u8],
    from_offset: u64,
) -> impl Iterator<Item = (&'b mut u8, &'b u8)> {
    let skip = |ahead: u64| usize::try_from(ahead).unwrap_or(usize::MAX);
    let to = to.iter_mut().skip(skip(from_offset.saturating_sub(to_offset)));
    to.zip(from.iter().skip(skip(to_offset.saturating_sub(from_offset))))
}

impl DiskFile for UnwrittenFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.changes.lock().length)
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let changes = self.changes.lock();
        if offset.checked_add(length as u64).is_none_or(|end| end > changes.length) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(changes.read(self.below.as_ref(), offset, length)?.into())
    }
}

impl InPlaceFile for UnwrittenFile {
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let mut changes = self.changes.lock();
        let end = offset.saturating_add(bytes.len() as u64);
        if end > changes.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        for number in offset / PAGE as u64..end.div_ceil(PAGE as u64) {
            let start = number * PAGE as u64;
            let mut page = Box::new([0; PAGE]);
            let old = changes.read(self.below.as_ref(), start, PAGE)?;
            both(page.as_mut_slice(), start, &old, start).for_each(|(to, from)| *to = *from);
            both(page.as_mut_slice(), start, bytes, offset).for_each(|(to, from)| *to = *from);
            changes.pages.insert(number, page);
        }
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut changes = self.changes.lock();
        changes.length = length;
        changes.below_length = changes.below_length.min(length);
        // What is cut off is zeros if the file becomes longer again.
        changes.pages.retain(|number, _| number * (PAGE as u64) < length);
        let cut = usize::try_from(length % PAGE as u64).unwrap_or(0);
        if let Some(page) = changes.pages.get_mut(&(length / PAGE as u64)) {
            page.iter_mut().skip(cut).for_each(|byte| *byte = 0);
        }
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::disk::memory_file::MemoryFile;

    proptest! {
        #[test]
        fn it_reads_like_a_file_that_was_changed(
            length in 0..20_000_usize,
            steps in prop::collection::vec((0..3_u8, 0..30_000_usize, 0..9_000_usize, any::<u8>()), 1..20),
        ) {
            let content: Vec<u8> = (0..length).map(|place| place as u8 | 1).collect();
            let below = Arc::new(MemoryFile::new(&content));
            let (file, expected) = (UnwrittenFile::over(below.clone()).unwrap(), MemoryFile::new(&content));
            for (kind, offset, count, byte) in steps {
                match kind {
                    0 => for file in [&file as &dyn InPlaceFile, &expected] { file.set_length(offset as u64).unwrap() },
                    1 => {
                        let bytes = vec![byte; count];
                        let written = [&file as &dyn InPlaceFile, &expected].map(|file| file.write_at(offset as u64, &bytes).is_ok());
                        prop_assert_eq!(written[0], written[1]);
                    }
                    _ => {
                        let (found, expected) = (file.read_at(offset as u64, count), expected.read_at(offset as u64, count));
                        prop_assert_eq!(found.ok(), expected.ok());
                    }
                }
                prop_assert_eq!(file.length().unwrap(), expected.length().unwrap());
                let all = expected.length().unwrap() as usize;
                prop_assert_eq!(file.read_at(0, all).unwrap(), expected.read_at(0, all).unwrap());
            }
            prop_assert_eq!(below.read_at(0, length).unwrap(), content);
        }
    }
}
