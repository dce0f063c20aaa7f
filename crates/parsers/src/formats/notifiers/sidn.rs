//! SIDN, who run .nl: notifications of misuse of a domain name or site, in Dutch or English. Most of what SIDN has reported comes
//! from Netcraft and is read by [`super::netcraft`].

use model::category::Kind;
use model::report::Word;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::labelled::{Labelled, Labels, Said};
use crate::kinds::mail::{self, Mail};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// SIDN.
pub const FORMAT: Format = Format {
    name: "sidn",
    title: "SIDN: notifications of phishing, malware and fraud below .nl",
    senders: &["SIDN", "sidn.nl"],
    fields: &[
        ("URL, Locatie", "url"),
        ("Domeinnaam, Domain name", "domain"),
        ("IP-adres, IP address", "address"),
        ("Datum, Tijdstip, Date", "time"),
        ("Kenmerk, Referentie, Reference", "report_id"),
        ("Soort, Type, else the subject", "kind"),
    ],
    proven: Proven::After("SIDN's description of its notifications (sidn.nl, combat phishing and malware)"),
    detect,
    parse,
};

const LABELS: Labels = &[
    ("url", Said::Location),
    ("urls", Said::Location),
    ("locatie", Said::Location),
    ("link", Said::Location),
    ("domeinnaam", Said::Domain),
    ("domein", Said::Domain),
    ("domain name", Said::Domain),
    ("domain", Said::Domain),
    ("ip-adres", Said::Address),
    ("ip adres", Said::Address),
    ("ip address", Said::Address),
    ("ip", Said::Address),
    ("datum", Said::Other("time")),
    ("tijdstip", Said::Other("time")),
    ("date", Said::Other("time")),
    ("first seen", Said::Other("time")),
    ("kenmerk", Said::Other("reference")),
    ("referentie", Said::Other("reference")),
    ("reference", Said::Other("reference")),
    ("soort", Said::Other("type")),
    ("soort misbruik", Said::Other("type")),
    ("type", Said::Other("type")),
    ("type of abuse", Said::Other("type")),
];

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    // A registry writes to registrars about much else.
    if !letter.is_from("sidn.nl") {
        return Fit::No;
    }
    let subject = letter.subject.to_ascii_lowercase();
    let telling = ["phishing", "malware", "misbruik", "abuse", "fraud", "nepwebwinkel", "webshop"];
    if telling.iter().any(|word| subject.contains(word)) { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let text = mail::plain(&mail);
    let subject = mail.fields.text("Subject").unwrap_or_default();
    let said = Labelled::read(&text, LABELS, &["sidn.nl"]);
    reading.shape("", &said.labels);
    if said.items.is_empty() {
        reading.unreadable("a mail of SIDN about misuse, and neither a location nor a domain name is labelled in it");
        return Ok(());
    }
    said.each(reading, |reading, item, place| {
        let said = item.get("type").unwrap_or(&subject);
        let kind = kind_of(said);
        if kind == Kind::ThreatIntelligence {
            reading.note(place, format!("what '{}' accuses of is not known; read as {kind}", mail::shown(said)));
        }
        let mut statement = item.statement(kind);
        statement.time = item.get("time").and_then(|time| mail::written(time, None));
        statement.text(Word::REPORT_ID, item.get("reference").unwrap_or_default());
        statement.report(reading, &mail.fields, (place, item.text), Some(("The mail of SIDN", &text)))
    })
}

fn kind_of(said: &str) -> Kind {
    let said = said.to_ascii_lowercase();
    let known = [
        ("phishing", Kind::Phishing),
        ("malware", Kind::Malware),
        ("nepwebwinkel", Kind::Fraud),
        ("webshop", Kind::Fraud),
        ("webwinkel", Kind::Fraud),
        ("fraud", Kind::Fraud),
        ("oplichting", Kind::Fraud),
        ("botnet", Kind::Botnet),
    ];
    known.iter().find(|(words, _)| said.contains(words)).map_or(Kind::ThreatIntelligence, |(_, kind)| *kind)
}
