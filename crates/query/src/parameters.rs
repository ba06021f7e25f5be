//! The parameters of requests: finding one, and what those may be that several requests have.

use std::collections::BTreeSet;

use crate::{Error, Result};

/// Refuses a name that is nearly that of a parameter. Whoever writes `skillids=1`, or `skillIds[]=1` as some clients
/// write lists, wants one skill and would get all.
pub(crate) fn check_names<N: AsRef<str>, V: AsRef<str>>(names: &[&'static str], parameters: &[(N, V)]) -> Result<()> {
    for (given, value) in parameters {
        let given = given.as_ref();
        let bare = given.split_once('[').map_or(given, |(bare, _)| bare);
        let meant = names.iter().copied().find(|name| bare.eq_ignore_ascii_case(name) && given != *name);
        if let Some(name) = meant {
            let lists =
                if name == "skillIds" { ", and several skills are one value, such as skillIds=4,153" } else { "" };
            return Err(refused(name, value.as_ref(), &format!("it is given as {given}; its name is {name}{lists}")));
        }
    }
    Ok(())
}

/// The value of the parameter `name`, which may be given once.
pub(crate) fn only<'a, N: AsRef<str>, V: AsRef<str>>(
    parameters: &'a [(N, V)],
    name: &'static str,
) -> Result<Option<&'a str>> {
    let mut values = parameters.iter().filter(|(given, _)| given.as_ref() == name).map(|(_, value)| value.as_ref());
    let value = values.next();
    match values.next() {
        Some(second) => Err(refused(name, second, "it is given more than once; give it once")),
        None => Ok(value),
    }
}

/// The version of the API, which must be told.
pub(crate) fn version(value: Option<&str>) -> Result<()> {
    const RULE: &str = "the version of the API is 1";
    match value {
        None => Err(missing("v", RULE)),
        Some(value) if whole(value) == Some(1) => Ok(()),
        Some(value) => Err(refused("v", value, RULE)),
    }
}

/// The skills named; `None` for all.
pub(crate) fn skills(value: &str) -> Result<Option<BTreeSet<i64>>> {
    const RULE: &str = "it is all, or 64-bit whole numbers separated by commas, such as 4,153";
    if value == "all" {
        return Ok(None);
    }
    let skills = value.split(',').map(integer).collect::<Option<_>>();
    skills.map(Some).ok_or_else(|| refused("skillIds", value, RULE))
}

/// A number without a sign.
pub(crate) fn whole(text: &str) -> Option<i64> {
    if text.starts_with('-') { None } else { integer(text) }
}

/// A number with digits alone, or with a minus before them; `parse` would take a plus as well.
fn integer(text: &str) -> Option<i64> {
    if text.starts_with('+') { None } else { text.parse().ok() }
}

pub(crate) fn missing(parameter: &'static str, rule: &str) -> Error {
    Error::Parameter { parameter, value: None, rule: format!("the parameter is required: {rule}") }
}

pub(crate) fn refused(parameter: &'static str, value: &str, rule: &str) -> Error {
    Error::Parameter { parameter, value: Some(value.to_owned()), rule: rule.to_owned() }
}
