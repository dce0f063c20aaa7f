//! Events of n6, the exchange platform of CERT Polska and others: JSON, as its API and its stream send it.
//!
//! An event may name several addresses, as what a domain name resolves to; each is a report of its own. Victims and names that were
//! only asked for are intelligence.

use std::borrow::Cow;

use serde_json::Value;

use super::super::{Fit, Format, Proven};
use crate::kinds::lists::has_members;
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sender, Sheet, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

use model::category::Kind;

/// n6.
pub const FORMAT: Format = Format {
    name: "n6",
    title: "n6, events as JSON (https://n6.readthedocs.io)",
    senders: &["CERT Polska", "n6.cert.pl"],
    fields: &[
        ("address.ip, sport", "address, port"),
        ("time", "time"),
        ("category", "kind"),
        ("url, fqdn", "url, domain"),
        ("dip, dport, proto", "destination_ip, destination_port, transport"),
        ("name, target", "malware_family, description"),
        ("confidence", "confidence: low 20, medium 50, high 90"),
    ],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    if has_members(prefix.bytes, &["category", "confidence", "source", "time", "id"]) { Fit::Certain } else { Fit::No }
}

static LAYOUT: Layout = Layout {
    feed: "n6",
    sender: Sender { org: "n6", contact: "n6@cert.pl", domain: "n6.cert.pl" },
    columns: &[
        ("time", Means::Time(Written::Iso)),
        (
            "category",
            Means::Class(&[
                ("amplifier", rsit::DDOS_AMPLIFIER),
                ("backdoor", rsit::SYSTEM_COMPROMISE),
                ("bots", rsit::INFECTED_SYSTEM),
                ("cnc", rsit::C2_SERVER),
                ("deface", rsit::UNAUTHORISED_CHANGE),
                ("dns-query", rsit::OTHER),
                ("dos-attacker", rsit::DDOS),
                ("dos-victim", rsit::DDOS.as_kind(Kind::ThreatIntelligence)),
                ("exposed", rsit::UNWANTED_ACCESSIBLE),
                ("flow", rsit::OTHER),
                ("flow-anomaly", rsit::OTHER),
                ("fraud", rsit::UNAUTHORISED_USE),
                ("leak", rsit::DATA_LEAK),
                ("malurl", rsit::MALWARE_DISTRIBUTION),
                ("malware-action", rsit::OTHER),
                ("phish", rsit::PHISHING),
                ("proxy", rsit::PROXY),
                ("sandbox-url", rsit::OTHER_MALWARE),
                ("scam", rsit::MASQUERADE.as_kind(Kind::Fraud)),
                ("scanning", rsit::SCANNER),
                ("server-exploit", rsit::EXPLOIT),
                ("spam", rsit::SPAM),
                ("spam-url", rsit::SPAM.as_kind(Kind::ThreatIntelligence)),
                ("tor", rsit::TOR),
                ("vulnerable", rsit::VULNERABLE_SYSTEM),
                ("webinject", rsit::OTHER_MALWARE),
            ]),
        ),
        ("address.ip", Means::Address),
        ("address.cc", Means::Country),
        ("address.asn", Means::Asn),
        ("sport", Means::Port),
        ("url", Means::Url),
        ("fqdn", Means::Domain),
        ("dip", Means::DestinationIp),
        ("dport", Means::DestinationPort),
        ("proto", Means::Transport),
        ("name", Means::Text("malware_family")),
        ("target", Means::Keep),
        ("md5", Means::Hash),
        ("sha1", Means::Hash),
        ("sha256", Means::Hash),
        ("id", Means::Text("report_id")),
        ("confidence", Means::Keep),
        ("type", Means::Keep),
    ],
    each: Some(event),
    ..Layout::PLAIN
};

fn event(row: &mut Row<'_>) -> Result<(), String> {
    row.core.confidence = super::in_words(row.get("confidence")).unwrap_or(row.core.confidence);
    // Of what n6 puts under no other category, entries of lists are told by their type.
    if row.class == rsit::OTHER && row.get("type").starts_with(b"bl-") {
        row.class = rsit::BLACKLIST;
    }
    Ok(())
}

/// Addresses of one event that are read.
const ADDRESSES: usize = 1_000;

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let mut sheet = Sheet::new(&LAYOUT, Vec::new(), reading);
    let most = reading.hint.limits.line;
    objects::walk(reading, source, &[], most, &mut |reading, mut found| {
        let addresses = match found.members.remove("address") {
            Some(Value::Array(addresses)) => addresses,
            Some(other) => vec![other],
            None => Vec::new(),
        };
        let mut common = Vec::new();
        let fits = objects::flatten(&found.members, "", 0, &mut common);
        if !fits || addresses.len() > ADDRESSES {
            let ordinal = reading.ordinal();
            reading.reject(ordinal, &found.place, found.text, "the event has more members or addresses than are read");
            return Ok(());
        }
        let mut one = |reading: &mut Reading<'_>, address: Option<&Value>| {
            let mut members: Vec<(String, Cow<'_, str>)> = common.clone();
            if let Some(Value::Object(address)) = address {
                objects::flatten(address, "address", 0, &mut members);
            }
            let ordinal = reading.ordinal();
            objects::put(reading, &mut sheet, members, ordinal, &found.place, found.text)
        };
        if addresses.is_empty() {
            return one(reading, None);
        }
        addresses.iter().try_for_each(|address| one(reading, Some(address)))
    })?;
    sheet.tell(reading);
    Ok(())
}
