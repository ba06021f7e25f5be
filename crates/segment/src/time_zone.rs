//! The time zone of times that name none.

use std::fmt;
use std::sync::Arc;

use arrow::array::timezone::Tz;
use chrono::{LocalResult, NaiveDateTime, TimeZone as _};

use crate::error::shortened;
use crate::{Error, Result};

/// A time zone: a name of the IANA database (`Europe/Berlin`), or an offset (`+02:00`).
#[derive(Debug, Clone)]
pub struct TimeZone {
    name: Arc<str>,
    zone: Tz,
}

impl TimeZone {
    /// Finds a time zone by its name.
    ///
    /// # Errors
    /// [`Error::TimeZoneSyntax`] where there is none of this name.
    pub fn parse(name: &str) -> Result<Self> {
        match name.parse() {
            Ok(zone) => Ok(Self { name: Arc::from(name), zone }),
            Err(_) => Err(Error::TimeZoneSyntax { value: shortened(name) }),
        }
    }

    /// The instant at which clocks of the zone show `local`: the first of two where they are put back. `None` where
    /// they are put forward and pass over it.
    pub(crate) fn instant(&self, local: NaiveDateTime) -> Option<i64> {
        match self.zone.from_local_datetime(&local) {
            LocalResult::Single(time) | LocalResult::Ambiguous(time, _) => Some(time.timestamp_millis()),
            LocalResult::None => None,
        }
    }
}

impl fmt::Display for TimeZone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

#[cfg(test)]
mod tests {
    use chrono::NaiveDate;

    use super::*;

    fn october(day: u32, hour: u32, minute: u32) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2025, 10, day).unwrap().and_hms_opt(hour, minute, 0).unwrap()
    }

    #[test]
    fn of_two_readings_in_autumn_the_first_is_meant() {
        let berlin = TimeZone::parse("Europe/Berlin").unwrap();
        // 26 October 2025, 03:00 summer time is 02:00 winter time: 01:00 UTC.
        let change = 1_761_440_400_000;
        assert_eq!(berlin.instant(october(26, 1, 59)), Some(change - 3_660_000));
        assert_eq!(berlin.instant(october(26, 2, 30)), Some(change - 1_800_000), "summer time");
        assert_eq!(berlin.instant(october(26, 3, 0)), Some(change + 3_600_000));
    }

    #[test]
    fn what_spring_leaves_out_is_no_time() {
        let berlin = TimeZone::parse("Europe/Berlin").unwrap();
        let left_out = NaiveDate::from_ymd_opt(2025, 3, 30).unwrap().and_hms_opt(2, 30, 0).unwrap();
        assert_eq!(berlin.instant(left_out), None);
    }

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        for name in ["Europe/Berlin", "America/Argentina/ComodRivadavia", "UTC", "+02:00", "-0330"] {
            assert_eq!(TimeZone::parse(name).unwrap().to_string(), name);
        }
        for none in ["", "Berlin", "Europe/Atlantis", "02:00"] {
            assert!(matches!(TimeZone::parse(none), Err(Error::TimeZoneSyntax { .. })), "{none}");
        }
    }
}
