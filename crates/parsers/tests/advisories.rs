//! Advisories of others: every document that its authors call valid is read, with the identifiers, numbers and counts that
//! they state.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use model::advisory::Advisory;
use model::time::Time;
use parsers::read::{Outcome, read};
use parsers::sink::Collected;
use parsers::source::Hint;
use serde_json::Value;

/// The folder of samples, when there is one.
fn samples() -> Option<PathBuf> {
    let shared = std::env::var_os("SLUIS_SHARED").map(PathBuf::from);
    if shared.is_none() {
        eprintln!("skipped: SLUIS_SHARED names no folder with samples");
    }
    shared.map(|shared| shared.join("corpus"))
}

fn oracle(samples: &Path, kind: &str) -> Vec<Value> {
    let text = fs::read_to_string(samples.join(kind).join("ORACLE.jsonl")).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn read_file(samples: &Path, entry: &Value) -> (Outcome, Collected) {
    let path = samples.join(entry["path"].as_str().unwrap());
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let hint = Hint::new(&name, Time(0));
    let mut sink = Collected::default();
    let outcome = read(&mut &fs::read(&path).unwrap()[..], &hint, &mut sink).unwrap();
    (outcome, sink)
}

fn cves(advisories: &[Advisory]) -> BTreeSet<String> {
    advisories.iter().filter_map(|advisory| advisory.cve).map(|cve| cve.to_string()).collect()
}

#[test]
fn csaf_documents_are_read_as_their_authors_label_them() {
    let Some(samples) = samples() else { return };
    let mut wrong = Vec::new();
    for entry in oracle(&samples, "csaf") {
        let (outcome, sink) = read_file(&samples, &entry);
        let path = entry["path"].as_str().unwrap();
        let kind = entry["kind"].as_str().unwrap_or("csaf");
        if kind != "csaf" {
            if outcome.format != "csaf" || outcome.aside.is_empty() || !sink.advisories.is_empty() {
                wrong.push(format!("{path}: a {kind} is set aside: {outcome:?}"));
            }
            continue;
        }
        // Documents that break a mandatory test of the standard may be refused; all others are valid.
        let labels = entry["labels"].as_array().cloned().unwrap_or_default();
        let valid = labels.iter().all(|label| label["valid"] == true);
        if valid && (outcome.format != "csaf" || !sink.rejects.is_empty() || sink.advisories.is_empty()) {
            wrong.push(format!("{path}: {outcome:?} {:?}", sink.rejects.first().map(|reject| &reject.reason)));
        }
        if let Some(count) = entry["vulnerabilities"].as_u64()
            && sink.advisories.len() as u64 != count.max(1)
        {
            wrong.push(format!("{path}: {} of {count} vulnerabilities", sink.advisories.len()));
        }
        if let Some(stated) = entry["cves"].as_array() {
            let stated: BTreeSet<String> = stated.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            if cves(&sink.advisories) != stated {
                wrong.push(format!("{path}: {:?} for {stated:?}", cves(&sink.advisories)));
            }
        }
        let release = entry["current_release_date"].as_str().and_then(|date| Time::parse(date.as_bytes()));
        for advisory in &sink.advisories {
            let id = entry["tracking_id"].as_str().unwrap_or(&advisory.id);
            if advisory.id != id || release.is_some_and(|release| advisory.released != Some(release)) {
                wrong.push(format!("{path}: {} of {:?}", advisory.id, advisory.released));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_catalogue_has_as_many_entries_as_it_states_in_both_its_forms() {
    let Some(samples) = samples() else { return };
    let mut sets: std::collections::BTreeMap<String, Vec<Vec<String>>> = std::collections::BTreeMap::new();
    for entry in oracle(&samples, "kev") {
        let (outcome, sink) = read_file(&samples, &entry);
        let path = entry["path"].as_str().unwrap();
        assert_eq!(outcome.format, "kev", "{path}");
        assert!(sink.rejects.is_empty(), "{path}: {:?}", sink.rejects.first());
        assert_eq!(sink.advisories.len() as u64, entry["count"].as_u64().unwrap(), "{path}");
        assert!(sink.advisories.iter().all(|one| one.exploited && one.released.is_some() && one.due.is_some()), "{path}");
        if let Some(first) = entry["first"].as_str() {
            assert_eq!(sink.advisories.first().unwrap().id, first);
            assert_eq!(sink.advisories.last().unwrap().id, entry["last"].as_str().unwrap());
        }
        let commit = Path::new(path).file_name().unwrap().to_string_lossy().split('-').next().unwrap().to_owned();
        let list = sink.advisories.iter().map(|one| format!("{} {} {:?} {}", one.id, one.title, one.due, one.ransomware));
        let mut list: Vec<String> = list.collect();
        list.sort();
        sets.entry(commit).or_default().push(list);
    }
    for (commit, forms) in sets {
        assert!(forms.windows(2).all(|pair| pair[0] == pair[1]), "{commit}: JSON and CSV say the same");
    }
}
