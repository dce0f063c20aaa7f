//! Feeds of the shared corpus become the records that another program made of them.

#![allow(clippy::unwrap_used, clippy::print_stdout)]

#[path = "feeds/compare.rs"]
mod compare;
#[path = "feeds/described.rs"]
mod described;

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
    ("feeds/fraunhofer/", "type", "", "names that malware makes up are foretold: nobody says that a server is there"),
    ("feeds/html_table/", "type", "", "a description says the kind in the words of XARF"),
    (
        "feeds/html_table/html_table.data",
        "time",
        "",
        "days after months are read as they are described; the oracle guessed months first",
    ),
    ("feeds/n6/", "identifier", "", "a word of the other program's own"),
    ("feeds/n6/", "malware", "", "the oracle leaves out what is not ASCII; the description has it whole, and so have we"),
    ("feeds/netlab_360/", "type", "", "names that malware makes up are foretold: nobody says that a server is there"),
    ("feeds/netlab_360/", "identifier", "", "the family is malware_family"),
    ("feeds/shodan/", "source_fqdn", "", "the domain of a host name is kept under its own name: a banner is no site"),
    ("feeds/spamhaus/", "type", "", "it is the listing that is told, and not spam of the whole system"),
    ("feeds/zoneh/", "application", "", "the scheme of the location says it"),
];

/// Where we mean to read another number of reports: a path, our number, and why.
const COUNTS: &[(&str, usize, &str)] = &[
    ("feeds/n6/n6stomp-test_blacklist.json", 1, "an event with addresses is not told once more without one"),
    ("feeds/surbl/test_surbl.data", 0, "its names have one label, so they lead to nobody and are rejects"),
    ("feeds/threatminer/test_threatminer.data", 20, "the addresses of the page are read beside its names"),
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
    let declared = described::of(path);
    let hint = Hint { location, declared: declared.as_ref(), ..Hint::new(name, received) };
    let mut sink = Collected::default();
    let outcome = read(&mut &bytes[..], &hint, &mut sink).unwrap();
    let reports: Vec<_> = sink.reports().collect();
    let mut failures = Vec::new();
    let meant = COUNTS.iter().find(|(known, ..)| *known == path).map_or(expected.len(), |(_, count, _)| *count);
    if reports.len() != meant {
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
