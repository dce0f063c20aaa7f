//! Questions and answers of the DNS (RFC 1035), as far as lists of addresses need them (RFC 5782).

use std::net::{IpAddr, Ipv4Addr};

/// Bytes of an answer over UDP that are read.
pub(super) const LARGEST: usize = 1_500;
/// Records of an answer that are looked at.
const RECORDS: u16 = 64;
/// Bytes of a name, and of one of its labels (RFC 1035 section 2.3.4).
const NAME: usize = 253;
const LABEL: usize = 63;
const HEADER: usize = 12;

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// The addresses that a name has; none when it has none or does not exist.
    Addresses(Vec<Ipv4Addr>),
    /// The server could not, or would not, find out.
    Trouble,
}

/// The name under which a list says something of an address (RFC 5782 sections 2.1 and 2.4).
pub(super) fn name_of(address: IpAddr, zone: &str) -> String {
    match address {
        IpAddr::V4(address) => {
            let [a, b, c, d] = address.octets();
            format!("{d}.{c}.{b}.{a}.{zone}")
        }
        IpAddr::V6(address) => {
            let nibbles = address.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>() + zone
        }
    }
}

/// A question for the addresses of a name; `None` when it is no name.
pub(super) fn question(number: u16, name: &str) -> Option<Vec<u8>> {
    if !(1..=NAME).contains(&name.len()) {
        return None;
    }
    // One question, and recursion is wanted.
    let mut bytes = vec![0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    bytes.get_mut(..2)?.copy_from_slice(&number.to_be_bytes());
    for label in name.split('.') {
        if !(1..=LABEL).contains(&label.len()) {
            return None;
        }
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    // The root, type A, class IN.
    bytes.extend([0, 0, 1, 0, 1]);
    Some(bytes)
}

/// The number that an answer has, before it is known whose it is.
pub(super) fn number(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk::<2>().map(|bytes| u16::from_be_bytes(*bytes))
}

/// What an answer says to a question; `None` when it is none to that.
pub(super) fn reply(bytes: &[u8], question: &[u8]) -> Option<Reply> {
    let (head, asked) = (bytes.first_chunk::<HEADER>()?, question.get(HEADER..)?);
    let word = |at: usize| Some(u16::from_be_bytes([*head.get(at)?, *head.get(at + 1)?]));
    let flags = word(2)?;
    let echoed = bytes.get(HEADER..HEADER + asked.len())?;
    if number(question) != word(0) || flags & 0x8000 == 0 || word(4)? != 1 || !echoed.eq_ignore_ascii_case(asked) {
        return None;
    }
    match flags & 15 {
        0 => {}
        // There is no such name (RFC 2308 section 2.1).
        3 => return Some(Reply::Addresses(Vec::new())),
        _ => return Some(Reply::Trouble),
    }
    let mut rest = bytes.get(HEADER + asked.len()..)?;
    let mut addresses = Vec::new();
    for _ in 0..word(6)?.min(RECORDS) {
        // What is cut short has been read as far as it goes.
        let Some((address, after)) = record(rest) else { break };
        addresses.extend(address);
        rest = after;
    }
    Some(Reply::Addresses(addresses))
}

/// The address in the record that bytes begin with, if it is of one, and what comes after it.
fn record(bytes: &[u8]) -> Option<(Option<Ipv4Addr>, &[u8])> {
    let mut rest = bytes;
    loop {
        let (length, after) = rest.split_first()?;
        match length {
            0 => {
                rest = after;
                break;
            }
            // The rest of the name stands elsewhere (RFC 1035 section 4.1.4). Whose record it is is not asked: it may be that of an alias.
            0xc0.. => {
                rest = after.get(1..)?;
                break;
            }
            length => rest = after.get(usize::from(*length)..)?,
        }
    }
    let [t0, t1, c0, c1, _, _, _, _, l0, l1] = *rest.first_chunk::<10>()?;
    let (data, after) = rest.get(10..)?.split_at_checked(usize::from(u16::from_be_bytes([l0, l1])))?;
    let is_address = [t0, t1, c0, c1] == [0, 1, 0, 1];
    let address = if is_address { <[u8; 4]>::try_from(data).ok().map(Ipv4Addr::from) } else { None };
    Some((address, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(question: &[u8], code: u8, records: &[&[u8]]) -> Vec<u8> {
        let mut bytes = question.to_vec();
        bytes[2] = 0x81;
        bytes[3] = 0x80 | code;
        bytes[7] = records.len() as u8;
        bytes.extend(records.concat());
        bytes
    }

    const LISTED: &[u8] = &[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 2];
    const ALIAS: &[u8] = &[0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 3, 1, b'x', 0];
    const NAMED: &[u8] = &[1, b'x', 0, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 3];

    #[test]
    fn names_are_those_of_rfc_5782() {
        assert_eq!(name_of("192.0.2.99".parse().unwrap(), "bad.example"), "99.2.0.192.bad.example");
        let expected = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bad.example";
        assert_eq!(name_of("2001:db8::1".parse().unwrap(), "bad.example"), expected);
        for name in ["", "a..b", ".", &"a".repeat(64), &"a.".repeat(150)] {
            assert_eq!(question(1, name), None, "{name}");
        }
    }

    #[test]
    fn answers_are_read_and_those_to_other_questions_are_not() {
        let asked = question(0x1234, "2.0.0.127.bad.example").unwrap();
        let of = |texts: &[&str]| Some(Reply::Addresses(texts.iter().map(|text| text.parse().unwrap()).collect()));
        assert_eq!(reply(&answer(&asked, 0, &[LISTED]), &asked), of(&["127.0.0.2"]));
        assert_eq!(reply(&answer(&asked, 0, &[ALIAS, NAMED]), &asked), of(&["127.0.0.3"]));
        assert_eq!(reply(&answer(&asked, 0, &[]), &asked), of(&[]));
        assert_eq!(reply(&answer(&asked, 3, &[]), &asked), of(&[]));
        assert_eq!(reply(&answer(&asked, 2, &[]), &asked), Some(Reply::Trouble));
        assert_eq!(reply(&answer(&asked, 5, &[]), &asked), Some(Reply::Trouble));
        let other = question(0x1235, "2.0.0.127.bad.example").unwrap();
        assert_eq!(reply(&answer(&other, 0, &[LISTED]), &asked), None);
        let other = question(0x1234, "3.0.0.127.bad.example").unwrap();
        assert_eq!(reply(&answer(&other, 0, &[LISTED]), &asked), None);
        assert_eq!(reply(&asked, &asked), None, "a question is no answer");
    }

    #[test]
    fn no_bytes_make_it_stumble() {
        let asked = question(7, "2.0.0.127.bad.example").unwrap();
        let whole = answer(&asked, 0, &[ALIAS, NAMED, LISTED]);
        for end in 0..whole.len() {
            let _ = reply(&whole[..end], &asked);
        }
        for at in 0..whole.len() {
            for byte in [0, 1, 63, 64, 0x7f, 0xbf, 0xc0, 0xff] {
                let mut changed = whole.clone();
                changed[at] = byte;
                let _ = reply(&changed, &asked);
            }
        }
    }
}
