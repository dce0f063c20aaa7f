//! Cloudflare: complaints that it passes on to who hosts a site behind it, with the address where it fetches the site.

use std::collections::BTreeSet;

use model::address::Address;
use model::category::Kind;
use model::report::{Core, Place, Word};
use model::resource::Url;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Fields, Mail};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Cloudflare.
pub const FORMAT: Format = Format {
    name: "cloudflare",
    title: "Cloudflare: complaints about sites behind it, passed on by mail",
    senders: &["cloudflare.com"],
    fields: &[
        ("Reported URLs", "url"),
        ("… following IP addresses, Associated IP Addresses", "address"),
        ("subject, received a … report", "kind"),
        ("Reporter's Name, Company Name, Email Address", "reporter.org, reporter.contact"),
        ("Date of the mail", "time"),
        ("the complaint", "evidence"),
    ],
    proven: Proven::After("Cloudflare's abuse policy, Abusix's parser"),
    detect,
    parse,
};

/// Locations of one mail that are read, and addresses of the place behind.
const LOCATIONS: usize = 1_000;
const ADDRESSES: usize = 16;
/// Bytes of the complaint that are kept, and with how many reports of one mail.
const TEXT: usize = 64 << 10;
const COPIES: usize = 20;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    // Cloudflare writes about much else: bills, certificates, codes to log in.
    if !letter.is_from("cloudflare.com") {
        return Fit::No;
    }
    let passed_on = letter.from == "abuse@notify.cloudflare.com" || letter.says("Reported URL") || letter.says("Accepted URL");
    if passed_on { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let text = mail::plain(&mail);
    let (locations, more) = locations(&text);
    if locations.is_empty() {
        reading.unreadable("a mail of Cloudflare, and no location follows 'Reported URLs:' in it");
        return Ok(());
    }
    let subject = mail.fields.text("Subject").unwrap_or_default();
    let kind = kind_of(&subject, &text);
    if kind == Kind::ThreatIntelligence {
        reading.note("", format!("what the complaint accuses of is said in free words alone; read as {kind}"));
    }
    let urls: Vec<Option<Url>> = locations.iter().map(|said| Url::parse(&whole(said))).collect();
    let hosts = {
        let hosts: BTreeSet<String> = urls.iter().flatten().map(|url| url.host().to_string()).collect();
        hosts.len()
    };
    let addresses = addresses(&text);
    // The addresses are those of one site. Of several sites nobody says which is where, and none is taken.
    let behind: &[Address] = match addresses.as_slice() {
        several if hosts > 1 && several.len() > 1 => {
            reading.note("", format!("{hosts} sites and {} addresses: none was taken", several.len()));
            &[Address::NONE]
        }
        [] => &[Address::NONE],
        addresses => addresses,
    };
    // One party must not see what is another's.
    let evidence = (!kind.is_child_abuse() && hosts < 2).then_some(text.get(..floor(&text, TEXT)).unwrap_or_default());
    let mut copies = COPIES;
    let reporter = Reporter::of(&text);
    for (said, url) in locations.iter().zip(&urls) {
        let Some(url) = url else {
            let ordinal = reading.ordinal();
            let text = if kind.is_child_abuse() { "(withheld: it speaks of child abuse material)" } else { said };
            reading.reject(ordinal, "", text.as_bytes(), "it is not a location with a host: http://…");
            continue;
        };
        for address in behind {
            let mut core = Core::new(kind, reading.ordinal());
            core.address = *address;
            core.set_observed(mail.fields.time("Date"));
            reporter.put(reading, &mail.fields);
            put(reading, url, evidence.filter(|_| copies > 0));
            copies = copies.saturating_sub(1);
            reading.report(core)?;
        }
    }
    if more {
        let ordinal = reading.ordinal();
        reading.reject(ordinal, "", b"", format!("more than {LOCATIONS} locations; the rest was not read"));
    }
    Ok(())
}

/// Who complained, as Cloudflare says; it may be nobody.
struct Reporter<'a> {
    contact: Option<&'a str>,
    name: Option<&'a str>,
}

impl<'a> Reporter<'a> {
    fn of(text: &'a str) -> Reporter<'a> {
        let contact = mail::after(text, "Reporter's Email Address:").filter(|contact| contact.trim_matches('@').contains('@'));
        let name = ["Reporter's Company Name:", "Reporter's Name:"].iter().find_map(|label| mail::after(text, label));
        Reporter { contact, name: name.filter(|name| !name.is_empty()) }
    }

    fn put(&self, reading: &mut Reading<'_>, fields: &Fields<'_>) {
        let Some(name) = self.name.or(self.contact) else { return mail::put_reporter(reading, fields) };
        let batch = reading.batch();
        batch.text(Word::REPORTER_ORG, name);
        if let Some((contact, (_, domain))) = self.contact.and_then(|contact| Some((contact, contact.rsplit_once('@')?))) {
            batch.text(Word::REPORTER_CONTACT, contact);
            batch.text(Word::REPORTER_DOMAIN, domain.to_ascii_lowercase());
        }
    }
}

fn put(reading: &mut Reading<'_>, url: &Url, evidence: Option<&str>) {
    let batch = reading.batch();
    batch.text(Word::URL, url.as_str());
    batch.text(Word::TAG, "cloudflare:passed-on");
    let from = batch.word("observed_from", Place::Extra);
    batch.text(from, "the Date of the mail");
    if let Some(evidence) = evidence {
        batch.text(Word::EVIDENCE_TYPE, "text/plain");
        batch.text(Word::EVIDENCE_DESCRIPTION, "The complaint as Cloudflare passed it on");
        batch.text(Word::EVIDENCE_SIZE, evidence.len().to_string());
        batch.bytes(Word::EVIDENCE_PAYLOAD, evidence.as_bytes());
    }
}

/// The last place up to which a text can be cut.
fn floor(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

/// The locations after `Reported URLs:`, up to the first empty line behind them, and whether there were more.
fn locations(text: &str) -> (Vec<&str>, bool) {
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut inside = false;
    for line in text.lines() {
        let line = line.trim_matches(|letter: char| letter.is_whitespace() || matches!(letter, '*' | '-' | '>' | '<'));
        let label = ["Reported URLs:", "Reported URL:", "Accepted URL(s)"].iter().find_map(|label| mail::after(line, label));
        let said = match label {
            Some(rest) => {
                inside = true;
                rest.trim_start_matches(':').trim()
            }
            None => line,
        };
        if !inside || said.is_empty() {
            // An empty line may stand before the first.
            inside &= found.is_empty();
            continue;
        }
        // Words for people come after the last.
        if !said.contains('.') || said.contains(' ') && !said.contains("://") {
            inside = false;
            continue;
        }
        for word in said.split([' ', ',']).filter(|word| !word.is_empty()) {
            if found.len() >= LOCATIONS {
                return (found, true);
            }
            if seen.insert(word) {
                found.push(word);
            }
        }
    }
    (found, false)
}

/// A location that was made harmless, as it was: `hxxps://a[.]example/`.
fn whole(said: &str) -> String {
    let said = said.replace("[.]", ".").replace("[:]", ":");
    match said.get(..4) {
        Some(start) if start.eq_ignore_ascii_case("hxxp") => format!("http{}", said.get(4..).unwrap_or_default()),
        _ => said,
    }
}

/// The addresses behind the site: after the sentence that announces them, or after their label. No other address in the mail is one.
fn addresses(text: &str) -> Vec<Address> {
    let labels = ["Associated IP Addresses:", "Associated IP Address:", "Origin IP Address:", "Origin IP Addresses:"];
    let said = labels.iter().find_map(|label| mail::after(text, label)).or_else(|| {
        let (_, rest) = text.split_once("following IP address")?;
        let rest = rest.split_once('.').map_or(rest, |(plural, rest)| if plural.len() <= 3 { rest } else { plural });
        let rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == ':');
        let end = ["Using ", "\n\n", "\n\r\n"].iter().filter_map(|end| rest.find(end)).min().unwrap_or(rest.len());
        rest.get(..end)
    });
    let words = said.unwrap_or_default().split([' ', ',', ';', '\n', '\r', '\t']).take(200);
    let mut found: Vec<Address> = Vec::new();
    for address in words.filter_map(|word| Address::parse(word.trim_end_matches('.').as_bytes())) {
        if address != Address::NONE && !found.contains(&address) && found.len() < ADDRESSES {
            found.push(address);
        }
    }
    found
}

/// Words of a subject in small letters, and what they accuse of.
const KINDS: &[(&str, Kind)] = &[
    ("child", Kind::Csam),
    ("csam", Kind::Csam),
    ("dmca", Kind::Copyright),
    ("copyright", Kind::Copyright),
    ("trademark", Kind::BrandInfringement),
    ("phishing", Kind::Phishing),
    ("malware", Kind::Malware),
    ("sbl listing", Kind::Blocklist),
];

/// The kind, by the subject and the sentence that says which report was received.
fn kind_of(subject: &str, text: &str) -> Kind {
    let sentence = text.split_once("received a").and_then(|(_, rest)| rest.get(..floor(rest, 80))).unwrap_or_default();
    // The location behind it may have any words in it.
    let sentence = sentence.split_once("regarding").map_or("", |(report, _)| report);
    let subject = subject.split_once("regarding").map_or(subject, |(report, _)| report);
    let said = format!("{subject} {sentence}").to_ascii_lowercase();
    KINDS.iter().find(|(words, _)| said.contains(words)).map_or(Kind::ThreatIntelligence, |(_, kind)| *kind)
}
