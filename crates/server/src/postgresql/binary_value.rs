//! Whether the bytes of a value in binary are laid out as its type says. What decodes them takes each count in them at
//! its word, and some types' bytes without counting them.

use datafusion_postgres::pgwire::api::Type;
use postgres_types::Kind;

/// The most elements of an array, as each takes many times its bytes once it is decoded.
pub(super) const MOST_ELEMENTS: usize = 100_000;

/// The most dimensions of an array, as in PostgreSQL.
const MOST_DIMENSIONS: i32 = 6;

/// Times that can be told are at most this many microseconds from the beginning of 2000: some 250,000 years.
const FARTHEST_MICROSECONDS: u64 = 8_000_000_000_000_000_000;

/// Dates that can be told are at most this many days from the beginning of 2000: some 246,000 years.
const FARTHEST_DAYS: u32 = 90_000_000;

/// A day, whose last moment may be told as 24:00.
const DAY_MICROSECONDS: u64 = 86_400_000_000;

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unusable {
    #[error("the bytes of a value are not those of the type {0}")]
    Layout(String),
    #[error("a value of the type {0} is out of range")]
    Range(String),
    #[error("an array has {0} elements; at most {MOST_ELEMENTS} are taken")]
    Elements(usize),
}

/// Checks a value in binary.
pub(super) fn check(of: &Type, value: &[u8]) -> Result<(), Unusable> {
    match of.kind() {
        Kind::Array(element) => array(of, element, value),
        _ => simple(of, value),
    }
}

fn simple(of: &Type, value: &[u8]) -> Result<(), Unusable> {
    let length = match *of {
        Type::BOOL | Type::CHAR => 1,
        Type::INT2 => 2,
        Type::INT4 | Type::OID | Type::FLOAT4 | Type::DATE => 4,
        Type::INT8 | Type::FLOAT8 | Type::TIMESTAMP | Type::TIMESTAMPTZ | Type::TIME => 8,
        Type::INTERVAL | Type::UUID => 16,
        Type::NUMERIC => 8 + 2 * value.first_chunk().map_or(0, |groups| usize::from(u16::from_be_bytes(*groups))),
        _ => return Ok(()),
    };
    if value.len() != length {
        return Err(Unusable::Layout(of.name().to_owned()));
    }
    if in_range(of, value) { Ok(()) } else { Err(Unusable::Range(of.name().to_owned())) }
}

/// Whether a value that has the length of its type can be told. Infinite times cannot.
fn in_range(of: &Type, value: &[u8]) -> bool {
    let first = || value.first_chunk().map_or(0, |bytes| i64::from_be_bytes(*bytes));
    match *of {
        Type::TIMESTAMP | Type::TIMESTAMPTZ => first().unsigned_abs() <= FARTHEST_MICROSECONDS,
        Type::TIME => u64::try_from(first()).is_ok_and(|time| time <= DAY_MICROSECONDS),
        // They become nanoseconds.
        Type::INTERVAL => first().checked_mul(1_000).is_some(),
        Type::DATE => value.first_chunk().is_none_or(|days| i32::from_be_bytes(*days).unsigned_abs() <= FARTHEST_DAYS),
        _ => true,
    }
}

/// The number of dimensions, a flag, the type, a length and a lowest index for each dimension, and the elements.
fn array(of: &Type, element: &Type, value: &[u8]) -> Result<(), Unusable> {
    let wrong = || Unusable::Layout(of.name().to_owned());
    let mut rest = value;
    let dimensions = number(&mut rest).filter(|count| (0..=MOST_DIMENSIONS).contains(count)).ok_or_else(wrong)?;
    let (_flag, _type) = (number(&mut rest).ok_or_else(wrong)?, number(&mut rest).ok_or_else(wrong)?);
    let mut elements = usize::from(dimensions > 0);
    for _ in 0..dimensions {
        let length = number(&mut rest).and_then(|length| usize::try_from(length).ok()).ok_or_else(wrong)?;
        let _lowest = number(&mut rest).ok_or_else(wrong)?;
        elements = elements.saturating_mul(length);
    }
    if elements > MOST_ELEMENTS {
        return Err(Unusable::Elements(elements));
    }
    for _ in 0..elements {
        // A negative length is a null.
        if let Ok(length) = usize::try_from(number(&mut rest).ok_or_else(wrong)?) {
            let (one, after) = rest.split_at_checked(length).ok_or_else(wrong)?;
            check(element, one)?;
            rest = after;
        }
    }
    if rest.is_empty() { Ok(()) } else { Err(wrong()) }
}

fn number(rest: &mut &[u8]) -> Option<i32> {
    let (number, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(i32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array_of(lengths: &[i32], elements: &[u8]) -> Vec<u8> {
        let mut value = i32::try_from(lengths.len()).unwrap().to_be_bytes().to_vec();
        value.extend_from_slice(&[0; 8]);
        lengths.iter().for_each(|length| value.extend_from_slice(&[length.to_be_bytes(), [0; 4]].concat()));
        value.extend_from_slice(elements);
        value
    }

    #[test]
    fn an_array_has_the_elements_that_it_says() {
        let one = [&[0, 0, 0, 4][..], &[0; 4]].concat();
        assert_eq!(check(&Type::INT4_ARRAY, &array_of(&[], b"")), Ok(()));
        assert_eq!(check(&Type::INT4_ARRAY, &array_of(&[1], &one)), Ok(()));
        assert_eq!(check(&Type::INT4_ARRAY, &array_of(&[1], &[0xff; 4])), Ok(()));
        let wrong = Err(Unusable::Layout("_int4".to_owned()));
        for value in [array_of(&[2], &one), array_of(&[1], b""), array_of(&[-1], b""), array_of(&[], b"x")] {
            assert_eq!(check(&Type::INT4_ARRAY, &value), wrong, "{value:?}");
        }
        assert_eq!(check(&Type::INT4_ARRAY, &array_of(&[1; 7], &one)), wrong);
        assert_eq!(check(&Type::INT4_ARRAY, b"\0\0\0\x01"), wrong);
        let wrong = check(&Type::INTERVAL_ARRAY, &array_of(&[1], &one));
        assert_eq!(wrong, Err(Unusable::Layout("interval".to_owned())));
    }

    #[test]
    fn an_array_is_not_as_long_as_it_says_before_its_bytes_are_there() {
        for lengths in [&[i32::MAX][..], &[65_536, 32_768], &[i32::MAX; 6]] {
            let outcome = check(&Type::INT4_ARRAY, &array_of(lengths, b""));
            assert!(matches!(outcome, Err(Unusable::Elements(_))), "{outcome:?}");
        }
    }

    #[test]
    fn a_value_has_the_bytes_of_its_type() {
        for (of, value) in [
            (Type::BOOL, &b"\x01"[..]),
            (Type::INT8, &[0; 8]),
            (Type::INTERVAL, &[0; 16]),
            (Type::NUMERIC, &[0; 8]),
            (Type::NUMERIC, b"\0\x01\0\0\0\0\0\0\0\x07"),
            (Type::TEXT, b"anything"),
        ] {
            assert_eq!(check(&of, value), Ok(()), "{of}");
            if of != Type::TEXT {
                assert!(check(&of, &value[1..]).is_err(), "{of}");
            }
        }
        assert!(check(&Type::NUMERIC, b"\xff\xff\0\0\0\0\0\0").is_err());
    }

    #[test]
    fn times_that_cannot_be_told_are_refused() {
        for (of, value) in [
            (Type::TIMESTAMP, i64::MAX.to_be_bytes().to_vec()),
            (Type::TIMESTAMPTZ, i64::MIN.to_be_bytes().to_vec()),
            (Type::TIME, (-1_i64).to_be_bytes().to_vec()),
            (Type::DATE, i32::MAX.to_be_bytes().to_vec()),
            (Type::INTERVAL, [&i64::MAX.to_be_bytes()[..], &[0; 8]].concat()),
        ] {
            assert_eq!(check(&of, &value), Err(Unusable::Range(of.name().to_owned())));
        }
    }
}
