//! Numbers with digits after the point, of as many digits as they have.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, i256};
use datafusion::common::ScalarValue;

/// The decimal number of these digits, `scale` of which stand after the point. `None` where there are too many.
pub(super) fn decimal(is_negative: bool, digits: &str, scale: usize) -> Option<ScalarValue> {
    let digits = digits.trim_start_matches('0');
    let precision = u8::try_from(digits.len().max(scale).max(1)).ok()?;
    let (sign, digits) = (if is_negative { "-" } else { "" }, if digits.is_empty() { "0" } else { digits });
    let (text, scale) = (format!("{sign}{digits}"), i8::try_from(scale).ok()?);
    if precision <= DECIMAL128_MAX_PRECISION {
        return Some(ScalarValue::Decimal128(Some(text.parse().ok()?), precision, scale));
    }
    if precision > DECIMAL256_MAX_PRECISION {
        return None;
    }
    Some(ScalarValue::Decimal256(Some(i256::from_string(&text)?), precision, scale))
}

/// The number that a text is, with or without a point and an exponent.
pub(super) fn of_text(text: &str) -> Option<ScalarValue> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let places = i32::try_from(fraction.len()).ok()?.checked_sub(exponent)?;
    // No number that is taken has as many zeros.
    let zeros = usize::try_from(places.min(0).unsigned_abs()).ok().filter(|zeros| *zeros < 1_000)?;
    digits.extend(std::iter::repeat_n('0', zeros));
    decimal(is_negative, &digits, usize::try_from(places.max(0)).ok()?)
}

/// The number that bytes are: the number of groups of four digits, the power of ten thousand of the first one, the
/// sign, the number of digits after the point, and the groups. Their number has been checked.
pub(super) fn of_binary(bytes: &[u8]) -> Option<ScalarValue> {
    let mut numbers = bytes.chunks_exact(2).map(|two| two.iter().fold(0, |sum: u16, byte| sum << 8 | u16::from(*byte)));
    let (count, weight, sign, scale) = (numbers.next()?, numbers.next()?, numbers.next()?, numbers.next()?);
    let is_negative = match sign {
        0 => false,
        0x4000 => true,
        _ => return None,
    };
    let weight = i32::from(weight.cast_signed());
    // A number with more digits than that is not taken, and zeros would have to be written for each power.
    if weight.abs() > 200 || count > 200 {
        return None;
    }
    let mut digits = String::new();
    let groups: Vec<u16> = numbers.collect();
    // From the group of the highest power, or the first one after the point, to the last digit that is told.
    let last = -i32::from(scale).div_euclid(4) - 1;
    for power in (last..=weight.max(0)).rev() {
        let place = usize::try_from(weight - power).ok();
        let group = place.and_then(|place| groups.get(place)).copied().unwrap_or(0);
        if group > 9_999 {
            return None;
        }
        digits.push_str(&format!("{group:04}"));
    }
    let after = usize::try_from(-last).ok()? * 4;
    let scale = usize::from(scale);
    digits.truncate(digits.len().checked_sub(after.checked_sub(scale)?)?);
    decimal(is_negative, &digits, scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_as_many_digits_as_they_have() {
        for (text, value, precision, scale) in [
            ("0", 0, 1, 0),
            ("12.34", 1_234, 4, 2),
            ("-0.050", -50, 3, 3),
            ("+7", 7, 1, 0),
            ("1e3", 1_000, 4, 0),
            ("1.5E-2", 15, 3, 3),
            (".5", 5, 1, 1),
            ("5.", 5, 1, 0),
        ] {
            assert_eq!(of_text(text), Some(ScalarValue::Decimal128(Some(value), precision, scale)), "{text}");
        }
        for text in ["", ".", "-", "1.2.3", "NaN", "Infinity", "1e", "1e99", "1e-2147483648", "0x1", "1 2"] {
            assert_eq!(of_text(text), None, "{text}");
        }
        let forty = "1".repeat(40);
        let wide = i256::from_string(&forty);
        assert_eq!(of_text(&forty), Some(ScalarValue::Decimal256(wide, 40, 0)));
        assert_eq!(of_text(&"1".repeat(77)), None);
    }

    #[test]
    fn bytes_are_groups_of_four_digits() {
        let bytes = |numbers: &[u16]| numbers.iter().flat_map(|number| number.to_be_bytes()).collect::<Vec<u8>>();
        for (numbers, text) in [
            (&[0, 0, 0, 0][..], "0"),
            (&[2, 0, 0, 2, 12, 3_400], "12.34"),
            (&[1, 0xffff, 0x4000, 3, 500], "-0.050"),
            (&[1, 1, 0, 0, 7], "70000"),
            (&[1, 0xfffe, 0, 8, 7], "0.00000007"),
            (&[3, 1, 0, 1, 1, 2, 5_000], "10002.5"),
        ] {
            assert_eq!(of_binary(&bytes(numbers)), of_text(text), "{text}");
        }
        for wrong in [&[0, 0, 0xc000, 0][..], &[1, 0, 0, 0, 10_000], &[1, 0x7fff, 0, 0, 1], &[0, 0, 0, 0x7fff]] {
            assert_eq!(of_binary(&bytes(wrong)), None, "{wrong:?}");
        }
    }
}
