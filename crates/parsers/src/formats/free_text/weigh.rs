//! How likely it is that something found is meant as the source or the time of abuse, by the words around it.

use crate::sink::Found;

/// Bytes before a finding whose words count.
const NEAR: usize = 64;

/// Words that say what follows is the source of abuse, in English, Dutch and German.
const SOURCE: &[&str] = &[
    "aanvaller",
    "abuser",
    "abusive",
    "abused",
    "angreifer",
    "angreifende",
    "attacker",
    "attackers",
    "attacking",
    "attacks",
    "bot",
    "bron",
    "bronadres",
    "client",
    "compromised",
    "dader",
    "gehackte",
    "hacked",
    "herkomst",
    "infected",
    "infizierte",
    "infringing",
    "ip_address",
    "malicious",
    "offender",
    "offending",
    "origin",
    "originating",
    "phishing",
    "quell",
    "quelle",
    "rhost",
    "scanner",
    "scanning",
    "source",
    "spammer",
    "spamming",
    "src",
    "src_ip",
    "verursacher",
];
/// Words that say it perhaps.
const PERHAPS: &[&str] = &[
    "abuse",
    "address",
    "addresses",
    "adres",
    "adresse",
    "against",
    "evidence",
    "from",
    "host",
    "hosted",
    "hosting",
    "ip",
    "ipv4",
    "ipv6",
    "located",
    "machine",
    "malware",
    "network",
    "netwerk",
    "netzwerk",
    "probes",
    "reported",
    "server",
    "site",
    "spam",
    "system",
    "url",
    "uri",
    "van",
    "vom",
    "von",
    "your",
    "uw",
    "ihr",
    "ihre",
    "ihrer",
];
/// Words that say it is another's: whom it happened to, or who tells.
const OTHER: &[&str] = &[
    "destination",
    "dest",
    "doel",
    "dst",
    "gegen",
    "honeypot",
    "onze",
    "ons",
    "our",
    "reporter",
    "sensor",
    "slachtoffer",
    "target",
    "targeted",
    "targets",
    "tegen",
    "unser",
    "unsere",
    "unseren",
    "victim",
    "ziel",
];
/// Words about the letter itself.
const LETTER: &[&str] = &[
    "abmelden",
    "afmelden",
    "contact",
    "datenschutz",
    "faq",
    "fax",
    "guide",
    "help",
    "impressum",
    "information",
    "informatie",
    "informationen",
    "kontakt",
    "phone",
    "policy",
    "privacy",
    "reply",
    "telefon",
    "ticket",
    "unsubscribe",
    "visit",
    "webpage",
    "website",
];
/// Words that say when it happened.
const WHEN: &[&str] = &[
    "am",
    "at",
    "attack",
    "date",
    "datetime",
    "datum",
    "detected",
    "event",
    "first_seen",
    "gezien",
    "infringement",
    "last_seen",
    "observed",
    "occurred",
    "on",
    "op",
    "seen",
    "tijd",
    "tijdstip",
    "time",
    "timestamp",
    "uhrzeit",
    "zeit",
    "zeitpunkt",
    "zeitstempel",
];
/// Words that say when something else was.
const LATER: &[&str] = &[
    "copyright",
    "created",
    "expires",
    "issued",
    "notice",
    "printed",
    "received",
    "registered",
    "reported",
    "sent",
    "updated",
    "version",
];

/// Where something was found.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Where {
    /// In the subject of the mail.
    pub(super) subject: bool,
    /// Below the signature's line.
    pub(super) signature: bool,
    /// It was made harmless by whoever wrote it.
    pub(super) harmless: bool,
    /// It is of the sender's own house, or no address that anybody has on the Internet.
    pub(super) own: bool,
    /// It tells less than it might: a date without a time of day, an address in the path of a URL.
    pub(super) faint: bool,
}

/// From 1 to 99. `before` is the line up to the finding, `above` the line before that one.
pub(super) fn confidence(what: Found, place: Where, before: &[u8], above: &[u8]) -> u8 {
    let mut points: i32 = match what {
        Found::LogLine => 60,
        Found::Url => 50,
        Found::Address | Found::Time => 45,
        Found::Prefix => 35,
        Found::Domain => 30,
        Found::Mail => 20,
    };
    let before = &before[before.len().saturating_sub(NEAR)..];
    points += words(what, before);
    // A label may stand on a line of its own, above what it is the label of.
    if before.iter().filter(|byte| byte.is_ascii_alphabetic()).count() < 2 {
        points += words(what, &above[above.len().saturating_sub(NEAR)..]) * 2 / 3;
    }
    points += if place.subject { 25 } else { 0 };
    points += if place.harmless { 25 } else { 0 };
    points -= if place.signature { 30 } else { 0 };
    points -= if place.faint { 25 } else { 0 };
    if place.own {
        points = points.min(10);
    }
    u8::try_from(points.clamp(1, 99)).unwrap_or(1)
}

/// What the words in a piece of text say for or against.
fn words(what: Found, text: &[u8]) -> i32 {
    let (mut best, mut worst) = (0, 0);
    for word in text.split(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_' && *byte < 0x80).filter(|word| word.len() >= 2) {
        if word.len() > 16 {
            continue;
        }
        let mut lower = [0; 16];
        for (to, from) in lower.iter_mut().zip(word) {
            *to = from.to_ascii_lowercase();
        }
        let word = &lower[..word.len()];
        let is = |list: &[&str]| list.iter().any(|own| own.as_bytes() == word);
        if what == Found::Time {
            best = best.max(if is(WHEN) { 25 } else { 0 });
            worst = worst.min(if is(LATER) { -20 } else { 0 });
        } else {
            best = best.max(if is(SOURCE) {
                40
            } else if is(PERHAPS) {
                22
            } else {
                0
            });
            worst = worst.min(if is(LETTER) {
                -30
            } else if is(OTHER) {
                -25
            } else {
                0
            });
        }
    }
    best + worst
}
