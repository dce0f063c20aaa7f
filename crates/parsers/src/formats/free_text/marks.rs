//! What bytes and words of a line mean before anything is found in it.

use super::addresses::{begins_with, digits, is_end};
use super::{moment, names};

/// Bytes of a word that are looked at together; no name is longer.
pub(super) const WORD: usize = 1 << 10;

/// What a byte may begin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Other,
    Letter,
    Digit,
    Colon,
    At,
    Bracket,
}

const CLASSES: [Class; 256] = classes();

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => Class::Digit,
            b'a'..=b'z' | b'A'..=b'Z' | 0x80..=0xff => Class::Letter,
            b':' => Class::Colon,
            b'@' => Class::At,
            b'[' | b'(' => Class::Bracket,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
}

pub(super) fn class(byte: u8) -> Class {
    CLASSES[usize::from(byte)]
}

/// How long a word is that begins here, and whether a digit is in it.
pub(super) fn token(rest: &[u8]) -> (usize, bool) {
    let (mut length, mut has_digit) = (0, false);
    for &byte in rest.iter().take(WORD) {
        match class(byte) {
            Class::Letter => {}
            Class::Digit => has_digit = true,
            _ if matches!(byte, b'-' | b'_') => {}
            _ => break,
        }
        length += 1;
    }
    (length, has_digit)
}

/// Whether an address goes on as the name of a host: `192.0.2.1.pool.example`, `192.0.2.1-static.isp.example`.
pub(super) fn is_host(line: &[u8], at: usize, end: usize) -> bool {
    let goes_on = matches!(line.get(end), Some(b'.' | b'-')) && line.get(end + 1).is_some_and(u8::is_ascii_alphabetic);
    goes_on && {
        let chain = names::chain(line, at);
        names::domain(line, at, &chain).is_some()
    }
}

/// The last two labels of a name, and three where the last two are what a country registers under.
pub(super) fn house(domain: &str) -> &str {
    let mut dots = domain.rmatch_indices('.').map(|(at, _)| at);
    let (Some(last), Some(second)) = (dots.next(), dots.next()) else { return domain };
    let short = domain.len() - last == 3 && last - second <= 4;
    let from = if short { dots.next().map_or(0, |third| third + 1) } else { second + 1 };
    domain.get(from..).unwrap_or(domain)
}

/// The zone that a text says its times are of, when the word from `at` to `end` begins such a sentence: `Timezone is UTC+2`,
/// `all times are in CET`, `Zeitzone: MESZ`.
pub(super) fn said_zone(line: &[u8], at: usize, end: usize) -> Option<i64> {
    const FAR: usize = 40;
    let word = line.get(at..end)?;
    let is = |names: &[&str]| names.iter().any(|name| word.eq_ignore_ascii_case(name.as_bytes()));
    let said = is(&[
        "timezone",
        "time-zone",
        "zeitzone",
        "tijdzone",
        "timestamps",
        "times",
        "tijden",
        "tijdstippen",
        "zeiten",
        "zeitangaben",
    ]);
    let after = if said { Some(end) } else { is(&["time"]).then(|| begins_with(line, end, " zone")).flatten() }?;
    let near = line.get(..line.len().min(after + FAR))?;
    (after..near.len()).find_map(|next| {
        let before = near.get(next - 1)?;
        let begins =
            !before.is_ascii_alphanumeric() && near.get(next).is_some_and(|byte| matches!(byte, b'A'..=b'Z' | b'+' | b'-'));
        begins.then(|| moment::zone(near, next)).flatten().map(|(zone, _)| zone)
    })
}

/// Whether a line has the name and number of a running program as system logs have them: `sshd[1234]:`.
pub(super) fn has_daemon(line: &[u8]) -> bool {
    let head = line.get(..line.len().min(160)).unwrap_or_default();
    memchr::memchr_iter(b'[', head).take(4).any(|at| {
        at > 0
            && head.get(at - 1).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b')')
            && digits(head, at + 1, 8).is_some_and(|(_, end)| head.get(end) == Some(&b']') && is_end(head, end + 1))
            && digits(head, at + 1, 8).is_some_and(|(_, end)| matches!(head.get(end + 1), Some(b':' | b' ')))
    })
}
