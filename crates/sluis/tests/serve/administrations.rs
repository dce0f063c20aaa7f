//! Folders in which sources of administration lay what they have to say: in order, once, and not past what failed.

use std::fs;
use std::path::Path;

use crate::support::{Folder, Node, sluis, until};

const PARTIES: &str = r#"{"party": {"party": "A", "party_name": "Oak", "secret": "SLUIS-SECRET"}}
{"party": {"party": "B", "party_name": "Elm"}}
"#;

/// Lays a file down as one should: written elsewhere, then renamed.
fn lay(folder: &Path, name: &str, text: &str) {
    let tmp = folder.join(format!(".{name}.tmp"));
    fs::write(&tmp, text).unwrap();
    fs::rename(tmp, folder.join(name)).unwrap();
}

fn begin(address: &str, party: &str) -> String {
    format!("{{\"begin\": {{\"resource\": \"{address}\", \"party\": \"{party}\"}}}}\n")
}

fn holder(folder: &Folder, address: &str) -> String {
    let run = sluis(&folder.data(), &["trace", address]);
    run.1
}

#[test]
fn files_are_taken_in_order_and_none_behind_one_that_failed() {
    let folder = Folder::new("changes");
    let feed = folder.0.join("feed");
    fs::create_dir_all(feed.join("0000-all")).unwrap();
    fs::rename(feed.join("0000-all"), folder.0.join("0000-all")).unwrap();
    fs::write(folder.0.join("0000-all/1.csv"), "party,party_name\nC,Ash\n").unwrap();
    fs::write(folder.0.join("0000-all/2.csv"), "resource,party\n192.0.2.9,C\n").unwrap();
    fs::rename(folder.0.join("0000-all"), feed.join("0000-all")).unwrap();
    lay(&feed, "0001.changes.jsonl", &format!("{PARTIES}{}", begin("192.0.2.1", "A")));
    lay(&feed, "0002.changes.jsonl", &begin("192.0.2.1", "B"));
    let settings = format!("[[administration]]\nsource = \"billing\"\nfolder = \"{}\"\nfresh_hours = 0.5\n", feed.display());
    let node = Node::start(&folder, &settings);
    until("all are taken", || feed.join("0002.changes.jsonl.done").exists().then_some(()));
    until("the holder is known", || holder(&folder, "192.0.2.1").contains("Elm").then_some(()));
    assert!(feed.join("0000-all.done").is_dir() && holder(&folder, "192.0.2.9").contains("Ash"));
    until("it is said", || node.said("administration taken in"));

    lay(&feed, "0003.changes.jsonl", &begin("192.0.2.2", "C-unknown"));
    lay(&feed, "0004.changes.jsonl", &begin("192.0.2.3", "A"));
    until("it failed", || feed.join("0003.changes.jsonl.failed").exists().then_some(()));
    let reason = fs::read_to_string(feed.join("0003.changes.jsonl.reason")).unwrap();
    assert!(reason.contains("line 1: there is no party 'C-unknown'"), "{reason}");
    until("it is not ready", || (node.get("/readyz").0 == 503).then_some(()));
    let page = node.get("/readyz").2;
    assert!(page.contains("administration-1") && page.contains(".reason says why"), "{page}");
    assert_eq!(node.metric("sluis_intake_failing{part=\"administration-1\"}"), Some(1.0));
    assert!(feed.join("0004.changes.jsonl").exists(), "those behind it wait");

    // Corrected and renamed: all goes on.
    fs::write(feed.join("0003.changes.jsonl.failed"), begin("192.0.2.2", "B")).unwrap();
    fs::rename(feed.join("0003.changes.jsonl.failed"), feed.join("0003.changes.jsonl")).unwrap();
    until("all are taken", || feed.join("0004.changes.jsonl.done").exists().then_some(()));
    until("the holder is known", || holder(&folder, "192.0.2.3").contains("Oak").then_some(()));
    until("it is ready", || (node.get("/readyz").0 == 200).then_some(()));

    // By hand, while the node owns the data.
    fs::write(folder.0.join("by-hand.jsonl"), begin("192.0.2.4", "A")).unwrap();
    let hand = folder.0.join("by-hand.jsonl");
    let run = sluis(&folder.data(), &["import", "--source", "billing", "--changes", hand.to_str().unwrap()]);
    assert_eq!(run.0, 0, "{run:?}");
    assert!(holder(&folder, "192.0.2.4").contains("Oak"));
    let sources = sluis(&folder.data(), &["party", "sources", "--json"]);
    let source: serde_json::Value = serde_json::from_str(&sources.1).unwrap();
    assert_eq!(
        (source["name"].as_str(), source["fresh_seconds"].as_i64(), source["stale"].as_bool()),
        (Some("billing"), Some(1800), Some(false))
    );
    let log = node.log();
    assert!(!log.contains("C-unknown") && !log.contains("changes.jsonl"), "{log}");
    drop(node);
    assert!(!fs::read(folder.data().join("sluis.db")).unwrap().windows(12).any(|bytes| bytes == b"SLUIS-SECRET"));
}

#[test]
fn a_node_killed_again_and_again_takes_each_file_once() {
    let folder = Folder::new("changes-killed");
    let feed = folder.0.join("feed");
    fs::create_dir_all(&feed).unwrap();
    lay(&feed, "0000.changes.jsonl", PARTIES);
    // The address changes hands with each file: one that was taken twice would show in the history.
    for number in 1..=40 {
        let party = if number % 2 == 0 { "A" } else { "B" };
        let from = format!("2026-{:02}-{:02}", 1 + number / 20, 1 + number % 20);
        let line = format!("{{\"begin\": {{\"resource\": \"192.0.2.1\", \"party\": \"{party}\", \"from\": \"{from}\"}}}}\n");
        lay(&feed, &format!("{number:04}.changes.jsonl"), &line);
    }
    let settings = format!("[[administration]]\nsource = \"billing\"\nfolder = \"{}\"\n", feed.display());
    for round in 0..4 {
        let node = Node::start(&folder, &settings);
        std::thread::sleep(std::time::Duration::from_millis(15 * (round + 1)));
        // Let go of, it is killed.
        drop(node);
    }
    let node = Node::start(&folder, &settings);
    until("all are taken", || feed.join("0040.changes.jsonl.done").exists().then_some(()));
    until("the holder is known", || holder(&folder, "192.0.2.1").contains("Oak").then_some(()));
    drop(node);
    let history = |party: &str| {
        let run = sluis(&folder.data(), &["party", "show", party, "--json", "-n", "1000"]);
        let party: serde_json::Value = serde_json::from_str(&run.1).unwrap();
        party["assignments"].as_array().unwrap().len()
    };
    assert_eq!((history("A"), history("B")), (20, 20));
}
