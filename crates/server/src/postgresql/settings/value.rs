//! The values that settings may have, and how they are told.

use super::Unsettable;
use super::known::Setting;
use super::units;

/// What is kept of a value: numbers in the unit of their setting, words in the letters of the table.
pub(super) fn read(setting: &Setting, text: &str) -> Result<String, Unsettable> {
    match setting.vartype {
        "bool" => {
            let value = boolean(text).ok_or_else(|| Unsettable::NoBoolean(setting.name.to_owned()))?;
            Ok(if value { "on" } else { "off" }.to_owned())
        }
        "integer" => {
            let number = number(setting, text)?.round_ties_even();
            check(setting, number)?;
            Ok(format!("{number}"))
        }
        "real" => {
            let number = number(setting, text)?;
            check(setting, number)?;
            Ok(format!("{number}"))
        }
        "enum" => {
            let word = words(setting).find(|word| word.eq_ignore_ascii_case(text));
            match word.map(str::to_owned).or_else(|| truth(setting, text)) {
                Some(word) => Ok(word),
                None => {
                    let hint = format!("Available values: {}.", setting.words.replace(',', ", "));
                    Err(wrong(setting, text, Some(hint)))
                }
            }
        }
        _ => Ok(text.to_owned()),
    }
}

/// A value as `SHOW` tells it.
pub(super) fn shown(setting: &Setting, value: &str) -> String {
    match value.parse() {
        Ok(number) if setting.vartype == "integer" && !setting.unit.is_empty() => units::shown(number, setting.unit),
        _ => value.to_owned(),
    }
}

fn words(setting: &Setting) -> impl Iterator<Item = &'static str> + use<> {
    setting.words.split(',')
}

/// `on` and `off` of an `enum` may be said in any way in which a truth value may.
fn truth(setting: &Setting, text: &str) -> Option<String> {
    let word = if boolean(text)? { "on" } else { "off" };
    words(setting).any(|known| known == word).then(|| word.to_owned())
}

/// A truth value is any beginning of its words that tells it from the other one.
fn boolean(text: &str) -> Option<bool> {
    let text = text.to_ascii_lowercase();
    let begins = |word: &str, least: usize| text.len() >= least && word.starts_with(&text);
    if begins("true", 1) || begins("yes", 1) || text == "on" || text == "1" {
        return Some(true);
    }
    (begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0").then_some(false)
}

fn number(setting: &Setting, text: &str) -> Result<f64, Unsettable> {
    let hint = || units::names(setting.unit).map(|names| format!("Valid units for this parameter are {names}."));
    let number = units::read(text, setting.unit).filter(|number| number.is_finite());
    number.ok_or_else(|| {
        // Where there is no number at all, the unit is not what is wrong.
        let has_number = text.trim_start().starts_with(|letter: char| letter.is_ascii_digit());
        wrong(setting, text, hint().filter(|_| has_number))
    })
}

fn check(setting: &Setting, number: f64) -> Result<(), Unsettable> {
    let bound = |text: &str, none: f64| text.parse().unwrap_or(none);
    if (bound(setting.min, f64::MIN)..=bound(setting.max, f64::MAX)).contains(&number) {
        return Ok(());
    }
    let unit = if setting.unit.is_empty() { String::new() } else { format!(" {}", setting.unit) };
    Err(Unsettable::Range {
        name: setting.name.to_owned(),
        value: format!("{number}{unit}"),
        range: format!("{}{unit} .. {}{unit}", setting.min, setting.max),
    })
}

fn wrong(setting: &Setting, text: &str, hint: Option<String>) -> Unsettable {
    Unsettable::Value { name: setting.name.to_owned(), value: text.to_owned(), hint }
}

#[cfg(test)]
mod tests {
    use super::super::known::known;
    use super::*;

    #[track_caller]
    fn kept(name: &str, text: &str) -> String {
        read(known(name).unwrap(), text).unwrap()
    }

    #[track_caller]
    fn refused(name: &str, text: &str) -> (String, Option<String>) {
        let error = read(known(name).unwrap(), text).unwrap_err();
        let hint = if let Unsettable::Value { hint, .. } = &error { hint.clone() } else { None };
        (error.to_string(), hint)
    }

    #[test]
    fn values_are_those_of_their_type() {
        for (name, text, expected) in [
            ("enable_seqscan", "F", "off"),
            ("enable_seqscan", "1", "on"),
            ("work_mem", "64MB", "65536"),
            ("statement_timeout", "1min", "60000"),
            ("random_page_cost", "1.10", "1.1"),
            ("client_min_messages", "WARNING", "warning"),
            ("synchronous_commit", "true", "on"),
            ("application_name", " x ", " x "),
        ] {
            assert_eq!(kept(name, text), expected, "{name} {text}");
        }
    }

    #[test]
    fn other_values_are_refused_in_postgresql_s_words() {
        let (text, hint) = refused("client_min_messages", "loud");
        assert_eq!(text, "invalid value for parameter \"client_min_messages\": \"loud\"");
        let words = "Available values: debug5, debug4, debug3, debug2, debug1, log, notice, warning, error.";
        assert_eq!(hint.as_deref(), Some(words));
        assert_eq!(
            refused("work_mem", "1").0,
            "1 kB is outside the valid range for parameter \"work_mem\" (64 kB .. 2147483647 kB)"
        );
        assert_eq!(
            refused("extra_float_digits", "4").0,
            "4 is outside the valid range for parameter \"extra_float_digits\" (-15 .. 3)"
        );
        assert_eq!(refused("enable_seqscan", "maybe").0, "parameter \"enable_seqscan\" requires a Boolean value");
        let (text, hint) = refused("statement_timeout", "1 parsec");
        assert_eq!(text, "invalid value for parameter \"statement_timeout\": \"1 parsec\"");
        let units = "Valid units for this parameter are \"us\", \"ms\", \"s\", \"min\", \"h\", and \"d\".";
        assert_eq!(hint.as_deref(), Some(units));
        assert_eq!(refused("work_mem", "lots").1, None);
    }
}
