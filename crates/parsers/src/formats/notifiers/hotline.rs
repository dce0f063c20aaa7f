//! Hotlines: notices about child abuse material, by the bodies to which such material is reported.
//!
//! What they say of a location is read and nothing else: no word of the text, and none of what is attached, goes into a report.
//! Whoever stores a submission asks first what it tells of, so the location is kept encrypted and shown masked.

use model::address::Address;
use model::category::Kind;
use model::report::Place;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::labelled::{Labelled, Labels, Said};
use crate::kinds::mail::{self, Mail, Part, location};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Hotlines.
pub const FORMAT: Format = Format {
    name: "hotline",
    title: "Hotlines for child abuse material: Offlimits, INHOPE's members, IWF, NCMEC, Project Arachnid",
    senders: &["Offlimits", "INHOPE", "IWF", "NCMEC", "Project Arachnid"],
    fields: &[
        ("URL, Also URLs, a location alone on a line", "url, kept encrypted"),
        ("IP address, [ADDRESS] behind a location", "address"),
        ("Time assessed, Last seen", "time"),
        ("IWF serial number, Reference, Kenmerk", "hotline_reference"),
        ("within … hours, binnen … uur", "removal_hours"),
        ("the sender's domain name", "hotline_class: notice or crawler"),
    ],
    proven: Proven::After("Abusix's parser (IWF), SCARt's documentation, domain names of INHOPE's members"),
    detect,
    parse,
};

/// Domain names from which hotlines write whose judgement is relied on: own analysts have looked (domain.md CS-6).
const NOTICES: &[&str] = &[
    "offlimits.nl",
    "meldpunt-kinderporno.nl",
    "eokm.nl",
    "atkm.nl",
    "iwf.org.uk",
    "inhope.org",
    "jugendschutz.net",
    "fsm.de",
    "internet-beschwerdestelle.de",
    "stopline.at",
    "childfocus.be",
    "pointdecontact.net",
    "hotline.ie",
    "dyzurnet.pl",
    "redbarnet.dk",
    "pelastakaalapset.fi",
    "ecpat.se",
];
/// Domain names from which programs, and hotlines abroad, write: their word is acted on provisionally (domain.md CS-21).
const CRAWLERS: &[&str] = &[
    "projectarachnid.ca",
    "projectarachnid.com",
    "protectchildren.ca",
    "cybertip.ca",
    "c3p.ca",
    "ncmec.org",
    "missingkids.org",
    "cybertipline.com",
    "cybertipline.org",
];
/// Words, in small letters, of which at least one is in a notice. Hotlines write letters and invitations, too.
const TELLING: &[&str] = &[
    "child",
    "csam",
    "csem",
    "kinderporno",
    "kindermisbruik",
    "minderjarig",
    "kinderpornografie",
    "seksueel misbruik",
    "removal notice",
    "takedown",
    "take down",
    "arachnid",
    "iwf serial",
];
const LABELS: Labels = &[
    ("url", Said::Location),
    ("urls", Said::Location),
    ("url(s)", Said::Location),
    ("also urls", Said::Location),
    ("link", Said::Location),
    ("links", Said::Location),
    ("locatie", Said::Location),
    ("location", Said::Location),
    ("image url", Said::Location),
    ("media url", Said::Location),
    ("page url", Said::Location),
    ("ip address", Said::Address),
    ("ip-adres", Said::Address),
    ("ip adres", Said::Address),
    ("ip", Said::Address),
    ("domain", Said::Domain),
    ("domain name", Said::Domain),
    ("domeinnaam", Said::Domain),
    ("host", Said::Domain),
    ("hostname", Said::Domain),
    ("time assessed", Said::Other("time")),
    ("last seen", Said::Other("time")),
    ("last checked", Said::Other("time")),
    ("detected", Said::Other("time")),
    ("datum", Said::Other("time")),
    ("date", Said::Other("time")),
    ("first seen", Said::Other("first_seen")),
    ("iwf serial number", Said::Other("reference")),
    ("reference", Said::Other("reference")),
    ("reference number", Said::Other("reference")),
    ("referentie", Said::Other("reference")),
    ("kenmerk", Said::Other("reference")),
    ("notice id", Said::Other("reference")),
    ("case id", Said::Other("reference")),
    ("report id", Said::Other("reference")),
];

/// Whether a domain name is that of a hotline, or below one: what such a sender writes is handled with care, understood or not.
pub fn is_hotline(domain: &str) -> bool {
    class(domain).is_some()
}

/// `notice` or `crawler`, by the domain name of the sender.
fn class(domain: &str) -> Option<&'static str> {
    let domain = domain.to_ascii_lowercase();
    let is = |known: &str| domain == known || domain.strip_suffix(known).is_some_and(|rest| rest.ends_with('.'));
    if NOTICES.iter().any(|known| is(known)) {
        Some("notice")
    } else if CRAWLERS.iter().any(|known| is(known)) {
        Some("crawler")
    } else {
        None
    }
}

fn domain_of(address: &str) -> &str {
    address.rsplit_once('@').map_or("", |(_, domain)| domain)
}

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    if !is_hotline(domain_of(&letter.from)) {
        return Fit::No;
    }
    if is_telling(&letter.subject) {
        return Fit::Certain;
    }
    // Few write from there: here the text may be looked through.
    let mail = Mail::parse(prefix.bytes, 16);
    if is_telling(&mail::plain(&mail)) { Fit::Certain } else { Fit::No }
}

fn is_telling(text: &str) -> bool {
    let text = text.to_lowercase();
    TELLING.iter().any(|word| text.contains(word))
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let mut understood = false;
    for (index, part) in mail.parts.iter().enumerate().filter(|(_, part)| is_json(part)) {
        if !reading.count_part() {
            mail::refuse_rest(reading);
            return Ok(());
        }
        let name = mail::part_name(part, index);
        let bytes = part.utf8();
        if reading.fit(&name, &part.media.essence, &bytes) == Fit::Certain {
            understood |= reading.nested_bytes(&name, &part.media.essence, &bytes)?;
        }
    }
    if understood {
        return Ok(());
    }
    reading.batch().format = FORMAT.name;
    let from = mail.fields.mailbox("From").map(|(_, address)| address).unwrap_or_default();
    let text = words(&mail);
    let own: Vec<&str> = NOTICES.iter().chain(CRAWLERS).copied().collect();
    let mut said = Labelled::read(&text, LABELS, &own);
    said.withheld = true;
    reading.shape("", &said.labels);
    if said.items.is_empty() {
        reading.unreadable("a notice of a hotline, and no location in it that can be read: see the mailbox it came to");
        return Ok(());
    }
    let class = class(domain_of(&from)).unwrap_or("notice");
    let hours = hours(&text).map(|hours| hours.to_string()).unwrap_or_default();
    // Project Arachnid also reports what is harmful and need not be abuse.
    let kind = if text.to_ascii_lowercase().contains("harmful-abusive") { Kind::Csem } else { Kind::Csam };
    said.each(reading, |reading, item, place| {
        let mut statement = item.statement(kind);
        statement.time = item.get("time").and_then(|time| mail::written(time, None));
        // Properties, so that they are there again when the report has been rewritten.
        statement.named("hotline_reference", Place::Property, reference(item.get("reference").unwrap_or_default()));
        statement.named("hotline_class", Place::Property, class);
        statement.named("removal_hours", Place::Property, &hours);
        statement.report(reading, &mail.fields, (place, ""), None)
    })
}

fn is_json(part: &Part<'_>) -> bool {
    part.media.essence == "application/json" || part.media.name.to_ascii_lowercase().ends_with(".json")
}

/// The text, and the lists beside it: of a row of a table the location, with the address when there is one alone.
fn words(mail: &Mail<'_>) -> String {
    let mut text = mail::plain(mail);
    for part in mail.parts.iter().filter(|part| !part.media.name.is_empty() && part.media.is_text()) {
        let bytes = part.utf8();
        for line in String::from_utf8_lossy(&bytes).lines().take(10_000) {
            let cells = || line.split([',', ';', '\t']).map(|cell| cell.trim().trim_matches('"'));
            let mut addresses = cells().filter_map(|cell| Address::parse(cell.as_bytes()));
            let address = addresses.next().filter(|_| addresses.next().is_none());
            for cell in cells().filter(|cell| location(cell).is_some()) {
                text.push('\n');
                text.push_str(cell);
                if let Some(address) = address {
                    text.push_str(&format!(" [{address}]"));
                }
            }
        }
    }
    text
}

/// A reference number, if it is one: a name of things that nobody can look up.
fn reference(said: &str) -> &str {
    let is_plain = said.len() <= 64 && said.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_/#.".contains(&byte));
    if is_plain && !said.contains("//") { said } else { "" }
}

/// Within how many hours the material is to be gone, as the text says; at most 30 days.
fn hours(text: &str) -> Option<i64> {
    let text = text.to_lowercase();
    ["within ", "binnen "].iter().find_map(|word| {
        text.split(word).skip(1).take(20).find_map(|rest| {
            let mut words = rest.split_whitespace();
            let number: i64 = words.next()?.parse().ok()?;
            let unit = words.next()?;
            let hours = if unit.starts_with("hour") || unit.starts_with("uur") || unit.starts_with("uren") {
                number
            } else if unit.starts_with("day") || unit.starts_with("dag") {
                number.checked_mul(24)?
            } else {
                return None;
            };
            (1..=30 * 24).contains(&hours).then_some(hours)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_are_read_in_both_languages() {
        assert_eq!(hours("Please remove it within 24 hours."), Some(24));
        assert_eq!(hours("within reach; binnen 12 uur verwijderen"), Some(12));
        assert_eq!(hours("within 2 days"), Some(48));
        assert_eq!(hours("within 999999999999999999999 days, within 9223372036854775807 days"), None);
    }

    #[test]
    fn a_reference_is_no_place_for_a_location() {
        assert_eq!(reference("IWF-2026/1234"), "IWF-2026/1234");
        assert_eq!(reference("https://host.invalid/secret"), "");
        assert_eq!(reference("see host"), "");
    }

    #[test]
    fn hotlines_are_known_by_their_names() {
        assert!(is_hotline("ntd.offlimits.nl") && is_hotline("NCMEC.org"));
        assert!(!is_hotline("notofflimits.nl") && !is_hotline(""));
    }
}
