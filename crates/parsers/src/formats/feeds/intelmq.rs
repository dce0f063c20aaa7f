//! IntelMQ's events, one JSON object a line or in a list: what its JSON and file outputs write, so that its users pipe into Sluis.
//!
//! `source.*` is who is reported and `destination.*` who was attacked or contacted; `classification.type` gives the kind. An event
//! may be flat (`"source.ip"`) or have objects in objects (`"source": {"ip": …}`). What the event was made from, `raw`, becomes
//! evidence.

use std::borrow::Cow;
use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::report::Word;
use model::time::Time;

use super::super::{Fit, Format, Proven};
use crate::kinds::csv::COLUMNS;
use crate::kinds::members::{self, Flat, LONGEST_NAME};
use crate::kinds::rsit;
use crate::kinds::table::{Layout, Means, Row, Sheet, Written};
use crate::read::Reading;
use crate::sink::Stop;
use crate::source::{Prefix, Source};

/// IntelMQ's events.
pub const FORMAT: Format = Format {
    name: "intelmq",
    title: "IntelMQ's events, JSON (https://docs.intelmq.org, its data format)",
    senders: &["IntelMQ"],
    fields: &[
        ("source.ip, source.network", "address"),
        ("source.port", "port"),
        ("time.source, else time.observation", "time"),
        ("classification.type", "kind"),
        ("source.url, source.fqdn", "url, domain"),
        ("destination.*", "destination_*"),
        ("malware.name", "malware_family"),
        ("feed.provider, feed.name, feed.accuracy", "reporter.org, feed, confidence"),
        ("raw", "evidence"),
        ("every other", "its own name"),
    ],
    proven: Proven::After("IntelMQ's documentation of its data format"),
    detect,
    parse,
};

/// Bytes of what an event was made from that are kept.
const RAW: usize = 64 << 10;

fn detect(prefix: &Prefix<'_>) -> Fit {
    let members = prefix.members();
    let flat = |begin: &str| members.iter().any(|name| name.starts_with(begin));
    let classified = flat("classification.");
    if classified && (flat("source.") || flat("time.") || flat("feed.")) {
        return Fit::Certain;
    }
    let nested = prefix.has_members(&["classification", "feed", "time"]);
    if nested || (flat("source.") && (flat("time.") || flat("feed."))) { Fit::Likely } else { Fit::No }
}

static LAYOUT: Layout = Layout {
    class: rsit::OTHER,
    columns: &[
        ("time.source", Means::Time(Written::Iso)),
        ("time.observation", Means::Keep),
        ("classification.type", Means::Rsit),
        ("classification.taxonomy", Means::Skip),
        ("classification.identifier", Means::Text("rsit_identifier")),
        ("source.ip", Means::Address),
        ("source.port", Means::Port),
        ("source.url", Means::Url),
        ("source.fqdn", Means::Domain),
        ("source.network", Means::Keep),
        ("source.asn", Means::Asn),
        ("source.geolocation.cc", Means::Country),
        ("source.reverse_dns", Means::Text("source_reverse_dns")),
        ("destination.ip", Means::DestinationIp),
        ("destination.port", Means::DestinationPort),
        ("destination.fqdn", Means::DestinationDomain),
        ("destination.url", Means::Text("destination_url")),
        ("protocol.transport", Means::Transport),
        ("protocol.application", Means::Application),
        ("malware.name", Means::Text("malware_family")),
        ("malware.hash.md5", Means::Hash),
        ("malware.hash.sha1", Means::Hash),
        ("malware.hash.sha256", Means::Hash),
        ("event_description.text", Means::Text("description")),
        ("feed.provider", Means::Text("reporter.org")),
        ("feed.name", Means::Text("feed")),
        ("feed.accuracy", Means::Confidence),
        ("tlp", Means::Tlp),
        ("__type", Means::Skip),
        ("raw", Means::Skip),
    ],
    each: Some(event),
    ..Layout::PLAIN
};

/// What the columns alone do not say.
fn event(row: &mut Row<'_>) -> Result<(), String> {
    // When a source says no time, IntelMQ's own is when it saw it in the source's list.
    row.time = row.time.or_else(|| Time::parse(row.get("time.observation")));
    if row.core.address == model::address::Address::NONE && row.url.is_empty() && row.domain.is_empty() {
        let network = row.get("source.network");
        if !network.is_empty() && !row.take_address(network) {
            return Err("no readable prefix in 'source.network'".to_owned());
        }
        let number = row.get_text("source.asn");
        if network.is_empty() && !number.is_empty() {
            row.handle = Cow::Owned(format!("AS{number}").into_bytes());
        }
    }
    Ok(())
}

fn parse(reading: &mut Reading<'_>, source: &mut Source<'_>) -> Result<(), Stop> {
    let mut sheet = Sheet::new(&LAYOUT, Vec::new(), reading);
    let mut columns: HashMap<String, usize> = HashMap::new();
    let mut flat = Flat::default();
    let mut evidence = Vec::new();
    members::each(reading, source, "", &mut |reading, object, place| {
        let ordinal = reading.ordinal();
        flat.clear();
        let (mut fits, mut secret) = (true, false);
        evidence.clear();
        members::leaves(object, &|_| false, &mut |path, text| {
            let at = match columns.get(path) {
                Some(at) => *at,
                None if columns.len() < COLUMNS && path.len() <= LONGEST_NAME => {
                    let at = sheet.column(path, reading.batch());
                    columns.insert(path.to_owned(), at);
                    at
                }
                None => {
                    fits = false;
                    return;
                }
            };
            match path {
                "raw" => evidence.extend_from_slice(text.as_bytes()),
                // Content that may be child abuse material is not kept with what tells of it.
                "classification.type" => secret |= text.contains("violence") || text.contains("child"),
                _ => {}
            }
            flat.set(at, text);
        });
        let read = match fits {
            true => sheet.row(&flat, 0, reading, ordinal),
            false => Err(members::too_many_names()),
        };
        if read.is_ok() && !evidence.is_empty() && !secret {
            raw(reading, &evidence);
        }
        members::end(reading, ordinal, object, place, read)
    })?;
    let mut names: Vec<&str> = columns.keys().map(String::as_str).filter(|name| !name.starts_with("extra.")).collect();
    names.sort_unstable();
    reading.shape("", &names);
    Ok(())
}

/// What the event was made from, as evidence: IntelMQ writes it in base64.
fn raw(reading: &mut Reading<'_>, text: &[u8]) {
    let decoded = STANDARD.decode(text);
    let bytes = decoded.as_deref().unwrap_or(text);
    let cut = bytes.get(..bytes.len().min(RAW)).unwrap_or_default();
    let media = if std::str::from_utf8(cut).is_ok() { "text/plain" } else { "application/octet-stream" };
    let batch = reading.batch();
    batch.text(Word::EVIDENCE_TYPE, media);
    let description =
        if cut.len() < bytes.len() { "What the event was made from; its beginning" } else { "What the event was made from" };
    batch.text(Word::EVIDENCE_DESCRIPTION, description);
    batch.bytes(Word::EVIDENCE_PAYLOAD, cut);
}
