//! Reports as IntelMQ's JSON, an object a line: names and types of its data harmonisation, with ours below `extra`.

use model::category::Kind;
use model::report::{Place, Report, Shape, Word};
use model::resource::Host;
use serde_json::{Map, Value, json};

use super::Ids;
use super::facts::Facts;

/// Writes `report` and a newline.
pub fn write(report: &Report<'_>, ids: &Ids, out: &mut Vec<u8>) {
    let facts = Facts::of(report, ids);
    let mut object = Map::new();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            object.insert(name.to_owned(), Value::String(value));
        }
    };
    let (taxonomy, kind) = classification(facts.kind);
    put("classification.taxonomy", taxonomy.to_owned());
    put("classification.type", kind.to_owned());
    put("time.source", if facts.dated { time(facts.time) } else { String::new() });
    put("time.observation", time(facts.received));
    put("source.ip", facts.address.map(|address| address.to_string()).unwrap_or_default());
    put(
        "source.network",
        facts.range.filter(|range| range.prefix_length().is_some()).map(|range| range.to_string()).unwrap_or_default(),
    );
    let of_url = facts.url.as_ref().and_then(|url| match url.host() {
        Host::Name(name) => Some(name.clone()),
        Host::Address(_) => None,
    });
    put("source.url", facts.url.as_ref().map(|url| url.as_str().to_owned()).unwrap_or_default());
    put("source.fqdn", facts.name.clone().or(of_url).map(|name| name.to_string()).unwrap_or_default());
    put("tlp", facts.tlp.word().to_owned());
    for (name, word) in [
        ("source.reverse_dns", Word::REVERSE_DNS),
        ("source.geolocation.cc", Word::COUNTRY),
        ("destination.ip", Word::DESTINATION_IP),
        ("malware.name", Word::MALWARE_FAMILY),
        ("protocol.transport", Word::TRANSPORT),
        ("event_description.text", Word::DESCRIPTION),
        ("feed.name", Word::FEED),
        ("feed.provider", Word::REPORTER_ORG),
        ("classification.identifier", Word::RSIT_IDENTIFIER),
        ("extra.first_seen", Word::FIRST_SEEN),
        ("extra.last_seen", Word::LAST_SEEN),
        ("extra.cve", Word::CVE_ID),
        ("extra.service", Word::SERVICE),
    ] {
        put(name, facts.text(word).to_owned());
    }
    put("extra.xarf_kind", facts.kind.to_string());
    put("extra.report_id", facts.id.clone());
    put("extra.pap", facts.pap.word().to_owned());
    // Names of malware are in lower case there.
    if let Some(Value::String(name)) = object.get_mut("malware.name") {
        *name = name.to_lowercase();
    }
    for (name, number) in [
        ("source.port", u64::from(facts.port)),
        ("source.asn", facts.text(Word::ASN).parse().unwrap_or(0)),
        ("destination.port", facts.text(Word::DESTINATION_PORT).parse().unwrap_or(0)),
        ("extra.incidents", facts.text(Word::INCIDENTS).parse().unwrap_or(0)),
    ] {
        if number > 0 {
            object.insert(name.to_owned(), json!(number));
        }
    }
    if let Some(percent) = facts.confidence {
        object.insert("feed.accuracy".to_owned(), json!(percent));
    }
    for (word, value) in report.fields() {
        let (name, place) = report.name(word);
        if place == Place::Extra && value.shape == Shape::Text {
            let key: String =
                name.chars().map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '_' }).collect();
            object.entry(format!("extra.{key}")).or_insert_with(|| json!(value.text()));
        }
    }
    let tags: Vec<&str> =
        report.fields().filter(|(word, _)| report.name(*word).1 == Place::Tag).map(|(_, tag)| tag.text()).collect();
    if !tags.is_empty() {
        object.insert("extra.tags".to_owned(), json!(tags));
    }
    out.extend_from_slice(Value::Object(object).to_string().as_bytes());
    out.push(b'\n');
}

/// IntelMQ writes the zone as an offset.
fn time(time: model::time::Time) -> String {
    let text = time.to_string();
    format!("{}+00:00", text.trim_end_matches('Z'))
}

/// Taxonomy and type of the Reference Security Incident Taxonomy, as IntelMQ has them.
fn classification(kind: Kind) -> (&'static str, &'static str) {
    match kind {
        Kind::Spam | Kind::BulkMessaging => ("abusive-content", "spam"),
        Kind::Ddos => ("availability", "ddos"),
        Kind::LoginAttack => ("intrusion-attempts", "brute-force"),
        Kind::PortScan | Kind::Reconnaissance | Kind::VulnerabilityScan => ("information-gathering", "scanner"),
        Kind::InfectedHost => ("malicious-code", "infected-system"),
        Kind::SqlInjection => ("intrusion-attempts", "exploit"),
        Kind::Phishing => ("fraud", "phishing"),
        Kind::Malware => ("malicious-code", "malware-distribution"),
        Kind::Fraud | Kind::BrandInfringement => ("fraud", "masquerade"),
        Kind::ExposedData => ("information-content-security", "data-leak"),
        Kind::RemoteCompromise | Kind::CompromisedServer => ("intrusions", "system-compromise"),
        Kind::Copyright | Kind::Cyberlocker | Kind::LinkSite | Kind::PeerToPeer | Kind::UgcPlatform | Kind::Usenet => {
            ("fraud", "copyright")
        }
        Kind::Botnet => ("malicious-code", "c2-server"),
        Kind::Blocklist => ("other", "blacklist"),
        Kind::Cve | Kind::Misconfiguration => ("vulnerable", "vulnerable-system"),
        Kind::OpenService => ("vulnerable", "potentially-unwanted-accessible"),
        Kind::ThreatIntelligence | Kind::Scraping | Kind::SuspiciousRegistration | Kind::Csam | Kind::Csem => {
            ("other", "undetermined")
        }
    }
}
