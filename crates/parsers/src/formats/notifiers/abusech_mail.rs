//! abuse.ch: notifications of URLhaus and its other projects to who runs a network.

use model::address::Address;
use model::category::Kind;
use model::report::Word;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::labelled::{Labelled, Labels, Said};
use crate::kinds::mail::{self, Mail};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// abuse.ch.
pub const FORMAT: Format = Format {
    name: "abusech_mail",
    title: "abuse.ch: mails of URLhaus, ThreatFox and Feodo Tracker about sites and controllers",
    senders: &["abuse.ch"],
    fields: &[
        ("URL", "url"),
        ("IP address, subject", "address"),
        ("Port", "port"),
        ("Last seen, First seen, Date added", "time"),
        ("Malware, Threat", "malware_family"),
        ("AS number", "source_asn"),
        ("Proof, Reference", "abusech.reference"),
        ("subject", "kind"),
    ],
    proven: Proven::After("Abusix's parser for URLhaus"),
    detect,
    parse,
};

const LABELS: Labels = &[
    ("url", Said::Location),
    ("urls", Said::Location),
    ("url(s)", Said::Location),
    ("malware url", Said::Location),
    ("malware urls", Said::Location),
    ("malware url(s)", Said::Location),
    ("ip address", Said::Address),
    ("ip address(es)", Said::Address),
    ("ip", Said::Address),
    ("host", Said::Other("host")),
    ("domain", Said::Domain),
    ("port", Said::Other("port")),
    ("as number", Said::Other("asn")),
    ("as name", Said::Other("as_name")),
    ("asn", Said::Other("asn")),
    ("malware", Said::Other("malware")),
    ("threat", Said::Other("malware")),
    ("signature", Said::Other("malware")),
    ("first seen", Said::Other("first_seen")),
    ("date added", Said::Other("first_seen")),
    ("last seen", Said::Other("last_seen")),
    ("last online", Said::Other("last_seen")),
    ("proof", Said::Other("reference")),
    ("reference", Said::Other("reference")),
    ("urlhaus", Said::Other("reference")),
    ("threatfox", Said::Other("reference")),
];

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    if !letter.is_from("abuse.ch") {
        return Fit::No;
    }
    let subject = letter.subject.to_ascii_lowercase();
    let telling = ["malware", "botnet", "urlhaus", "threatfox", "feodo"];
    if telling.iter().any(|word| subject.contains(word)) { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let text = mail::plain(&mail);
    let subject = mail.fields.text("Subject").unwrap_or_default();
    let said = Labelled::read(&text, LABELS, &["abuse.ch"]);
    reading.shape("", &said.labels);
    if said.items.is_empty() {
        reading.unreadable("a mail of abuse.ch, and neither 'URL:' nor 'IP address:' in it");
        return Ok(());
    }
    let mut named: Vec<Address> = subject
        .split([' ', ',', '(', ')', '[', ']'])
        .filter_map(|word| Address::parse(word.trim_end_matches(':').as_bytes()))
        .collect();
    named.dedup();
    said.each(reading, |reading, item, place| {
        let kind = kind_of(&subject, item.url.is_some(), item.get("port").is_some());
        let mut statement = item.statement(kind);
        statement.address = match (item.address, named.as_slice()) {
            (Some(address), _) => address,
            // The subject names where the one site of the mail is.
            (None, [address]) if said.items.len() == 1 => *address,
            _ => Address::NONE,
        };
        statement.port = item.get("port").and_then(|port| port.parse().ok()).unwrap_or(0);
        statement.time = ["last_seen", "first_seen"].iter().find_map(|name| mail::written(item.get(name)?, None));
        for (name, value) in item.others() {
            match name {
                "port" if statement.port != 0 => {}
                "malware" => statement.text(Word::MALWARE_FAMILY, value),
                "asn" => statement.number(Word::ASN, value.trim_start_matches("AS")),
                "reference" => statement.extra("abusech.reference", value),
                "as_name" => statement.extra("abusech.as_name", value),
                "host" => statement.extra("abusech.host", value),
                "first_seen" => statement.extra("abusech.first_seen", value),
                "last_seen" => statement.extra("abusech.last_seen", value),
                _ => {}
            }
        }
        statement.report(reading, &mail.fields, (place, item.text), Some(("The mail of abuse.ch", &text)))
    })
}

/// What a mail accuses of. An address with a port of which a botnet is said is the controller; bots have none.
fn kind_of(subject: &str, has_url: bool, has_port: bool) -> Kind {
    let said = subject.to_ascii_lowercase();
    if said.contains("botnet") || said.contains("feodo") {
        let is_controller = has_port || ["c2", "c&c", "controller", "command"].iter().any(|word| said.contains(word));
        return if is_controller { Kind::Botnet } else { Kind::InfectedHost };
    }
    if has_url { Kind::Malware } else { Kind::ThreatIntelligence }
}
