//! The bytes of one value of the journal: framed with a magic number and a checksum, so that a value can be found and
//! verified by itself.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use skillscope_segment::{column, normalize_encoding};
use twox_hash::XxHash3_64;

use crate::error::Result;
use crate::rows::arrival_times::{ArrivalTimes, with_arrival_times};
use crate::rows::run::Run;

/// Every value begins with this, so that it can be found in a file whose pages are damaged.
const MAGIC: [u8; 16] = *b"skillscope value";

const CHECKSUM_BYTES: usize = 8;

/// The magic, the lengths of name and payload, and the checksum.
const FRAME_BYTES: usize = MAGIC.len() + 2 * LENGTH_BYTES + CHECKSUM_BYTES;

const LENGTH_BYTES: usize = 8;

/// The rows of a journal entry as bytes: an Arrow IPC stream. Rows that arrived together have the time in the metadata of
/// their schema, others in a column.
pub(crate) fn encode_rows(run: &Run) -> Result<Vec<u8>> {
    let rows = match run.arrival_times.only() {
        Some(time) => with_arrival_time(&run.batch, time)?,
        None => run.whole()?,
    };
    let mut writer = StreamWriter::try_new(Vec::new(), rows.schema_ref())?;
    writer.write(&rows)?;
    Ok(writer.into_inner()?)
}

fn with_arrival_time(batch: &RecordBatch, time: i64) -> Result<RecordBatch> {
    let said = HashMap::from([(column::ARRIVAL_TIME.to_owned(), time.to_string())]);
    let schema = batch.schema_ref().as_ref().clone().with_metadata(said);
    Ok(RecordBatch::try_new(Arc::new(schema), batch.columns().to_vec())?)
}

/// The rows that [`encode_rows`] encoded, with the schema of segments.
pub(crate) fn decode_rows(bytes: &[u8]) -> Result<Vec<RecordBatch>> {
    let reader = StreamReader::try_new(bytes, None)?;
    let arrived = reader.schema().metadata().get(column::ARRIVAL_TIME).and_then(|time| time.parse().ok());
    let mut batches = Vec::new();
    for batch in reader {
        let mut rows = normalize_encoding(&batch?)?;
        if let Some(time) = arrived {
            rows.remove_column(rows.schema_ref().index_of(column::ARRIVAL_TIME)?);
            rows = with_arrival_times(&rows, &ArrivalTimes::same(rows.num_rows(), Some(time)))?;
        }
        batches.push(rows);
    }
    Ok(batches)
}

/// A value of the journal: its name, its payload, and the checksum of both. So no value can be taken for another one.
pub(crate) fn framed(name: &str, payload: &[u8]) -> Vec<u8> {
    let mut value = Vec::with_capacity(framed_length(name, payload));
    value.extend(MAGIC);
    value.extend((name.len() as u64).to_le_bytes());
    value.extend((payload.len() as u64).to_le_bytes());
    value.extend(name.as_bytes());
    value.extend(payload);
    value.extend(XxHash3_64::oneshot(&value).to_le_bytes());
    value
}

fn framed_length(name: &str, payload: &[u8]) -> usize {
    FRAME_BYTES + name.len() + payload.len()
}

/// The payload of the value under `name`; `None` where the value is damaged or has another name.
pub(crate) fn unframed<'v>(name: &str, value: &'v [u8]) -> Option<&'v [u8]> {
    let (found, payload) = first_value(value)?;
    (found == name && framed_length(found, payload) == value.len()).then_some(payload)
}

/// Every whole value in `bytes`, wherever it stands: its name and its payload.
pub(crate) fn all_values(bytes: &[u8]) -> Vec<(&str, &[u8])> {
    let mut values = Vec::new();
    let mut rest = bytes;
    while let Some(start) = rest.windows(MAGIC.len()).position(|window| window == MAGIC) {
        rest = rest.get(start..).unwrap_or_default();
        let value = first_value(rest);
        values.extend(value);
        let length = value.map_or(MAGIC.len(), |(name, payload)| framed_length(name, payload));
        rest = rest.get(length..).unwrap_or_default();
    }
    values
}

/// The name and the payload of the value that `bytes` begin with.
fn first_value(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let rest = bytes.strip_prefix(&MAGIC)?;
    let (name_length, rest) = length(rest)?;
    let (payload_length, rest) = length(rest)?;
    let (name, rest) = rest.split_at_checked(name_length)?;
    let (payload, rest) = rest.split_at_checked(payload_length)?;
    let checksum = u64::from_le_bytes(*rest.first_chunk()?);
    let framed = bytes.get(..bytes.len() - rest.len())?;
    (XxHash3_64::oneshot(framed) == checksum).then_some((std::str::from_utf8(name).ok()?, payload))
}

fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    Some((usize::try_from(u64::from_le_bytes(*length)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_flipped_bit_is_found(payload in prop::collection::vec(any::<u8>(), 0..200), bit in any::<prop::sample::Index>()) {
            let value = framed("acme/1/2", &payload);
            prop_assert_eq!(unframed("acme/1/2", &value), Some(payload.as_slice()));
            prop_assert_eq!(unframed("acme/1/3", &value), None);
            let bit = bit.index(value.len() * 8);
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(unframed("acme/1/2", &flipped), None);
            prop_assert_eq!(unframed("acme/1/2", &value[..bit / 8]), None);
        }

        #[test]
        fn values_are_found_between_anything(parts in prop::collection::vec((any::<bool>(), prop::collection::vec(any::<u8>(), 0..60)), 0..8)) {
            let (mut bytes, mut expected) = (Vec::new(), Vec::new());
            for (number, (is_value, part)) in parts.iter().enumerate() {
                let name = format!("entry {number}");
                bytes.extend(if *is_value { framed(&name, part) } else { part.clone() });
                expected.extend(is_value.then_some((name, part.clone())));
            }
            // The beginning of one whose end is missing.
            bytes.extend(&framed("cut", b"short")[..40]);
            let found: Vec<_> = all_values(&bytes).into_iter().map(|(name, payload)| (name.to_owned(), payload.to_vec())).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
