//! Time zones, as `TimeZone` names them.

use arrow::array::timezone::Tz;

/// The name under which a zone is kept: that of the table of zones, or a distance from UTC as PostgreSQL tells it.
/// `None` where it is no zone.
pub(super) fn named(text: &str) -> Option<String> {
    let text = text.trim();
    if let Some(hours) = text.parse::<f64>().ok().filter(|hours| hours.abs() < 24.0) {
        return Some(distance((hours * 3_600.0).round() as i32));
    }
    if let Some(seconds) = posix(text) {
        return Some(distance(seconds));
    }
    let spellings = [text.to_owned(), text.to_uppercase(), capitalized(text)];
    spellings.into_iter().find(|name| name.starts_with(|letter: char| letter.is_ascii_alphabetic()) && is_zone(name))
}

/// The clock of a zone that is kept. `None` for that of UTC.
pub(in crate::postgresql) fn clock(name: &str) -> Option<Tz> {
    if ["UTC", "Etc/UTC", "GMT", "Etc/GMT", "Zulu", "Universal", "Greenwich"].contains(&name) {
        return None;
    }
    match posix(name) {
        Some(0) => None,
        Some(seconds) => offset(seconds).parse().ok(),
        None => name.parse().ok(),
    }
}

fn is_zone(name: &str) -> bool {
    name.parse::<Tz>().is_ok()
}

/// Each word of a name with a large first letter: `America/New_York`.
fn capitalized(text: &str) -> String {
    let mut is_first = true;
    let letters = text.chars().map(|letter| {
        let written = if is_first { letter.to_ascii_uppercase() } else { letter.to_ascii_lowercase() };
        is_first = !letter.is_alphanumeric();
        written
    });
    letters.collect()
}

/// How PostgreSQL tells a distance from UTC: `<+02>-02`.
fn distance(seconds: i32) -> String {
    let told = |seconds: i32| {
        let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
        let minutes = seconds / 60 % 60;
        let minutes = if minutes > 0 { format!(":{minutes:02}") } else { String::new() };
        format!("{sign}{:02}{minutes}", seconds / 3_600)
    };
    if seconds == 0 { "<+00>-00".to_owned() } else { format!("<{}>{}", told(seconds), told(-seconds)) }
}

/// The same as Arrow reads it: `+02:00`.
fn offset(seconds: i32) -> String {
    let (sign, seconds) = (if seconds < 0 { '-' } else { '+' }, seconds.unsigned_abs());
    format!("{sign}{:02}:{:02}", seconds / 3_600, seconds / 60 % 60)
}

/// The seconds ahead of UTC of a zone in POSIX's form, whose sign is the other way round: `GMT-03:00` is three hours
/// ahead. Nothing else is known of it than its distance.
fn posix(text: &str) -> Option<i32> {
    let rest = match text.strip_prefix('<') {
        Some(quoted) => quoted.split_once('>')?.1,
        None => text.trim_start_matches(|letter: char| letter.is_ascii_alphabetic()),
    };
    let name = text.len() - rest.len();
    let (sign, clock) = match rest.split_at_checked(1)? {
        ("+", clock) => (-1, clock),
        ("-", clock) => (1, clock),
        _ => return None,
    };
    let parts: Vec<i32> = clock.split(':').map(|part| part.parse().ok()).collect::<Option<_>>()?;
    let is_number = clock.bytes().all(|byte| byte.is_ascii_digit() || byte == b':');
    let within = |value: i32, most: i32| (0..=most).contains(&value).then_some(value);
    match parts.as_slice() {
        _ if !is_number || (1..3).contains(&name) => None,
        [hours] => Some(sign * within(*hours, 24)? * 3_600),
        [hours, minutes] => Some(sign * (within(*hours, 24)? * 3_600 + within(*minutes, 59)? * 60)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_have_names_and_distances() {
        for (text, kept, seconds) in [
            ("UTC", "UTC", None),
            ("utc", "UTC", None),
            ("Europe/Berlin", "Europe/Berlin", Some("Europe/Berlin")),
            ("america/new_york", "America/New_York", Some("America/New_York")),
            ("EST5EDT", "EST5EDT", Some("EST5EDT")),
            ("est", "EST", Some("EST")),
            ("2", "<+02>-02", Some("+02:00")),
            ("-5.5", "<-05:30>+05:30", Some("-05:30")),
            ("+03", "<+03>-03", Some("+03:00")),
            ("GMT-03:00", "<+03>-03", Some("+03:00")),
            ("<-08>+08", "<-08>+08", Some("-08:00")),
            ("0", "<+00>-00", None),
        ] {
            assert_eq!(named(text).as_deref(), Some(kept), "{text}");
            let expected: Option<Tz> = seconds.map(|name| name.parse().unwrap());
            assert_eq!(format!("{:?}", clock(kept)), format!("{expected:?}"), "{text}");
        }
        for text in ["", "nope", "25", "+99", "Europe", "A+1", "<x", "GMT+3:99"] {
            assert_eq!(named(text), None, "{text}");
        }
    }
}
