//! The name that somebody may have meant.

/// The name of `names` that is nearest to `wrong`, if one is near.
pub(crate) fn nearest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let far = wrong.chars().count() / 3 + 1;
    let distances = names.into_iter().map(|name| (distance(wrong, name), name));
    distances.filter(|(distance, _)| *distance <= far).min().map(|(_, name)| name)
}

/// How many characters must be put in, taken out or replaced to make one text of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, own) in one.chars().enumerate() {
        let mut next = vec![number + 1];
        for ((above, replaced), character) in row.iter().skip(1).zip(&row).zip(&other) {
            let put_in = next.last().map_or(0, |left| left + 1);
            next.push((above + 1).min(put_in).min(replaced + usize::from(own != *character)));
        }
        row = next;
    }
    row.last().copied().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_levenshtein() {
        for (one, other, expected) in
            [("kitten", "sitting", 3), ("", "abc", 3), ("abc", "", 3), ("same", "same", 0), ("ab", "ba", 2)]
        {
            assert_eq!(distance(one, other), expected, "{one} {other}");
        }
    }

    #[test]
    fn a_name_is_near_or_there_is_none() {
        let names = ["SKILLSCOPE_LISTEN", "SKILLSCOPE_PG_LISTEN", "SKILLSCOPE_RETAIN"];
        assert_eq!(nearest("SKILLSCOPE_LISTN", names), Some("SKILLSCOPE_LISTEN"));
        assert_eq!(nearest("SKILLSCOPE_RETIAN", names), Some("SKILLSCOPE_RETAIN"));
        assert_eq!(nearest("OTHER", names), None);
    }
}
