//! Google Safe Browsing: alerts for who runs an autonomous system, a list of locations in XML.

use model::address::Address;
use model::category::Kind;
use model::report::Word;

use crate::formats::{Fit, Format, Proven};
use crate::kinds::mail::{self, Mail, Statement, location};
use crate::kinds::xml::{self, Element};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Google Safe Browsing.
pub const FORMAT: Format = Format {
    name: "google",
    title: "Google Safe Browsing: alerts for an autonomous system",
    senders: &["Google Safe Browsing", "google.com"],
    fields: &[
        ("url_info url", "url"),
        ("url_info ip", "address"),
        ("notification_message date", "time, the beginning of the day"),
        ("notification_message asn", "source_asn"),
        ("list type", "kind"),
    ],
    proven: Proven::By("AbuseIO"),
    detect,
    parse,
};

const ROOT: &str = "notification_message";

fn detect(prefix: &Prefix<'_>) -> Fit {
    let Some(letter) = prefix.letter() else { return Fit::No };
    let is_alert = letter.is_from("google.com") && letter.subject.starts_with("Safe Browsing");
    if is_alert { Fit::Certain } else { Fit::No }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let Some(bytes) = mail::whole(reading, source)? else { return Ok(()) };
    let mail = Mail::parse(&bytes, reading.hint.limits.parts);
    mail::say_sender(reading, &mail.fields);
    let text = mail.parts.iter().map(mail::Part::utf8).find_map(|bytes| {
        let text = String::from_utf8_lossy(&bytes);
        text.find("<notification_message").and_then(|at| text.get(at..)).map(str::to_owned)
    });
    let Some(text) = text else {
        reading.unreadable("a mail of Google Safe Browsing, and no notification_message in it");
        return Ok(());
    };
    // Words may stand behind it.
    let end = text.rfind("</notification_message>").map_or(text.len(), |at| at + ROOT.len() + 3);
    let mut result = Ok(());
    let read = xml::each(text.get(..end).unwrap_or(&text), ROOT, |_, message| {
        if result.is_ok() {
            result = lists(reading, &mail, message);
        }
    });
    result?;
    if let Err(why) = read {
        let ordinal = reading.ordinal();
        reading.reject(ordinal, "", text.as_bytes(), format!("no XML from here on: {why}"));
    }
    Ok(())
}

fn lists(reading: &mut Reading<'_>, mail: &Mail<'_>, message: &Element) -> Result<(), Stop> {
    let system = message.attribute("asn");
    let date = mail::written(message.attribute("date"), None);
    reading.shape("", &["asn", "date", "type", "url", "ip"]);
    for list in message.all("list") {
        let kind = match list.attribute("type") {
            "0" => Kind::RemoteCompromise,
            "1" => Kind::Phishing,
            "2" => Kind::Malware,
            other => {
                let kind = Kind::ThreatIntelligence;
                reading.note("", format!("what a list of type '{}' accuses of is not known; read as {kind}", mail::shown(other)));
                kind
            }
        };
        for info in list.all("url_info") {
            let said = info.attribute("url");
            let mut statement = Statement::new(kind);
            statement.url = location(said);
            let address = info.attribute("ip");
            statement.address = Address::parse(address.as_bytes()).unwrap_or(Address::NONE);
            let wrong = if statement.url.is_none() {
                "url is not a location with a host: http://…"
            } else if !address.is_empty() && statement.address == Address::NONE {
                "ip is not an address"
            } else {
                ""
            };
            if !wrong.is_empty() {
                let ordinal = reading.ordinal();
                reading.reject(ordinal, "url_info", format!("{said} {address}").as_bytes(), wrong);
                continue;
            }
            statement.time = date;
            if date.is_some() {
                statement.extra("observed_from", "a day without an hour");
            }
            statement.number(Word::ASN, system);
            statement.text(Word::FEED, list.attribute("type"));
            statement.report(reading, &mail.fields, ("url_info", said), None)?;
        }
    }
    Ok(())
}
