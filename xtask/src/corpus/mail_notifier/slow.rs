//! Another way to find what stands in a text: slow, by trying everything everywhere, sharing nothing with what it checks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use mail_parser::{MessageParser, MimeHeaders, PartType};

/// The subject and every text of a mail, as the library decodes it; of HTML the tags are kept.
pub(super) fn texts(bytes: &[u8]) -> Vec<String> {
    let Some(mail) = MessageParser::default().parse(bytes) else { return Vec::new() };
    let mut texts = vec![mail.subject().unwrap_or_default().to_owned()];
    for part in &mail.parts {
        match &part.body {
            PartType::Text(text) => texts.push(text.to_string()),
            // Inside tags stands what nobody sees.
            PartType::Html(text) => texts.push(seen(text)),
            PartType::Binary(_) | PartType::InlineBinary(_) if part.content_type().is_some_and(|kind| kind.ctype() == "text") => {
                texts.push(String::from_utf8_lossy(part.contents()).into_owned());
            }
            _ => {}
        }
    }
    texts
}

fn seen(html: &str) -> String {
    let mut text = String::new();
    let mut inside = false;
    for letter in html.chars() {
        inside = (inside || letter == '<') && letter != '>';
        text.push(if inside || letter == '>' { ' ' } else { letter });
    }
    text
}

/// Whatever the standard library takes for an address, between two letters that no address has.
pub(super) fn addresses(text: &str) -> Vec<IpAddr> {
    let mut found = Vec::new();
    for word in text.split(|letter: char| !(letter.is_ascii_digit() || letter == '.')) {
        if let Ok(address) = word.trim_matches('.').parse::<Ipv4Addr>() {
            found.push(IpAddr::V4(address));
        }
    }
    for word in
        text.split(|letter: char| !(letter.is_ascii_hexdigit() || letter == ':' || letter.is_ascii_alphabetic() || letter == '.'))
    {
        let word = word.trim_matches('.');
        for start in std::iter::once(0).chain(word.match_indices(':').map(|(at, _)| at + 1)) {
            let candidate = word[start..].trim_end_matches('.');
            if candidate.len() > 2
                && let Ok(address) = candidate.parse::<Ipv6Addr>()
            {
                found.push(IpAddr::V6(address));
                break;
            }
        }
    }
    found
}

/// Every date with a time of day, tried by patterns at every place: ISO, RFC 5322, Apache; in UTC as RFC 3339.
pub(super) fn times(text: &str) -> Vec<String> {
    const PATTERNS: &[&str] = &[
        "%Y-%m-%dT%H:%M:%S",
        "%Y-%m-%d %H:%M:%S",
        "%Y-%m-%d,%H:%M:%S",
        "%d %b %Y %H:%M:%S",
        "%d/%b/%Y:%H:%M:%S",
        "%d %b %Y %I:%M%p",
    ];
    let mut found = Vec::new();
    for (at, _) in text.char_indices().filter(|(_, letter)| letter.is_ascii_digit()) {
        if text[..at].ends_with(|letter: char| letter.is_ascii_alphanumeric()) {
            continue;
        }
        let rest = &text[at..].chars().take(60).collect::<String>();
        for pattern in PATTERNS {
            let Ok((broken, used)) = jiff::fmt::strtime::BrokenDownTime::parse_prefix(pattern, rest) else { continue };
            let Ok(local) = broken.to_datetime() else { continue };
            let mut zone = rest[used..].trim_start_matches([' ', '.', '0']).trim_start().to_owned();
            zone.truncate(
                zone.find(|letter: char| !(letter.is_ascii_alphanumeric() || "+-:".contains(letter))).unwrap_or(zone.len()),
            );
            let Ok(zoned) = local.to_zoned(jiff::tz::TimeZone::UTC) else { continue };
            let instant = zoned.timestamp() - jiff::SignedDuration::from_secs(seconds_of(&zone));
            found.push(instant.to_string());
        }
    }
    found
}

/// How far a zone is from UTC.
fn seconds_of(zone: &str) -> i64 {
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let digits: Vec<i64> = zone.chars().skip(1).filter_map(|letter| letter.to_digit(10)).map(i64::from).collect();
    match (zone, digits.as_slice()) {
        ("CEST", _) => 7_200,
        ("CET", _) => 3_600,
        ("PDT", _) => -25_200,
        (_, [a, b, c, d, ..]) if zone.starts_with(['+', '-']) => sign * ((a * 10 + b) * 3_600 + (c * 10 + d) * 60),
        _ => 0,
    }
}
