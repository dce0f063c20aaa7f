//! Cyscon (C-SIRT): one malicious location each, between marks in the text, and again in a file beside it.

use model::address::Address;
use model::category::Kind;
use model::report::Word;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::labelled::{Labelled, Labels, Said};
use crate::kinds::mail::{self, Mail};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Cyscon.
pub const FORMAT: Format = Format {
    name: "cyscon",
    title: "Cyscon C-SIRT: mails about one malicious location",
    senders: &["Cyscon", "cyscon.de"],
    fields: &[
        ("IP", "address"),
        ("URL", "url"),
        ("Tested on", "time"),
        ("Result", "kind, malware_family"),
        ("subject, [CSIRT#…]", "report_id"),
        ("the file beside it: file_sha256, asn, country, feedback_url", "cyscon.…"),
    ],
    proven: Proven::By("AbuseIO"),
    detect,
    parse,
};

const LABELS: Labels =
    &[("ip", Said::Address), ("url", Said::Location), ("tested on", Said::Other("time")), ("result", Said::Other("result"))];
/// Fields of the file beside the text, and what they are called here.
const FILE: &[(&str, &str)] = &[
    ("asn:", "cyscon.asn"),
    ("country:", "cyscon.country"),
    ("file_sha256:", "cyscon.file_sha256"),
    ("first_seen:", "cyscon.first_seen"),
    ("last_scan:", "cyscon.last_scan"),
    ("last_seen:", "cyscon.last_seen"),
    ("feedback_url:", "cyscon.feedback_url"),
];

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    let is_own = letter.is_from("cyscon.de") || letter.is_from("cyscon.net") || letter.is_from("c-sirt.org");
    let is_report = letter.subject.contains("CSIRT#") || letter.subject.contains("Malicious content");
    if is_own && is_report { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let text = mail::plain(&mail);
    let inside = text.split_once("# begin logs").and_then(|(_, rest)| rest.split_once("# end logs")).map(|(inside, _)| inside);
    let mut said = Labelled::read(inside.unwrap_or(&text), LABELS, &["cyscon.de", "c-sirt.org", "check-and-secure.com"]);
    said.within = " of the log";
    reading.shape("", &said.labels);
    if said.items.is_empty() {
        reading.unreadable("a mail of Cyscon, and neither 'IP:' nor 'URL:' in it");
        return Ok(());
    }
    let subject = mail.fields.text("Subject").unwrap_or_default();
    let reference = subject.split_once("[CSIRT#").and_then(|(_, rest)| rest.split_once(']')).map_or("", |(id, _)| id);
    let named = subject.split_once("hosted on ").and_then(|(_, rest)| Address::parse(rest.split(' ').next()?.as_bytes()));
    let file = mail.parts.iter().find(|part| part.media.is_text() && part.media.name.ends_with("-report.txt"));
    let file = file.map(|part| String::from_utf8_lossy(&part.utf8()).into_owned()).unwrap_or_default();
    let of_file = mail::after(&file, "ip:").and_then(|said| Address::parse(said.as_bytes()));
    said.each(reading, |reading, item, place| {
        let address = item.address.unwrap_or(Address::NONE);
        let differs = [named, of_file].into_iter().flatten().any(|other| address != Address::NONE && other != address);
        if differs {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, place, item.text.as_bytes(), "subject, text and file name different addresses");
            return Ok(());
        }
        let result = item.get("result").unwrap_or_default();
        let kind = kind_of(result);
        if kind == Kind::ThreatIntelligence {
            reading.note(place, format!("what '{}' accuses of is not known; read as {kind}", mail::shown(result)));
        }
        let mut statement = item.statement(kind);
        statement.time = item.get("time").and_then(|time| mail::written(time, None));
        statement.text(Word::REPORT_ID, reference);
        statement.text(Word::MALWARE_FAMILY, result);
        if said.items.len() == 1 {
            for (label, name) in FILE {
                statement.extra(*name, mail::after(&file, label).unwrap_or_default());
            }
        }
        statement.report(reading, &mail.fields, (place, item.text), Some(("The mail of Cyscon", &text)))
    })
}

/// What a result accuses of: `CYSC.MALWARE.URL.GEN`.
fn kind_of(result: &str) -> Kind {
    let said = result.to_ascii_lowercase();
    let known = [
        ("phish", Kind::Phishing),
        ("malware", Kind::Malware),
        ("virus", Kind::Malware),
        ("trojan", Kind::Malware),
        ("exploit", Kind::Malware),
        ("fraud", Kind::Fraud),
        ("spam", Kind::Spam),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map_or(Kind::ThreatIntelligence, |(_, kind)| *kind)
}
