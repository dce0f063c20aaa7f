//! Reports as one event of MISP, JSON: an attribute each, or a small object where a place has several parts.
//!
//! What MISP has no word for are machine tags of the namespace `xarf`, which our reader takes for what they say.

use model::category::Kind;
use model::label::{Pap, Tlp};
use model::report::{Place, Report, Word};
use serde_json::{Value, json};

use super::facts::Facts;
use super::{Ids, NoWord, Whole, ids};

/// Tags of a report that go along.
const MOST_TAGS: usize = 32;

/// What was written, as far as the end of the event tells it.
#[derive(Debug, Default)]
pub struct State {
    attributes: u64,
    objects: Vec<Value>,
    tlp: Tlp,
    pap: Pap,
}

/// Writes the beginning of the event.
pub(super) fn begin(whole: &Whole, out: &mut Vec<u8>) {
    let organisation = json!({"name": whole.organisation, "uuid": ids::ours("organisation", &whole.organisation)});
    let seconds = whole.at.0.div_euclid(1_000).to_string();
    let date = whole.at.to_string();
    let members = [
        ("uuid", json!(ids::ours("event", &whole.identifier))),
        ("info", json!(whole.title)),
        ("date", json!(date.get(..10).unwrap_or(""))),
        ("timestamp", json!(seconds)),
        // Undefined, and completed: a desk does not rate threats.
        ("threat_level_id", json!("4")),
        ("analysis", json!("2")),
        // Who gets it is for whoever imports it; until then nobody else.
        ("distribution", json!("0")),
        ("published", json!(false)),
        ("Orgc", organisation),
    ];
    out.extend_from_slice(b"{\"Event\":{");
    for (name, value) in members {
        out.extend_from_slice(format!("{}:{value},", json!(name)).as_bytes());
    }
    out.extend_from_slice(b"\"Attribute\":[");
}

/// Writes a report.
pub(super) fn write(report: &Report<'_>, ids: &Ids, state: &mut State, out: &mut Vec<u8>) -> Result<(), NoWord> {
    let facts = Facts::of(report, ids);
    let (kind, value, parts) = place(&facts).ok_or(NoWord("their place"))?;
    state.tlp = state.tlp.max(facts.tlp);
    state.pap = state.pap.max(facts.pap);
    let attribute = attribute(&facts, kind, value);
    if parts.is_empty() {
        if state.attributes > 0 {
            out.push(b',');
        }
        state.attributes += 1;
        out.extend_from_slice(attribute.to_string().as_bytes());
        return Ok(());
    }
    state.objects.push(object(&facts, attribute, &parts));
    Ok(())
}

/// Writes the end of the event.
pub(super) fn end(state: &State, out: &mut Vec<u8>) {
    let tags: Vec<Value> = labels(state.tlp, state.pap).into_iter().map(|name| json!({"name": name})).collect();
    out.extend_from_slice(b"],\"Object\":");
    out.extend_from_slice(json!(state.objects).to_string().as_bytes());
    out.extend_from_slice(b",\"Tag\":");
    out.extend_from_slice(json!(tags).to_string().as_bytes());
    out.extend_from_slice(b"}}\n");
}

/// A part of a place: what it is in an object, its type and its value.
type Part = (&'static str, &'static str, String);

/// The type and value of a place, and its other parts when it has several.
fn place(facts: &Facts<'_>) -> Option<(&'static str, String, Vec<Part>)> {
    let port = facts.port_beside_url();
    if let Some(url) = &facts.url {
        let mut parts: Vec<Part> = Vec::new();
        if let Some(address) = facts.address_beside_url() {
            parts.push(("ip", "ip-dst", address.to_string()));
        }
        if let Some(name) = &facts.name {
            parts.push(("domain", "domain", name.to_string()));
        }
        if port != 0 {
            parts.push(("port", "port", port.to_string()));
        }
        return Some(("url", url.as_str().to_owned(), parts));
    }
    let (plain, with_port) = if facts.is_from() { ("ip-src", "ip-src|port") } else { ("ip-dst", "ip-dst|port") };
    match (facts.address, &facts.name, facts.port) {
        (Some(address), Some(name), port) => {
            let mut parts: Vec<Part> = vec![("ip", plain, address.to_string())];
            if port != 0 {
                parts.push(("port", "port", port.to_string()));
            }
            Some(("domain", name.to_string(), parts))
        }
        (Some(address), None, 0) => Some((plain, address.to_string(), Vec::new())),
        (Some(address), None, port) => Some((with_port, format!("{address}|{port}"), Vec::new())),
        (None, Some(name), 0) => Some(("domain", name.to_string(), Vec::new())),
        (None, Some(name), port) => Some(("hostname|port", format!("{name}|{port}"), Vec::new())),
        (None, None, _) => {
            let range = facts.range.filter(|range| range.prefix_length().is_some())?;
            Some((plain, range.to_string(), Vec::new()))
        }
    }
}

fn attribute(facts: &Facts<'_>, kind: &str, value: String) -> Value {
    let report = facts.report;
    let tags = report.fields().filter(|(word, _)| report.name(*word).1 == Place::Tag).map(|(_, tag)| tag.text());
    let is_label = |tag: &str| {
        let start = tag.get(..4).unwrap_or("").to_ascii_lowercase();
        start == "tlp:" || start == "pap:" || tag.starts_with("xarf:")
    };
    let mut names: Vec<String> = tags.filter(|tag| !is_label(tag)).take(MOST_TAGS).map(str::to_owned).collect();
    names.extend(labels(facts.tlp, facts.pap));
    names.push(format!("xarf:kind=\"{}\"", facts.kind));
    if let Some(percent) = facts.confidence {
        names.push(format!("xarf:confidence=\"{percent}\""));
    }
    let malware = facts.text(Word::MALWARE_FAMILY).replace(['"', '\\'], "");
    if !malware.is_empty() && malware.len() <= 100 {
        names.push(format!("xarf:malware-family=\"{malware}\""));
    }
    if !facts.dated {
        names.push("xarf:undated=\"true\"".to_owned());
    }
    let mut attribute = json!({
        "uuid": facts.id,
        "type": kind,
        "category": category(facts.kind),
        "to_ids": facts.accuses(),
        "value": value,
        "timestamp": facts.time.0.div_euclid(1_000).to_string(),
        "comment": facts.text(Word::DESCRIPTION),
        // As its event.
        "distribution": "5",
        "Tag": names.into_iter().map(|name| json!({"name": name})).collect::<Vec<_>>(),
    });
    if let (Value::Object(members), true) = (&mut attribute, facts.dated) {
        let first = facts.at(Word::FIRST_SEEN).filter(|first| *first <= facts.time);
        members.insert("last_seen".to_owned(), json!(facts.time.to_string()));
        members.insert("first_seen".to_owned(), json!(first.unwrap_or(facts.time).to_string()));
    }
    attribute
}

/// An object of MISP's own templates `url` and `domain-ip`.
fn object(facts: &Facts<'_>, mut lead: Value, parts: &[Part]) -> Value {
    let (name, template, relation) = match facts.url {
        Some(_) => ("url", "60efb77b-40b5-4c46-871b-ed1ed999fce5", "url"),
        None => ("domain-ip", "43b3b146-77eb-4931-b4cc-b66c60f28734", "domain"),
    };
    let timestamp = lead.get("timestamp").cloned().unwrap_or_default();
    if let Value::Object(members) = &mut lead {
        members.insert("object_relation".to_owned(), json!(relation));
    }
    let mut attributes = vec![lead];
    for (relation, kind, value) in parts {
        attributes.push(json!({
            "uuid": ids::ours(relation, &facts.id),
            "type": kind,
            "category": "Network activity",
            "object_relation": relation,
            "to_ids": false,
            "value": value,
            "timestamp": timestamp,
            "distribution": "5",
        }));
    }
    json!({
        "uuid": ids::ours("object", &facts.id),
        "name": name,
        "meta-category": "network",
        "template_uuid": template,
        "template_version": "1",
        "description": "",
        "timestamp": timestamp,
        "distribution": "5",
        "Attribute": attributes,
    })
}

fn category(kind: Kind) -> &'static str {
    match kind {
        Kind::Malware => "Payload delivery",
        _ => "Network activity",
    }
}

fn labels(tlp: Tlp, pap: Pap) -> Vec<String> {
    let mut labels = Vec::new();
    if tlp != Tlp::Unstated {
        labels.push(tlp.to_string().to_ascii_lowercase());
    }
    if pap != Pap::Unstated {
        labels.push(pap.to_string());
    }
    labels
}
