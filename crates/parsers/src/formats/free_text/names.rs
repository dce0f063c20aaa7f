//! URLs, domain names and mail addresses in text for people, made harmless (`hxxp`, `[.]`) or not.

use model::resource::{DomainName, Url};

use super::addresses::{begins_with, dot};

/// Bytes of a URL after its scheme; [`Url`] reads 8,192 in all.
const LONGEST: usize = 8_100;
/// Bytes of a domain name as it is written, each of its dots in brackets.
const NAME: usize = 700;

/// Schemes of URLs, and what each stands for when it was made harmless.
const SCHEMES: &[(&str, &str)] = &[
    ("http", "http"),
    ("https", "https"),
    ("hxxp", "http"),
    ("hxxps", "https"),
    ("hxtp", "http"),
    ("htxp", "http"),
    ("httxp", "http"),
    ("ftp", "ftp"),
    ("ftps", "ftps"),
    ("fxp", "ftp"),
    ("sftp", "sftp"),
];

/// Endings that files have more often than hosts. A name with two labels that ends so is a file, unless its dot was made harmless.
const FILES: &[&str] = &["cab", "cc", "md", "mov", "ps", "py", "rs", "sh", "so", "zip"];

/// Top-level domains of more than two letters that are seen in reports, and the names for documentation (RFC 6761); in order.
const GENERIC: &[&str] = &[
    "academy",
    "agency",
    "amsterdam",
    "app",
    "arpa",
    "art",
    "asia",
    "band",
    "bar",
    "beer",
    "berlin",
    "best",
    "bet",
    "bid",
    "bike",
    "biz",
    "blog",
    "bond",
    "boutique",
    "brussels",
    "build",
    "business",
    "buzz",
    "cab",
    "cafe",
    "cam",
    "camp",
    "capital",
    "cards",
    "care",
    "casa",
    "casino",
    "cat",
    "center",
    "cfd",
    "charity",
    "chat",
    "church",
    "city",
    "click",
    "cloud",
    "club",
    "codes",
    "coffee",
    "com",
    "community",
    "company",
    "computer",
    "cool",
    "country",
    "credit",
    "cyou",
    "date",
    "deals",
    "delivery",
    "design",
    "dev",
    "digital",
    "direct",
    "directory",
    "domains",
    "download",
    "edu",
    "education",
    "email",
    "energy",
    "engineering",
    "enterprises",
    "estate",
    "events",
    "example",
    "exchange",
    "expert",
    "express",
    "family",
    "farm",
    "fashion",
    "finance",
    "financial",
    "fit",
    "foundation",
    "frl",
    "fun",
    "fund",
    "fyi",
    "gallery",
    "game",
    "games",
    "gay",
    "gdn",
    "gent",
    "gle",
    "global",
    "gmbh",
    "gold",
    "goog",
    "google",
    "gov",
    "gratis",
    "green",
    "group",
    "guide",
    "guru",
    "hamburg",
    "haus",
    "health",
    "help",
    "homes",
    "horse",
    "host",
    "hosting",
    "house",
    "icu",
    "info",
    "ink",
    "institute",
    "insure",
    "int",
    "international",
    "invalid",
    "invest",
    "jobs",
    "kim",
    "koeln",
    "land",
    "lat",
    "law",
    "lease",
    "legal",
    "life",
    "limited",
    "link",
    "live",
    "loan",
    "local",
    "lol",
    "ltd",
    "makeup",
    "management",
    "market",
    "marketing",
    "media",
    "men",
    "microsoft",
    "mil",
    "mobi",
    "moda",
    "moe",
    "mom",
    "money",
    "monster",
    "mov",
    "movie",
    "museum",
    "name",
    "net",
    "network",
    "new",
    "news",
    "ninja",
    "nrw",
    "one",
    "ong",
    "onion",
    "onl",
    "online",
    "ooo",
    "org",
    "ovh",
    "page",
    "partners",
    "party",
    "pet",
    "photo",
    "photography",
    "photos",
    "pics",
    "pictures",
    "pink",
    "pizza",
    "place",
    "plus",
    "porn",
    "press",
    "pro",
    "promo",
    "properties",
    "pub",
    "quest",
    "racing",
    "realty",
    "red",
    "rehab",
    "ren",
    "rent",
    "repair",
    "report",
    "rest",
    "review",
    "reviews",
    "rip",
    "rocks",
    "rodeo",
    "ruhr",
    "run",
    "saarland",
    "sale",
    "sbs",
    "school",
    "science",
    "security",
    "services",
    "sex",
    "sexy",
    "shop",
    "shopping",
    "show",
    "singles",
    "site",
    "ski",
    "skin",
    "social",
    "software",
    "solar",
    "solutions",
    "space",
    "sport",
    "store",
    "stream",
    "studio",
    "style",
    "sucks",
    "support",
    "surf",
    "swiss",
    "systems",
    "tax",
    "team",
    "tech",
    "technology",
    "tel",
    "test",
    "tips",
    "tirol",
    "today",
    "tokyo",
    "tools",
    "top",
    "tours",
    "town",
    "toys",
    "trade",
    "trading",
    "training",
    "travel",
    "tube",
    "university",
    "uno",
    "vegas",
    "ventures",
    "vet",
    "video",
    "vin",
    "vip",
    "vlaanderen",
    "vodka",
    "vote",
    "voyage",
    "wang",
    "watch",
    "webcam",
    "website",
    "wien",
    "wiki",
    "win",
    "wine",
    "work",
    "works",
    "world",
    "wtf",
    "xxx",
    "xyz",
    "yoga",
    "zip",
    "zone",
];

/// Top-level domains of countries, all two letters each.
const COUNTRIES: &str = "acadaeafagaialamaoaqarasatauawaxazbabbbdbebfbgbhbibjbmbnbobrbsbtbwbybzcacccdcfcgchcickclcmcncocrcucvcwcxcyczdedjdkdmdodz\
    eceeegereseteufifjfkfmfofrgagdgegfggghgiglgmgngpgqgrgsgtgugwgyhkhmhnhrhthuidieiliminioiqirisitjejmjojpkekgkhkikmknkpkrkwkykzlalblclilklrlslt\
    lulvlymamcmdmemgmhmkmlmmmnmompmqmrmsmtmumvmwmxmymznancnenfngninlnonpnrnunzompapepfpgphpkplpmpnprpsptpwpyqarerorsrurwsasbscsdsesgshsiskslsm\
    snsosrssstsusvsxsysztctdtftgthtjtktltmtntotrtttvtwtzuaugukusuyuzvavcvevgvivnvuwfwsyeytzazmzw";

/// A name in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spot<T> {
    /// The name.
    pub(super) value: T,
    /// Where it ends.
    pub(super) end: usize,
    /// Whether it was made harmless, which is done to what is bad.
    pub(super) harmless: bool,
}

/// A URL whose scheme stands from `at` to `colon`, what follows it being a colon or `[:]`.
pub(super) fn url(line: &[u8], at: usize, colon: usize) -> Option<Spot<Url>> {
    let word = line.get(at..colon)?;
    let (name, scheme) = SCHEMES.iter().find(|(name, _)| word.eq_ignore_ascii_case(name.as_bytes()))?;
    let mut harmless = name != scheme;
    let mut begin = None;
    for (after, bad) in [("://", false), ("[:]//", true), ("[://]", true), ("(:)//", true), ("[:]\\\\", true), (":\\\\", false)] {
        if let Some(end) = begins_with(line, colon, after) {
            (begin, harmless) = (Some(end), harmless || bad);
            break;
        }
    }
    let begin = begin?;
    // A quote that opens before it closes after it; else it may be part of it.
    let quote = at.checked_sub(1).and_then(|before| line.get(before)).filter(|byte| matches!(byte, b'\'' | b'(' | b'['));
    let rest = line.get(begin..)?;
    // What has no host is none, and that is found out before all of it is looked at: there are texts of beginnings alone.
    let host = rest.iter().take(NAME).take_while(|byte| **byte > b' ' && !b"/?#\\\"<>|'".contains(byte)).count();
    let host = &rest[..trimmed(&rest[..host])];
    let bare = Url::parse(&format!("{scheme}://{}", plain(&String::from_utf8_lossy(host))))?;
    let rest = &rest[..rest.len().min(LONGEST)];
    let mut end = rest.len();
    for (index, &byte) in rest.iter().enumerate() {
        let curly = byte == 0xe2 && matches!(rest.get(index + 1..index + 3), Some([0x80, 0x98..=0x9f | 0xb9 | 0xba]));
        if byte <= b' '
            || matches!(byte, b'"' | b'<' | b'>' | b'|' | b'^' | b'`' | 0x7f)
            || curly
            || (byte == b'\'' && quote == Some(&b'\''))
        {
            end = index;
            break;
        }
    }
    let end = trimmed(&rest[..end]);
    let written = rest.get(..end)?;
    let text = String::from_utf8_lossy(written);
    let host_end = text.find(['/', '?', '#']).unwrap_or(text.len());
    let (host, path) = text.split_at(host_end);
    let host = plain(host);
    harmless |= host.len() != host_end;
    let (user, host) = host.rsplit_once('@').map_or(("", host.as_str()), |(user, host)| (user, host));
    let user = if user.is_empty() { String::new() } else { format!("{user}@") };
    let url = Url::parse(&format!("{scheme}://{user}{}{path}", host.to_ascii_lowercase())).unwrap_or(bare);
    Some(Spot { value: url, end: begin + end, harmless })
}

/// The length of a URL without the signs of the sentence around it.
fn trimmed(text: &[u8]) -> usize {
    let count = |byte| memchr::memchr_iter(byte, text).count();
    let mut open = [(b'(', b')'), (b'[', b']'), (b'{', b'}')].map(|(open, close)| (close, count(open), count(close)));
    let mut end = text.len();
    while let Some(&last) = end.checked_sub(1).and_then(|last| text.get(last)) {
        let closing = open.iter_mut().find(|(close, ..)| *close == last);
        match closing {
            Some((_, opened, closed)) if *opened < *closed => *closed -= 1,
            Some(_) => break,
            None if matches!(last, b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' | b'*' | b'\\') => {}
            None => break,
        }
        end -= 1;
    }
    end
}

/// A host without what made it harmless.
fn plain(host: &str) -> String {
    let mut host = host.to_owned();
    for bracketed in ["[.]", "(.)", "{.}", "[dot]", "(dot)", "[DOT]", "(DOT)", "[.", ".]"] {
        if host.contains(bracketed) {
            host = host.replace(bracketed, ".");
        }
    }
    host.replace("[:]", ":").replace("[at]", "@").replace("[@]", "@")
}

/// Labels with dots between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Chain {
    /// Where it ends.
    pub(super) end: usize,
    /// How many labels.
    pub(super) labels: usize,
    /// Where its last label begins.
    pub(super) last: usize,
    /// Whether a dot was made harmless.
    pub(super) harmless: bool,
}

/// The labels that begin at `at`.
pub(super) fn chain(line: &[u8], at: usize) -> Chain {
    let label = |at: usize| {
        let rest = line.get(at..).unwrap_or_default();
        at + rest
            .iter()
            .take(NAME)
            .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') || **byte >= 0x80)
            .count()
    };
    let mut chain = Chain { end: label(at), labels: 1, last: at, harmless: false };
    while let Some((length, harmless)) = dot(line, chain.end) {
        let next = chain.end + length;
        let end = label(next);
        // What is longer than any name is looked at in pieces.
        if end == next || end - at > NAME {
            break;
        }
        chain = Chain { end, labels: chain.labels + 1, last: next, harmless: chain.harmless | harmless };
    }
    chain
}

/// The domain name that a chain is; `None` when it looks like a file, a number, or two sentences without a blank.
pub(super) fn domain(line: &[u8], at: usize, chain: &Chain) -> Option<DomainName> {
    let last = line.get(chain.last..chain.end)?;
    if chain.labels < 2 || chain.end - at > NAME || !is_top(last) {
        return None;
    }
    let written = line.get(at..chain.end)?;
    if !chain.harmless {
        // `finished.In the end`: a name has small letters all through, or large ones.
        let mixed = last.first().is_some_and(u8::is_ascii_uppercase) && written.iter().any(u8::is_ascii_lowercase);
        let file = chain.labels == 2 && FILES.iter().any(|name| last.eq_ignore_ascii_case(name.as_bytes()));
        if mixed || file {
            return None;
        }
    }
    DomainName::parse(&plain(std::str::from_utf8(written).ok()?))
}

/// Whether a label may be a top-level domain.
fn is_top(label: &[u8]) -> bool {
    if label.len() == 2 {
        let lower = [label[0].to_ascii_lowercase(), label[1].to_ascii_lowercase()];
        return COUNTRIES.as_bytes().chunks_exact(2).any(|country| country == lower);
    }
    if label.len() > 4 && label[..4].eq_ignore_ascii_case(b"xn--") {
        return true;
    }
    if !label.iter().all(u8::is_ascii_alphabetic) || label.len() > 13 {
        return false;
    }
    let lower = label.to_ascii_lowercase();
    GENERIC.binary_search_by(|name| name.as_bytes().cmp(&lower)).is_ok()
}

/// A mail address whose `@` (or `[at]`) stands from `at` to `after`.
pub(super) fn mail(line: &[u8], at: usize, after: usize) -> Option<(String, usize, usize)> {
    /// RFC 5321 section 4.5.3.1.1.
    const LOCAL: usize = 64;
    let before = line.get(..at)?;
    let of_local = |byte: &u8| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_{}~-".contains(byte);
    let length = before.iter().rev().take(LOCAL + 1).take_while(|byte| of_local(byte)).count();
    let mut start = at - length;
    // `--abuse@`, `=jan@`, `'jan@`: signs do not begin the addresses of people.
    while start < at && !line.get(start).is_some_and(u8::is_ascii_alphanumeric) {
        start += 1;
    }
    let host = chain(line, after);
    let end = host.end;
    if start == at || length > LOCAL || host.labels < 2 || end - after > NAME {
        return None;
    }
    let last = line.get(host.last..end)?;
    if last.len() < 2 || !last.first().is_some_and(u8::is_ascii_alphabetic) {
        return None;
    }
    let name = DomainName::parse(&plain(std::str::from_utf8(line.get(after..end)?).ok()?))?;
    let local = std::str::from_utf8(line.get(start..at)?).ok()?;
    Some((format!("{local}@{name}"), start, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn top_level_domains_are_in_order() {
        assert!(GENERIC.is_sorted() && COUNTRIES.len().is_multiple_of(2));
        for known in ["nl", "DE", "com", "example", "xn--p1ai"] {
            assert!(is_top(known.as_bytes()), "{known}");
        }
        for unknown in ["", "x", "php", "tld", "zz", "12"] {
            assert!(!is_top(unknown.as_bytes()), "{unknown}");
        }
    }
}
