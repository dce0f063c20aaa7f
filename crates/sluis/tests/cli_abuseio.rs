//! Moving from AbuseIO: its dump becomes an administration and cases, once, and nothing of its secrets is kept.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{User, is_harmless, lines};

fn dump() -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../parsers/fixtures/administrations/abuseio.sql").to_str().unwrap().to_owned()
}

fn has_secret(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| match entry.path().is_dir() {
        true => has_secret(&entry.path()),
        false => std::fs::read(entry.path()).unwrap().windows(12).any(|bytes| bytes == b"SLUIS-SECRET"),
    })
}

#[test]
fn a_dump_becomes_parties_and_cases_once() {
    let user = User::new();
    let shown = user.run(&["import", "abuseio", "--dry-run", &dump()]).good();
    assert!(shown.contains("what would change") && shown.contains("closed, resolved or ignored"), "{shown}");
    assert_eq!(user.run(&["case", "list"]).good().lines().count(), 1, "nothing was done");
    let said = user.json(&["import", "abuseio", "--json", &dump()]);
    assert_eq!(said["administration"]["parties_new"], 3, "{said}");
    assert_eq!(
        (said["reports"].as_u64(), said["notes"].as_u64(), said["cases_opened"].as_u64()),
        (Some(3), Some(1), Some(2)),
        "{said}"
    );
    assert!(user.run(&["trace", "192.0.2.70"]).good().contains("Oak Bakery"));
    let cases = lines(&user.run(&["case", "list", "--json"]).good());
    let case = cases.iter().find(|case| case["about"].as_str().is_some_and(|about| about.starts_with("192.0.2.70"))).unwrap();
    assert_eq!(case["reports"], 2, "{case}");
    // What was noted there is kept with the report.
    let submission = user.run(&["submission", "show", "1", "--json"]).good();
    assert!(submission.contains("customer called"), "{submission}");
    let again = user.run(&["import", "abuseio", &dump()]).good();
    assert!(again.contains("came in before") && is_harmless(&again), "{again}");
    assert_eq!(lines(&user.run(&["case", "list", "--json"]).good()).len(), cases.len());
    assert!(!has_secret(&user.data()));
    assert!(user.run(&["import", "abuseio", "nowhere.sql"]).failed(1).contains("name the file of the dump"));
}
