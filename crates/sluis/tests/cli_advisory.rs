//! Advice about weak points from the command line: a case, a catalogue, an advisory, and the letter that bears it.

mod common;

use common::{CUSTOMERS, User};

/// A report by Shadowserver's type about servers that still speak SSL 3.
const WEAK: &str = "timestamp,ip,port,hostname,asn,geo,sector,naics,handshake,ssl_poodle\n\
                    2026-11-22 10:00:00,192.0.2.7,443,,64496,NL,,0,SSLv3,Y\n";

const KEV: &str = r#"{"catalogVersion":"1","dateReleased":"2026-11-21T00:00:00Z","count":1,"vulnerabilities":[{"cveID":"CVE-2014-3566",
"vendorProject":"Example","product":"TLS","vulnerabilityName":"Old TLS","dateAdded":"2026-11-20","requiredAction":"Switch SSL 3 off.",
"dueDate":"2026-12-01","knownRansomwareCampaignUse":"Known","notes":"https://catalogue.example/1"}]}"#;

/// An advisory with a label, and with what a terminal would obey in its remedy.
fn csaf(id: &str, label: &str, remedy: &str) -> String {
    format!(
        r#"{{"document":{{"category":"csaf_security_advisory","csaf_version":"2.0","title":"Old TLS","distribution":{{"tlp":{{"label":"{label}"}}}},
        "publisher":{{"name":"Example Works"}},"tracking":{{"id":"{id}","current_release_date":"2026-11-20T00:00:00Z","status":"final"}}}},
        "vulnerabilities":[{{"cve":"CVE-2014-3566","scores":[{{"cvss_v3":{{"baseScore":6.8,"baseSeverity":"MEDIUM"}}}}],
        "remediations":[{{"category":"vendor_fix","details":"{remedy}","url":"javascript:alert(1)"}}]}}]}}"#
    )
}

#[test]
fn advice_makes_a_case_worse_and_stands_in_its_letter() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.file("2026-11-22-scan_ssl_poodle-example.csv", WEAK);
    user.file("kev.json", KEV);
    user.file("ew-1.json", csaf("EW-1", "GREEN", "Install 2.0.\\u001b[31m\\r\\nBcc: x@y.example"));
    user.file("ew-2.json", csaf("EW-2", "RED", "Known to us alone."));
    user.run(&["import", "customers.csv"]).good();
    user.run(&["receive", "2026-11-22-scan_ssl_poodle-example.csv"]).good();
    let before = user.json(&["case", "show", "1", "--json"]);
    assert_eq!(before["advice"], serde_json::json!([]));
    user.run(&["receive", "kev.json", "ew-1.json", "ew-2.json"]).good();

    let case = user.json(&["case", "show", "1", "--json"]);
    assert!(case["severity"].as_str() < before["severity"].as_str(), "{} after {}", case["severity"], before["severity"]);
    assert_eq!(case["advice"].as_array().map(Vec::len), Some(3), "the desk sees all of it");
    let shown = user.run(&["case", "show", "1"]).good();
    for words in ["What helps", "Switch SSL 3 off.", "CVE-2014-3566 is exploited, by ransomware too", "medium, CVSS 6.8"] {
        assert!(shown.contains(words), "no {words:?} in\n{shown}");
    }
    assert!(
        user.run(&["policy", "explain", "1"])
            .good()
            .contains("CVE-2014-3566 is known to be exploited, by ransomware too: [exploited]")
    );

    // Of the letter to the party: what helps, without what is for our eyes only, and nothing that a terminal or mail obeys.
    let entries = user.run(&["outbox", "list", "--json"]).good();
    let letter = common::lines(&entries).into_iter().find(|entry| entry["purpose"] == "to customer").unwrap();
    let number = letter["number"].to_string();
    let letter = user.run(&["outbox", "show", &number]).good();
    assert!(letter.contains("What the letter advises") && letter.contains("Install 2.0."), "{letter}");
    assert!(!letter.contains("Known to us alone") && !letter.contains('\u{1b}') && !letter.contains("javascript"), "{letter}");
    assert!(!letter.lines().any(|line| line.starts_with("Bcc")), "{letter}");

    // What a stranger sends waits.
    let mail = format!(
        "From: a@stranger.example\r\nTo: abuse@hosting.example\r\nSubject: x\r\nContent-Type: application/json; name=\"ew-3.json\"\r\n\r\n{}",
        csaf("EW-3", "WHITE", "Run my script.")
    );
    user.pipe(&["receive", "-"], mail).good();
    let waiting = user.run(&["advisory", "list", "--waiting", "--json"]).good();
    let waiting = common::lines(&waiting);
    assert_eq!((waiting.len(), &waiting[0]["document"], &waiting[0]["accepted"]), (1, &"EW-3".into(), &false.into()));
    assert!(!user.run(&["outbox", "show", &number]).good().contains("Run my script"));
    let row = waiting[0]["number"].to_string();
    user.run(&["advisory", "accept", &row, "--by", "Anna"]).good();
    assert!(user.run(&["outbox", "show", &number]).good().contains("Run my script"));
    let shown = user.run(&["advisory", "show", "CVE-2014-3566"]).good();
    assert!(shown.contains("EW-3") && shown.contains("accepted, by Anna"), "{shown}");
    assert!(user.run(&["advisory", "accept", &row, "--by", "Anna"]).failed(1).contains("does not wait"));
    assert!(user.run(&["advisory", "show", "CVE-1999-0001"]).failed(1).contains("nothing is known"));
}
