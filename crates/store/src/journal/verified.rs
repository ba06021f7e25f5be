//! When a file was last compared with its checksum, and the checksums of its blocks, by which any part of it is
//! verified when it is read.

use std::ops::Range;
use std::sync::Arc;

use twox_hash::XxHash3_64;

/// Bytes of a block. A reader of a page reads at most two blocks too much.
pub(crate) const BLOCK_BYTES: usize = 64 << 10;

/// The checksum of each block of a file; the last block may be shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlockChecksums(Arc<[u64]>);

/// What is known of a file's bytes beside its length and checksum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verified {
    /// When the whole file was compared with its checksum, in milliseconds since the epoch, by the store's clock.
    pub(crate) at: i64,
    pub(crate) blocks: BlockChecksums,
}

impl BlockChecksums {
    /// The checksums of a whole file.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(each(bytes).collect())
    }

    /// The checksums of a file that was read part by part; each part but the last was of whole blocks.
    pub(crate) fn of_parts(checksums: Vec<u64>) -> Self {
        Self(checksums.into())
    }

    /// The bytes from the first block that differs to the last one, where `bytes` begin at the block `first`. Blocks
    /// that the file did not have differ.
    pub(crate) fn differing(&self, first: usize, bytes: &[u8]) -> Option<Range<u64>> {
        self.differing_from(first, each(bytes))
    }

    /// The same, by the checksums of what was found.
    pub(crate) fn differing_from(&self, first: usize, found: impl Iterator<Item = u64>) -> Option<Range<u64>> {
        let differs = |(block, found): (usize, u64)| (self.0.get(block) != Some(&found)).then_some(block as u64);
        let mut differing = (first..).zip(found).filter_map(differs);
        let start = differing.next()?;
        let last = differing.last().unwrap_or(start);
        Some(start * BLOCK_BYTES as u64..(last + 1) * BLOCK_BYTES as u64)
    }

    /// The whole blocks that a range of a file's bytes lies in.
    pub(crate) fn around(range: &Range<u64>, length: u64) -> Range<u64> {
        let block = BLOCK_BYTES as u64;
        let end = range.end.max(range.start).div_ceil(block).saturating_mul(block);
        range.start / block * block..end.min(length)
    }
}

/// The checksum of each block of `bytes`.
pub(crate) fn each(bytes: &[u8]) -> impl Iterator<Item = u64> {
    bytes.chunks(BLOCK_BYTES).map(XxHash3_64::oneshot)
}

impl Verified {
    /// The payload of a value of the journal: the time, the size of a block, and the checksums.
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8 * (self.blocks.0.len() + 2));
        bytes.extend(self.at.to_le_bytes());
        bytes.extend((BLOCK_BYTES as u64).to_le_bytes());
        bytes.extend(self.blocks.0.iter().flat_map(|checksum| checksum.to_le_bytes()));
        bytes
    }

    /// `None` where the bytes are of another form, or of blocks of another size: they are made anew then.
    pub(super) fn decode(bytes: &[u8]) -> Option<Self> {
        let (words, rest) = bytes.as_chunks::<8>();
        let [at, block, checksums @ ..] = words else { return None };
        let is_ours = rest.is_empty() && u64::from_le_bytes(*block) == BLOCK_BYTES as u64;
        let blocks = BlockChecksums(checksums.iter().map(|checksum| u64::from_le_bytes(*checksum)).collect());
        is_ours.then(|| Self { at: i64::from_le_bytes(*at), blocks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_is_read_with_the_blocks_around_it() {
        let block = BLOCK_BYTES as u64;
        assert_eq!(BlockChecksums::around(&(0..1), 10), 0..10);
        assert_eq!(BlockChecksums::around(&(block..block + 1), 5 * block), block..2 * block);
        assert_eq!(BlockChecksums::around(&(block - 1..block + 1), 5 * block), 0..2 * block);
        assert_eq!(BlockChecksums::around(&(4 * block + 7..4 * block + 9), 4 * block + 9), 4 * block..4 * block + 9);
        assert_eq!(BlockChecksums::around(&(3..3), 5 * block), 0..block);
    }

    #[test]
    fn the_blocks_that_differ_are_told_by_their_bytes() {
        let block = BLOCK_BYTES as u64;
        let bytes = vec![7; 3 * BLOCK_BYTES + 5];
        let checksums = BlockChecksums::of(&bytes);
        assert_eq!(checksums.differing(0, &bytes), None);
        assert_eq!(checksums.differing(1, &bytes[BLOCK_BYTES..2 * BLOCK_BYTES]), None);
        let mut flipped = bytes.clone();
        flipped[BLOCK_BYTES + 9] ^= 1;
        assert_eq!(checksums.differing(0, &flipped), Some(block..2 * block));
        flipped[3 * BLOCK_BYTES] ^= 1;
        assert_eq!(checksums.differing(0, &flipped), Some(block..4 * block));
        assert_eq!(checksums.differing(4, &[1]), Some(4 * block..5 * block), "there was no such block");
    }

    #[test]
    fn what_is_written_is_read_and_nothing_else() {
        let verified = Verified { at: -5, blocks: BlockChecksums::of(&[1; 200_000]) };
        let bytes = verified.encode();
        assert_eq!(bytes.len(), 16 + 4 * 8);
        assert_eq!(Verified::decode(&bytes), Some(verified));
        let mut other = bytes.clone();
        other[8] ^= 1;
        for wrong in [&bytes[..9], &bytes[..bytes.len() - 1], &[], &other] {
            assert_eq!(Verified::decode(wrong), None);
        }
    }
}
