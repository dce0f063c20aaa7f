//! Reports as one bundle of STIX 2.1, JSON: for each an indicator, what was observed, and how often; marked by TLP and PAP.
//!
//! Every identifier follows from the report's (or, of observables, from their value), so that the same report written twice is
//! one object for whoever reads it. What STIX has no word for are labels of the namespace `xarf`, which our reader takes for what
//! they say.

use std::collections::HashSet;

use model::label::{Pap, Tlp};
use model::report::{Place, Report, Word};
use model::resource::Host;
use model::time::Time;
use serde_json::{Map, Value, json};

use super::facts::Facts;
use super::{Ids, NoWord, Whole, ids};
use crate::formats::exchange::stix::marking::{PAP, PAP_EXTENSION, TLP, TLP_EXTENSION};

/// Labels of a report that go along.
const MOST_LABELS: usize = 32;
/// When the markings of TLP 2 and PAP were made (OASIS common objects).
const TLP_MADE: &str = "2022-10-01T00:00:00.000Z";
const PAP_MADE: &str = "2022-10-02T00:00:00.000Z";

/// What was written, so that nothing is written twice.
#[derive(Debug, Default)]
pub struct State {
    written: HashSet<String>,
    creator: String,
    any: bool,
}

/// Writes the beginning of the bundle: who made it.
pub(super) fn begin(whole: &Whole, state: &mut State, out: &mut Vec<u8>) {
    let id = json!(format!("bundle--{}", ids::ours("bundle", &whole.identifier)));
    out.extend_from_slice(format!("{{\"type\":\"bundle\",\"id\":{id},\"objects\":[").as_bytes());
    state.creator = format!("identity--{}", ids::ours("identity", &whole.organisation));
    let at = stamp(whole.at);
    let identity = json!({
        "type": "identity", "spec_version": "2.1", "id": state.creator, "created": at, "modified": at,
        "name": whole.organisation, "identity_class": "organization",
    });
    state.put(identity, out);
}

/// Writes a report.
pub(super) fn write(report: &Report<'_>, ids: &Ids, whole: &Whole, state: &mut State, out: &mut Vec<u8>) -> Result<(), NoWord> {
    let facts = Facts::of(report, ids);
    let pattern = pattern(&facts).ok_or(NoWord("their place"))?;
    let mut markings: Vec<String> = Vec::new();
    if let Some(marking) = tlp(facts.tlp) {
        markings.push(state.put(marking, out));
    }
    if let Some(marking) = pap(facts.pap) {
        markings.push(state.put(marking, out));
    }
    let (created, seen) = (stamp(facts.received), stamp(facts.time));
    let creator = state.creator.clone();
    let of = |sort: &str| format!("{sort}--{}", ids::ours(sort, &facts.id));
    let finish = |mut object: Value| {
        if let Value::Object(members) = &mut object {
            for (name, value) in [
                ("spec_version", json!("2.1")),
                ("created", json!(created)),
                ("modified", json!(created)),
                ("created_by_ref", json!(creator)),
            ] {
                members.insert(name.to_owned(), value);
            }
            if !markings.is_empty() {
                members.insert("object_marking_refs".to_owned(), json!(markings));
            }
        }
        object
    };
    let indicator = of("indicator");
    let mut object = json!({
        "type": "indicator",
        "id": indicator,
        "name": format!("{} at {}", facts.kind, shown(&facts)),
        "indicator_types": [if facts.accuses() { "malicious-activity" } else { "unknown" }],
        "pattern": pattern,
        "pattern_type": "stix",
        "pattern_version": "2.1",
        "valid_from": seen,
        "labels": labels(&facts),
    });
    if let Value::Object(members) = &mut object {
        let description = match facts.text(Word::DESCRIPTION) {
            "" => format!("Reported at {}", facts.received),
            text => text.to_owned(),
        };
        members.insert("description".to_owned(), json!(description));
        if let Some(percent) = facts.confidence {
            members.insert("confidence".to_owned(), json!(percent));
        }
        // The identifier that the report has elsewhere.
        members.insert("external_references".to_owned(), json!([{"source_name": "sluis", "external_id": facts.id}]));
    }
    let mut objects = vec![finish(object)];
    let observables = observables(&facts);
    let references: Vec<&Value> = observables.iter().filter_map(|observable| observable.get("id")).collect();
    let first = facts.at(Word::FIRST_SEEN).filter(|first| *first <= facts.time).unwrap_or(facts.time);
    let count = facts.text(Word::INCIDENTS).parse::<u64>().unwrap_or(1).clamp(1, 999_999_999);
    let observed = of("observed-data");
    if !references.is_empty() {
        objects.push(finish(json!({
            "type": "observed-data", "id": observed, "first_observed": stamp(first), "last_observed": seen,
            "number_observed": count, "object_refs": references,
        })));
        objects.push(finish(json!({
            "type": "relationship", "id": of("relationship"), "relationship_type": "based-on",
            "source_ref": indicator, "target_ref": observed,
        })));
    }
    if facts.dated && (!facts.text(Word::INCIDENTS).is_empty() || !facts.text(Word::FIRST_SEEN).is_empty()) {
        objects.push(finish(json!({
            "type": "sighting", "id": of("sighting"), "sighting_of_ref": indicator, "count": count,
            "first_seen": stamp(first), "last_seen": seen,
        })));
    }
    let family = facts.text(Word::MALWARE_FAMILY);
    if !family.is_empty() {
        // One malware has one object, whatever reports name it: so it bears no markings of theirs, and the moment of this writing.
        let malware = format!("malware--{}", ids::ours("malware", &family.to_lowercase()));
        let made = stamp(whole.at);
        state.put(
            json!({
                "type": "malware", "spec_version": "2.1", "id": malware, "created": made, "modified": made,
                "created_by_ref": creator, "name": family, "is_family": true,
            }),
            out,
        );
        objects.push(finish(json!({
            "type": "relationship", "id": format!("relationship--{}", ids::ours("indicates", &facts.id)),
            "relationship_type": "indicates", "source_ref": indicator, "target_ref": malware,
        })));
    }
    for object in observables.into_iter().chain(objects) {
        state.put(object, out);
    }
    Ok(())
}

/// Writes the end of the bundle.
pub(super) fn end(_state: &State, out: &mut Vec<u8>) {
    out.extend_from_slice(b"]}\n");
}

impl State {
    /// Writes an object unless it is there; its identifier.
    fn put(&mut self, object: Value, out: &mut Vec<u8>) -> String {
        let id = object.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        if self.written.insert(id.clone()) {
            if self.any {
                out.push(b',');
            }
            self.any = true;
            out.extend_from_slice(object.to_string().as_bytes());
        }
        id
    }
}

/// The pattern that finds the place; `None` when STIX cannot name it.
fn pattern(facts: &Facts<'_>) -> Option<String> {
    if let Some(url) = &facts.url {
        return Some(format!("[url:value = '{}']", escaped(url.as_str())));
    }
    let family = |address: &str| if address.contains(':') { "ipv6-addr" } else { "ipv4-addr" };
    match (&facts.name, facts.address, facts.port) {
        (Some(name), Some(address), _) => {
            Some(format!("[domain-name:value = '{name}' AND domain-name:resolves_to_refs[*].value = '{address}']"))
        }
        (Some(name), None, _) => Some(format!("[domain-name:value = '{name}']")),
        (None, Some(address), 0) => {
            let address = address.to_string();
            Some(format!("[{}:value = '{address}']", family(&address)))
        }
        (None, Some(address), port) => {
            let address = address.to_string();
            let side = if facts.is_from() { "src" } else { "dst" };
            let kind = family(&address);
            Some(format!(
                "[network-traffic:{side}_ref.type = '{kind}' AND network-traffic:{side}_ref.value = '{address}' AND network-traffic:{side}_port = {port}]"
            ))
        }
        (None, None, _) => {
            let range = facts.range.filter(|range| range.prefix_length().is_some())?.to_string();
            Some(format!("[{}:value = '{range}']", family(&range)))
        }
    }
}

/// What STIX's own words do not say.
fn labels(facts: &Facts<'_>) -> Vec<String> {
    let report = facts.report;
    let tags = report.fields().filter(|(word, _)| report.name(*word).1 == Place::Tag).map(|(_, tag)| tag.text());
    let mut labels: Vec<String> = tags.filter(|tag| !tag.starts_with("xarf:")).take(MOST_LABELS).map(str::to_owned).collect();
    labels.push(format!("xarf:kind=\"{}\"", facts.kind));
    let in_pattern = facts.url.is_none();
    if let Some(address) = facts.address_beside_url().filter(|_| !in_pattern) {
        labels.push(format!("xarf:source-identifier=\"{address}\""));
    }
    let port_told = facts.port_beside_url() == 0 || in_pattern && facts.name.is_none();
    if !port_told {
        labels.push(format!("xarf:source-port=\"{}\"", facts.port));
    }
    if !facts.dated {
        labels.push("xarf:undated=\"true\"".to_owned());
    }
    labels
}

/// The observables of a place.
fn observables(facts: &Facts<'_>) -> Vec<Value> {
    let of = |kind: &str, value: &str| {
        let canonical = Value::Object(Map::from_iter([("value".to_owned(), json!(value))])).to_string();
        let id = format!("{kind}--{}", ids::observable(&canonical));
        json!({"type": kind, "spec_version": "2.1", "id": id, "value": value})
    };
    let mut all = Vec::new();
    if let Some(url) = &facts.url {
        all.push(of("url", url.as_str()));
        if let Host::Name(name) = url.host() {
            all.push(of("domain-name", name.as_str()));
        }
    }
    if let Some(name) = &facts.name {
        all.push(of("domain-name", name.as_str()));
    }
    let address = facts.address.map(|address| address.to_string());
    let range = facts.range.filter(|range| range.prefix_length().is_some()).map(|range| range.to_string());
    if let Some(text) = address.or(range) {
        all.push(of(if text.contains(':') { "ipv6-addr" } else { "ipv4-addr" }, &text));
    }
    all
}

fn shown(facts: &Facts<'_>) -> String {
    let host = facts.url.as_ref().map(|url| url.host().to_string());
    let place = host.or_else(|| facts.name.as_ref().map(|name| name.to_string()));
    let place = place.or_else(|| facts.address.map(|address| address.to_string()));
    place.or_else(|| facts.range.map(|range| range.to_string())).unwrap_or_default()
}

/// A string of STIX's patterns.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "\\'")
}

/// STIX writes milliseconds.
fn stamp(time: Time) -> String {
    let text = time.to_string();
    if text.contains('.') { text } else { format!("{}.000Z", text.trim_end_matches('Z')) }
}

/// The marking of TLP 2, with its fixed identifier.
fn tlp(label: Tlp) -> Option<Value> {
    // Version 2's stand behind version 1's.
    let (id, _) = TLP.iter().rev().find(|(_, known)| *known == label)?;
    Some(json!({
        "type": "marking-definition", "spec_version": "2.1", "id": format!("marking-definition--{id}"), "created": TLP_MADE,
        "name": label.to_string(),
        "extensions": {TLP_EXTENSION: {"extension_type": "property-extension", "tlp_2_0": label.word().to_ascii_lowercase()}},
    }))
}

/// The marking of PAP, with its fixed identifier.
fn pap(label: Pap) -> Option<Value> {
    let (id, _) = PAP.iter().find(|(_, known)| *known == label)?;
    Some(json!({
        "type": "marking-definition", "spec_version": "2.1", "id": format!("marking-definition--{id}"), "created": PAP_MADE,
        "name": label.to_string(),
        "extensions": {PAP_EXTENSION: {"extension_type": "property-extension", "pap": label.word().to_ascii_lowercase()}},
    }))
}
