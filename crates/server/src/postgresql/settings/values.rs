//! The values of a session's settings, and what they go back to.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use parking_lot::Mutex;

use super::known::{Effect, Setting, known, settings};
use super::meaning::{Told, meant};
use super::value::{self, shown};
use super::{Unsettable, command_line};

/// What the settings of a session may take.
pub(super) const MOST_BYTES: usize = 64 << 10;

/// The parameter of a start-up packet that has settings as a command has them.
const OPTIONS: &str = "options";

/// Parameters of a start-up packet that are no settings.
const NO_SETTINGS: [&str; 4] = ["user", "database", OPTIONS, "replication"];

/// The beginning of the names of parameters that are about the protocol.
const OF_PROTOCOL: &str = "_pq_.";

/// The settings that clients are told of when a session begins, and whenever they change.
const REPORTED: [&str; 14] = [
    "application_name",
    "client_encoding",
    "DateStyle",
    "default_transaction_read_only",
    "in_hot_standby",
    "integer_datetimes",
    "IntervalStyle",
    "is_superuser",
    "search_path",
    "server_encoding",
    "server_version",
    "session_authorization",
    "standard_conforming_strings",
    "TimeZone",
];

/// Values by the names of their settings in small letters. Those that have their defaults are not among them.
type Set = HashMap<String, String>;

/// The settings of one session. Cheap to clone: the clones are the same session's.
#[derive(Debug, Clone, Default)]
pub(in crate::postgresql) struct Values(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What holds now.
    current: Arc<Set>,
    /// What holds after the transaction, without what is `SET LOCAL`.
    lasting: Arc<Set>,
    /// What the session began with.
    initial: Arc<Set>,
    /// What the client has been told.
    told: BTreeMap<&'static str, String>,
}

/// The settings at a moment of a transaction.
#[derive(Debug, Clone)]
pub(in crate::postgresql) struct Frame {
    current: Arc<Set>,
    lasting: Arc<Set>,
}

impl Values {
    /// Sets what a start-up packet says: its options, and then its other parameters.
    pub(in crate::postgresql) fn start<'a>(
        &self,
        parameters: impl Iterator<Item = (&'a str, &'a str)> + Clone,
    ) -> Result<(), Unsettable> {
        if let Some((_, user)) = parameters.clone().find(|(name, _)| *name == "user") {
            self.put("session_authorization", Some(user.to_owned()), false)?;
        }
        let options = parameters.clone().find(|(name, _)| *name == OPTIONS).map_or("", |(_, options)| options);
        for (name, value) in command_line::settings(options)? {
            self.set(&name, Some(&value), false)?;
        }
        for (name, value) in parameters {
            if !NO_SETTINGS.contains(&name) && !name.starts_with(OF_PROTOCOL) {
                self.set(name, Some(value), false)?;
            }
        }
        let mut state = self.0.lock();
        state.initial = Arc::clone(&state.current);
        Ok(())
    }

    /// Sets a setting, for the session or, `is_local`, for the transaction; `None` is what the session began with.
    /// Gives what the client should be told.
    ///
    /// # Errors
    /// Where there is no such setting, it cannot be set, or not to this value.
    pub(in crate::postgresql) fn set(
        &self,
        name: &str,
        value: Option<&str>,
        is_local: bool,
    ) -> Result<Option<Told>, Unsettable> {
        let lower = name.to_lowercase();
        let Some(setting) = known(name) else {
            // A name with a point in it belongs to an extension, which may not be known yet.
            if !is_custom(name) {
                return Err(Unsettable::Unknown(name.to_owned()));
            }
            let value = value.map(str::to_owned).or_else(|| self.0.lock().initial.get(&lower).cloned());
            self.put(&lower, Some(value.unwrap_or_default()), is_local)?;
            return Ok(None);
        };
        if setting.effect == Effect::Preset {
            return Err(Unsettable::Preset { name: setting.name.to_owned(), context: setting.context });
        }
        let Some(value) = value else {
            let initial = self.0.lock().initial.get(&lower).cloned();
            self.put(&lower, initial, is_local)?;
            return Ok(None);
        };
        let read = value::read(setting, value)?;
        let (kept, told) = meant(setting, read, &self.kept(setting))?;
        self.put(&lower, Some(kept), is_local)?;
        Ok(told)
    }

    /// Gives all settings their values again that they had when the session began.
    pub(in crate::postgresql) fn reset_all(&self) {
        let mut state = self.0.lock();
        state.current = Arc::clone(&state.initial);
        state.lasting = Arc::clone(&state.initial);
    }

    /// The value of a setting as `SHOW` tells it.
    ///
    /// # Errors
    /// Where there is no such setting.
    pub(in crate::postgresql) fn shown(&self, name: &str) -> Result<String, Unsettable> {
        match known(name) {
            Some(setting) => Ok(shown(setting, &self.kept(setting))),
            None => {
                let kept = self.0.lock().current.get(&name.to_lowercase()).cloned();
                kept.ok_or_else(|| Unsettable::Unknown(name.to_owned()))
            }
        }
    }

    /// The value of a setting in its unit.
    pub(in crate::postgresql) fn kept(&self, setting: &Setting) -> String {
        let kept = self.0.lock().current.get(&setting.name.to_lowercase()).cloned();
        // What a transaction has not been told otherwise, it takes from the setting of all of them.
        let default = || match setting.name.strip_prefix("transaction_") {
            Some("isolation" | "read_only" | "deferrable") => self.value(&format!("default_{}", setting.name)),
            _ => setting.default.to_owned(),
        };
        kept.unwrap_or_else(default)
    }

    /// The same of the setting of a name that the table has.
    pub(in crate::postgresql) fn value(&self, name: &str) -> String {
        known(name).map(|setting| self.kept(setting)).unwrap_or_default()
    }

    /// Each setting with its value and the one it goes back to, both in its unit.
    pub(in crate::postgresql) fn all(&self) -> Vec<(&'static Setting, String, String)> {
        let (current, initial) = {
            let state = self.0.lock();
            (Arc::clone(&state.current), Arc::clone(&state.initial))
        };
        let of = |set: &Set, setting: &Setting| {
            set.get(&setting.name.to_lowercase()).cloned().unwrap_or_else(|| setting.default.to_owned())
        };
        settings().iter().map(|setting| (setting, of(&current, setting), of(&initial, setting))).collect()
    }

    /// What the client has to be told: each setting that it should know, and its value, if it knows another one.
    pub(in crate::postgresql) fn unreported(&self) -> Vec<(&'static str, String)> {
        let mut changed = Vec::new();
        for name in REPORTED {
            let value = self.value(name);
            let mut state = self.0.lock();
            if state.told.get(name) != Some(&value) {
                state.told.insert(name, value.clone());
                changed.push((name, value));
            }
        }
        changed
    }

    /// The settings at this moment, to go back to.
    pub(in crate::postgresql) fn frame(&self) -> Frame {
        let state = self.0.lock();
        Frame { current: Arc::clone(&state.current), lasting: Arc::clone(&state.lasting) }
    }

    /// Goes back to the settings of a moment.
    pub(in crate::postgresql) fn go_back(&self, frame: &Frame) {
        let mut state = self.0.lock();
        state.current = Arc::clone(&frame.current);
        state.lasting = Arc::clone(&frame.lasting);
    }

    /// Ends what was set for the time of the transaction.
    pub(in crate::postgresql) fn end_local(&self) {
        let mut state = self.0.lock();
        state.current = Arc::clone(&state.lasting);
    }

    fn put(&self, lower: &str, value: Option<String>, is_local: bool) -> Result<(), Unsettable> {
        let mut state = self.0.lock();
        let current = with(&state.current, lower, value.clone())?;
        if !is_local {
            state.lasting = with(&state.lasting, lower, value)?;
        }
        state.current = current;
        Ok(())
    }
}

impl Frame {
    /// What these settings take, unless they are those of `other` and are kept with it.
    pub(in crate::postgresql) fn bytes_beside(&self, other: Option<&Self>) -> usize {
        let is_other = other.is_some_and(|other| {
            Arc::ptr_eq(&self.current, &other.current) && Arc::ptr_eq(&self.lasting, &other.lasting)
        });
        if is_other { 0 } else { 2 * MOST_BYTES }
    }
}

/// The settings with another value for one of them, unless they become too much.
fn with(set: &Set, name: &str, value: Option<String>) -> Result<Arc<Set>, Unsettable> {
    let mut set = set.clone();
    match value {
        Some(value) => set.insert(name.to_owned(), value),
        None => set.remove(name),
    };
    let bytes: usize = set.iter().map(|(name, value)| name.len() + value.len()).sum();
    if bytes > MOST_BYTES { Err(Unsettable::TooMuch) } else { Ok(Arc::new(set)) }
}

/// Whether a name may be that of an extension's setting.
fn is_custom(name: &str) -> bool {
    let is_word = |word: &str| {
        word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_')
            && word.chars().all(|letter| letter.is_alphanumeric() || letter == '_' || letter == '$')
    };
    name.contains('.') && name.split('.').all(is_word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_go_back_to_what_they_were() {
        let values = Values::default();
        values.start([("user", "a"), ("statement_timeout", "1s"), ("_pq_.x", "y")].into_iter()).unwrap();
        let shown = |name: &str| values.shown(name).unwrap();
        assert_eq!(shown("STATEMENT_timeout"), "1s");
        let begin = values.frame();
        values.set("statement_timeout", Some("2s"), false).unwrap();
        values.set("statement_timeout", Some("3s"), true).unwrap();
        let savepoint = values.frame();
        values.set("statement_timeout", Some("4s"), false).unwrap();
        values.go_back(&savepoint);
        assert_eq!(shown("statement_timeout"), "3s");
        values.end_local();
        assert_eq!(shown("statement_timeout"), "2s");
        values.go_back(&begin);
        assert_eq!(shown("statement_timeout"), "1s");
        values.set("statement_timeout", Some("5s"), false).unwrap();
        values.set("statement_timeout", None, false).unwrap();
        assert_eq!(shown("statement_timeout"), "1s");
        values.set("work_mem", Some("1GB"), false).unwrap();
        values.reset_all();
        assert_eq!((shown("work_mem").as_str(), shown("session_authorization").as_str()), ("4MB", "a"));
    }

    #[test]
    fn a_session_keeps_only_so_much() {
        let values = Values::default();
        values.set("a.b", Some("x"), false).unwrap();
        assert_eq!(values.shown("A.B").unwrap(), "x");
        let long = "x".repeat(MOST_BYTES);
        assert_eq!(values.set("a.c", Some(&long), false), Err(Unsettable::TooMuch));
        for name in ["nope", "a.", ".b", "a.b c", "a..b"] {
            assert_eq!(values.set(name, Some("1"), false), Err(Unsettable::Unknown(name.to_owned())), "{name}");
        }
    }

    #[test]
    fn a_client_is_told_of_a_change_once() {
        let values = Values::default();
        assert_eq!(values.unreported().len(), REPORTED.len());
        values.set("application_name", Some("x"), false).unwrap();
        values.set("work_mem", Some("1GB"), false).unwrap();
        assert_eq!(values.unreported(), [("application_name", "x".to_owned())]);
        assert_eq!(values.unreported(), []);
    }
}
