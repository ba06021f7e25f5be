//! The units of settings that are times or amounts of memory.

/// A unit, and how many of the smallest one it is.
type Unit = (&'static str, f64);

const TIMES: [Unit; 6] = [("us", 1.0), ("ms", 1e3), ("s", 1e6), ("min", 60e6), ("h", 3_600e6), ("d", 86_400e6)];

const BYTES: [Unit; 5] =
    [("B", 1.0), ("kB", 1_024.0), ("MB", 1_048_576.0), ("GB", 1_073_741_824.0), ("TB", 1_099_511_627_776.0)];

/// The units that a value may have whose own unit is `unit`, and how many of the smallest one that is.
fn of(unit: &str) -> Option<(&'static [Unit], f64)> {
    let (count, name) = match unit.find(|letter: char| !letter.is_ascii_digit()) {
        Some(end) if end > 0 => unit.split_at_checked(end)?,
        _ => ("1", unit),
    };
    let count: f64 = count.parse().ok()?;
    let units: &'static [Unit] = if TIMES.iter().any(|(time, _)| *time == name) { &TIMES } else { &BYTES };
    let (_, factor) = units.iter().find(|(known, _)| *known == name)?;
    Some((units, count * factor))
}

/// The names of these units, as an error tells them.
pub(super) fn names(unit: &str) -> Option<String> {
    let (units, _) = of(unit)?;
    let names: Vec<String> = units.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let (last, others) = names.split_last()?;
    Some(format!("{}, and {last}", others.join(", ")))
}

/// A number with or without a unit, in the unit of its setting. `None` where it is no number, or has another unit.
pub(super) fn read(text: &str, unit: &str) -> Option<f64> {
    let text = text.trim();
    let is_of_number = |(place, letter): (usize, char)| {
        letter.is_ascii_digit() || letter == '.' || (place == 0 && "+-".contains(letter))
    };
    let end = text.char_indices().find(|letter| !is_of_number(*letter)).map_or(text.len(), |(place, _)| place);
    let (number, named) = text.split_at_checked(end)?;
    if let Ok(whole) = text.parse() {
        return Some(whole);
    }
    let (number, named): (f64, &str) = (number.parse().ok()?, named.trim_start());
    if named.is_empty() {
        return Some(number);
    }
    let (units, own) = of(unit)?;
    let (_, factor) = units.iter().find(|(known, _)| *known == named)?;
    Some(number * factor / own)
}

/// A number as it is told: in the largest unit that divides it.
pub(super) fn shown(number: i64, unit: &str) -> String {
    let Some((units, own)) = of(unit).filter(|_| number > 0) else { return number.to_string() };
    let smallest = number as f64 * own;
    let fitting = units.iter().rev().find(|(_, factor)| smallest % factor == 0.0);
    fitting.map_or_else(|| number.to_string(), |(name, factor)| format!("{}{name}", smallest / factor))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_a_unit_or_is_in_its_own() {
        for (text, unit, expected, told) in [
            ("0", "ms", 0, "0"),
            ("1000", "ms", 1_000, "1s"),
            (" 1500 ms ", "ms", 1_500, "1500ms"),
            ("1.5s", "ms", 1_500, "1500ms"),
            ("2min", "ms", 120_000, "2min"),
            ("1 h", "ms", 3_600_000, "1h"),
            ("1d", "ms", 86_400_000, "1d"),
            ("-1", "ms", -1, "-1"),
            ("64MB", "kB", 65_536, "64MB"),
            ("100", "kB", 100, "100kB"),
            ("1GB", "8kB", 131_072, "1GB"),
            ("524288", "8kB", 524_288, "4GB"),
            ("1e3", "ms", 1_000, "1s"),
        ] {
            assert_eq!(read(text, unit), Some(f64::from(expected)), "{text}");
            assert_eq!(shown(expected.into(), unit), told, "{text}");
        }
        for (text, unit) in [("", "ms"), ("soon", "ms"), ("1 parsec", "ms"), ("1kb", "kB"), ("1s", "kB"), ("1s", "")] {
            assert_eq!(read(text, unit), None, "{text}");
        }
        assert_eq!(names("ms").unwrap(), r#""us", "ms", "s", "min", "h", and "d""#);
    }
}
