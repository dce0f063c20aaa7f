//! Addresses in text for people: as they are, with brackets round their dots, with ports, as prefixes and ranges.

use model::address::{Address, Range, RangeError};

/// What follows an address and belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tail {
    /// Nothing.
    None,
    /// A port.
    Port(u16),
    /// The length of a prefix: the range, and whether the address is one inside it rather than its beginning.
    Prefix(Range, bool),
    /// A dash and the last address of a range.
    Range(Range),
}

/// A dot at `at`, as it is or made harmless (`[.]`, `(dot)`): its length, and whether it was made harmless.
pub(super) fn dot(line: &[u8], at: usize) -> Option<(usize, bool)> {
    match *line.get(at)? {
        b'.' => Some((1, false)),
        b'[' | b'(' | b'{' => {
            let rest = line.get(at + 1..)?;
            match rest {
                [b'.', b']' | b')' | b'}', ..] => Some((3, true)),
                [d, o, t, b']' | b')' | b'}', ..] if [*d, *o, *t].eq_ignore_ascii_case(b"dot") => Some((5, true)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// An IPv4 address that begins at `at`, its end, and whether its dots were made harmless. The caller sees to it that no word
/// runs into it.
pub(super) fn v4(line: &[u8], at: usize) -> Option<(Address, usize, bool)> {
    let (mut number, mut end, mut harmless) = (0u32, at, false);
    for octet in 0..4 {
        if octet > 0 {
            let (length, bracketed) = dot(line, end)?;
            harmless |= bracketed;
            end += length;
        }
        let (value, next) = digits(line, end, 3)?;
        if value > 255 {
            return None;
        }
        number = number << 8 | value;
        end = next;
    }
    match line.get(end) {
        Some(byte) if byte.is_ascii_alphanumeric() || *byte == b'_' => None,
        // Five numbers are a version or an object identifier.
        Some(b'.') if line.get(end + 1).is_some_and(u8::is_ascii_digit) => None,
        _ => Some((Address::from_v4(number), end, harmless)),
    }
}

/// An IPv6 address that begins at `at`, and its end.
pub(super) fn v6(line: &[u8], at: usize) -> Option<(Address, usize)> {
    /// Nothing longer is an address: eight groups of four, the last two perhaps as IPv4.
    const LONGEST: usize = 45;
    let rest = line.get(at..)?;
    let length = rest.iter().take(LONGEST + 2).take_while(|byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.')).count();
    let mut run = rest.get(..length.min(LONGEST))?;
    if length > LONGEST || memchr::memchr_iter(b':', run).take(2).count() < 2 {
        return None;
    }
    // The stop or colon of the sentence around it.
    while let [inner @ .., last] = run {
        let ends = *last == b'.' || (*last == b':' && !inner.ends_with(b":"));
        if !ends {
            break;
        }
        run = inner;
    }
    let end = at + run.len();
    if run.len() < 3 || line.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
        return None;
    }
    // Eight pairs are an identifier of hardware or the beginning of a fingerprint.
    if run.len() == 23 && run.split(|byte| *byte == b':').all(|group| group.len() == 2) {
        return None;
    }
    if run.contains(&b'.') && !run.rsplit(|byte| *byte == b':').next().is_some_and(|last| last.contains(&b'.')) {
        return None;
    }
    Address::parse(run).map(|address| (address, end))
}

/// What follows an address that stands from `start` to `end`, and where that ends.
pub(super) fn tail(line: &[u8], address: Address, start: usize, end: usize) -> (Tail, usize) {
    let none = (Tail::None, end);
    let Some(next) = line.get(end) else { return none };
    match next {
        b'/' => {
            let Some((length, after)) = digits(line, end + 1, 3).filter(|(_, after)| is_end(line, *after)) else { return none };
            let Ok(length) = u8::try_from(length) else { return none };
            let bits = if address.v4().is_some() { 32 } else { 128 };
            match Range::prefix(address, length) {
                _ if length == bits || length < 8 => none,
                Ok(range) => (Tail::Prefix(range, false), after),
                Err(RangeError::HostBits(range)) => (Tail::Prefix(range, true), after),
                Err(_) => none,
            }
        }
        b':' => port(line, end + 1).map_or(none, |(port, after)| (Tail::Port(port), after)),
        b']' if start > 0 && line.get(start - 1) == Some(&b'[') && line.get(end + 1) == Some(&b':') => {
            port(line, end + 2).map_or(none, |(port, after)| (Tail::Port(port), after))
        }
        b' ' | b'-' | b',' | b';' | b'(' | 0xe2 | b'\t' | b']' | b')' => range(line, address, end)
            .or_else(|| {
                let word = skip(line, end, 3, b" ,;()]\t-");
                let after = ["port", "poort", "tcp", "udp"].iter().find_map(|name| begins_with(line, word, name))?;
                let number = skip(line, after, 3, b" :=#/");
                let number = begins_with(line, number, "port").map_or(number, |after| skip(line, after, 3, b" :=#"));
                port(line, number).map(|(port, after)| (Tail::Port(port), after))
            })
            .unwrap_or(none),
        _ => none,
    }
}

fn range(line: &[u8], first: Address, end: usize) -> Option<(Tail, usize)> {
    let dash = skip(line, end, 3, b" ");
    let after = match line.get(dash..)? {
        [b'-', ..] => dash + 1,
        [0xe2, 0x80, 0x93 | 0x94, ..] => dash + 3,
        _ => return None,
    };
    let second = skip(line, after, 3, b" ");
    let (last, after) = v4(line, second).map(|(last, after, _)| (last, after)).or_else(|| v6(line, second))?;
    let range = Range::new(first, last).ok().filter(|range| range.first != range.last)?;
    Some((Tail::Range(range), after))
}

/// A port, where a number of a clock or of an address does not stand.
fn port(line: &[u8], at: usize) -> Option<(u16, usize)> {
    let (port, after) = digits(line, at, 5)?;
    let port = u16::try_from(port).ok().filter(|port| *port != 0)?;
    let part_of_more = match line.get(after) {
        Some(b':') => line.get(after + 1).is_some_and(u8::is_ascii_hexdigit),
        Some(b'.') => line.get(after + 1).is_some_and(u8::is_ascii_digit),
        _ => false,
    };
    (is_end(line, after) && !part_of_more).then_some((port, after))
}

/// A number of at most so many digits that begins at `at`, and its end.
pub(super) fn digits(line: &[u8], at: usize, most: usize) -> Option<(u32, usize)> {
    let rest = line.get(at..)?;
    let length = rest.iter().take(most + 1).take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > most {
        return None;
    }
    let value = rest.get(..length)?.iter().fold(0u32, |value, byte| value.wrapping_mul(10).wrapping_add(u32::from(byte - b'0')));
    Some((value, at + length))
}

/// Where the first byte at or after `at` stands that is none of `these`, at most `most` further.
pub(super) fn skip(line: &[u8], at: usize, most: usize, these: &[u8]) -> usize {
    at + line.get(at..).unwrap_or_default().iter().take(most).take_while(|byte| these.contains(byte)).count()
}

/// Where a word ends that begins at `at`, in any case of letters.
pub(super) fn begins_with(line: &[u8], at: usize, word: &str) -> Option<usize> {
    let end = at.checked_add(word.len())?;
    line.get(at..end)?.eq_ignore_ascii_case(word.as_bytes()).then_some(end)
}

/// Whether no word goes on at `at`.
pub(super) fn is_end(line: &[u8], at: usize) -> bool {
    line.get(at).is_none_or(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_')
}
