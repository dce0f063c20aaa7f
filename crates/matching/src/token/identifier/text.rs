//! What all classes do with texts: blanks that cannot be seen, labels before a number, and digits of other widths.

/// Blanks, and what cannot be seen: spreadsheets, web pages and mail programs leave them in what is copied.
pub(super) fn is_blank(letter: char) -> bool {
    letter.is_whitespace()
        || letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

/// What people put between the groups of a number: blanks, dots, dashes and slashes of all kinds.
pub(super) fn is_separator(letter: char) -> bool {
    is_blank(letter)
        || matches!(letter, '.' | '-' | '/' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{b7}' | '\'' | '\u{2019}')
}

/// Letters and digits as ASCII capitals, separators left out. Full-width forms (U+FF01 to U+FF5E) are the ASCII ones.
///
/// Gives nothing when there is any other character: it is not dropped, since what is left would be another number.
///
/// A whole number that a program wrote with a fraction ("12345678.0") is the number: its zero is no digit of it.
pub(super) fn compact(text: &str) -> Option<String> {
    let text = text.strip_suffix(".0").filter(|whole| all_digits(whole)).unwrap_or(text);
    let mut compact = String::with_capacity(text.len());
    for letter in text.chars().map(narrow) {
        match letter {
            _ if is_separator(letter) => {}
            _ if letter.is_ascii_alphanumeric() => compact.push(letter.to_ascii_uppercase()),
            _ => return None,
        }
    }
    Some(compact)
}

/// The ASCII form of a full-width character; any other as it is.
pub(super) fn narrow(letter: char) -> char {
    match letter {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(letter) - 0xfee0).unwrap_or(letter),
        '\u{3000}' => ' ',
        _ => letter,
    }
}

/// What follows the labels before a number ("KvK-nummer: "). Labels are compared without regard to case, in the order of `labels`, and each
/// counts only where it ends: before a blank, a mark or, when it has three letters or more, a digit ("NO" and "NR" start numbers themselves).
pub(super) fn after_labels<'t>(text: &'t str, labels: &[&str]) -> &'t str {
    let mut rest = text;
    loop {
        let start =
            rest.trim_start_matches(|letter: char| is_separator(letter) || matches!(letter, ':' | '#' | '=' | '(' | '\u{ff1a}'));
        let ends = |label: &str, after: &str| match after.chars().next() {
            Some(next) if next.is_ascii_digit() => label.len() > 2,
            Some(next) => !next.is_alphanumeric(),
            None => false,
        };
        let found = labels.iter().find_map(|label| strip_label(start, label).filter(|after| ends(label, after)));
        let Some(after) = found else { return start };
        rest = after;
    }
}

/// What follows a label and a colon ("mailto:"), where names may start with the same letters.
pub(super) fn after_colon<'t>(text: &'t str, labels: &[&str]) -> &'t str {
    let after = |label: &&str| strip_label(text, label)?.trim_start_matches(is_blank).strip_prefix([':', '\u{ff1a}']);
    labels.iter().find_map(after).map_or(text, |rest| rest.trim_start_matches(is_blank))
}

fn strip_label<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    let head = text.get(..label.len())?;
    head.eq_ignore_ascii_case(label).then(|| text.get(label.len()..))?
}

/// The digits of an ASCII text as numbers.
pub(super) fn digits(text: &str) -> impl DoubleEndedIterator<Item = u32> + '_ {
    text.bytes().map(|byte| u32::from(byte.wrapping_sub(b'0')))
}

/// Whether all are ASCII digits, and there are any.
pub(super) fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The number that ASCII digits write, modulo `by`.
pub(super) fn modulo(text: &str, by: u32) -> u32 {
    digits(text).fold(0, |sum, digit| (sum * 10 + digit) % by)
}

/// The sum of digits, each times its weight.
pub(super) fn weighted(text: &str, weights: &[u32]) -> u32 {
    digits(text).zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// Whether digits, the last of which checks the others, are right after Luhn (ISO/IEC 7812-1).
pub(super) fn luhn(text: &str) -> bool {
    let sum: u32 = digits(text)
        .rev()
        .enumerate()
        .map(|(place, digit)| if place % 2 == 0 { digit } else { digit * 2 / 10 + digit * 2 % 10 })
        .sum();
    sum.is_multiple_of(10)
}

/// Whether digits, the last of which checks the others, are right after ISO 7064 MOD 11,10.
pub(super) fn mod_11_10(text: &str) -> bool {
    let Some((last, head)) = text.as_bytes().split_last() else { return false };
    let product = head.iter().fold(10, |product, byte| {
        let sum = (u32::from(byte.wrapping_sub(b'0')) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == u32::from(last.wrapping_sub(b'0'))
}
