//! Advice about weak points: what makes cases worse, and what does not.

#![allow(clippy::unwrap_used)]

mod node;

use std::io::Cursor;

use desk::Error;
use model::advisory::Cve;
use model::severity::Severity;
use model::submission::Door;
use model::time::{DAY, HOUR};
use node::Node;
use store::advisories::Filter;

const NOW: &str = "2026-06-01T12:00:00Z";
const POODLE: &str = "CVE-2014-3566";

/// A node with one customer on 192.0.2.0/24.
fn node() -> Node {
    let node = Node::new(NOW);
    node.import(&[("192.0.2.0/24", "c1", "2026-01-01", "")]);
    node
}

fn take(node: &Node, door: Door, name: &str, text: &str) {
    node.desk.receive(door, name, &mut Cursor::new(text.as_bytes().to_vec())).unwrap();
    node.desk.work(&|_, _| {}).unwrap();
}

/// A report of servers that still speak SSL 3, by Shadowserver's type for it.
fn weak(node: &Node, name: &str, last: u8) {
    let text = format!(
        "timestamp,ip,port,hostname,asn,geo,sector,naics,handshake,ssl_poodle\n\
         2026-06-01 10:00:00,192.0.2.{last},443,,64496,NL,,0,SSLv3,Y\n"
    );
    take(node, Door::File, &format!("2026-06-01-scan_ssl_poodle-{name}.csv"), &text);
}

fn entry(cve: &str, added: &str, ransomware: &str) -> String {
    format!(
        r#"{{"cveID":"{cve}","vendorProject":"Example","product":"TLS","vulnerabilityName":"Name of {cve}","dateAdded":"{added}",
            "requiredAction":"Switch it off.","dueDate":"2026-07-01","knownRansomwareCampaignUse":"{ransomware}","notes":""}}"#
    )
}

fn catalogue(entries: &[String], count: usize, day: u8) -> String {
    format!(
        r#"{{"catalogVersion":"1","dateReleased":"2026-05-{day:02}T00:00:00Z","count":{count},"vulnerabilities":[{}]}}"#,
        entries.join(",")
    )
}

fn kevs(others: usize) -> Vec<String> {
    (0..others).map(|at| entry(&format!("CVE-2025-{:05}", at + 10_000), "2026-01-01", "Unknown")).collect()
}

#[test]
fn what_came_without_tls_waits_for_a_person() {
    let feed = |location: &str| desk::Feed { location: location.to_owned(), ..desk::Feed::default() };
    for (location, waits) in [("https://kev.example/kev.json", 0), ("http://kev.example/kev.json", 3)] {
        let feeds = [("kev".to_owned(), feed(location))].into();
        let node = Node::reading(NOW, desk::Reading { feeds, ..desk::Reading::default() });
        let envelope = model::sender::Envelope { feed: "kev".to_owned(), ..Default::default() };
        let text = kev(3, false, 1);
        node.desk.receive_from(Door::Feed, "kev.json", envelope, &mut Cursor::new(text.into_bytes())).unwrap();
        node.desk.work(&|_, _| {}).unwrap();
        let waiting = Filter { accepted: Some(false), ..Filter::default() };
        assert_eq!(node.read(|transaction| transaction.advisories(&waiting, 10)).len(), waits, "{location}");
    }
}

/// A catalogue of `count` others and, if it is asked for, the one that the cases are about.
fn kev(others: usize, with: bool, day: u8) -> String {
    let mut entries: Vec<String> =
        (0..others).map(|at| entry(&format!("CVE-2025-{:05}", at + 10_000), "2026-01-01", "Unknown")).collect();
    if with {
        entries.push(entry(POODLE, "2026-06-01", "Known"));
    }
    let count = entries.len();
    catalogue(&entries, count, day)
}

fn severity(node: &Node, case: i64) -> Severity {
    node.case(case).1.progress.severity
}

fn one_worse(severity: Severity) -> Severity {
    Severity::ALL[severity as usize - 1]
}

#[test]
fn a_case_whose_weak_point_is_exploited_is_worse_and_its_clocks_are_shorter() {
    let node = node();
    weak(&node, "a", 1);
    node.desk.advance().unwrap();
    let (_, before) = node.case(1);
    take(&node, Door::File, "kev.json", &kev(3, true, 1));
    node.desk.advance().unwrap();
    let (_, after) = node.case(1);
    assert_eq!(after.progress.severity, one_worse(before.progress.severity));
    assert!(after.progress.clocks.fix.unwrap() <= before.progress.clocks.fix.unwrap());
    assert!(after.progress.clocks.fix.unwrap().0 - node.desk.now().0 <= 72 * HOUR);
    let steps = node.read(|transaction| transaction.steps(1));
    let why = steps.iter().find(|step| step.what.word() == "severity raised").unwrap();
    assert!(why.text.contains("CVE-2014-3566 is exploited, by ransomware too"), "{}", why.text);
    // A case that opens now is as bad from its first hour, and nothing is raised twice.
    weak(&node, "b", 2);
    node.later(HOUR);
    node.desk.advance().unwrap();
    assert_eq!(severity(&node, 2), after.progress.severity);
    assert_eq!(node.journal(1).iter().filter(|what| **what == "severity raised").count(), 1);
}

#[test]
fn what_anybody_could_have_sent_changes_nothing_until_a_person_accepts_it() {
    let node = node();
    weak(&node, "a", 1);
    node.desk.advance().unwrap();
    let before = severity(&node, 1);
    take(&node, Door::Pipe, "kev.json", &kev(0, true, 1));
    node.desk.advance().unwrap();
    assert_eq!(severity(&node, 1), before);
    let waiting = node.read(|transaction| transaction.advisories(&Filter { accepted: Some(false), ..Filter::default() }, 10));
    assert_eq!(waiting.len(), 1);
    assert!(node.read(|transaction| transaction.advice(Cve::parse(POODLE).unwrap(), 10)).is_empty(), "no letter bears it");
    node.desk.accept_advice(waiting[0].id, "Anna").unwrap();
    node.desk.advance().unwrap();
    assert_eq!(severity(&node, 1), one_worse(before));
    assert!(matches!(node.desk.accept_advice(waiting[0].id, "Anna"), Err(Error::Conflict(_))));
    let advice = node.read(|transaction| transaction.advice(Cve::parse(POODLE).unwrap(), 10));
    assert_eq!((advice.len(), advice[0].person.as_str()), (1, "Anna"));
    // Withdrawing it takes it out of letters; cases stay as bad as they became.
    node.desk.withdraw_advice(advice[0].id, "Bert").unwrap();
    node.later(HOUR);
    node.desk.advance().unwrap();
    assert_eq!(severity(&node, 1), one_worse(before));
    assert!(node.read(|transaction| transaction.advice(Cve::parse(POODLE).unwrap(), 10)).is_empty());
}

#[test]
fn what_a_newer_catalogue_names_no_more_is_off_it_unless_too_much_is() {
    for (name, second, gone) in [
        ("one of thirty", kev(30, false, 2), true),
        ("most of it", kev(1, false, 2), false),
        ("an older one", catalogue(&kevs(30), 30, 1).replace("2026-05-01", "2026-04-30"), false),
        ("one that was cut off", kev(30, false, 2).replace("\"count\":30", "\"count\":31"), false),
    ] {
        let node = node();
        take(&node, Door::Feed, "kev.json", &kev(30, true, 1));
        node.later(DAY);
        take(&node, Door::Feed, "kev.json", &second);
        let exploited = node.read(|transaction| transaction.exploited());
        assert_eq!(!exploited.contains_key(&Cve::parse(POODLE).unwrap()), gone, "{name}");
        // Brought back by the next, whoever did not withdraw it.
        node.later(DAY);
        take(&node, Door::Feed, "kev.json", &kev(31, true, 3));
        assert!(node.read(|transaction| transaction.exploited()).contains_key(&Cve::parse(POODLE).unwrap()), "{name}");
    }
}

#[test]
fn an_older_version_of_an_advisory_changes_nothing() {
    let node = node();
    let csaf = |released: &str, remedy: &str, publisher: &str| {
        format!(
            r#"{{"document":{{"category":"csaf_security_advisory","csaf_version":"2.0","title":"T","publisher":{{"name":"{publisher}"}},
                "tracking":{{"id":"A-1","current_release_date":"{released}","status":"final"}}}},
                "vulnerabilities":[{{"cve":"{POODLE}","remediations":[{{"category":"vendor_fix","details":"{remedy}"}}]}}]}}"#
        )
    };
    take(&node, Door::File, "a-1.json", &csaf("2026-05-02T00:00:00Z", "new", "Example"));
    node.later(HOUR);
    take(&node, Door::File, "a-1.json", &csaf("2026-05-01T00:00:00Z", "old", "Example"));
    take(&node, Door::Pipe, "a-1.json", &csaf("2026-05-03T00:00:00Z", "run this", "Example"));
    // A document that calls itself the catalogue is not the catalogue.
    take(&node, Door::File, "a-1.json", &csaf("2026-05-03T00:00:00Z", "other", "CISA KEV"));
    let advice = node.read(|transaction| transaction.advice(Cve::parse(POODLE).unwrap(), 10));
    let mut found: Vec<(&str, &str)> =
        advice.iter().map(|kept| (kept.advisory.publisher.as_str(), kept.advisory.remedy.as_str())).collect();
    found.sort_unstable();
    assert_eq!(found, [("CISA", "other"), ("Example", "new")]);
    assert!(node.read(|transaction| transaction.exploited()).is_empty());
}
