//! Whether a command prints what a document shows.

/// What varies, or is left out.
const ANYTHING: &str = "…";

/// Whether the lines printed are the ones shown. A shown line of `…` alone stands for any lines.
pub(super) fn is_shown<S: AsRef<str>, P: AsRef<str>>(shown: &[S], printed: &[P]) -> bool {
    match shown.split_first() {
        None => printed.is_empty(),
        Some((first, rest)) if first.as_ref() == ANYTHING => {
            (0..=printed.len()).any(|skipped| is_shown(rest, &printed[skipped..]))
        }
        Some((first, rest)) => printed
            .split_first()
            .is_some_and(|(line, others)| is_line(first.as_ref(), line.as_ref()) && is_shown(rest, others)),
    }
}

/// Whether a line is the one shown, in which `…` stands for any text. Spaces at the end, which nobody sees, do not
/// count.
fn is_line(shown: &str, printed: &str) -> bool {
    let (shown, printed) = (shown.trim_end(), printed.trim_end());
    let Some((start, shown)) = shown.split_once(ANYTHING) else {
        return shown == printed;
    };
    let Some(printed) = printed.strip_prefix(start) else {
        return false;
    };
    let (middle, end) = shown.rsplit_once(ANYTHING).unwrap_or(("", shown));
    // The first place of each part leaves the most for those after it.
    let rest = middle.split(ANYTHING).try_fold(printed, |rest, part| rest.split_once(part).map(|(_, after)| after));
    rest.is_some_and(|rest| rest.ends_with(end))
}

#[test]
fn dots_stand_for_what_varies_and_nothing_else() {
    for (shown, printed, is_same) in [
        ("a…z", "abcz", true),
        ("a…z", "az", true),
        ("a…z", "abc", false),
        ("…1,…2", "0,1,x,12", true),
        ("…1,…2", "0,1,x,13", false),
        ("a…a", "a", false),
        ("a\n…\nd", "a\nb\nc\nd", true),
        ("a\n…\nd", "a\nb\nc", false),
        ("a\n…", "a", true),
        ("a  ", "a", true),
        ("12", "13", false),
    ] {
        let lines = |text: &'static str| text.lines().collect::<Vec<_>>();
        assert_eq!(is_shown(&lines(shown), &lines(printed)), is_same, "{shown} {printed}");
    }
}
