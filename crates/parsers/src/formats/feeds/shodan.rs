//! Banners of Shodan, JSON: what a scan of the Internet saw at an address and port.
//!
//! A banner accuses nobody: it is intelligence, unless the operator says what kind of finding the feed is of, or Shodan has verified
//! that the service is vulnerable.

use serde_json::Value;

use super::super::{Fit, Format, Proven};
use crate::kinds::objects;
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sender, Sheet, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

use model::category::Kind;

/// Shodan.
pub const FORMAT: Format = Format {
    name: "shodan",
    title: "Shodan's banners, JSON (https://datapedia.shodan.io)",
    senders: &["Shodan", "shodan.io"],
    fields: &[
        ("ip_str, port, transport", "address, port, transport"),
        ("timestamp", "time"),
        ("hostnames", "source_reverse_dns"),
        ("location.country_code, asn", "source_country, source_asn"),
        ("the member of a protocol, _shodan.module", "application"),
        ("vulns that are verified", "cve_id"),
    ],
    proven: Proven::By("IntelMQ"),
    detect,
    parse,
};

fn detect(prefix: &Prefix<'_>) -> Fit {
    let members = prefix.members();
    let has = |name: &str| members.contains(&name);
    if has("ip_str") && has("port") && (has("_shodan") || has("timestamp") && has("hash")) { Fit::Certain } else { Fit::No }
}

static LAYOUT: Layout = Layout {
    feed: "shodan",
    identifier: "shodan-scan",
    sender: Sender { org: "Shodan", contact: "support@shodan.io", domain: "shodan.io" },
    columns: &[
        ("timestamp", Means::Time(Written::Iso)),
        ("ip_str", Means::Address),
        ("ip", Means::Skip),
        ("ipv6", Means::Skip),
        ("port", Means::Port),
        ("transport", Means::Transport),
        ("application", Means::Application),
        ("asn", Means::Asn),
        ("location.country_code", Means::Country),
        ("reverse_dns", Means::Text("source_reverse_dns")),
        ("cve", Means::Text("cve_id")),
        ("hash", Means::Skip),
    ],
    each: Some(banner),
    ..Layout::PLAIN
};

fn banner(row: &mut Row<'_>) -> Result<(), String> {
    if !row.get("cve").is_empty() {
        row.class = rsit::VULNERABLE_SYSTEM.as_kind(Kind::Cve);
    }
    Ok(())
}

/// Members that are objects and no protocols.
const OTHERS: &[&str] = &["_shodan", "location", "cloud", "opts", "vulns"];

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let mut sheet = Sheet::new(&LAYOUT, Vec::new(), reading);
    let most = reading.hint.limits.line;
    objects::walk(reading, source, &[], most, &mut |reading, mut found| {
        let members = &mut found.members;
        let mut protocol = None;
        for (name, value) in members.iter_mut().filter(|(_, value)| value.is_object()) {
            if !OTHERS.contains(&name.as_str()) {
                protocol = protocol.or_else(|| Some(name.clone()).filter(|name| name != "ssl"));
            }
            // Protocols have members by the hundred; all but a few are kept as they stand.
            if name != "location" && name != "vulns" {
                *value = Value::String(value.to_string());
            }
        }
        if let Some(Value::Object(found)) = members.remove("vulns") {
            let verified = |found: &Value| found.get("verified").and_then(Value::as_bool).unwrap_or(false);
            if let Some((name, _)) = found.iter().find(|(_, found)| verified(found)) {
                members.insert("cve".to_owned(), Value::String(name.to_ascii_uppercase()));
            }
            let names: Vec<&str> = found.keys().map(String::as_str).collect();
            members.insert("vulns".to_owned(), Value::String(names.join(", ")));
        }
        if let Some(protocol) = protocol {
            members.insert("application".to_owned(), Value::String(protocol));
        }
        if let Some(name) = members.get("hostnames").and_then(|names| names.get(0)).cloned() {
            members.insert("reverse_dns".to_owned(), name);
        }
        objects::row(reading, &mut sheet, &found)
    })?;
    sheet.tell(reading);
    Ok(())
}
