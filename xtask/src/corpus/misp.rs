//! MISP events, beside what PyMISP counts in them and the records that IntelMQ makes of one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::address::Address;
use model::report::{Report, Word};
use model::time::Time;
use parsers::formats::exchange::misp;
use serde_json::Value;

use super::{Comparison, extra, read_as, texts, word};

/// How deep a document may be nested.
pub(super) const DEPTH: usize = 32;

/// Compares the counts of an event, and looks for a report of every indicator that is about a place on the network.
pub(super) fn compare(path: &Path, bytes: &[u8], oracle: &Value) -> Comparison {
    let (outcome, sink) = read_as(path, bytes, |_| {});
    let mut comparison = Comparison::default();
    let all = misp::count(&String::from_utf8_lossy(bytes), DEPTH);
    let reports: Vec<_> = sink.reports().collect();
    if oracle.get("pymisp_error").is_some() {
        comparison.hold(all.is_empty() && reports.is_empty(), || "it is no event for others, and one for us".to_owned());
        return comparison;
    }
    comparison.same("format", &outcome.format, &"misp");
    if let Some(records) = oracle["records"].as_array() {
        comparison.same("reports", &reports.len(), &records.len());
        for (report, record) in reports.iter().zip(records) {
            comparison.same("URL", &report.text(Word::URL).unwrap_or(""), &word(record, "source_url"));
            let family = report.text(Word::MALWARE_FAMILY).unwrap_or("").to_lowercase();
            comparison.same("malware", &family.as_str(), &word(record, "malware"));
            comparison.same("category", &extra(report, "misp_category"), &word(record, "description"));
            comparison.same("time", &report.core.observed(), &Time::parse(word(record, "time").as_bytes()));
        }
        return comparison;
    }
    let [counts] = all.as_slice() else {
        comparison.hold(false, || format!("{} events", all.len()));
        return comparison;
    };
    // PyMISP invents an identifier where the file has none.
    comparison.hold(counts.uuid.is_empty() || counts.uuid == word(oracle, "uuid"), || format!("uuid is {}", counts.uuid));
    comparison.same("info", &counts.info.as_str(), &word(oracle, "info"));
    comparison.same("objects", &Some(counts.objects as u64), &oracle["objects"].as_u64());
    comparison.same("attributes", &Some(counts.attributes as u64), &oracle["attributes"].as_u64());
    comparison.same("types", &counts.by_type, &numbers(&oracle["by_type"]));
    comparison.same("tags", &counts.tags, &texts(&oracle["tags"]).into_iter().collect::<BTreeSet<_>>());
    let theirs: Vec<_> = oracle["network_iocs"].as_array().into_iter().flatten().map(indicator).collect();
    comparison.same("indicators", &sorted(counts.network.clone()), &sorted(theirs.clone()));
    // Each of them is a report or a part of the place of one, and nothing else is a report.
    let mut told = vec![false; reports.len()];
    for one in &theirs {
        let value = canonical(&one.value.replace('|', ":"));
        let is = |place: &str| place == value || place.starts_with(&format!("{value}:"));
        let at = reports.iter().enumerate().find(|(at, report)| {
            let time = report.core.observed();
            let part = report.text(Word::DOMAIN).unwrap_or("");
            let alone = !told.get(*at).copied().unwrap_or(true) || extra(report, "misp_object") == "domain-ip";
            alone && (is(&place(report)) || is(part)) && (time >= one.time || time.is_none())
        });
        comparison.hold(at.is_some(), || format!("no report of {one:?}"));
        if let Some(told) = at.and_then(|(at, _)| told.get_mut(at)) {
            *told = true;
        }
    }
    comparison.hold(told.iter().all(|told| *told), || "a report of what is no indicator".to_owned());
    comparison.hold(sink.rejects.is_empty(), || format!("rejects: {:?}", sink.rejects));
    comparison
}

fn indicator(one: &Value) -> misp::Indicator {
    let time = Time::parse(word(one, "timestamp").as_bytes());
    let to_ids = one["to_ids"].as_bool().unwrap_or(false);
    misp::Indicator { kind: word(one, "type").into(), value: word(one, "value").into(), to_ids, time }
}

/// The members of an object that are numbers.
pub(super) fn numbers(value: &Value) -> BTreeMap<String, usize> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, count)| (name.clone(), count.as_u64().unwrap_or(0) as usize)).collect()
}

/// The place that a report is about, with its port.
pub(super) fn place(report: &Report<'_>) -> String {
    let named = report.text(Word::URL).or(report.text(Word::SOURCE_IDENTIFIER));
    match (report.core.address, report.core.port) {
        (address, 0) if address != Address::NONE && named.is_none() => address.to_string(),
        (address, port) if address != Address::NONE && named.is_none() => format!("{address}:{port}"),
        _ => named.unwrap_or("").to_owned(),
    }
}

/// An address as we write it; anything else as it is.
pub(super) fn canonical(value: &str) -> String {
    Address::parse(value.as_bytes()).map_or(value.to_owned(), |address| address.to_string())
}

/// A list in order.
pub(super) fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_misp_counts_are_those_of_others() {
        let Some(sum) = super::super::walk("misp", compare) else { return };
        println!("misp: {} of {}", sum.matched, sum.total);
        assert!(sum.differences.is_empty() && sum.matched == sum.total, "{:#?}", sum.differences);
    }
}
