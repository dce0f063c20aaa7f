//! From a name as people write it to the words that are compared, in the order that docs/matching.md lays down.

use any_ascii::any_ascii_char;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use super::NoName;
use super::tables::{Form, LATIN, NATIVE, Types, is_stop};

/// The most bytes of a name as it is written. A longer text is no name of a company.
pub(super) const MOST_TEXT: usize = 4_096;
/// The most letters and digits of a name that was normalised, so that no token is longer than one may be.
pub(super) const MOST_LETTERS: usize = 256;

/// The types that may open a name though they are short. Others open names of their own ("AS Watson").
const SHORT_OPENINGS: [&str; 8] = ["ab", "ao", "ou", "oy", "pt", "sc", "bv", "nv"];

/// What became of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Normal {
    /// The words that are compared.
    pub(super) words: Vec<String>,
    /// The types of organisations that were taken out.
    pub(super) forms: Vec<Form>,
    /// All words, in Latin script.
    pub(super) written: Vec<String>,
}

/// The words that are compared, and what was taken out.
pub(super) fn normalise(text: &str) -> Result<Normal, NoName> {
    if text.len() > MOST_TEXT {
        return Err(NoName::TooLong);
    }
    let mut forms = Vec::new();
    let in_latin =
        |words: &[String]| -> Vec<String> { words.iter().map(|word| latin(word)).filter(|word| !word.is_empty()).collect() };
    let mut words = split(text);
    let written = in_latin(&words);
    // Words of a to z go through the second table alone, which has them all: what was normalised once must go the same way again.
    if !words.iter().all(|word| word.is_ascii()) {
        strip_types(&mut words, &NATIVE, &mut forms);
        words = in_latin(&words);
    }
    let words = core(words, &mut forms);
    match words.iter().map(String::len).sum() {
        0 => Err(NoName::Nothing),
        1..=MOST_LETTERS => Ok(Normal { words, forms, written }),
        _ => Err(NoName::TooLong),
    }
}

/// Of words in Latin script those that are compared.
pub(super) fn core(mut words: Vec<String>, forms: &mut Vec<Form>) -> Vec<String> {
    // What is taken out may bring together what is to be taken out: we go on until nothing changes, so that what was normalised once is
    // not changed by doing it again.
    loop {
        let before = words.len();
        strip_types(&mut words, &LATIN, forms);
        if words.iter().any(|word| !is_stop(word)) {
            words.retain(|word| !is_stop(word));
        }
        if words.len() == before {
            break;
        }
    }
    if words.len() > 1 && words.iter().all(|word| word.len() == 1) {
        words = vec![words.concat()];
    }
    words
}

/// Words in their own script and lower case, without what stands in brackets: NFKC (UAX 15), lower case, then letters, digits and the marks
/// on them. Dots, apostrophes and characters that are not seen join what is beside them; all else parts words.
pub(super) fn split(text: &str) -> Vec<String> {
    let lower: String = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        // Letter by letter, and one sigma: what stands beside a letter must not change it, since words may change places.
        text.nfkc().flat_map(char::to_lowercase).map(|letter| if letter == 'ς' { 'σ' } else { letter }).collect()
    };
    let outside = words(&without_brackets(&lower));
    // A name that stands wholly in brackets is a name all the same.
    if outside.is_empty() { words(&lower) } else { outside }
}

fn without_brackets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let (mut depth, mut opened) = (0u32, 0);
    for letter in text.chars() {
        match letter {
            '(' | '[' | '{' => {
                if depth == 0 {
                    opened = out.len();
                }
                depth += 1;
                out.push(' ');
            }
            ')' | ']' | '}' => {
                if depth == 1 {
                    out.truncate(opened);
                }
                depth = depth.saturating_sub(1);
                out.push(' ');
            }
            _ => out.push(letter),
        }
    }
    // What was opened and never closed stays: names are often cut off.
    out
}

fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.chars() {
        if letter.is_alphanumeric() || is_combining_mark(letter) {
            word.push(letter);
        } else if !joins(letter) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

/// Whether a character disappears without parting words: dots, apostrophes and accents that stand alone, and characters that are not seen.
fn joins(letter: char) -> bool {
    matches!(
        letter,
        '.' | '\''
            | '`'
            | '\u{b4}'
            | '\u{2018}'..='\u{201b}'
            | '\u{2032}'
            | '\u{5f3}'
            | '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}'
            | '\u{feff}'
    )
}

/// A word in the letters a to z and digits.
pub(super) fn latin(word: &str) -> String {
    if word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit()) {
        return word.to_owned();
    }
    let ascii = word.chars().flat_map(|letter| any_ascii_char(letter).bytes());
    ascii.map(|byte| byte.to_ascii_lowercase()).filter(u8::is_ascii_alphanumeric).map(char::from).collect()
}

/// Takes types of organisations out, unless nothing would be left, and notes their groups.
fn strip_types(words: &mut Vec<String>, types: &Types, forms: &mut Vec<Form>) {
    loop {
        let (mut kept, mut found) = (Vec::with_capacity(words.len()), Vec::new());
        let mut at = 0;
        while let Some(rest) = words.get(at..).filter(|rest| !rest.is_empty()) {
            // A short type stands at the end, or it is one of few that open names: "AS" in the middle is part of a name.
            let counts = |letters: usize, taken: usize| {
                letters > 2
                    || taken == rest.len()
                    || (at == 0 && taken == 1 && (SHORT_OPENINGS.contains(&rest[0].as_str()) || !rest[0].is_ascii()))
            };
            if let Some((taken, letters, form)) = types.begins(rest)
                && counts(letters, taken)
            {
                found.push(form);
                at += taken;
                continue;
            }
            // "B. V." and "s r l": single letters that are a type together. Only a whole run counts: in "A B C" is no "AB".
            let run = rest.iter().take_while(|word| word.chars().nth(1).is_none()).count().max(1);
            if let Some(form) = types.word(&rest[..run].concat()).filter(|_| run > 1 && (run > 2 || run == rest.len())) {
                found.push(form);
            } else {
                kept.extend_from_slice(&rest[..run]);
            }
            at += run;
        }
        for word in &mut kept {
            while let Some((rest, form)) = types.without_affix(word) {
                found.push(form);
                *word = rest.to_owned();
            }
        }
        if found.is_empty() || kept.is_empty() {
            return;
        }
        *words = kept;
        forms.extend(found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn core(text: &str) -> String {
        normalise(text).map_or_else(|why| format!("{why:?}"), |normal| normal.words.join(" "))
    }

    #[test]
    fn names_lose_what_tells_nobody_apart() {
        for (text, left, why) in [
            ("De Waterhoen Hosting B.V.", "waterhoen hosting", "article and legal form"),
            ("A-B-C Company", "abc", "only single letters are left: they are one word"),
            ("The Company", "the", "stop words stay when nothing else is left"),
            ("Holding B.V.", "holding", "likewise"),
            ("B.V.", "bv", "a type alone is a name"),
            ("Jansen & Co", "jansen", "'& Co' goes before '&' does"),
            ("Jansen COMP", "jansen", "a type nobody lists"),
            ("Müller & Söhne GmbH & Co. KG", "muller sohne", "the longest type first"),
            ("ООО «Ромашка»", "romashka", "a type in its own script"),
            ("株式会社アサガオ", "asagao", "a type without blanks"),
            ("Łódka Sp. z o.o.", "lodka", "letters with strokes, a type of many words"),
            ("Tulp (Nederland) B.V.", "tulp", "brackets"),
            ("(Tulp)", "tulp", "a name in brackets"),
            ("Tulp (Neder", "tulp neder", "a name cut off"),
            ("A.S. Watsun", "as watsun", "a short type opens no name"),
            ("IP Volumen B.V.", "ip volumen", "a word of the trade"),
            ("Tulp B. V.", "tulp", "single letters that are a type"),
            ("\u{200f}T\u{ad}ulp\u{200b} 🌷", "tulp", "what is not seen parts no words, and pictures are no words"),
            ("ＴＵＬＰ　Ｂ．Ｖ．", "tulp", "full width"),
            ("", "Nothing", "nothing"),
            ("🌷 ---", "Nothing", "nothing that is compared"),
        ] {
            assert_eq!(core(text), left, "{why}: {text:?}");
        }
        assert_eq!(normalise(&"x".repeat(1 << 20)), Err(NoName::TooLong));
        assert_eq!(normalise(&"x".repeat(257)), Err(NoName::TooLong));
    }
}
