//! Open tickets of AbuseIO 4, as `sluis import abuseio` takes them out of a database dump: a JSON object a line.
//!
//! A line is one event: `abuseio` (4), `ticket`, `class`, `type`, `ip`, `domain`, `event`, `source`, `time` (Unix seconds, or a
//! date in UTC), `information` (texts by name) and `notes` (texts). The class becomes a kind of XARF v4; what has none is
//! `reputation/threat_intelligence`. Notes stay with the report, in words of their own.

use std::borrow::Cow;

use model::address::Address;
use model::category::Kind;
use model::report::{Core, Place, Word};
use model::resource::{DomainName, Url};
use model::time::Time;
use serde_json::{Map, Value};

use super::{Fit, Format, Proven};
use crate::administration::lines::{Line, Lines};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// Open tickets of AbuseIO 4.
pub const FORMAT: Format = Format {
    name: "abuseio",
    title: "Open tickets of AbuseIO 4, as 'sluis import abuseio' hands them in",
    senders: &["sluis import abuseio"],
    fields: &[("ip", "address"), ("domain", "domain"), ("first_seen, last_seen", "time"), ("class, type", "kind")],
    proven: Proven::After("AbuseIO's migrations and seeds"),
    detect,
    parse,
};

/// Facts and notes of one report.
const MOST: usize = 200;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let start = prefix.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(prefix.bytes).trim_ascii_start();
    let rest = start.strip_prefix(b"{").map(<[u8]>::trim_ascii_start).and_then(|rest| rest.strip_prefix(b"\"abuseio\""));
    match rest.map(<[u8]>::trim_ascii_start) {
        Some([b':', ..]) => Fit::Certain,
        _ => Fit::No,
    }
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let limit = reading.hint.limits.line;
    let mut lines = Lines::new(source, limit);
    loop {
        let number = lines.number() + 1;
        let (bytes, too_long) = match lines.next_line()? {
            None => return Ok(()),
            Some(Line::Whole(bytes)) => (bytes.trim_ascii(), false),
            Some(Line::TooLong(bytes)) => (bytes, true),
        };
        if bytes.is_empty() {
            continue;
        }
        let ordinal = reading.ordinal();
        let place = format!("line {number}");
        if too_long {
            reading.reject(ordinal, &place, bytes, format!("a line of over {limit} bytes"));
            continue;
        }
        match report(reading, bytes, ordinal) {
            Ok(core) => reading.report(core)?,
            Err(reason) => reading.reject(ordinal, &place, bytes, reason),
        }
    }
}

/// Reads one line into the open report.
fn report(reading: &mut Reading<'_>, bytes: &[u8], ordinal: u32) -> Result<Core, String> {
    let text = String::from_utf8_lossy(bytes);
    let line: Map<String, Value> = serde_json::from_str(&text).map_err(|error| format!("not a JSON object: {error}"))?;
    let said = |name: &str| match line.get(name) {
        Some(Value::String(text)) => Cow::Borrowed(text.trim()),
        Some(Value::Number(number)) => Cow::Owned(number.to_string()),
        _ => Cow::Borrowed(""),
    };
    if said("abuseio") != "4" {
        return Err("not of AbuseIO 4: 'abuseio' is another number".to_owned());
    }
    let class = said("class");
    let mut core = Core::new(kind_of(&class), ordinal);
    core.set_observed(time(&said("time")));
    // AbuseIO writes a loopback address, or nothing, where only a name is known.
    let ip = said("ip");
    let is_none = ip.starts_with("127.") || ip == "::1";
    core.address = Address::parse(ip.as_bytes()).filter(|_| !is_none).unwrap_or(Address::NONE);
    let facts = line.get("information").and_then(Value::as_object);
    let fact = |name: &str| facts.and_then(|facts| facts.get(name)).and_then(Value::as_str).unwrap_or("").trim();
    let name = DomainName::parse(&said("domain"));
    let url = url(fact("url"), fact("uri"), name.as_ref());
    let batch = reading.batch();
    if core.address == Address::NONE {
        let place =
            url.as_ref().map(|url| url.as_str().to_owned()).or_else(|| name.as_ref().map(|name| name.as_str().to_owned()));
        match place {
            Some(place) => batch.text(Word::SOURCE_IDENTIFIER, place),
            None => return Err("it has neither an address nor a domain name".to_owned()),
        }
    }
    if let Some(url) = &url {
        batch.text(Word::URL, url.as_str());
    }
    if let Some(name) = &name {
        batch.text(Word::DOMAIN, name.as_str());
    }
    if let Ok(port) = fact("port").parse::<u16>() {
        core.port = port;
    }
    let number = [said("ticket"), said("event")].join("-");
    if let Some(number) = Some(number.trim_matches('-')).filter(|number| !number.is_empty()) {
        batch.text(Word::REPORT_ID, format!("abuseio-{number}"));
    }
    if !said("source").is_empty() {
        batch.text(Word::REPORTER_ORG, said("source").as_bytes());
    }
    for (word, value) in [("abuseio_ticket", said("ticket")), ("abuseio_class", class.clone()), ("abuseio_type", said("type"))] {
        if !value.is_empty() {
            let word = batch.word(word, Place::Extra);
            batch.text(word, value.as_bytes());
        }
    }
    for (name, value) in facts.into_iter().flatten().take(MOST) {
        if let Some(value) = value.as_str().filter(|value| !value.is_empty() && !name.is_empty()) {
            let word = batch.word(name, Place::Extra);
            batch.text(word, value);
        }
    }
    for note in line.get("notes").and_then(Value::as_array).into_iter().flatten().take(MOST).filter_map(Value::as_str) {
        let word = batch.word("abuseio_note", Place::Extra);
        batch.text(word, note);
    }
    Ok(core)
}

/// Unix seconds, or a date in UTC.
fn time(text: &str) -> Option<Time> {
    match text.parse::<i64>() {
        Ok(0) => None,
        Ok(seconds) => Time::from_unix_seconds(seconds),
        Err(_) => Time::parse(text.as_bytes()),
    }
}

/// The location of content: AbuseIO keeps the path apart from the domain name.
fn url(url: &str, uri: &str, name: Option<&DomainName>) -> Option<Url> {
    Url::parse(url).or_else(|| Url::parse(uri)).or_else(|| {
        let name = name.filter(|_| uri.starts_with('/') && uri.len() > 1)?;
        Url::parse(&format!("http://{}{uri}", name.as_str()))
    })
}

/// The kind of a class. Classes come with AbuseIO's parsers, and an installation may have its own.
fn kind_of(class: &str) -> Kind {
    match class {
        "BOTNET_CONTROLLER" => Kind::Botnet,
        "BOTNET_INFECTION" | "MALWARE_INFECTION" => Kind::InfectedHost,
        "COMPROMISED_SERVER" => Kind::CompromisedServer,
        "COMPROMISED_WEBSITE" => Kind::RemoteCompromise,
        "COPYRIGHT_INFRINGEMENT" => Kind::Copyright,
        "DISTRIBUTION_WEBSITE" | "MALWARE_WEBSITE" | "RANSOMWARE_DISTRIBUTION_WEBSITE" | "RANSOMWARE_PAYMENT_SITE" => {
            Kind::Malware
        }
        "PHISHING_WEBSITE" | "PHISING_WEBSITE" => Kind::Phishing,
        "HARVESTING" => Kind::Scraping,
        "LOGIN_ATTACK" => Kind::LoginAttack,
        "PORT_SCAN" | "PORTSCAN" => Kind::PortScan,
        "POSSIBLE_DDOS_SENDING_SERVER" | "DDOS_SENDING_SERVER" => Kind::Ddos,
        "RBL_LISTED" => Kind::Blocklist,
        "SPAM" | "SPAMTRAP" | "SPAMVERTISED_WEBSITE" => Kind::Spam,
        class if class.contains("CHILD") || class.contains("CSAM") => Kind::Csam,
        class if class.contains("VULNERABLE") || class.starts_with("CVE") => Kind::Cve,
        class if class.starts_with("OPEN_") || class.starts_with("ACCESSIBLE_") => Kind::OpenService,
        _ => Kind::ThreatIntelligence,
    }
}
