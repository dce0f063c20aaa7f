//! Feeds of the shared corpus become the records that another program made of them.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "feeds/compare.rs"]
mod compare;

use std::fs;
use std::path::PathBuf;

use model::time::Time;
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::Hint;
use serde_json::{Map, Value};

/// Where we mean to differ: the beginning of a path, a field, what the oracle has there (or nothing in particular), and why.
const INTENDED: &[(&str, &str, &str, &str)] = &[
    ("feeds/abusech/feodotracker", "time", "", "a report is of when the server was last seen; first_seen has the oracle's time"),
    ("feeds/alienvault/test_parser_otx", "time", "2016-11-01T22:02:00Z", "the oracle misreads times without a fraction"),
    ("feeds/alienvault/test_parser_otx", "time", "2016-11-03T20:01:00Z", "the oracle misreads times without a fraction"),
    ("feeds/alienvault/test_parser_otx", "time", "2017-06-15T05:01:00Z", "the oracle misreads times without a fraction"),
    ("feeds/bambenek/", "status", "", "a word of the oracle's own"),
    ("feeds/blocklistde/", "description", "", "a sentence of the oracle's own"),
    ("feeds/cleanmx/", "status", "online", "the oracle's word for the sender's 'up', which is kept"),
    ("feeds/cymru/certname", "destination_port", "0", "there is no port 0"),
    ("feeds/dataplane/", "description", "", "a sentence of the oracle's own"),
    ("feeds/dyn/", "description", "", "a sentence of the oracle's own"),
];

/// Samples whose format is not read yet.
const UNREAD: &[&str] = &[
    "feeds/html_table/",
    "feeds/eset/",
    "feeds/fraunhofer/",
    "feeds/malc0de/",
    "feeds/malwarepatrol/",
    "feeds/malwareurl/",
    "feeds/microsoft/",
    "feeds/n6/",
    "feeds/netlab_360/",
    "feeds/openphish/",
    "feeds/shodan/",
    "feeds/spamhaus/",
    "feeds/surbl/",
    "feeds/taichung/",
    "feeds/threatminer/",
    "feeds/vxvault/",
    "feeds/zoneh/",
];

#[test]
fn feeds_become_the_records_of_the_oracle() {
    let Some(shared) = std::env::var_os("SLUIS_SHARED").map(PathBuf::from) else {
        println!("skipped: SLUIS_SHARED is not set, so there is no corpus to compare with");
        return;
    };
    let corpus = shared.join("corpus");
    let Ok(oracle) = fs::read_to_string(corpus.join("feeds/ORACLE.jsonl")) else {
        println!("skipped: the corpus has no feeds");
        return;
    };
    let (mut failures, mut agree, mut records) = (Vec::new(), 0usize, 0usize);
    for line in oracle.lines().filter(|line| !line.trim().is_empty()) {
        let entry: Map<String, Value> = serde_json::from_str(line).unwrap();
        let path = entry["path"].as_str().unwrap();
        if UNREAD.iter().any(|begin| path.starts_with(begin)) {
            println!("not read yet: {path}");
            continue;
        }
        let expected = entry["records"].as_array().unwrap();
        records += expected.len();
        let found = one(&corpus.join(path), path, &entry, expected);
        agree += found.0;
        failures.extend(found.1);
    }
    println!("{agree} of {records} records agree");
    assert!(failures.is_empty(), "{} differences:\n{}", failures.len(), failures.join("\n"));
}

/// How many records of one sample agree, and what does not.
fn one(file: &std::path::Path, path: &str, entry: &Map<String, Value>, expected: &[Value]) -> (usize, Vec<String>) {
    let bytes = fs::read(file).unwrap();
    let name = path.rsplit('/').next().unwrap_or_default();
    let location = entry.get("feed_url").and_then(Value::as_str).unwrap_or_default();
    let received = Time::parse(b"2026-03-04T05:06:07Z").unwrap();
    let mut sink = Collected::default();
    let outcome = read(&mut &bytes[..], &Hint { location, ..Hint::new(name, received) }, &mut sink).unwrap();
    let reports: Vec<_> = sink.reports().collect();
    let mut failures = Vec::new();
    if reports.len() != expected.len() {
        let reject = sink.rejects.first().map_or("", |reject| reject.reason.as_str());
        failures.push(format!(
            "{path}: {} reports for {} records as '{}' {} {reject}",
            reports.len(),
            expected.len(),
            outcome.format,
            outcome.unreadable
        ));
    }
    let mut agree = 0;
    for (at, (report, record)) in reports.iter().zip(expected).enumerate() {
        let mut differences = compare::differences(report, record.as_object().unwrap());
        differences.retain(|(field, wanted, _)| {
            let mut known = INTENDED.iter().filter(|(begin, known, _, _)| path.starts_with(begin) && field == known);
            !known.any(|(_, _, value, _)| value.is_empty() || wanted == value)
        });
        agree += usize::from(differences.is_empty());
        failures
            .extend(differences.iter().map(|(field, wanted, found)| format!("{path} {at}: {field}: {wanted:?} is {found:?}")));
    }
    (agree, failures)
}
