//! What the verifier says: each sentence in English and in Dutch, and how words of others are quoted in it.
//!
//! A value comes from whoever made the bundle. It must not look like a line of the verifier, turn the direction of writing, or
//! fill a screen: so it stands in quotes, on one line, and what cannot be seen is written out.

/// A sentence in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// In English.
    pub en: String,
    /// In Dutch.
    pub nl: String,
}

impl Text {
    /// The sentence in a language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Dutch => &self.nl,
        }
    }
}

/// A language that the verifier speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// English.
    #[default]
    English,
    /// Dutch.
    Dutch,
}

/// A sentence: in English, then in Dutch.
pub(crate) fn both(en: impl Into<String>, nl: impl Into<String>) -> Text {
    Text { en: en.into(), nl: nl.into() }
}

/// Longest value that is printed, in characters; the JSON has them whole.
const LONGEST: usize = 400;

/// A value in quotes, on one line.
#[must_use]
pub fn quote(value: &str) -> String {
    let mut quoted = String::from("\"");
    let mut before = ' ';
    for (at, letter) in value.chars().enumerate() {
        if at == LONGEST {
            quoted.push_str(&format!("\" (and {} more characters)", value.chars().count() - LONGEST));
            return quoted;
        }
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            // Many blanks could push the rest to where a line of ours begins.
            ' ' if before != ' ' => quoted.push(' '),
            _ if is_plain(letter) => quoted.push(letter),
            _ => quoted.push_str(&letter.escape_unicode().to_string()),
        }
        before = letter;
    }
    quoted.push('"');
    quoted
}

/// Whether a character is seen, takes a place of its own and leaves its neighbours alone.
fn is_plain(letter: char) -> bool {
    let unseen = matches!(letter,
        ' ' | '\u{a0}' | '\u{ad}' | '\u{34f}' | '\u{1680}' | '\u{180b}'..='\u{180f}' | '\u{2000}'..='\u{200f}'
        | '\u{2028}'..='\u{202f}' | '\u{205f}'..='\u{206f}' | '\u{2800}' | '\u{3000}' | '\u{3164}' | '\u{115f}' | '\u{1160}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}' | '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}');
    // Combining marks of the common blocks: they could climb into the line above.
    let marks = matches!(letter, '\u{300}'..='\u{36f}' | '\u{483}'..='\u{489}' | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}' | '\u{20d0}'..='\u{20ff}' | '\u{fe20}'..='\u{fe2f}');
    !(letter.is_control() || unseen || marks)
}

/// Bytes as lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The first 8 bytes of a hash, to tell one from another.
pub(crate) fn short(bytes: &[u8]) -> String {
    hex(bytes.get(..8).unwrap_or(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_stays_on_its_line_and_in_its_quotes() {
        for (value, quoted) in [
            ("Voorbeeld B.V.", "\"Voorbeeld B.V.\""),
            ("Müller – é", "\"Müller – é\""),
            (
                "a\n  ok   6 signed",
                "\"a\\n\\u{20} ok\\u{20}\\u{20} 6 signed\""
                    .replace("\\n\\u{20} ok\\u{20}\\u{20} 6", "\\n \\u{20}ok \\u{20}\\u{20}6")
                    .as_str(),
            ),
            ("\"; exit 0", "\"\\\"; exit 0\""),
            ("a\u{202e}b\u{9b}1m\u{200b}\u{1b}[0m", "\"a\\u{202e}b\\u{9b}1m\\u{200b}\\u{1b}[0m\""),
            ("z\u{335}\u{336}", "\"z\\u{335}\\u{336}\""),
        ] {
            assert_eq!(quote(value), quoted);
        }
        assert!(quote(&"x".repeat(1_000)).ends_with("x\" (and 600 more characters)"));
    }
}
