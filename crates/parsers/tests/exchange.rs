//! Knowledge that the field exchanges, beside what other programs count in the same files (below `SLUIS_SHARED`, when it is set).

#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use model::address::Address;
use model::report::{Report, Word};
use model::time::Time;
use parsers::formats::exchange::{misp, stix};
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::Hint;
use serde_json::Value;

const DEPTH: usize = 32;

#[test]
fn misp_counts_are_those_of_others() {
    each("misp", |path, bytes, oracle| {
        let (outcome, sink) = read_all(path, bytes);
        let text = String::from_utf8_lossy(bytes);
        let all = misp::count(&text, DEPTH);
        if oracle.get("pymisp_error").is_some() {
            assert!(all.is_empty() && sink.reports().count() == 0, "{}: no event for others", path.display());
            return;
        }
        assert_eq!(outcome.format, "misp", "{}", path.display());
        if let Some(records) = oracle["records"].as_array() {
            let reports: Vec<_> = sink.reports().collect();
            assert_eq!(reports.len(), records.len(), "{}", path.display());
            for (report, record) in reports.iter().zip(records) {
                assert_eq!(report.text(Word::URL).unwrap_or(""), word(record, "source_url"));
                assert_eq!(report.text(Word::MALWARE_FAMILY).unwrap_or("").to_lowercase(), word(record, "malware"));
                assert_eq!(extra(report, "misp_category"), word(record, "description"));
                assert_eq!(report.core.observed(), Time::parse(word(record, "time").as_bytes()));
            }
            return;
        }
        let [counts] = all.as_slice() else { panic!("{}: {} events", path.display(), all.len()) };
        let uuid = word(oracle, "uuid");
        // PyMISP invents an identifier where the file has none.
        assert!(counts.uuid.is_empty() || counts.uuid == uuid);
        assert_eq!(counts.info, word(oracle, "info"));
        assert_eq!(counts.objects as u64, oracle["objects"].as_u64().unwrap(), "{}", path.display());
        assert_eq!(counts.attributes as u64, oracle["attributes"].as_u64().unwrap(), "{}", path.display());
        let by_type: BTreeMap<String, usize> = serde_json::from_value(oracle["by_type"].clone()).unwrap();
        assert_eq!(counts.by_type, by_type, "{}", path.display());
        let tags: BTreeSet<String> = serde_json::from_value(oracle["tags"].clone()).unwrap();
        assert_eq!(counts.tags, tags, "{}", path.display());
        let theirs: Vec<_> = oracle["network_iocs"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let time = Time::parse(word(one, "timestamp").as_bytes());
                let to_ids = one["to_ids"].as_bool().unwrap_or(false);
                misp::Indicator { kind: word(one, "type").into(), value: word(one, "value").into(), to_ids, time }
            })
            .collect();
        assert_eq!(sorted(counts.network.clone()), sorted(theirs.clone()), "{}", path.display());
        // Each of them is a report or a part of the place of one, and nothing else is a report.
        let mut told = vec![false; sink.reports().count()];
        for one in &theirs {
            let value = canonical(&one.value.replace('|', ":"));
            let is = |place: &str| place == value || place.starts_with(&format!("{value}:"));
            let at = sink.reports().enumerate().find(|(at, report)| {
                let time = report.core.observed();
                let part = report.text(Word::DOMAIN).unwrap_or("");
                let alone = !told[*at] || extra(report, "misp_object") == "domain-ip";
                alone && (is(&place(report)) || is(part)) && (time >= one.time || time.is_none())
            });
            let Some((at, _)) = at else { panic!("{}: no report of {one:?}", path.display()) };
            told[at] = true;
        }
        assert!(told.iter().all(|told| *told), "{}", path.display());
        assert!(sink.rejects.is_empty(), "{}: {:?}", path.display(), sink.rejects);
    });
}

#[test]
fn stix_counts_are_those_of_others() {
    each("stix", |path, bytes, oracle| {
        let (outcome, sink) = read_all(path, bytes);
        assert_eq!(outcome.format, "stix", "{}", path.display());
        let counts = stix::count(&String::from_utf8_lossy(bytes), DEPTH).unwrap();
        assert_eq!(counts.objects as u64, oracle["objects"].as_u64().unwrap(), "{}", path.display());
        let by_type: BTreeMap<String, usize> = serde_json::from_value(oracle["by_type"].clone()).unwrap();
        assert_eq!(counts.by_type, by_type, "{}", path.display());
        let of = |name: &str, words: &[&str]| -> Vec<Vec<String>> {
            let all = oracle[name].as_array().unwrap();
            all.iter().map(|one| words.iter().map(|name| word(one, name).to_owned()).collect()).collect()
        };
        let ours = counts.patterns.iter().map(|(id, pattern, from)| vec![id.clone(), pattern.clone(), from.clone()]);
        assert_eq!(sorted(ours.collect()), sorted(of("patterns", &["id", "pattern", "valid_from"])), "{}", path.display());
        let ours = counts.network.iter().map(|(kind, value)| vec![kind.clone(), value.clone()]);
        assert_eq!(sorted(ours.collect()), sorted(of("network_observables", &["type", "value"])), "{}", path.display());
        // Every value of a pattern about the network is in a report or a reject.
        let domain = |report: &Report<'_>| report.text(Word::DOMAIN).unwrap_or("").to_owned();
        let reports: Vec<String> = sink.reports().flat_map(|report| [place(&report), domain(&report)]).collect();
        for (id, pattern, _) in &counts.patterns {
            for value in network_values(pattern) {
                let read = reports
                    .iter()
                    .any(|place| *place == canonical(&value) || place.starts_with(&format!("{}:", canonical(&value))));
                let refused = sink.rejects.iter().any(|reject| reject.text == value);
                assert!(read || refused, "{}: {value} of {id} in {pattern}", path.display());
            }
        }
    });
}

#[test]
fn iodef_is_read_as_others_read_it() {
    each("iodef", |path, bytes, oracle| {
        let (outcome, sink) = read_all(path, bytes);
        assert_eq!(outcome.format, "iodef", "{}", path.display());
        let reports: Vec<_> = sink.reports().collect();
        let addresses: Vec<String> = reports.iter().map(|report| report.core.address.to_string()).collect();
        let texts =
            |name: &str| oracle[name].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect::<Vec<_>>();
        assert_eq!(addresses, texts("addresses"));
        let report = &reports[0];
        let mut ids = vec![report.text(Word::REPORT_ID).unwrap().to_owned()];
        for name in ["iodef_alternative_ids", "iodef_related_ids"] {
            ids.extend(extra(report, name).split(", ").map(str::to_owned));
        }
        assert_eq!(ids, texts("incident_ids"));
        assert_eq!(extra(report, "iodef_ports"), texts("ports").join(","));
        let impacts: BTreeSet<String> = extra(report, "iodef_impact").split(", ").map(str::to_owned).collect();
        assert_eq!(impacts, texts("impacts").into_iter().collect());
        let time = Time::parse(extra(report, "iodef_report_time").as_bytes());
        assert_eq!(time, Time::parse(texts("report_time_utc")[0].as_bytes()));
    });
}

#[test]
fn a_hostile_document_costs_little() {
    // Each refers to many, and many refer to each.
    let sightings: String = (0..20_000).map(|_| r#"{"type":"sighting","id":"s","sighting_of_ref":"i"},"#).collect();
    let indicators: String =
        (0..20_000).map(|_| r#"{"type":"indicator","id":"i","created_by_ref":"o","pattern":"[a:b='c']"},"#).collect();
    let members: String = (0..100_000).map(|at| format!("\"m{at}\":1,")).collect();
    let stix = format!(
        r#"{{"type":"bundle","id":"bundle--1","spec_version":"2.0","objects":[{sightings}{indicators}{{"type":"identity",{members}"id":"o"}}]}}"#
    );
    let attributes: String = (0..40_000).map(|_| r#"{"type":"ip-dst","to_ids":true,"value":"192.0.2.1"},"#).collect();
    let misp = format!(
        r#"{{"Event":{{"uuid":"u","info":"i","Object":[{{{members}"Tag":[{}{{}}],"Attribute":[{attributes}{{}}]}}]}}}}"#,
        "{},".repeat(50_000)
    );
    let systems = r#"<System category="source"><Node><Address>192.0.2.1</Address></Node></System>"#.repeat(5_000);
    let iodef = format!(
        "<IODEF-Document><Incident>{}<EventData><Flow>{systems}</Flow></EventData></Incident></IODEF-Document>",
        "<a/>".repeat(9_000)
    );
    for (name, text) in [("stix.json", stix), ("misp.json", misp), ("iodef.xml", iodef)] {
        let before = Instant::now();
        let (outcome, _) = read_all(Path::new(name), text.as_bytes());
        assert!(!outcome.format.is_empty(), "{name}");
        // A debug build is some twenty times slower than what is shipped.
        assert!(before.elapsed() < Duration::from_secs(10), "{name} took {:?}", before.elapsed());
    }
}

/// Each line of an oracle with the file that it is of; says so when there are none.
fn each(folder: &str, mut check: impl FnMut(&Path, &[u8], &Value)) {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        println!("skipped: SLUIS_SHARED is not set");
        return;
    };
    let corpus = PathBuf::from(shared).join("corpus");
    let Ok(oracle) = fs::read_to_string(corpus.join(folder).join("ORACLE.jsonl")) else {
        println!("skipped: no oracle for {folder}");
        return;
    };
    for line in oracle.lines() {
        let oracle: Value = serde_json::from_str(line).unwrap();
        let path = corpus.join(word(&oracle, "path"));
        let bytes = fs::read(&path).unwrap();
        let before = Instant::now();
        check(&path, &bytes, &oracle);
        assert!(before.elapsed() < Duration::from_secs(10), "{} took {:?}", path.display(), before.elapsed());
    }
}

fn read_all(path: &Path, bytes: &[u8]) -> (Outcome, Collected) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut sink = Collected::default();
    let received = Time::parse(b"2026-03-04T05:06:07Z").unwrap();
    let outcome = read(&mut &bytes[..], &Hint::new(name, received), &mut sink).unwrap();
    (outcome, sink)
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value[name].as_str().unwrap_or("")
}

fn extra<'r>(report: &Report<'r>, name: &str) -> &'r str {
    report.fields().find(|(word, _)| report.name(*word).0 == name).map_or("", |(_, value)| value.text())
}

/// The place that a report is about, with its port.
fn place(report: &Report<'_>) -> String {
    let named = report.text(Word::URL).or(report.text(Word::SOURCE_IDENTIFIER));
    match (report.core.address, report.core.port) {
        (address, 0) if address != Address::NONE && named.is_none() => address.to_string(),
        (address, port) if address != Address::NONE && named.is_none() => format!("{address}:{port}"),
        _ => named.unwrap_or("").to_owned(),
    }
}

fn canonical(value: &str) -> String {
    Address::parse(value.as_bytes()).map_or(value.to_owned(), |address| address.to_string())
}

/// Values in a pattern that are compared with a place on the network, found without our reader of patterns.
fn network_values(pattern: &str) -> Vec<String> {
    let paths = ["ipv4-addr:value = '", "domain-name:value = '", "url:value = '", "dst_ref.value = '"];
    let mut values = Vec::new();
    for path in paths {
        let after = pattern.split(path).skip(1);
        values.extend(after.filter_map(|rest| rest.split('\'').next()).map(str::to_owned));
    }
    values
}

fn sorted<T: Ord>(mut all: Vec<T>) -> Vec<T> {
    all.sort();
    all
}
