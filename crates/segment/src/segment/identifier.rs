//! What the identifier of a conversation may look like. People read it, and look for it by what they see.

use crate::{Error, Result};

/// Checks that an identifier can be seen: it has a character that can, and none that cannot.
pub(crate) fn check_identifier(column: &'static str, identifier: &str) -> Result<()> {
    // As nearly all are.
    if !identifier.is_empty() && identifier.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Ok(());
    }
    if let Some(character) = identifier.chars().find(|character| is_unseen(*character)) {
        return Err(Error::Unseen { column, character });
    }
    if identifier.chars().all(is_blank) { Err(Error::Blank { column }) } else { Ok(()) }
}

/// Whether a character is one of control or of format: line breaks, marks without width, marks of direction, tags.
fn is_unseen(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{AD}' | '\u{34F}' | '\u{600}'..='\u{605}' | '\u{61C}' | '\u{6DD}' | '\u{70F}' | '\u{180B}'..='\u{180F}'
            | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}'
            | '\u{FFF0}'..='\u{FFFB}' | '\u{1BCA0}'..='\u{1BCA3}' | '\u{1D173}'..='\u{1D17A}'
            | '\u{E0000}'..='\u{E0FFF}')
        // Code points that no character will ever have.
        || u32::from(character) & 0xFFFE == 0xFFFE
        || matches!(character, '\u{FDD0}'..='\u{FDEF}')
}

/// Whether a character leaves its place empty.
fn is_blank(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{2800}' | '\u{3164}' | '\u{FFA0}')
        // They only change how the character before them looks.
        || matches!(character, '\u{FE00}'..='\u{FE0F}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_seen_is_an_identifier() {
        for good in
            ["c-1", "a50eef63-ee3b-4002-8362-3a8603de8369", "Gespräch 7", "会話", " padded ", "🦀", "❤\u{FE0F}", "."]
        {
            assert!(check_identifier("conversation_id", good).is_ok(), "{good:?}");
        }
    }

    #[test]
    fn what_cannot_be_seen_is_none() {
        for blank in ["", " ", "\u{A0}\u{3000}", "\u{3164}", "\u{2800}", "\u{FE0F}"] {
            assert!(matches!(check_identifier("conversation_id", blank), Err(Error::Blank { .. })), "{blank:?}");
        }
        for unseen in [
            "a\nb",
            "a\0",
            "\u{1b}[31mred",
            "\u{7f}",
            "\u{85}",
            "a\u{200B}",
            "\u{202E}abc",
            "a\u{2028}b",
            "\u{FEFF}a",
            "a\u{AD}b",
            "a\u{2066}b",
            "\u{E0041}",
            "a\u{200D}",
            "\u{FFFF}",
            "\t",
        ] {
            assert!(matches!(check_identifier("conversation_id", unseen), Err(Error::Unseen { .. })), "{unseen:?}");
        }
        let told = check_identifier("conversation_id", "a\u{200B}").unwrap_err().to_string();
        assert_eq!(told, "conversation_id has the character U+200B, which cannot be seen: no identifier has one");
    }
}
