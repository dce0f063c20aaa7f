//! Netcraft: mails of its takedown service, mostly with X-ARF beside the words, sometimes with XARF, sometimes with words alone.

use std::collections::BTreeSet;

use model::address::Address;
use model::category::Kind;
use model::report::{Place, Word};
use model::resource::Url;

use crate::formats::{Fit, Format, Proven, xarf_0};
use crate::kinds::mail::labelled::{Labelled, Labels, Said, bracketed};
use crate::kinds::mail::{self, Mail, Statement, location};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Netcraft.
pub const FORMAT: Format = Format {
    name: "netcraft",
    title: "Netcraft Takedown: mails about sites, with X-ARF, with XARF or in words",
    senders: &["Netcraft", "netcraft.com"],
    fields: &[
        ("X-ARF or XARF beside the words", "as xarf_0 and xarf"),
        ("a location alone on a line", "url"),
        ("[ADDRESS] behind it, located at IP address …", "address"),
        ("subject, Issue …: … at …", "netcraft.issue, kind"),
        ("on behalf of our customer, …", "netcraft.on_behalf_of"),
        ("Date of the mail, without X-ARF", "time"),
    ],
    proven: Proven::By("AbuseIO (with X-ARF); words alone after Abusix's parser"),
    detect,
    parse,
};

const LABELS: Labels = &[
    ("url", Said::Location),
    ("ip address", Said::Address),
    ("ip", Said::Address),
    // Of X-ARF, when the parts of a mail cannot be told apart.
    ("date", Said::Other("time")),
    ("report-id", Said::Other("reference")),
    ("we last observed", Said::Other("time")),
    ("last observed", Said::Other("time")),
    ("last seen", Said::Other("time")),
    ("first seen", Said::Other("first_seen")),
];

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    // Netcraft writes about much else: surveys, bills, news.
    if !letter.is_from("netcraft.com") {
        return Fit::No;
    }
    let is_takedown = letter.from.starts_with("takedown") || letter.subject.starts_with("Issue ");
    if is_takedown || letter.fields.first("X-XARF").is_some() { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let subject = mail.fields.text("Subject").unwrap_or_default();
    let text = mail::plain(&mail);
    let issue = subject.trim().strip_prefix("Issue ").and_then(|rest| rest.split_once(':')).map_or("", |(issue, _)| issue.trim());
    if !issue.is_empty() {
        reading.context("netcraft.issue", Place::Extra, issue);
    }
    let customer = customer(&text);
    if !customer.is_empty() {
        reading.context("netcraft.on_behalf_of", Place::Extra, customer);
    }
    let said = Labelled::read(&text, LABELS, &["netcraft.com"]);
    let hosts: BTreeSet<String> =
        said.items.iter().filter_map(|item| item.url.as_ref()).map(|url| url.host().to_string()).collect();
    let stated = addresses(&text);
    // Of several sites, or several addresses, nobody says which is where.
    let one = if let ([address], 1) = (stated.as_slice(), hosts.len()) { Some(*address) } else { None };
    let at = |url: &Url| one.filter(|_| hosts.contains(&url.host().to_string()));
    let others: Vec<&str> = said.items.iter().filter_map(|item| item.url.as_ref()).map(Url::as_str).take(20).collect();
    // One party must not see what is another's.
    if !others.is_empty() && hosts.len() == 1 {
        reading.context("netcraft.locations", Place::Extra, &others.join(" "));
    }
    let understood = xarf_0::read_at(reading, &mail, &at)? || mail::parts(reading, &mail)?;
    if understood {
        if mail.more {
            mail::refuse_rest(reading);
        }
        return Ok(());
    }
    // A part that was looked at and left has begun a batch of nobody's.
    reading.batch().format = FORMAT.name;
    words(reading, &mail, &subject, &text, said, one)
}

/// Reads what is said in words alone.
fn words(
    reading: &mut Reading<'_>,
    mail: &Mail<'_>,
    subject: &str,
    text: &str,
    said: Labelled<'_>,
    one: Option<Address>,
) -> Result<(), Stop> {
    reading.shape("words", &said.labels);
    let kind = kind_of(subject);
    if kind == Kind::ThreatIntelligence {
        reading.note("", format!("what the subject accuses of is not known; read as {kind}"));
    }
    let cve = text.find("CVE-").and_then(|at| text.get(at..)).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_alphanumeric() && letter != '-').unwrap_or(rest.len());
        rest.get(..end.min(20)).unwrap_or_default()
    });
    let hosts = said.items.iter().filter_map(|item| item.url.as_ref()).map(|url| url.host().to_string());
    let evidence = Some(("The mail of Netcraft", text)).filter(|_| hosts.collect::<BTreeSet<_>>().len() < 2);
    said.each(reading, |reading, item, place| {
        let mut statement = item.statement(kind);
        statement.address = item.address.or(one).unwrap_or(Address::NONE);
        statement.time = item.get("time").and_then(|time| mail::written(time, None));
        statement.text(Word::REPORT_ID, item.get("reference").unwrap_or_default());
        if let Some(cve) = cve.filter(|_| kind == Kind::Cve) {
            statement.text(Word::CVE_ID, cve);
        }
        statement.report(reading, &mail.fields, (place, item.text), evidence)
    })?;
    if !said.items.is_empty() {
        return Ok(());
    }
    // Shorter mails say it in the subject alone: `Issue 1: brute force attack from 192.0.2.1`.
    let mut statement = Statement::new(kind);
    statement.url = subject.split_whitespace().find_map(location);
    let observed = ["We last observed:", "Last observed:", "Last seen:"].iter().find_map(|label| mail::after(text, label));
    statement.time = observed.and_then(|time| mail::written(time, None));
    let named: Vec<Address> = subject.split([' ', ',', '[', ']', '(', ')']).filter_map(address).collect();
    statement.address = match (statement.url.is_some(), named.as_slice()) {
        (false, [address]) => *address,
        _ => one.unwrap_or(Address::NONE),
    };
    if statement.url.is_none() && statement.address == Address::NONE {
        reading.unreadable("a mail of Netcraft's takedown service, and neither subject nor text names a location or an address");
        return Ok(());
    }
    if let Some(cve) = cve.filter(|_| kind == Kind::Cve) {
        statement.text(Word::CVE_ID, cve);
    }
    statement.report(reading, &mail.fields, ("Subject", subject), evidence)
}

fn address(word: &str) -> Option<Address> {
    Address::parse(word.trim_end_matches(['.', ':']).as_bytes()).filter(|address| *address != Address::NONE)
}

/// The addresses that the text gives the sites: in square brackets behind a location or on the line below it, or in the sentence
/// that says where it is. What a traceroute passed is none of them.
fn addresses(text: &str) -> Vec<Address> {
    let mut found: Vec<Address> = Vec::new();
    for line in text.lines().map(str::trim) {
        let is_of_site = line.starts_with('[') || location(line).is_some();
        let behind = if is_of_site && line.ends_with(']') { bracketed(line) } else { None };
        let sentence = ["located at IP address ", "geregistreerd onder IP ", "at the IP address "];
        let said =
            sentence.iter().find_map(|words| line.split_once(words)).and_then(|(_, rest)| address(rest.split(' ').next()?));
        for address in [behind, said].into_iter().flatten() {
            if !found.contains(&address) && found.len() < 16 {
                found.push(address);
            }
        }
    }
    found
}

/// On whose behalf Netcraft writes; empty when it does not say.
fn customer(text: &str) -> &str {
    let said = ["on behalf of our customer, ", "namens onze klant, "].iter().find_map(|words| text.split_once(words));
    let rest = said.map_or("", |(_, rest)| rest);
    let end = rest.find(['(', '\n', '\r', '.']).unwrap_or(rest.len());
    let name = rest.get(..end).unwrap_or_default().trim();
    if name.len() <= 120 { name } else { "" }
}

/// Words of a subject in small letters, in the order in which they are looked for, and what they accuse of.
const KINDS: &[(&str, Kind)] = &[
    ("phishing", Kind::Phishing),
    ("command and control", Kind::Botnet),
    ("brute force", Kind::LoginAttack),
    ("attacking a web application", Kind::VulnerabilityScan),
    ("vulnerable web application", Kind::Cve),
    ("vulnerable server", Kind::OpenService),
    ("web shell", Kind::RemoteCompromise),
    ("malware", Kind::Malware),
    ("inject", Kind::Malware),
    ("skimm", Kind::Malware),
    ("mobile app", Kind::BrandInfringement),
    ("trademark", Kind::BrandInfringement),
    ("fraud", Kind::Fraud),
    ("scam", Kind::Fraud),
    ("fake", Kind::Fraud),
    ("spam", Kind::Spam),
];

fn kind_of(subject: &str) -> Kind {
    // The location behind `at` may have any words in it.
    let said = subject.split_once(" at ").map_or(subject, |(said, _)| said).to_ascii_lowercase();
    KINDS.iter().find(|(words, _)| said.contains(words)).map_or(Kind::ThreatIntelligence, |(_, kind)| *kind)
}
