//! The text of intervals: DataFusion reads `2 hours 30 minutes`, and no `02:30`.

use std::fmt::Write;

use datafusion::sql::sqlparser::ast::{DataType, Expr, Value};

/// Writes the constant text of an interval in words that DataFusion reads.
pub(super) fn with_words(expression: &mut Expr) {
    let text = match expression {
        Expr::Interval(interval) if interval.leading_field.is_none() => interval.value.as_mut(),
        Expr::Cast { expr, data_type: DataType::Interval { .. }, .. } => expr.as_mut(),
        _ => return,
    };
    if let Expr::Value(value) = text
        && let Value::SingleQuotedString(text) = &mut value.value
        && let Some(words) = words(text)
    {
        *text = words;
    }
}

/// The same interval without colons, and without signs that stand alone; `None` where there are none of them, or
/// where it is no interval.
fn words(text: &str) -> Option<String> {
    if !text.contains([':', ' ']) || text.starts_with('P') {
        return None;
    }
    let mut words = String::with_capacity(text.len() * 2);
    let mut sign = "";
    for part in text.split_whitespace() {
        match part {
            "-" | "+" => sign = part,
            time if time.contains(':') => {
                let (own, time) = match time.strip_prefix('-') {
                    Some(time) => ("-", time),
                    None => (sign, time.strip_prefix('+').unwrap_or(time)),
                };
                write_time(own, time, &mut words)?;
                sign = "";
            }
            other => {
                write!(words, "{sign}{other} ").ok()?;
                sign = "";
            }
        }
    }
    words.truncate(words.trim_end().len());
    Some(words)
}

/// `hours:minutes[:seconds]`.
fn write_time(sign: &str, time: &str, words: &mut String) -> Option<()> {
    let mut parts = time.split(':');
    for unit in ["hours", "minutes", "seconds"] {
        let Some(part) = parts.next() else { break };
        let is_number =
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit() || (byte == b'.' && unit == "seconds"));
        if !is_number {
            return None;
        }
        write!(words, "{sign}{part} {unit} ").ok()?;
    }
    parts.next().is_none().then_some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_words() {
        for (text, expected) in [
            ("01:30:00", Some("01 hours 30 minutes 00 seconds")),
            ("1:30", Some("1 hours 30 minutes")),
            ("-1:30", Some("-1 hours -30 minutes")),
            ("3 days 04:05:06.789", Some("3 days 04 hours 05 minutes 06.789 seconds")),
            ("1 day - 2 hours", Some("1 day -2 hours")),
            ("1 day", Some("1 day")),
            ("P1D", None),
            ("1day", None),
            ("1:x", None),
            ("1:2:3:4", None),
        ] {
            assert_eq!(words(text).as_deref(), expected, "{text}");
        }
    }
}
