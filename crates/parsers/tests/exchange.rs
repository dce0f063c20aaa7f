//! Documents of the exchange formats that were made to cost much.

#![allow(clippy::unwrap_used)] // A helper that cannot do its work fails its test.

use std::path::Path;
use std::time::{Duration, Instant};

use model::time::Time;
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::Hint;

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

fn read_all(path: &Path, bytes: &[u8]) -> (Outcome, Collected) {
    let name = path.file_name().unwrap().to_str().unwrap();
    let mut sink = Collected::default();
    let received = Time::parse(b"2026-03-04T05:06:07Z").unwrap();
    let outcome = read(&mut &bytes[..], &Hint::new(name, received), &mut sink).unwrap();
    (outcome, sink)
}
