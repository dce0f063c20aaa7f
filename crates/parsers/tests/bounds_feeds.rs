//! Feeds whose members, rows or tags are made to cost: each is read within bounds of time, and loses nothing in silence.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::time::{Duration, Instant};

use model::time::Time;
use parsers::formats::csv::Declared;
use parsers::read::read;
use parsers::sink::Collected;
use parsers::source::Hint;

/// A debug build on a busy machine; a release build takes a hundredth.
const LONGEST: Duration = Duration::from_secs(30);

/// Reads a text and says how many statements it made, how many of them rejects.
fn read_as(text: &str, location: &str, declared: Option<&Declared>) -> (&'static str, u32, usize) {
    let hint = Hint { location, declared, ..Hint::new("", Time(1_772_600_767_000)) };
    let mut sink = Collected::default();
    let begun = Instant::now();
    let outcome = read(&mut text.as_bytes(), &hint, &mut sink).unwrap();
    assert!(begun.elapsed() < LONGEST, "{} took {:?}", outcome.format, begun.elapsed());
    (outcome.format, outcome.statements, sink.rejects.len())
}

#[test]
fn names_without_end() {
    let mut text = String::new();
    for line in 0..100 {
        text.push_str(r#"{"category":"bots","confidence":"low","source":"x","time":"2026-03-04T05:06:07Z","id":"1","address":[{"ip":"192.0.2.7"}]"#);
        for name in 0..900 {
            write!(text, r#","{}":1"#, line * 900 + name).unwrap();
        }
        text.push_str("}\n");
    }
    assert_eq!(read_as(&text, "", None), ("n6", 100, 0));
    let text = text.replace("\"category\"", "\"classification.type\"").replace("\"time\"", "\"time.source\"");
    let text = text.replace(r#""address":[{"ip":"192.0.2.7"}]"#, r#""source.ip":"192.0.2.7""#);
    let (format, statements, rejects) = read_as(&text, "", None);
    assert_eq!((format, statements), ("intelmq", 100));
    assert!(rejects >= 98, "rows with more names than are kept apart are rejects: {rejects}");
    let declared = Declared::parse("[columns]\nip = 'source.ip'\n").unwrap();
    let (format, statements, _) = read_as(&text.replace("classification", "c"), "", Some(&declared));
    assert_eq!((format, statements), ("json", 100));
}

#[test]
fn long_names_are_no_memory() {
    let name = "x".repeat(500_000);
    let text: String = (0..50)
        .map(|number| format!("{{\"phish_id\":1,\"url\":\"http://a.example/\",\"phish_detail_url\":\"\",\"submission_time\":\"2026-03-04\",\"{number}{name}\":1}}\n"))
        .collect();
    assert_eq!(read_as(&text, "", None), ("phishtank", 50, 0));
}

#[test]
fn rows_of_pages() {
    let text = format!("<table><tr><td>ip</td></tr>{}", "<tr><td>192.0.2.7".repeat(100_000));
    let declared = Declared::parse("kind = 'content/malware'\n[columns]\nip = 'ip'\n").unwrap();
    assert_eq!(read_as(&text, "", Some(&declared)), ("html_table", 100_000, 0));
    let text = format!("<title>ThreatMiner.org</title><table>{}", "<tr><td>".repeat(200_000));
    assert_eq!(read_as(&text, "", None).1, 0);
}

#[test]
fn lists_of_lists() {
    let text = format!("{{\"a_dga\": {}\"a.example\"{}}}", "[".repeat(100), "]".repeat(100));
    assert_eq!(read_as(&text, "", None), ("fraunhofer", 1, 0));
    let text = format!("{{\"a_dga\": {}", "[".repeat(100_000));
    assert_eq!(read_as(&text, "", None), ("fraunhofer", 1, 1));
    let text = format!("{{\"a_dga\": [{}\"a.example\"]}}", "\"a.example\",".repeat(200_000));
    assert_eq!(read_as(&text, "", None), ("fraunhofer", 200_001, 0));
}
