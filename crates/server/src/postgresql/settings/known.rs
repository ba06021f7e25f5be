//! PostgreSQL's settings as they are known here: one table, which `SET`, `SHOW` and the catalog go by.

use std::collections::HashMap;
use std::sync::LazyLock;

/// A setting. Everything in it is a text of the table.
#[derive(Debug)]
pub(in crate::postgresql) struct Setting {
    /// Its name, in the letters in which PostgreSQL tells it.
    pub(in crate::postgresql) name: &'static str,
    /// What it is where nobody has set it, in its unit.
    pub(in crate::postgresql) default: &'static str,
    /// The unit of a number; nothing where it has none.
    pub(in crate::postgresql) unit: &'static str,
    /// `bool`, `integer`, `real`, `enum` or `string`.
    pub(in crate::postgresql) vartype: &'static str,
    /// When it can be set; `user` and `superuser` are those that a session can set.
    pub(in crate::postgresql) context: &'static str,
    /// What setting it does here.
    pub(in crate::postgresql) effect: Effect,
    /// The least number, and the largest.
    pub(in crate::postgresql) min: &'static str,
    pub(in crate::postgresql) max: &'static str,
    /// The words that an `enum` may be, with commas between them.
    pub(in crate::postgresql) words: &'static str,
    pub(in crate::postgresql) category: &'static str,
    pub(in crate::postgresql) description: &'static str,
}

/// What setting a setting does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::postgresql) enum Effect {
    /// What it does in PostgreSQL.
    Full,
    /// Nothing, since there is one value here. Another one is told to be without effect, and is not kept.
    One,
    /// Nothing that anybody would miss. Drivers set it as a matter of course.
    Quiet,
    /// Nothing, and whoever sets it is told.
    None,
    /// It cannot be set.
    Preset,
}

const TABLE: &str = include_str!("settings.tsv");

/// The version of PostgreSQL whose protocol and catalog this is, and our own.
const VERSION: &str = concat!("16.6 (skillscope ", env!("CARGO_PKG_VERSION"), ")");

/// All settings, in the order of their names.
pub(in crate::postgresql) fn settings() -> &'static [Setting] {
    static SETTINGS: LazyLock<Vec<Setting>> = LazyLock::new(|| TABLE.lines().skip(1).filter_map(setting).collect());
    &SETTINGS
}

/// The setting of a name, in whatever letters.
pub(super) fn known(name: &str) -> Option<&'static Setting> {
    static PLACES: LazyLock<HashMap<String, &'static Setting>> =
        LazyLock::new(|| settings().iter().map(|setting| (setting.name.to_lowercase(), setting)).collect());
    PLACES.get(&name.to_lowercase()).copied()
}

fn setting(line: &'static str) -> Option<Setting> {
    let mut columns = line.split('\t');
    let (name, default, unit) = (columns.next()?, columns.next()?, columns.next()?);
    let (vartype, context, effect) = (columns.next()?, columns.next()?, columns.next()?);
    let (min, max, words) = (columns.next()?, columns.next()?, columns.next()?);
    let (category, description) = (columns.next()?, columns.next()?);
    let default = if name == "server_version" { VERSION } else { default };
    let effect = match effect {
        "full" => Effect::Full,
        "one" => Effect::One,
        "quiet" => Effect::Quiet,
        "none" => Effect::None,
        _ => Effect::Preset,
    };
    Some(Setting { name, default, unit, vartype, context, effect, min, max, words, category, description })
}

#[cfg(test)]
mod tests {
    use super::super::value::{read, shown};
    use super::*;

    #[test]
    fn each_line_is_a_setting_whose_default_it_may_have() {
        assert_eq!(settings().len(), TABLE.lines().count() - 1);
        for setting in settings() {
            let is_preset = setting.context != "user" && setting.context != "superuser";
            assert_eq!(setting.effect == Effect::Preset, is_preset, "{setting:?}");
            assert_eq!(read(setting, setting.default).as_deref(), Ok(setting.default), "{setting:?}");
            assert!(read(setting, &shown(setting, setting.default)).is_ok(), "{setting:?}");
        }
        let names: Vec<String> = settings().iter().map(|setting| setting.name.to_lowercase()).collect();
        assert!(names.is_sorted() && known("timezone").unwrap().name == "TimeZone");
    }
}
