//! From when to when a certificate is valid.

use std::time::SystemTime;

use chrono::{DateTime, Utc};
use x509_certificate::X509Certificate;

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
        let certificate = X509Certificate::from_der(certificate).ok()?;
        Some(Self { from: certificate.validity_not_before(), until: certificate.validity_not_after() })
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
