//! Networks: autonomous systems, prefixes, and handles at the regional registries.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    super::{Class, Token},
    Invalid, Wrong, refuse,
    text::{after_colon, all_digits, is_blank, narrow},
    token, trimmed,
};

/// An autonomous system: "AS64496", "64496", "ASN 64496", "AS1.10" (RFC 5396); four bytes, big-endian.
///
/// Numbers for private use (RFC 6996) and documentation (RFC 5398) are taken. Those that no network can have (0, 23456, 65535 and the last:
/// RFC 7607, 6793, 7300) are refused.
///
/// # Errors
/// When it is not such a number.
pub fn asn(text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Asn;
    const RIGHT: &str = "AS and a number up to 4294967295, such as AS64496";
    let text = trimmed(CLASS, text)?;
    let text: String = text.chars().map(narrow).filter(|letter| !is_blank(*letter)).collect();
    // A label may stand against its number here, and the dot within one means something.
    let upper = text.to_ascii_uppercase();
    let number = ["ASN:", "ASN", "AS-NUMMER:", "AS:", "AS"].iter().find_map(|label| upper.strip_prefix(label)).unwrap_or(&upper);
    let parsed = match number.split_once('.') {
        Some((high, low)) if all_digits(high) && all_digits(low) => {
            high.parse::<u16>().ok().zip(low.parse::<u16>().ok()).map(|(high, low)| u32::from(high) << 16 | u32::from(low))
        }
        None if all_digits(number) => number.parse::<u32>().ok(),
        _ => None,
    };
    match parsed {
        None => refuse(CLASS, Wrong::Form(RIGHT)),
        Some(0) => refuse(CLASS, Wrong::Nobody("AS0 is no network (RFC 7607)")),
        Some(23456) => refuse(CLASS, Wrong::Nobody("AS23456 stands for numbers of four bytes (RFC 6793)")),
        Some(65535 | u32::MAX) => refuse(CLASS, Wrong::Nobody("the last number is reserved (RFC 7300)")),
        Some(number) => token(CLASS, &number.to_be_bytes()),
    }
}

/// An IPv4 or IPv6 prefix, whichever it is: "192.0.2.0/24", "2001:db8::/32"; a single address is a prefix of its whole length, and a range
/// ("192.0.2.0 - 192.0.2.255") is read where it is one prefix exactly. The address, then its length in a byte.
///
/// Address space that is not on the public internet (private, shared, local, multicast) is refused, since everybody has it; documentation
/// prefixes are taken.
///
/// # Errors
/// When it is no prefix, has bits set beyond its length, or identifies nobody.
pub fn prefix(text: &str) -> Result<Token, Invalid> {
    const RIGHT: &str = "an address and a length, such as 192.0.2.0/24 or 2001:db8::/32";
    // What it is not known to be yet, a refusal tells as IPv4, unless it has a colon.
    let class = if text.contains([':', '\u{ff1a}']) { Class::Ipv6 } else { Class::Ipv4 };
    let text = trimmed(class, text)?;
    let text: String =
        text.chars().map(|letter| if matches!(letter, '\u{2013}' | '\u{2014}') { '-' } else { narrow(letter) }).collect();
    let part = |text: &str| text.trim_matches(is_blank).trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>().ok();
    let (address, length) = if let Some((first, last)) = text.split_once('-') {
        match (part(first), part(last)) {
            (Some(IpAddr::V4(first)), Some(IpAddr::V4(last))) => {
                (IpAddr::V4(first), spanned(first.to_bits().into(), last.to_bits().into(), 32))
            }
            (Some(IpAddr::V6(first)), Some(IpAddr::V6(last))) => {
                (IpAddr::V6(first), spanned(first.to_bits(), last.to_bits(), 128))
            }
            _ => return refuse(class, Wrong::Form(RIGHT)),
        }
    } else {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.trim_matches(is_blank))),
            None => (text.as_str(), None),
        };
        let Some(address) = part(address) else { return refuse(class, Wrong::Form(RIGHT)) };
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let length = match length {
            None => Some(whole),
            Some(length) if all_digits(length) => length.parse::<u8>().ok().filter(|length| *length <= whole),
            Some(_) => None,
        };
        match length {
            Some(length) => (address, Some(length)),
            None => return refuse(class, Wrong::Form(RIGHT)),
        }
    };
    let Some(length) = length else {
        return refuse(
            class,
            Wrong::Form("a range is read only where it is one prefix; write it as its prefixes, such as 192.0.2.0/24"),
        );
    };
    match address {
        IpAddr::V4(address) => of_v4(address, length),
        IpAddr::V6(address) => match address.to_ipv4_mapped() {
            // An IPv4 address in its IPv6 clothes (RFC 4291, 2.5.5.2).
            Some(mapped) if length >= 96 => of_v4(mapped, length - 96),
            _ => of_v6(address, length),
        },
    }
}

/// An IPv4 prefix, as [`prefix`] reads it.
///
/// # Errors
/// Those of [`prefix`], and when it is an IPv6 prefix.
pub fn ipv4(text: &str) -> Result<Token, Invalid> {
    only(Class::Ipv4, "an IPv6 prefix", text)
}

/// An IPv6 prefix, as [`prefix`] reads it.
///
/// # Errors
/// Those of [`prefix`], and when it is an IPv4 prefix.
pub fn ipv6(text: &str) -> Result<Token, Invalid> {
    only(Class::Ipv6, "an IPv4 prefix", text)
}

fn only(class: Class, other: &'static str, text: &str) -> Result<Token, Invalid> {
    match prefix(text) {
        Ok(token) if token.class() == class => Ok(token),
        Ok(_) => refuse(class, Wrong::Other(other)),
        Err(Invalid { wrong, .. }) => Err(Invalid { class, wrong }),
    }
}

/// How long the prefix is that these addresses span, of `whole` bits, when they span one.
fn spanned(first: u128, last: u128, whole: u8) -> Option<u8> {
    let host = last.checked_sub(first)?;
    // 2^n - 1 addresses after the first, which is a multiple of 2^n.
    let bits = 128 - host.leading_zeros();
    let one_prefix = host & host.wrapping_add(1) == 0 && first & host == 0;
    one_prefix.then(|| whole.saturating_sub(u8::try_from(bits).unwrap_or(u8::MAX)))
}

fn of_v4(address: Ipv4Addr, length: u8) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Ipv4;
    let bits = address.to_bits() & mask4(length);
    let network = Ipv4Addr::from_bits(bits);
    if network != address {
        return refuse(CLASS, Wrong::HostBits(format!("{network}/{length}")));
    }
    // RFC 6890 and the registry of special-purpose addresses; the documentation prefixes (RFC 5737) are not among these.
    const LOCAL: [(Ipv4Addr, u8); 9] = [
        (Ipv4Addr::new(0, 0, 0, 0), 8),
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(100, 64, 0, 0), 10),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(224, 0, 0, 0), 4),
        (Ipv4Addr::new(240, 0, 0, 0), 4),
    ];
    if LOCAL.iter().any(|(local, len)| bits & mask4(*len) == local.to_bits()) {
        return refuse(CLASS, Wrong::Nobody("private, local and multicast addresses are everybody's"));
    }
    if length < 8 {
        return refuse(CLASS, Wrong::Nobody("nobody holds more than a /8"));
    }
    v4_token(bits, length)
}

fn of_v6(address: Ipv6Addr, length: u8) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Ipv6;
    let bits = address.to_bits() & mask6(length);
    let network = Ipv6Addr::from_bits(bits);
    if network != address {
        return refuse(CLASS, Wrong::HostBits(format!("{network}/{length}")));
    }
    // All of the public internet, and the documentation prefixes (RFC 3849, RFC 9637), are within 2000::/3.
    if bits >> 125 != 1 {
        return refuse(CLASS, Wrong::Nobody("local, private and multicast addresses are everybody's"));
    }
    if length < 12 {
        return refuse(CLASS, Wrong::Nobody("nobody holds more than a /12"));
    }
    v6_token(bits, length)
}

fn mask4(length: u8) -> u32 {
    u32::MAX.checked_shl(32 - u32::from(length.min(32))).unwrap_or(0)
}

fn mask6(length: u8) -> u128 {
    u128::MAX.checked_shl(128 - u32::from(length.min(128))).unwrap_or(0)
}

fn v4_token(bits: u32, length: u8) -> Result<Token, Invalid> {
    let [a, b, c, d] = bits.to_be_bytes();
    token(Class::Ipv4, &[a, b, c, d, length])
}

fn v6_token(bits: u128, length: u8) -> Result<Token, Invalid> {
    let mut bytes = bits.to_be_bytes().to_vec();
    bytes.push(length);
    token(Class::Ipv6, &bytes)
}

/// What a provider asks for a prefix that a customer *holds*: the prefix, and those that cover it from /24 down to /16 (IPv6: from /48 down
/// to /32), so that a listed block is found by whoever holds a part of it. Nothing for a token that is no prefix.
///
/// A single address that a customer rents is not held: it shares the block with everybody else's, so only itself is asked.
#[must_use]
pub fn covering(held: &Token) -> Vec<Token> {
    let (class, bytes) = (held.class(), held.bytes());
    let Some((length, address)) = bytes.split_last() else { return Vec::new() };
    let shorter = |longest: u8, shortest: u8| (shortest..=longest.min(length.saturating_sub(1))).rev();
    let mut all = match class {
        Class::Ipv4 | Class::Ipv6 => vec![held.clone()],
        _ => return Vec::new(),
    };
    if let Ok(address) = <[u8; 4]>::try_from(address) {
        let bits = u32::from_be_bytes(address);
        all.extend(shorter(24, 16).filter_map(|length| v4_token(bits & mask4(length), length).ok()));
    } else if let Ok(address) = <[u8; 16]>::try_from(address) {
        let bits = u128::from_be_bytes(address);
        all.extend(shorter(48, 32).filter_map(|length| v6_token(bits & mask6(length), length).ok()));
    }
    all
}

/// The handle of an organisation or person at a regional registry, with the registry behind it: "ORG-EX1-RIPE", "EX123-ARIN". In capitals.
///
/// # Errors
/// When it has no registry behind it, since each has handles of its own.
pub fn handle(text: &str) -> Result<Token, Invalid> {
    const CLASS: Class = Class::Handle;
    const RIGHT: &str = "a handle with its registry, such as ORG-EX1-RIPE";
    let text = after_colon(trimmed(CLASS, text)?, &["organisation", "org", "nic-hdl", "admin-c", "tech-c", "abuse-c"]);
    let handle: String = text.chars().map(narrow).map(|letter| letter.to_ascii_uppercase()).collect();
    let plain = handle.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if !plain || !handle.starts_with(|letter: char| letter.is_ascii_alphanumeric()) {
        return refuse(CLASS, Wrong::Form(RIGHT));
    }
    if handle.len() > 64 {
        return refuse(CLASS, Wrong::TooLong);
    }
    if handle.ends_with("-MNT") || handle.starts_with("MNT-") {
        return refuse(CLASS, Wrong::NotCompared("a maintainer is who may write, not who holds; use the organisation's handle"));
    }
    match handle.rsplit_once('-') {
        Some((own, "RIPE" | "ARIN" | "AP" | "APNIC" | "LACNIC" | "AFRINIC")) if !own.is_empty() && own != "ORG" => {
            token(CLASS, handle.as_bytes())
        }
        _ => refuse(CLASS, Wrong::Form(RIGHT)),
    }
}
