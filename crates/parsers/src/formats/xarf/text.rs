//! The texts that XARF's schemas ask for: formats of JSON Schema 2020-12 section 7.3, and patterns, by hand.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use model::time::Time;

/// A UUID of any version in its 36 characters (RFC 9562 section 4).
pub(crate) fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// A date and time with a zone (RFC 3339 section 5.6).
pub(crate) fn is_date_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let shape = b"0000-00-00T00:00:00";
    let Some((clock, rest)) = bytes.split_at_checked(shape.len()) else { return false };
    let fits = clock.iter().zip(shape).all(|(byte, wanted)| match wanted {
        b'0' => byte.is_ascii_digit(),
        b'T' => matches!(byte, b'T' | b't'),
        _ => byte == wanted,
    });
    let fraction = match rest.split_first() {
        Some((b'.', digits)) => 1 + digits.iter().take_while(|byte| byte.is_ascii_digit()).count(),
        _ => 0,
    };
    let zone = match rest.get(fraction..) {
        Some(b"Z" | b"z") => true,
        Some([b'+' | b'-', hour @ .., b':', m1, m2]) if hour.len() == 2 => {
            hour.iter().chain([m1, m2]).all(u8::is_ascii_digit) && hour < b"24".as_slice() && *m1 < b'6'
        }
        _ => false,
    };
    // Leap seconds are left out, as most validators do: no report of abuse has been seen in one.
    let second = clock.get(17..19).is_some_and(|second| second < b"60".as_slice());
    fits && fraction != 1 && zone && second && date_and_clock_exist(clock)
}

/// Whether `YYYY-MM-DDThh:mm` of checked digits is in the calendar; the year 0000 is (RFC 3339 appendix A).
fn date_and_clock_exist(clock: &[u8]) -> bool {
    let number = |at: usize, length: usize| -> u32 {
        clock.get(at..at + length).unwrap_or_default().iter().fold(0, |value, byte| value * 10 + u32::from(byte & 15))
    };
    let year = number(0, 4);
    // The calendar repeats after 400 years, and 400 divides 2000.
    let year = 2000 + (year % 400) as i32;
    Time::civil(year, number(5, 2), number(8, 2), number(11, 2), number(14, 2), 0, 0).is_some()
}

/// A date alone (RFC 3339 `full-date`).
pub(super) fn is_date(text: &str) -> bool {
    text.len() == 10 && is_date_time(&format!("{text}T00:00:00Z"))
}

/// An IPv4 address in four decimal parts without leading zeros.
pub(super) fn is_ipv4(text: &str) -> bool {
    Ipv4Addr::from_str(text).is_ok()
}

/// An IPv6 address without a zone.
pub(super) fn is_ipv6(text: &str) -> bool {
    Ipv6Addr::from_str(text).is_ok()
}

/// Either kind of address.
pub(super) fn is_ip(text: &str) -> bool {
    is_ipv4(text) || is_ipv6(text)
}

/// A host name in ASCII (RFC 1123 section 2.1); internationalised labels are taken as written.
pub(super) fn is_hostname(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
            // RFC 5891 section 4.2.3.1: two hyphens there say that the label is encoded, and only `xn--` exists.
            && (label.get(2..4) != Some("--") || label.starts_with("xn--"))
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A mail address (RFC 5321 section 4.1.2), local part in ASCII.
pub(crate) fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let atom = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte);
    let quoted = || {
        let Some(inner) = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else { return false };
        let mut bytes = inner.bytes();
        while let Some(byte) = bytes.next() {
            match byte {
                b'\\' if bytes.next().is_some_and(|next| matches!(next, b' '..=b'~')) => {}
                b'\\' | b'"' => return false,
                b' '..=b'~' | b'\t' => {}
                _ => return false,
            }
        }
        true
    };
    let local_fits = local.split('.').all(|part| !part.is_empty() && part.bytes().all(atom)) || quoted();
    let domain_fits = match domain.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(literal) => match literal.split_once(':') {
            Some((tag, address)) if tag.eq_ignore_ascii_case("ipv6") => is_ipv6(address),
            _ => is_ipv4(literal),
        },
        None => is_hostname(domain),
    };
    (1..=64).contains(&local.len()) && local_fits && domain_fits
}

/// A URI with its scheme (RFC 3986 section 3).
pub(super) fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let scheme_fits = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (hierarchy, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match hierarchy.strip_prefix("//") {
        Some(rest) => {
            let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            (Some(authority), path)
        }
        None => (None, hierarchy),
    };
    scheme_fits
        && authority.is_none_or(is_authority)
        && is_made_of(path, b"/:@")
        && is_made_of(query, b"/:@?")
        && is_made_of(fragment, b"/:@?")
}

fn is_authority(text: &str) -> bool {
    let (user, host) = text.split_once('@').unwrap_or(("", text));
    let (host, port) = match host.strip_prefix('[') {
        Some(rest) => {
            let Some((literal, port)) = rest.split_once(']') else { return false };
            if !is_ipv6(literal) && !is_ip_future(literal) {
                return false;
            }
            ("", port)
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    let port_fits = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|byte| byte.is_ascii_digit()),
        None => port.is_empty(),
    };
    is_made_of(user, b":") && is_made_of(host, b"") && port_fits
}

fn is_ip_future(text: &str) -> bool {
    let Some((version, rest)) = text.strip_prefix(['v', 'V']).and_then(|rest| rest.split_once('.')) else { return false };
    !version.is_empty()
        && version.bytes().all(|byte| byte.is_ascii_hexdigit())
        && !rest.is_empty()
        && !rest.contains('%')
        && is_made_of(rest, b":")
}

/// Unreserved characters, sub-delimiters, percent-encoded bytes, and those of `more`.
fn is_made_of(text: &str, more: &[u8]) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        at += match byte {
            b'%' if bytes.get(at + 1..at + 3).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit)) => 3,
            _ if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte) || more.contains(&byte) => 1,
            _ => return false,
        };
    }
    true
}

/// `4.MINOR.PATCH`.
pub(super) fn is_version_4(text: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    text.strip_prefix("4.").and_then(|rest| rest.split_once('.')).is_some_and(|(minor, patch)| number(minor) && number(patch))
}

/// `namespace:predicate` of small letters, digits, `_`, `+` and `-`.
pub(crate) fn is_tag(text: &str) -> bool {
    let word = |part: &str| {
        part.starts_with(|first: char| first.is_ascii_lowercase() || first.is_ascii_digit())
            && part.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_+-".contains(&byte))
    };
    text.split_once(':').is_some_and(|(namespace, predicate)| word(namespace) && word(predicate))
}

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// `algorithm:hex` of an evidence item.
pub(super) fn is_hash(text: &str) -> bool {
    text.split_once(':').is_some_and(|(name, hex)| matches!(name, "md5" | "sha1" | "sha256" | "sha512") && is_hex(hex))
}

/// The same for a file, without SHA-512.
pub(super) fn is_file_hash(text: &str) -> bool {
    is_hash(text) && !text.starts_with("sha512")
}

/// 32 hexadecimal digits.
pub(super) fn is_md5(text: &str) -> bool {
    text.len() == 32 && is_hex(text)
}

/// 40 hexadecimal digits.
pub(super) fn is_sha1(text: &str) -> bool {
    text.len() == 40 && is_hex(text)
}

/// 64 hexadecimal digits.
pub(super) fn is_sha256(text: &str) -> bool {
    text.len() == 64 && is_hex(text)
}

/// A domain name in small letters whose last label has no digit.
pub(super) fn is_small_domain(text: &str) -> bool {
    let Some((front, last)) = text.rsplit_once('.') else { return false };
    let label = |label: &str| {
        label.split('-').all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
    };
    last.len() >= 2 && last.bytes().all(|byte| byte.is_ascii_lowercase()) && front.split('.').all(label)
}

/// Two capitals: a country (ISO 3166-1).
pub(super) fn is_country(text: &str) -> bool {
    text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// Three capitals: a currency (ISO 4217).
pub(super) fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

/// `nl`, `nl-NL`.
pub(super) fn is_language(text: &str) -> bool {
    let (language, country) = text.split_once('-').unwrap_or((text, "NL"));
    language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase()) && is_country(country)
}

fn cve_digits(text: &str) -> Option<usize> {
    let (year, number) = text.strip_prefix("CVE-")?.split_once('-')?;
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    (year.len() == 4 && digits(year) && digits(number)).then_some(number.len())
}

/// A CVE number.
pub(super) fn is_cve(text: &str) -> bool {
    cve_digits(text).is_some()
}

/// A CVE number whose last part has the four digits that it has had since 1999.
pub(super) fn is_long_cve(text: &str) -> bool {
    cve_digits(text).is_some_and(|digits| digits >= 4)
}

/// The beginning of a CVSS 3 vector.
pub(super) fn is_cvss_3(text: &str) -> bool {
    text.starts_with("CVSS:3.0/") || text.starts_with("CVSS:3.1/")
}

/// The beginning of a magnet link to content by its hash.
pub(super) fn is_magnet(text: &str) -> bool {
    text.starts_with("magnet:?xt=urn:")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_and_patterns() {
        type Test = fn(&str) -> bool;
        let table: &[(Test, &[&str], &[&str])] = &[
            (is_uuid, &["00000000-0000-4000-8000-00000000000f"], &["", "00000000-0000-4000-8000-00000000000g", "{0}"]),
            (
                is_date_time,
                &["2026-11-21T23:47:54Z", "2024-02-29t00:00:00.5+01:00", "0000-02-29T00:00:00Z"],
                &["2026-11-21 23:47:54Z", "2023-02-29T00:00:00Z", "2026-11-21T23:47:54", "2026-11-21T23:47:54.Z", "é"],
            ),
            (is_date, &["2024-02-29"], &["2024-2-29", "20240229", "2024-02-30"]),
            (is_ip, &["192.0.2.1", "2001:db8::1"], &["192.0.2.01", "2001:db8::1%eth0", "shop.example"]),
            (
                is_hostname,
                &["shop.example", "localhost", "xn--bcher-kva.example"],
                &["", "a..b", "-a.example", "a_b.example", "a."],
            ),
            (
                is_email,
                &["abuse@shop.example", "\"a b\"@shop.example", "a@[192.0.2.1]"],
                &["abuse", "@shop.example", "a b@shop.example"],
            ),
            (
                is_uri,
                &["https://shop.example/a?b#c", "urn:x:y", "http://[2001:db8::1]:80/"],
                &["shop.example", "http://a b/", "http://ä/"],
            ),
            (is_version_4, &["4.2.0"], &["4.2", "3.0.0", "4.2.x"]),
            (is_tag, &["tlp:amber+strict"], &["tlp:AMBER", "tlp", "a:b:c", ":b", "a:"]),
            (is_hash, &["sha512:00"], &["sha512:", "crc:00"]),
            (is_small_domain, &["a-b.example"], &["A.example", "a.e", "a--b.example", "example"]),
            (is_language, &["nl", "nl-BE"], &["nl-be", "nld", "nl-"]),
            (is_cve, &["CVE-2026-1"], &["cve-2026-1", "CVE-26-1"]),
            (is_long_cve, &["CVE-2026-0001"], &["CVE-2026-1"]),
        ];
        for (test, yes, no) in table {
            assert!(yes.iter().all(|text| test(text)), "{yes:?}");
            assert!(no.iter().all(|text| !test(text)), "{no:?}");
        }
    }
}
