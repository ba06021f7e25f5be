use std::hash::Hasher;

use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use skillscope_segment::{Format, SegmentWriter, conform};
use twox_hash::XxHash3_64;

use crate::Result;

/// The length of a checksum.
pub(crate) const CHECKSUM_BYTES: usize = 8;

/// The rows of a journal entry as bytes: an Arrow IPC stream.
pub(crate) fn encode_rows(batch: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer = SegmentWriter::new(Format::Arrow, Vec::new())?;
    writer.write(batch)?;
    Ok(writer.finish()?)
}

/// What [`encode_rows`] encoded.
pub(crate) fn decode_rows(bytes: &[u8]) -> Result<Vec<RecordBatch>> {
    let mut batches = Vec::new();
    for batch in StreamReader::try_new(bytes, None)? {
        batches.push(conform(&batch?)?);
    }
    Ok(batches)
}

/// A value of the journal: `payload`, and behind it the checksum of it and of the key that it stands under, so that
/// neither can be taken for another's.
pub(crate) fn with_checksum(key: &str, payload: &[u8]) -> Vec<u8> {
    let mut value = vec![0; payload.len() + CHECKSUM_BYTES];
    put_with_checksum(key, payload, &mut value);
    value
}

/// Writes the same to `out`, which is as long as `payload` and its checksum.
pub(crate) fn put_with_checksum(key: &str, payload: &[u8], out: &mut [u8]) {
    if let Some((start, end)) = out.split_at_mut_checked(payload.len()) {
        start.copy_from_slice(payload);
        end.copy_from_slice(&checksum_of(key, payload).to_le_bytes());
    }
}

/// The payload of a value that stands under `key`; `None` where the checksum belies it.
pub(crate) fn checked<'v>(key: &str, value: &'v [u8]) -> Option<&'v [u8]> {
    let (payload, checksum) = value.split_at_checked(value.len().checked_sub(CHECKSUM_BYTES)?)?;
    let checksum = u64::from_le_bytes(checksum.try_into().ok()?);
    (checksum == checksum_of(key, payload)).then_some(payload)
}

fn checksum_of(key: &str, payload: &[u8]) -> u64 {
    let mut hasher = XxHash3_64::with_seed(0);
    hasher.write(key.as_bytes());
    hasher.write(payload);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_flipped_bit_is_found(payload in prop::collection::vec(any::<u8>(), 0..200), bit in any::<prop::sample::Index>()) {
            let value = with_checksum("acme/1/2", &payload);
            prop_assert_eq!(checked("acme/1/2", &value), Some(payload.as_slice()));
            prop_assert_eq!(checked("acme/1/3", &value), None);
            let bit = bit.index(value.len() * 8);
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(checked("acme/1/2", &flipped), None);
            prop_assert_eq!(checked("acme/1/2", &value[..bit / 8]), None);
        }
    }
}
