//! The value of a setting that is a time.

/// The most milliseconds of such a setting.
const MOST: f64 = 2_147_483_647.0;

/// The units of a time, with the milliseconds in each. The largest one that divides a time is the one that it is told
/// in.
const UNITS: [(&str, f64); 6] =
    [("us", 0.001), ("ms", 1.0), ("s", 1_000.0), ("min", 60_000.0), ("h", 3_600_000.0), ("d", 86_400_000.0)];

/// What is wrong with a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum NoDuration {
    /// It is no number, or has another unit.
    Unreadable,
    /// It is negative or too long.
    OutOfRange,
}

/// The milliseconds that a text says, which are its unit where it has none.
pub(super) fn milliseconds(text: &str) -> Result<u64, NoDuration> {
    let text = text.trim();
    let is_of_number = |(place, letter): (usize, char)| {
        letter.is_ascii_digit() || letter == '.' || (place == 0 && "+-".contains(letter))
    };
    let end = text.char_indices().find(|letter| !is_of_number(*letter)).map_or(text.len(), |(place, _)| place);
    let (number, unit) = text.split_at_checked(end).unwrap_or((text, ""));
    let unit = unit.trim_start();
    let factor = match UNITS.iter().find(|(name, _)| *name == unit) {
        Some((_, factor)) => *factor,
        None if unit.is_empty() => 1.0,
        None => return Err(NoDuration::Unreadable),
    };
    let number: f64 = number.parse().map_err(|_| NoDuration::Unreadable)?;
    let milliseconds = (number * factor).round_ties_even();
    if (0.0..=MOST).contains(&milliseconds) { Ok(milliseconds as u64) } else { Err(NoDuration::OutOfRange) }
}

/// Milliseconds as PostgreSQL tells them.
pub(super) fn told(milliseconds: u64) -> String {
    if milliseconds == 0 {
        return "0".to_owned();
    }
    let whole = [("d", 86_400_000), ("h", 3_600_000), ("min", 60_000), ("s", 1_000)];
    let unit = whole.into_iter().find(|(_, factor)| milliseconds.is_multiple_of(*factor));
    let (name, factor) = unit.unwrap_or(("ms", 1));
    format!("{}{name}", milliseconds / factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_unit_or_is_of_milliseconds() {
        for (text, expected, shown) in [
            ("0", 0, "0"),
            ("1000", 1_000, "1s"),
            (" 1500 ms ", 1_500, "1500ms"),
            ("1.5s", 1_500, "1500ms"),
            ("60s", 60_000, "1min"),
            ("2min", 120_000, "2min"),
            ("24h", 86_400_000, "1d"),
            ("1500us", 2, "2ms"),
            ("2147483647", 2_147_483_647, "2147483647ms"),
        ] {
            assert_eq!(milliseconds(text), Ok(expected), "{text}");
            assert_eq!(told(expected), shown, "{text}");
        }
        for text in ["", "abc", "1 hour", "1S", "s", "1 2", "1.2.3", "+-1", "off"] {
            assert_eq!(milliseconds(text), Err(NoDuration::Unreadable), "{text}");
        }
        for text in ["-1", "2147483648", "25d", "999999999999999999999"] {
            assert_eq!(milliseconds(text), Err(NoDuration::OutOfRange), "{text}");
        }
    }
}
