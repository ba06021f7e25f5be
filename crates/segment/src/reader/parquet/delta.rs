//! The lengths of texts that a page holds in the encoding DELTA_BINARY_PACKED.

use super::thrift::{Refused, Walk};

/// A block has at most so many numbers. Writers make blocks of 128.
const MAX_BLOCK: usize = 1 << 20;

/// The lengths at the beginning of `bytes`, and how many bytes they take. More than `most` are refused before there is
/// room for them.
///
/// Where the library would read something else than this does, it ends in an error.
pub(super) fn lengths(bytes: &[u8], most: usize) -> Result<(Vec<i32>, usize), Refused> {
    let mut walk = Walk::over(bytes);
    let mut number = || walk.varint().map(|number| usize::try_from(number).unwrap_or(usize::MAX));
    let (block, minis, count) = (number()?, number()?, number()?);
    if minis == 0 || block > MAX_BLOCK || block % 128 != 0 || block % minis != 0 || (block / minis) % 32 != 0 {
        return Err("a page has blocks of a size that no writer makes".into());
    }
    if count > most {
        return Err("a page has more lengths than values".into());
    }
    let mut last = small(walk.int()?)?;
    let mut lengths = Vec::new();
    let mut place = bytes.len() - walk.left();
    if count > 0 {
        lengths.push(last);
    }
    let mini = block / minis;
    while lengths.len() < count {
        let rest = bytes.get(place..).unwrap_or_default();
        let mut walk = Walk::over(rest);
        let least = small(walk.int()?)?;
        let widths = rest.len() - walk.left();
        let mut data = widths.saturating_add(minis);
        for width in rest.get(widths..data).ok_or("a page ends within its lengths")? {
            let left = count - lengths.len();
            if left == 0 {
                // Nothing is there of what is not needed.
                break;
            }
            let (width, end) = (usize::from(*width), data.saturating_add(usize::from(*width) * (mini / 8)));
            if width > 32 {
                return Err("a page has lengths of more than 32 bits".into());
            }
            // Only what is needed must be there.
            let packed = rest.get(data..end.min(rest.len())).unwrap_or_default();
            for index in 0..left.min(mini) {
                let delta = unpacked(packed, index * width, width).ok_or("a page ends within its lengths")?;
                last = delta.wrapping_add(least).wrapping_add(last);
                lengths.push(last);
            }
            data = end;
        }
        place = place.saturating_add(data);
    }
    Ok((lengths, place))
}

/// The `width` bits from `first` on, the lowest bits of a byte first.
fn unpacked(packed: &[u8], first: usize, width: usize) -> Option<i32> {
    let mut value = 0_u64;
    let bytes = packed.get(first / 8..(first + width).div_ceil(8))?;
    for (place, byte) in bytes.iter().enumerate() {
        value |= u64::from(*byte) << (8 * place);
    }
    let value = (value >> (first % 8)) & ((1 << width) - 1);
    Some(u32::try_from(value).ok()?.cast_signed())
}

fn small(number: i64) -> Result<i32, Refused> {
    i32::try_from(number).map_err(|_| "a page has lengths of more than 32 bits".into())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_are_what_the_format_says() {
        // The example of the format's own documentation, in blocks of 128 and four parts: 7, 5, 3, 1, 2, 3, 4, 5. The
        // least difference is -2, so that 0, 0, 0, 3, 3, 3, 3 are kept, in two bits each.
        let mut bytes = vec![0x80, 0x01, 4, 8, 14, 3, 2, 0, 0, 0, 0b1100_0000, 0b0011_1111];
        bytes.resize(10 + 8, 0);
        bytes.extend(b"texts");
        let (lengths, end) = lengths(&bytes, 8).unwrap();
        assert_eq!((lengths, end), (vec![7, 5, 3, 1, 2, 3, 4, 5], 18));
    }

    #[test]
    fn a_page_that_claims_more_lengths_than_values_is_refused() {
        // 2^40 lengths.
        let bytes = [0x80, 0x01, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0, 0, 0, 0, 0, 0];
        assert!(lengths(&bytes, 1000).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), count in 0..40_u8) {
            let mut page = vec![0x80, 0x01, 4, count];
            page.extend(&bytes);
            for bytes in [bytes, page] {
                if let Ok((lengths, end)) = lengths(&bytes, 1000) {
                    prop_assert!(lengths.len() <= 1000);
                    prop_assert!(end <= bytes.len() + 4 * 32 * 32);
                }
            }
        }
    }
}
