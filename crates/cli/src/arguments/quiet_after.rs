//! The option `--quiet-after`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::replay::TimeStep;

/// How long nothing has to come of an account for it to be called quiet; `None` calls none so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct QuietAfter(pub(crate) Option<Duration>);

impl QuietAfter {
    /// The default of the option.
    pub(super) const DEFAULT: Self = Self(Some(Duration::from_secs(15 * 60)));
}

impl FromStr for QuietAfter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if matches!(text, "0" | "off") {
            return Ok(Self(None));
        }
        let TimeStep(ms) = TimeStep::from_str(text).map_err(|rule| format!("{rule}, such as 15m; or off"))?;
        Ok(Self(u64::try_from(ms).ok().map(Duration::from_millis)))
    }
}

impl fmt::Display for QuietAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            None => f.write_str("off"),
            Some(after) if after.as_secs() > 0 && after.as_secs().is_multiple_of(60) => {
                write!(f, "{}m", after.as_secs() / 60)
            }
            Some(after) => write!(f, "{}ms", after.as_millis()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_number_and_a_unit_or_is_off() {
        let read = |text: &str| text.parse::<QuietAfter>().map(|after| after.0);
        assert_eq!(read("15m"), Ok(Some(Duration::from_secs(900))));
        assert_eq!(read("250ms"), Ok(Some(Duration::from_millis(250))));
        assert_eq!((read("0"), read("off")), (Ok(None), Ok(None)));
        for wrong in ["", "15", "0m", "-1m", "1.5h", "15 m", "never"] {
            assert!(read(wrong).is_err_and(|rule| rule.contains("15m")), "{wrong}");
        }
    }

    #[test]
    fn what_is_shown_can_be_read() {
        for after in ["15m", "250ms", "off"] {
            assert_eq!(after.parse::<QuietAfter>().unwrap().to_string(), after);
        }
        assert_eq!(QuietAfter::DEFAULT.to_string(), "15m");
    }
}
