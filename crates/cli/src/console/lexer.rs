//! What a text is inside of: code, a quoted text or name, a comment, or a command of the console.

/// Where a text ends, and the next line goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) enum Inside {
    #[default]
    Code,
    /// A text in single quotes, in which a backslash may make a quote plain.
    Text { has_escapes: bool },
    /// A name in double quotes.
    Name,
    /// A text between two of this, such as `$$` or `$tag$`.
    Dollars(String),
    /// A comment to the end of its line.
    LineComment,
    /// A comment in so many others.
    Comment { depth: usize },
}

/// A part of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Code,
    /// A text or a name with its quotes.
    Quoted,
    Comment,
    /// A semicolon.
    End,
    /// From a backslash to the end of the line.
    Command,
}

/// Takes a text apart, which may come line by line.
#[derive(Debug, Clone, Default)]
pub(super) struct Lexer {
    inside: Inside,
    /// The parentheses that are open.
    parentheses: usize,
    /// The last letter of the code before, and whether that is the word `E`, by which a text has escapes.
    last: Option<char>,
    is_e: bool,
}

impl Lexer {
    pub(super) fn inside(&self) -> &Inside {
        &self.inside
    }

    pub(super) fn has_open_parenthesis(&self) -> bool {
        self.parentheses > 0
    }

    /// The parts of the next piece of the text. Together they are the piece.
    pub(super) fn take<'t>(&mut self, text: &'t str) -> Vec<(Kind, &'t str)> {
        let mut parts: Vec<(Kind, &str)> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let (kind, length) = self.step(rest);
            let (part, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
            match parts.last_mut() {
                // Steps of one kind are one part.
                Some((last, whole)) if *last == kind && kind == Kind::Code => {
                    let begin = text.len() - rest.len() - whole.len();
                    *whole = text.get(begin..begin + whole.len() + part.len()).unwrap_or(part);
                }
                _ => parts.push((kind, part)),
            }
            let begins_word = !self.last.is_some_and(is_of_word);
            self.is_e = kind == Kind::Code && begins_word && part.eq_ignore_ascii_case("e");
            self.last = if kind == Kind::Code { part.chars().next_back() } else { None };
            rest = after;
        }
        parts
    }

    /// The kind of what comes next, and how many bytes of it are taken.
    fn step(&mut self, rest: &str) -> (Kind, usize) {
        match std::mem::take(&mut self.inside) {
            Inside::Code => self.code(rest),
            Inside::Text { has_escapes } => (Kind::Quoted, self.quoted(rest, 0, '\'', has_escapes)),
            Inside::Name => (Kind::Quoted, self.quoted(rest, 0, '"', false)),
            Inside::Dollars(tag) => (Kind::Quoted, self.dollars(rest, 0, tag)),
            Inside::LineComment => (Kind::Comment, self.line_comment(rest)),
            Inside::Comment { depth } => (Kind::Comment, self.comment(rest, 0, depth)),
        }
    }

    fn code(&mut self, rest: &str) -> (Kind, usize) {
        let Some(letter) = rest.chars().next() else { return (Kind::Code, 0) };
        match letter {
            '\'' => {
                let has_escapes = self.is_e;
                (Kind::Quoted, self.quoted(rest, 1, '\'', has_escapes))
            }
            '"' => (Kind::Quoted, self.quoted(rest, 1, '"', false)),
            '$' => match self.tag(rest) {
                Some(tag) => (Kind::Quoted, self.dollars(rest, tag.len(), tag.to_owned())),
                None => (Kind::Code, 1),
            },
            '-' if rest.starts_with("--") => (Kind::Comment, self.line_comment(rest)),
            '/' if rest.starts_with("/*") => (Kind::Comment, self.comment(rest, 2, 1)),
            '\\' => (Kind::Command, rest.find('\n').unwrap_or(rest.len())),
            // A statement with parentheses left open is wrong, and ends here all the same.
            ';' => {
                self.parentheses = 0;
                (Kind::End, 1)
            }
            '(' => {
                self.parentheses = self.parentheses.saturating_add(1);
                (Kind::Code, 1)
            }
            ')' => {
                self.parentheses = self.parentheses.saturating_sub(1);
                (Kind::Code, 1)
            }
            other if is_of_word(other) => (Kind::Code, word(rest)),
            other => (Kind::Code, other.len_utf8()),
        }
    }

    /// The bytes up to the end of a quoted text, or all of them where it goes on.
    fn quoted(&mut self, rest: &str, begun: usize, quote: char, has_escapes: bool) -> usize {
        let mut letters = rest.char_indices().skip_while(|(place, _)| *place < begun).peekable();
        while let Some((place, letter)) = letters.next() {
            if letter == '\\' && has_escapes {
                letters.next();
            } else if letter == quote {
                // Two of them are one within the text.
                if letters.next_if(|(_, next)| *next == quote).is_none() {
                    return place + letter.len_utf8();
                }
            }
        }
        self.inside = if quote == '"' { Inside::Name } else { Inside::Text { has_escapes } };
        rest.len()
    }

    fn dollars(&mut self, rest: &str, begun: usize, tag: String) -> usize {
        match rest.get(begun..).and_then(|text| text.find(&tag)) {
            Some(end) => begun + end + tag.len(),
            None => {
                self.inside = Inside::Dollars(tag);
                rest.len()
            }
        }
    }

    fn line_comment(&mut self, rest: &str) -> usize {
        match rest.find('\n') {
            Some(end) => end + 1,
            None => {
                self.inside = Inside::LineComment;
                rest.len()
            }
        }
    }

    fn comment(&mut self, rest: &str, begun: usize, mut depth: usize) -> usize {
        let mut place = begun;
        while let Some(tail) = rest.get(place..).filter(|tail| !tail.is_empty()) {
            if tail.starts_with("/*") {
                (depth, place) = (depth.saturating_add(1), place + 2);
            } else if tail.starts_with("*/") {
                (depth, place) = (depth.saturating_sub(1), place + 2);
                if depth == 0 {
                    return place;
                }
            } else {
                place += tail.chars().next().map_or(1, char::len_utf8);
            }
        }
        self.inside = Inside::Comment { depth };
        rest.len()
    }

    /// The beginning of a text in dollars. One within a word is a letter of it, and a number after it makes a parameter.
    fn tag<'t>(&self, rest: &'t str) -> Option<&'t str> {
        if self.last.is_some_and(is_of_word) {
            return None;
        }
        let name = rest.strip_prefix('$')?;
        let length = name.find(|letter: char| !is_of_word(letter) || letter == '$')?;
        let begins_so = name.chars().next().is_some_and(|first| !first.is_numeric());
        (begins_so && name.get(length..)?.starts_with('$')).then(|| rest.get(..length + 2)).flatten()
    }
}

/// Whether a letter may be part of a name.
pub(super) fn is_of_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '$'
}

/// The bytes of a word.
fn word(rest: &str) -> usize {
    rest.find(|letter: char| !is_of_word(letter)).unwrap_or(rest.len())
}

/// Whether a text has nothing but blanks and comments.
pub(super) fn is_blank(text: &str) -> bool {
    Lexer::default().take(text).iter().all(|(kind, part)| *kind == Kind::Comment || part.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::select;
    use sqlparser::dialect::GenericDialect;
    use sqlparser::tokenizer::{Token, Tokenizer};

    use super::*;

    #[test]
    fn a_semicolon_ends_a_statement_in_code_alone() {
        for (text, ends, inside) in [
            ("select 1; select ';' , \";\" -- ;\n ;", 2, Inside::Code),
            ("select 'it''s;' ; select E'\\';' ; select '\\';", 3, Inside::Code),
            ("select $$;$$ ; select $a$ $b$ ; $a$ ; select $1 ;", 3, Inside::Code),
            ("select a$b$ ; c$b$ ;", 2, Inside::Code),
            ("/* ; /* ; */ ; */ select 1 ;", 1, Inside::Code),
            ("select 'open ;", 0, Inside::Text { has_escapes: false }),
            ("select e'open\\'", 0, Inside::Text { has_escapes: true }),
            ("select name'open", 0, Inside::Text { has_escapes: false }),
            ("select \"open ;", 0, Inside::Name),
            ("select $x$ ; $y$", 0, Inside::Dollars("$x$".to_owned())),
            ("select /* /* */ ;", 0, Inside::Comment { depth: 1 }),
            ("select -- ;", 0, Inside::LineComment),
        ] {
            let mut lexer = Lexer::default();
            let parts = lexer.take(text);
            assert_eq!(parts.iter().filter(|(kind, _)| *kind == Kind::End).count(), ends, "{text}");
            assert_eq!(*lexer.inside(), inside, "{text}");
        }
    }

    const PIECES: [&str; 25] = [
        "select",
        " ",
        "\n",
        ";",
        "'",
        "''",
        "\"",
        "$$",
        "$a$",
        "$1",
        "--",
        "/*",
        "*/",
        "(",
        ")",
        "e'",
        "E",
        "\u{fc}",
        "a",
        ":x",
        "\u{1f980}",
        "'text'",
        "\"name\"",
        "-",
        "/",
    ];

    fn any_text() -> impl Strategy<Value = String> {
        vec(select(PIECES.to_vec()), 0..16).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn the_parts_are_the_text(text in prop_oneof![any_text(), ".{0,40}"]) {
            let parts = Lexer::default().take(&text);
            prop_assert_eq!(parts.iter().map(|(_, part)| *part).collect::<String>(), text);
        }

        #[test]
        fn lines_are_taken_as_the_whole_is(text in any_text()) {
            let ends = |parts: &[(Kind, &str)]| parts.iter().filter(|(kind, _)| *kind == Kind::End).count();
            let mut whole = Lexer::default();
            let at_once = ends(&whole.take(&text));
            let mut lexer = Lexer::default();
            let by_line: usize = text.split_inclusive('\n').map(|line| ends(&lexer.take(line))).sum();
            prop_assert_eq!(at_once, by_line);
            prop_assert_eq!(whole.inside(), lexer.inside());
        }

        #[test]
        fn statements_end_where_the_parser_sees_it(text in any_text()) {
            let tokens = Tokenizer::new(&GenericDialect {}, &text).with_unescape(false).tokenize();
            // What PostgreSQL takes for a text in dollars, the tokenizer may take for something else.
            // It has an operator `//`, and so no comment behind the first of its signs.
            prop_assume!(!text.contains('$') && !text.contains("//"));
            if let Ok(tokens) = tokens {
                let expected = tokens.iter().filter(|token| **token == Token::SemiColon).count();
                let parts = Lexer::default().take(&text);
                prop_assert_eq!(parts.iter().filter(|(kind, _)| *kind == Kind::End).count(), expected);
            }
        }
    }
}
