//! The options of a start-up packet, which are laid out as those of a command.

use super::Unsettable;

/// The settings in `options`, in order: each `-c name=value` or `--name=value`.
pub(super) fn settings(options: &str) -> Result<Vec<(String, String)>, Unsettable> {
    let mut words = words(options).into_iter();
    let mut settings = Vec::new();
    while let Some(word) = words.next() {
        let (assignment, shown) = match (word.strip_prefix("--"), word.strip_prefix("-c")) {
            (Some(long), _) if !long.is_empty() => (long.to_owned(), format!("--{long}")),
            (_, Some("")) => {
                let Some(next) = words.next() else { return Err(Unsettable::Option(word)) };
                (next.clone(), format!("-c {next}"))
            }
            (_, Some(attached)) => (attached.to_owned(), format!("-c {attached}")),
            _ => return Err(Unsettable::Option(word)),
        };
        let Some((name, value)) = assignment.split_once('=') else { return Err(Unsettable::NoValue(shown)) };
        settings.push((name.replace('-', "_"), value.to_owned()));
    }
    Ok(settings)
}

/// The words between blanks. A backslash takes the meaning from what follows it.
fn words(options: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), None::<String>);
    let mut letters = options.chars();
    while let Some(letter) = letters.next() {
        match letter {
            blank if blank.is_ascii_whitespace() => words.extend(word.take()),
            '\\' => word.get_or_insert_default().extend(letters.next()),
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(options: &str) -> Vec<(String, String)> {
        settings(options).unwrap()
    }

    #[test]
    fn options_are_those_of_a_command() {
        let expected = vec![("statement_timeout".to_owned(), "1000".to_owned())];
        for options in [
            "-c statement_timeout=1000",
            "-cstatement_timeout=1000",
            "  --statement_timeout=1000\t",
            "--statement-timeout=1000",
            "-c\\\n statement_timeout=1000".replace("\\\n", "").as_str(),
        ] {
            assert_eq!(pairs(options), expected, "{options}");
        }
        let two = pairs(r"-c application_name=my\ tool\\x -c search_path=a,b");
        let expected = [("application_name", r"my tool\x"), ("search_path", "a,b")];
        assert_eq!(two, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(pairs("-c a=b=c"), [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!(pairs(""), []);
        assert_eq!(pairs("-c a="), [("a".to_owned(), String::new())]);
    }

    #[test]
    fn what_is_no_setting_is_refused() {
        for options in ["-c", "x", "-x", "-", "--", "-c a=b c"] {
            assert!(matches!(settings(options), Err(Unsettable::Option(_))), "{options}");
        }
        assert_eq!(settings("-c work_mem"), Err(Unsettable::NoValue("-c work_mem".to_owned())));
        assert_eq!(settings("--work_mem"), Err(Unsettable::NoValue("--work_mem".to_owned())));
    }
}
