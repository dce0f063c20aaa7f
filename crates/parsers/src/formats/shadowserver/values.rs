//! Values of columns: what is a number, a name or a URL, and what is only text.

use std::fmt::Write;

use model::address::Address;
use model::report::{Batch, Word};
use model::time::Time;

/// The property that holds the application protocol, beside [`model::report::Word::TRANSPORT`].
pub(crate) const APPLICATION: &str = "application";

/// A port: `Some(0)` for none, `None` when the text is no port.
#[inline]
pub(crate) fn port(text: &[u8]) -> Option<u16> {
    number(text).and_then(|number| u16::try_from(number).ok())
}

/// A whole number of at most nine digits, or ten up to 2^32.
#[inline]
pub(crate) fn number(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 10 {
        return None;
    }
    let mut number = 0u64;
    for &byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u64::from(digit);
    }
    u32::try_from(number).ok()
}

/// A domain name of two labels or more, by the rules of [`model::resource::DomainName`] but without an allocation.
pub(crate) fn is_domain(text: &[u8]) -> bool {
    let text = text.strip_suffix(b".").unwrap_or(text);
    let (mut dots, mut length, mut number, mut last) = (0, 0, true, b'.');
    for &byte in text {
        if byte == b'.' {
            if length == 0 || last == b'-' {
                return false;
            }
            (dots, length, number) = (dots + 1, 0, true);
        } else {
            let fine = byte.is_ascii_alphanumeric() || byte == b'_' || (byte == b'-' && length > 0);
            length += 1;
            if !fine || length > 63 {
                return false;
            }
            number &= byte.is_ascii_digit();
        }
        last = byte;
    }
    dots > 0 && length > 0 && last != b'-' && !number && text.len() <= 253
}

/// Whether `text` can stand between `://` and the path: a name or an address, perhaps with a port.
fn is_authority(text: &[u8]) -> bool {
    if is_domain(text) || Address::parse(text).is_some() {
        return true;
    }
    match text.iter().rposition(|byte| *byte == b':') {
        Some(colon) => {
            let (host, number) = (&text[..colon], &text[colon + 1..]);
            port(number).is_some_and(|port| port > 0) && (is_domain(host) || Address::parse(host).is_some())
        }
        None => false,
    }
}

/// Whether `text` begins with a scheme and `://`.
fn is_absolute(text: &[u8]) -> bool {
    let end = text.iter().take(20).position(|byte| *byte == b':').unwrap_or(0);
    let scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
    end > 0 && text[end..].starts_with(b"://") && text[..end].iter().all(scheme)
}

/// Writes the URL that a column `value`, and the `host` of another column, tell of; false when they tell of none.
///
/// Honeypots and sinkholes write the request line (`GET /a HTTP/1.1`) or the path alone, and the host apart.
pub(crate) fn url(value: &[u8], host: &[u8], application: &[u8], into: &mut Vec<u8>) -> bool {
    into.clear();
    let mut words = value.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let mut path = words.next().unwrap_or_default();
    if path.iter().all(u8::is_ascii_uppercase)
        && let Some(next) = words.next()
    {
        path = next;
    }
    // A whole URL; what stands behind a blank in it belongs to it, but not behind one in a request line.
    if is_absolute(path) {
        let value = value.trim_ascii();
        into.extend_from_slice(if value.starts_with(path) { value } else { path });
        return !into.iter().any(|byte| *byte <= b' ' || *byte == 0x7f);
    }
    let host = host.trim_ascii();
    if path.is_empty() || !is_authority(host) {
        return false;
    }
    let scheme: &[u8] = if application.eq_ignore_ascii_case(b"https") { b"https" } else { b"http" };
    into.extend_from_slice(scheme);
    into.extend_from_slice(b"://");
    into.extend_from_slice(host);
    into.push(b'/');
    into.extend_from_slice(path.strip_prefix(b"/").unwrap_or(path));
    !into.iter().any(|byte| *byte < b' ' || *byte == 0x7f)
}

/// The first CVE number in a text, in capitals.
pub(crate) fn cve(text: &[u8]) -> Option<String> {
    let start = text.windows(4).position(|four| four.eq_ignore_ascii_case(b"cve-"))?;
    let number = &text[start..];
    let year = number.get(4..8)?;
    let rest = number.get(9..)?;
    let digits = rest.iter().take(10).take_while(|byte| byte.is_ascii_digit()).count();
    if number.get(8) != Some(&b'-') || !year.iter().all(u8::is_ascii_digit) || digits == 0 {
        return None;
    }
    std::str::from_utf8(&number[..9 + digits]).ok().map(str::to_ascii_uppercase)
}

/// Reads the timestamp of a row. Nearly all rows of a file are of one day, so the day is worked out once.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    date: [u8; 10],
    midnight: Option<Time>,
}

impl Clock {
    /// The time in `text`; `YYYY-MM-DD HH:MM:SS` quickly, all else as [`Time::parse`].
    #[inline]
    pub(crate) fn read(&mut self, text: &[u8]) -> Option<Time> {
        let Some((date, [b' ', clock @ ..])) = text.split_first_chunk::<10>() else { return Time::parse(text) };
        let [h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return Time::parse(text) };
        let mut bad = 0;
        let mut two = |tens: &u8, ones: &u8| {
            let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
            bad |= u8::from(tens > 9) | u8::from(ones > 9);
            i64::from(tens) * 10 + i64::from(ones)
        };
        let (hour, minute, second) = (two(h1, h2), two(m1, m2), two(s1, s2));
        if bad != 0 || hour > 23 || minute > 59 || second > 59 {
            return Time::parse(text);
        }
        if self.midnight.is_none() || self.date != *date {
            self.midnight = Time::parse(date);
            self.date = *date;
        }
        Some(Time(self.midnight?.0 + ((hour * 60 + minute) * 60 + second) * 1_000))
    }
}

/// `time` in RFC 3339, into `into`; from the text it was read from when that is the common form.
pub(crate) fn rfc3339(time: Time, text: &[u8], into: &mut Vec<u8>) {
    into.clear();
    if text.len() == 19 && text[10] == b' ' && text[16] == b':' {
        into.extend_from_slice(text);
        into[10] = b'T';
        into.push(b'Z');
        return;
    }
    let mut written = String::new();
    // Writing to a string cannot fail.
    let _ = write!(written, "{time}");
    into.extend_from_slice(written.as_bytes());
}

/// Puts a number, written in decimal.
pub(crate) fn put_number(batch: &mut Batch, word: Word, number: u32) {
    let mut digits = [0u8; 10];
    let (mut at, mut rest) = (digits.len(), number);
    loop {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    batch.json(word, std::str::from_utf8(&digits[at..]).unwrap_or("0"));
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn urls_are_joined_from_their_columns() {
        for (value, host, application, expected) in [
            ("http://a.example/x", "b.example", "", Some("http://a.example/x")),
            ("GET /x?y=0 HTTP/1.0", "a.example", "", Some("http://a.example/x?y=0")),
            ("/x", "192.0.2.7:8080", "https", Some("https://192.0.2.7:8080/x")),
            ("x.php", "a.example", "http", Some("http://a.example/x.php")),
            ("GET http://b.example/y HTTP/1.1", "a.example", "", Some("http://b.example/y")),
            ("http://a.example/a b", "a.example", "", None),
            ("/x", "", "", None),
            ("", "a.example", "", None),
            ("/x", "not a host", "", None),
            ("http://a.example/\u{0}", "", "", None),
            ("://", "a.example", "", Some("http://a.example/://")),
        ] {
            let mut into = Vec::new();
            let found = url(value.as_bytes(), host.as_bytes(), application.as_bytes(), &mut into);
            assert_eq!(found.then(|| String::from_utf8(into).unwrap()).as_deref(), expected, "{value:?} at {host:?}");
        }
    }

    #[test]
    fn cve_numbers_are_found() {
        for (text, expected) in [
            ("exchange;cve-2021-26855;x", Some("CVE-2021-26855")),
            ("CVE-2021-", None),
            ("cve-20x1-1", None),
            ("cve-", None),
            ("", None),
        ] {
            assert_eq!(cve(text.as_bytes()).as_deref(), expected);
        }
    }

    proptest! {
        #[test]
        fn the_quick_clock_tells_the_same_time(text in "(20[0-9]{2}|....)-(0[1-9]|1[0-2]|..)-([0-2][0-9]|..) [0-2.][0-9]:[0-6][0-9]:[0-6][0-9:]( ?Z)?") {
            let mut clock = Clock::default();
            for _ in 0..2 {
                prop_assert_eq!(clock.read(text.as_bytes()), Time::parse(text.as_bytes()));
            }
        }

        #[test]
        fn domains_are_those_of_the_model(text in "[a-z0-9._-]{0,12}") {
            prop_assume!(!text.ends_with(".."));
            prop_assert_eq!(is_domain(text.as_bytes()), model::resource::DomainName::parse(&text).is_some());
        }
    }
}
