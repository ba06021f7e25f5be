//! The lengths of the texts of a page, without the texts.

use parquet::basic::Encoding;
use parquet::column::page::Page;

use super::delta;
use super::thrift::Refused;

/// The longest text of a dictionary, or of a page of texts that share their beginnings. Of other pages 0: there each
/// text takes its own bytes.
pub(super) fn longest(page: &Page, max_definition_level: i16) -> Result<usize, Refused> {
    let (texts, values, encoding) = match page {
        Page::DictionaryPage { buf, num_values, .. } => return longest_plain(buf, *num_values as usize),
        Page::DataPage { buf, num_values, encoding, def_level_encoding, .. } => {
            let levels = match (max_definition_level, def_level_encoding) {
                (0, _) => 0,
                #[expect(deprecated, reason = "old files have it")]
                (_, Encoding::BIT_PACKED) => {
                    let bits = usize::try_from(i16::BITS - max_definition_level.leading_zeros()).unwrap_or(16);
                    (*num_values as usize).saturating_mul(bits).div_ceil(8)
                }
                _ => {
                    let length = buf.first_chunk().ok_or("a page ends within its levels")?;
                    (u32::from_le_bytes(*length) as usize).saturating_add(4)
                }
            };
            (buf.get(levels..), *num_values, *encoding)
        }
        Page::DataPageV2 { buf, num_values, encoding, def_levels_byte_len, rep_levels_byte_len, .. } => {
            let levels = (*def_levels_byte_len as usize).saturating_add(*rep_levels_byte_len as usize);
            (buf.get(levels..), *num_values, *encoding)
        }
    };
    let (texts, values) = (texts.ok_or("a page ends within its levels")?, values as usize);
    match encoding {
        Encoding::DELTA_LENGTH_BYTE_ARRAY => delta::lengths(texts, values).map(|_| 0),
        Encoding::DELTA_BYTE_ARRAY => {
            let (shared, end) = delta::lengths(texts, values)?;
            let (own, _) = delta::lengths(texts.get(end..).unwrap_or_default(), values)?;
            let lengths = shared.iter().zip(own).map(|(shared, own)| i64::from(*shared).max(0) + i64::from(own).max(0));
            Ok(usize::try_from(lengths.max().unwrap_or(0)).unwrap_or(usize::MAX))
        }
        _ => Ok(0),
    }
}

/// Texts one after the other, each after its length.
fn longest_plain(mut bytes: &[u8], count: usize) -> Result<usize, Refused> {
    let mut longest = 0;
    for _ in 0..count {
        let (length, rest) = bytes.split_first_chunk().ok_or("a dictionary ends within a text")?;
        let length = u32::from_le_bytes(*length) as usize;
        bytes = rest.get(length..).ok_or("a dictionary ends within a text")?;
        longest = longest.max(length);
    }
    Ok(longest)
}
