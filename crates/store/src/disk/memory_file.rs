//! A file in memory.

use std::io;

use bytes::Bytes;
use parking_lot::RwLock;

use super::{DiskFile, InPlaceFile};

/// A file in memory, such as a copy of one that must not change.
#[derive(Debug)]
pub(crate) struct MemoryFile(RwLock<Vec<u8>>);

impl MemoryFile {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        Self(RwLock::new(bytes.to_vec()))
    }
}

impl DiskFile for MemoryFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.0.read().len() as u64)
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Bytes> {
        let bytes = self.0.read();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let range = bytes.get(start..start.saturating_add(length));
        Ok(Bytes::copy_from_slice(range.ok_or(io::ErrorKind::UnexpectedEof)?))
    }
}

impl InPlaceFile for MemoryFile {
    fn write_at(&self, offset: u64, new: &[u8]) -> io::Result<()> {
        let mut bytes = self.0.write();
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let range = bytes.get_mut(start..start.saturating_add(new.len()));
        range.ok_or(io::ErrorKind::UnexpectedEof)?.copy_from_slice(new);
        Ok(())
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.0.write().resize(length, 0);
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
}
