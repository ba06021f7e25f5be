//! Bytes as hexadecimal digits.

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serializer};

/// The digits of some bytes, in small letters.
pub(crate) fn digits(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that digits stand for; `None` where they are not as many, or are no digits.
pub(crate) fn parse<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let digits: Vec<u32> = digits.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
    let byte = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _ => None,
    };
    digits.chunks(2).map(byte).collect::<Option<Vec<u8>>>()?.try_into().ok()
}

/// For fields that serde writes: `#[serde(with = "crate::hex")]`.
pub(crate) fn serialize<S: Serializer, const N: usize>(bytes: &[u8; N], out: S) -> Result<S::Ok, S::Error> {
    out.serialize_str(&digits(bytes))
}

/// For fields that serde reads.
pub(crate) fn deserialize<'de, D: Deserializer<'de>, const N: usize>(input: D) -> Result<[u8; N], D::Error> {
    let digits = String::deserialize(input)?;
    parse(&digits).ok_or_else(|| D::Error::custom(format!("this is not {} hexadecimal digits", 2 * N)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_pairs_of_digits() {
        assert_eq!(digits(&[0, 10, 255]), "000aff");
        assert_eq!(parse("000aFF"), Some([0, 10, 255]));
        for wrong in ["", "000af", "000aff00", "000ag0", "0-0a00", "äöü"] {
            assert_eq!(parse::<3>(wrong), None, "{wrong:?}");
        }
    }
}
