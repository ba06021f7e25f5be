//! The letters that were kept lately, so that none is kept again when its event is sent again.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};
use std::io;

use crate::disk::DiskFile;

/// Of the last letters, so many to twice as many are known. They take 10 to 20 MB.
const GENERATION: usize = 1 << 19;

/// A file is read in parts of so many bytes.
const PART_BYTES: u64 = 1 << 20;

/// Hashes of letters. Their key is another in each process, so that nobody can make two letters look the same.
#[derive(Debug, Default)]
pub(super) struct KnownLetters {
    hasher: RandomState,
    newer: HashSet<u64>,
    older: HashSet<u64>,
}

impl KnownLetters {
    pub(super) fn hash(&self, line: &[u8]) -> u64 {
        self.hasher.hash_one(line)
    }

    pub(super) fn has(&self, hash: u64) -> bool {
        self.newer.contains(&hash) || self.older.contains(&hash)
    }

    pub(super) fn add(&mut self, hash: u64) {
        if self.newer.len() >= GENERATION {
            self.older = std::mem::take(&mut self.newer);
        }
        self.newer.insert(hash);
    }

    /// Adds the whole lines of a file of `length` bytes.
    pub(super) fn add_lines(&mut self, file: &dyn DiskFile, length: u64) -> io::Result<()> {
        let (mut offset, mut rest) = (0, Vec::new());
        while offset < length {
            let part = PART_BYTES.min(length - offset);
            rest.extend_from_slice(&file.read_at(offset, usize::try_from(part).unwrap_or(usize::MAX))?);
            offset += part;
            let mut lines = rest.split(|byte| *byte == b'\n');
            // The last one may go on in the next part.
            let last = lines.next_back().unwrap_or_default().to_vec();
            for line in lines.filter(|line| !line.is_empty()) {
                let hash = self.hash(line);
                self.add(hash);
            }
            rest = last;
        }
        Ok(())
    }
}
