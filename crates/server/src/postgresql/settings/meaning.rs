//! Settings whose values mean more than their type says, and what is told of those that have no effect here.

use super::Unsettable;
use super::known::{Effect, Setting};
use super::zone;

/// What a client is told of a setting that it has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::postgresql) struct Told(pub(in crate::postgresql) String);

/// What is kept of a value of the right type, `before` being what was, and what is told of it.
pub(super) fn meant(setting: &Setting, value: String, before: &str) -> Result<(String, Option<Told>), Unsettable> {
    let wrong = |value: &str| Unsettable::Value { name: setting.name.to_owned(), value: value.to_owned(), hint: None };
    Ok(match setting.name {
        "TimeZone" => {
            let named = zone::named(&value).ok_or_else(|| wrong(&value))?;
            let told = zone::clock(&named).filter(|_| named != before).map(|_| {
                Told(format!(
                    "times are shown in the time zone {named}; functions and texts without a zone go by UTC, \
                     and AT TIME ZONE by another one"
                ))
            });
            (named, told)
        }
        "DateStyle" => date_style(&value, before).ok_or_else(|| wrong(&value))?,
        "client_encoding" => {
            let plain: String = value.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
            match plain.to_lowercase().as_str() {
                "utf8" | "unicode" | "sqlascii" | "" => ("UTF8".to_owned(), None),
                _ => ("UTF8".to_owned(), Some(one(setting, "UTF8"))),
            }
        }
        "search_path" => {
            let names: Vec<&str> = value.split(',').map(|name| name.trim().trim_matches('"')).collect();
            let is_ours = names.contains(&"public")
                && names.iter().all(|name| ["$user", "public", "pg_catalog", "pg_temp"].contains(name));
            let told = Told(
                "the parameter \"search_path\" has no effect: names without a schema are those of \"public\" and \
                 \"pg_catalog\""
                    .to_owned(),
            );
            (value, (!is_ours).then_some(told))
        }
        "role" | "session_authorization" => {
            if value != before && !value.eq_ignore_ascii_case("none") {
                return Err(Unsettable::Role(value));
            }
            (value, None)
        }
        _ => match setting.effect {
            // The default is the one value that there is.
            Effect::One if value != setting.default => {
                (setting.default.to_owned(), Some(one(setting, setting.default)))
            }
            Effect::None if value != before => {
                (value, Some(Told(format!("the parameter \"{}\" has no effect here", setting.name))))
            }
            _ => (value, None),
        },
    })
}

fn one(setting: &Setting, value: &str) -> Told {
    Told(format!("the parameter \"{}\" is always {value} here", setting.name))
}

/// A style of dates is a format, of which there is one, and an order of day, month and year.
fn date_style(value: &str, before: &str) -> Option<(String, Option<Told>)> {
    let mut order = before.rsplit(", ").next().unwrap_or("MDY").to_owned();
    let mut is_other = false;
    for word in value.split(',').map(str::trim) {
        match word.to_lowercase().as_str() {
            "iso" | "default" => {}
            "sql" | "postgres" | "postgresql" | "german" => is_other = true,
            "dmy" | "euro" | "european" => order = "DMY".to_owned(),
            "mdy" | "us" | "noneuro" | "noneuropean" => order = "MDY".to_owned(),
            "ymd" => order = "YMD".to_owned(),
            _ => return None,
        }
    }
    let told = is_other.then(|| Told("dates are always shown in the style ISO here".to_owned()));
    Some((format!("ISO, {order}"), told))
}

#[cfg(test)]
mod tests {
    use super::super::Values;
    use super::*;

    #[test]
    fn what_has_no_effect_is_told_and_what_drivers_set_is_not() {
        let values = Values::default();
        for (name, value, kept, told) in [
            ("search_path", "reporting", "reporting", Some("\"search_path\" has no effect")),
            ("search_path", "\"$user\", public", "\"$user\", public", None),
            ("work_mem", "64MB", "64MB", Some("\"work_mem\" has no effect")),
            ("enable_seqscan", "on", "on", None),
            ("extra_float_digits", "3", "3", None),
            ("jit", "off", "off", None),
            ("DateStyle", "iso", "ISO, MDY", None),
            ("DateStyle", "German, DMY", "ISO, DMY", Some("style ISO")),
            ("DateStyle", "ISO", "ISO, DMY", None),
            ("IntervalStyle", "postgres", "postgres", None),
            ("IntervalStyle", "ISO_8601", "postgres", Some("always postgres")),
            ("bytea_output", "escape", "hex", Some("always hex")),
            ("client_encoding", "utf-8", "UTF8", None),
            ("client_encoding", "LATIN1", "UTF8", Some("always UTF8")),
            ("standard_conforming_strings", "off", "on", Some("always on")),
            ("TimeZone", "utc", "UTC", None),
            ("TimeZone", "Europe/Berlin", "Europe/Berlin", Some("AT TIME ZONE")),
            ("TimeZone", "Europe/Berlin", "Europe/Berlin", None),
            ("application_name", "x", "x", None),
        ] {
            let set = values.set(name, Some(value), false).unwrap();
            assert_eq!(values.shown(name).unwrap(), kept, "{name}");
            match (&set, told) {
                (None, None) => {}
                (Some(Told(text)), Some(part)) => assert!(text.contains(part), "{text}"),
                _ => panic!("{name} {value}: {set:?}"),
            }
        }
        for (name, value) in [("TimeZone", "nope"), ("DateStyle", "nope"), ("server_version", "1"), ("role", "x")] {
            values.set(name, Some(value), false).unwrap_err();
        }
    }
}
