//! From when to when a certificate is valid.

use std::time::SystemTime;

use chrono::{DateTime, NaiveDateTime, Utc};

/// That a certificate ends is warned of as many days ahead.
const WARNED_DAYS: i64 = 14;

/// From when to when a certificate is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Validity {
    pub(super) from: DateTime<Utc>,
    pub(super) until: DateTime<Utc>,
}

impl Validity {
    /// Reads it from a certificate; `None` where that is not laid out as certificates are.
    pub(super) fn of(certificate: &[u8]) -> Option<Self> {
        let mut certificate = Der(Der(certificate).next(SEQUENCE)?);
        let mut signed = Der(certificate.next(SEQUENCE)?);
        if signed.0.first() == Some(&VERSION) {
            signed.next(VERSION)?;
        }
        signed.next(INTEGER)?;
        // The algorithm, and the issuer.
        signed.next(SEQUENCE)?;
        signed.next(SEQUENCE)?;
        let mut validity = Der(signed.next(SEQUENCE)?);
        Some(Self { from: validity.time()?, until: validity.time()? })
    }

    /// What there is to warn of.
    pub(super) fn warning(self) -> Option<String> {
        let now = DateTime::<Utc>::from(SystemTime::now());
        if now < self.from {
            return Some(format!("is not valid before {}", self.from));
        }
        if now > self.until {
            return Some(format!("is not valid any more: it ended at {}", self.until));
        }
        let days = (self.until - now).num_days();
        (days < WARNED_DAYS).then(|| format!("ends in {days} days, at {}", self.until))
    }
}

const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;

/// Values in DER: each is a tag, a length and as many bytes.
struct Der<'b>(&'b [u8]);

impl<'b> Der<'b> {
    /// The bytes of the next value, if it has this tag.
    fn next(&mut self, tag: u8) -> Option<&'b [u8]> {
        let (first, rest) = self.0.split_first()?;
        let (length, rest) = rest.split_first()?;
        let (length, rest) = match usize::from(*length) {
            short @ 0..0x80 => (short, rest),
            long => {
                let (digits, rest) = rest.split_at_checked(long & 0x7f)?;
                let length = digits
                    .iter()
                    .try_fold(0_usize, |length, digit| length.checked_mul(256)?.checked_add(usize::from(*digit)))?;
                (length, rest)
            }
        };
        let (value, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        (*first == tag).then_some(value)
    }

    fn time(&mut self) -> Option<DateTime<Utc>> {
        let tag = *self.0.first()?;
        let text = std::str::from_utf8(self.next(tag)?).ok()?;
        let text = match tag {
            // Two digits of the year, from 1950 to 2049.
            UTC_TIME if text.get(..2)? < "50" => format!("20{text}"),
            UTC_TIME => format!("19{text}"),
            GENERALIZED_TIME => text.to_owned(),
            _ => return None,
        };
        NaiveDateTime::parse_from_str(&text, "%Y%m%d%H%M%SZ").ok().map(|time| time.and_utc())
    }
}

#[cfg(test)]
mod tests {
    use super::super::TestCertificate;
    use super::*;

    #[test]
    fn a_certificate_tells_when_it_is_valid() {
        for (from, until) in [(2020, 2024), (2020, 2051), (1999, 2050)] {
            let certificate = TestCertificate::valid((from, 3, 1), (until, 11, 30));
            let validity = Validity::of(&certificate.der()).unwrap();
            assert_eq!(validity.from.to_rfc3339(), format!("{from}-03-01T00:00:00+00:00"));
            assert_eq!(validity.until.to_rfc3339(), format!("{until}-11-30T00:00:00+00:00"));
        }
    }

    #[test]
    fn what_has_ended_or_not_begun_is_warned_of() {
        let warning = |from: i32, until: i32| {
            Validity::of(&TestCertificate::valid((from, 1, 1), (until, 1, 1)).der()).unwrap().warning()
        };
        assert!(warning(2001, 2002).unwrap().contains("not valid any more"));
        assert!(warning(3001, 3002).unwrap().contains("not valid before 3001"));
        assert_eq!(warning(2001, 3002), None);
    }

    #[test]
    fn bytes_that_are_no_certificate_tell_nothing() {
        let certificate = TestCertificate::new(&["localhost"]).der();
        for length in 0..150 {
            assert_eq!(Validity::of(&certificate[..length]), None);
        }
        let whole = Validity::of(&certificate);
        for place in 0..certificate.len() {
            let mut damaged = certificate.clone();
            damaged[place] ^= 0xff;
            // Whatever it says, it says something.
            let _ = Validity::of(&damaged) == whole;
        }
        assert_eq!(Validity::of(b"\x30\x89\xff\xff\xff\xff\xff\xff\xff\xff\xff"), None);
        assert_eq!(Validity::of(b"\x30\x80"), None);
    }
}
