//! The name that somebody may have meant.

use strsim::levenshtein;

/// The name of `names` that is nearest to `wrong`, if one is near.
pub(crate) fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let far = wrong.chars().count() / 3 + 1;
    let distances = names.into_iter().map(|name| (levenshtein(wrong, name), name));
    distances.filter(|(distance, _)| *distance <= far).min().map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_near_or_there_is_none() {
        let names = ["SKILLSCOPE_LISTEN", "SKILLSCOPE_PG_LISTEN", "SKILLSCOPE_RETAIN"];
        assert_eq!(nearest("SKILLSCOPE_LISTN", names), Some("SKILLSCOPE_LISTEN"));
        assert_eq!(nearest("SKILLSCOPE_RETIAN", names), Some("SKILLSCOPE_RETAIN"));
        assert_eq!(nearest("OTHER", names), None);
    }
}
