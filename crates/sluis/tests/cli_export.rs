//! `sluis case export`, with the program itself: what leaves, for whom, and what is said of what does not.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CUSTOMERS, User, lines};
use serde_json::Value;

/// A report of a login attack with labels, who reported it, and whom it hit.
fn report(address: &str, tags: &str) -> String {
    format!(
        r#"{{"xarf_version":"4.2.0","report_id":"11111111-2222-4333-8444-5555555555{:02}","timestamp":"2026-11-20T10:00:00Z","reporter":{{"org":"Secret Watch","contact":"jan@watch.example","domain":"watch.example"}},"sender":{{"org":"Secret Watch","contact":"jan@watch.example","domain":"watch.example"}},"source_identifier":"{address}","source_port":4422,"category":"connection","type":"login_attack","evidence_source":"honeypot","protocol":"tcp","destination_ip":"203.0.113.99","first_seen":"2026-11-20T09:00:00Z","description":"=cmd tried as root","tags":[{tags}]}}"#,
        address.bytes().map(u32::from).sum::<u32>() % 90 + 10
    )
}

/// A user with a case for each label, all of one customer but the last.
fn user() -> User {
    let user = User::new();
    let mut customers = CUSTOMERS.to_owned();
    for last in 100..104 {
        customers.push_str(&format!("C-2,Second Customer,R-1,customer,192.0.2.{last},assigned,2024-01-01,,vps-{last},\n"));
    }
    user.file("customers.csv", customers);
    user.run(&["import", "customers.csv"]).good();
    for (last, tags) in [(100, "\"tlp:clear\""), (101, ""), (102, "\"tlp:amber-strict\""), (103, "\"tlp:red\"")] {
        user.pipe(&["receive"], report(&format!("192.0.2.{last}"), tags)).good();
    }
    user
}

#[test]
fn labels_say_how_far_reports_go() {
    let user = user();
    let export = |audience: &str| {
        let run = user.run(&["case", "export", "--all", "--holder", "C-2", "--as", "xarf", "--for", audience]);
        (run.code, lines(&run.out).len(), run.err)
    };
    for (audience, count, held) in [("own", 3, 1), ("party", 2, 2), ("community", 1, 3), ("public", 1, 3)] {
        let (code, written, said) = export(audience);
        assert_eq!((code, written), (Some(3), count), "{audience}: {said}");
        assert!(said.contains(&format!("held back: {held} report")), "{audience}: {said}");
    }
    // What all may have is whole.
    let run = user.run(&["case", "export", "1", "--as", "xarf", "--for", "public"]);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
}

#[test]
fn nobody_outside_is_told_who_reported() {
    let user = user();
    for format in ["xarf", "intelmq", "csv", "misp", "stix"] {
        let text = |audience: &str| user.run(&["case", "export", "1", "--as", format, "--for", audience]).good();
        assert!(format == "misp" || format == "stix" || text("own").contains("Secret Watch"), "{format}");
        for audience in ["party", "community", "public"] {
            let text = text(audience);
            assert!(text.contains("192.0.2.100"), "{format}: {text}");
            assert!(!text.contains("Secret Watch") && !text.contains("watch.example"), "{format} for {audience}: {text}");
            let hit = text.contains("203.0.113.99") || text.contains("tried as root");
            assert!(audience == "party" || !hit, "{format} for {audience}: {text}");
        }
    }
    let csv = user.run(&["case", "export", "1", "--as", "csv"]).good();
    assert!(csv.contains("\"'=cmd tried as root\""), "{csv}");
}

#[test]
fn what_is_written_is_read_again() {
    let user = user();
    for (format, file) in [("misp", "event.json"), ("stix", "bundle.json"), ("xarf", "reports.jsonl"), ("csv", "reports.csv")] {
        user.run(&["case", "export", "1", "2", "--as", format, "--for", "party", "--organisation", "Example", "-o", file]).good();
        let again = user.run(&["read", file]);
        let read = lines(&again.out);
        assert_eq!(read.len(), 2, "{format}: {}", again.err);
        let mut places: Vec<&str> = read.iter().filter_map(|report| report["source_identifier"].as_str()).collect();
        places.sort_unstable();
        assert_eq!(places, ["192.0.2.100", "192.0.2.101"], "{format}");
        assert!(
            read.iter().all(|report| report["type"] == "login_attack" && report["source_port"] == 4422),
            "{format}: {read:?}"
        );
        assert!(read.iter().all(|report| report["timestamp"] == "2026-11-20T10:00:00Z"), "{format}");
        let tags = |report: &Value| report["tags"].to_string().to_lowercase();
        assert!(
            read.iter().any(|report| tags(report).contains("tlp:amber")),
            "{format}: what is unstated is written as it counts"
        );
        // A file that is there is kept.
        let refused = user.run(&["case", "export", "1", "--as", format, "-o", file]).failed(1);
        assert!(refused.contains("one that is there is kept"), "{refused}");
    }
}

#[test]
fn what_a_format_cannot_say_is_counted() {
    let user = user();
    let run = user.run(&["case", "export", "1", "--as", "arf"]);
    assert_eq!(run.code, Some(3));
    assert!(run.out.is_empty() && run.err.contains("left out: 1 report, as 'arf' has no word for their kind"), "{}", run.err);
}

#[test]
fn a_file_for_a_party_holds_no_other_partys_cases() {
    let user = user();
    user.pipe(&["receive"], report("192.0.2.7", "")).good();
    user.pipe(&["receive"], report("203.0.113.200", "")).good();
    let holders: Vec<Value> = lines(&user.run(&["case", "list", "--json"]).good());
    assert!(holders.len() >= 5);
    for wrong in [
        &["case", "export", "--all", "--as", "csv", "--for", "party"][..],
        &["case", "export", "1", "--open", "--as", "csv"],
        &["case", "export", "99", "--as", "csv"],
    ] {
        user.run(wrong).failed(1);
    }
    for wrong in [&["case", "export", "--as", "csv"][..], &["case", "export", "1", "--as", "pdf"], &["case", "export", "1"]] {
        user.run(wrong).failed(2);
    }
    let nobody = holders.iter().find(|case| case["holder"].is_null()).map(|case| case["number"].to_string());
    if let Some(number) = nobody {
        let refused = user.run(&["case", "export", &number, "--as", "csv", "--for", "party"]).failed(1);
        assert!(refused.contains("nobody is known to hold"), "{refused}");
    }
    let other = holders.iter().find(|case| case["holder"]["party"] != "C-2" && !case["holder"].is_null());
    if let Some(other) = other {
        let number = other["number"].to_string();
        let refused = user.run(&["case", "export", "1", &number, "--as", "csv", "--for", "party"]).failed(1);
        assert!(refused.contains("several parties"), "{refused}");
    }
}
