//! The demo as a newcomer runs it: what it tells is true by its database, it repeats, and its commands work.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// A moment from which the year is counted back, so that every run has the same.
const NOW: &str = "2026-11-20T12:00:00Z";

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("sluis-demo-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn sluis(directory: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluis"))
        .args(["--now", NOW, "--data"])
        .arg(directory)
        .args(arguments)
        .env_remove("SLUIS_DATA")
        .output()
        .expect("the program runs")
}

/// The one JSON object that a command prints.
fn json(directory: &Path, arguments: &[&str]) -> Value {
    let output = sluis(directory, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("it is JSON")
}

/// The JSON objects that a command prints, one a line.
fn lines(directory: &Path, arguments: &[&str]) -> Vec<Value> {
    let output = sluis(directory, arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).expect("it is UTF-8");
    text.lines().map(|line| serde_json::from_str(line).expect("it is JSON")).collect()
}

#[test]
fn what_the_demo_tells_is_true() {
    let folder = Folder::new("true");
    let told = json(&folder.0, &["demo", "--json"]);
    let number = |name: &str| told[name].as_u64().unwrap_or_else(|| panic!("{name} is a number"));

    // Every statement that was written is a report in a case, a reject or set aside, with the true chain.
    assert_eq!(told["wrong"], Value::Array(Vec::new()));
    assert_eq!(number("reports"), number("in_cases") + number("undated"));
    assert_eq!(number("true_chains"), number("in_cases"));
    for queue in ["unreadable", "rejects", "undated", "copies"] {
        assert_eq!(number(queue), 1, "{queue}");
    }
    assert!(number("reports") > 3_000 && number("cases") > 400, "{told}");
    for format in ["arf", "csv", "shadowserver", "shadowserver_mail", "xarf"] {
        assert!(told["formats"][format].as_u64() > Some(20), "{format}");
    }
    for format in ["fail2ban", "intelmq", "kev", "xarf_0"] {
        assert!(told["formats"][format].as_u64() > Some(0), "{format}");
    }
    // A catalogue made one case worse while the node acted, and the letter about it says what helps.
    let weak = lines(&folder.0, &["case", "list", "--json", "--kind", "vulnerability/cve"]);
    assert_eq!((weak.len(), weak[0]["severity"].as_str()), (1, Some("P3")), "{weak:?}");
    let explained = sluis(&folder.0, &["policy", "explain", &weak[0]["number"].to_string()]);
    assert!(String::from_utf8_lossy(&explained.stdout).contains("known to be exploited"), "{explained:?}");

    // The other commands count the same.
    let cases = lines(&folder.0, &["case", "list", "--json", "-n", "100000"]);
    assert_eq!(cases.len() as u64, number("cases"));
    let in_cases: u64 = cases.iter().filter_map(|case| case["reports"].as_u64()).sum();
    assert_eq!(in_cases, number("in_cases"));
    let nobody = cases.iter().filter(|case| case["holder"].is_null());
    assert!(nobody.clone().count() > 0);
    assert_eq!(nobody.filter(|case| case["state"] == "open").count() as u64, number("no_holder"));
    let submissions = lines(&folder.0, &["submission", "list", "--json", "-n", "100000"]);
    assert_eq!(submissions.len() as u64, number("submissions"));

    // What followed: letters, clocks that run, and what was recorded late is with the right holder again.
    let care = &told["care"];
    let count = |of: &Value| of.as_u64().unwrap_or(0);
    for purpose in ["to customer", "reminder", "last warning", "correction", "restriction"] {
        assert!(count(&care["outbox"][purpose]) > 10, "{purpose}: {care}");
    }
    assert!(count(&care["corrected"]) > 10 && count(&care["moved"]) >= count(&care["corrected"]), "{care}");
    assert!(count(&care["open"]) > count(&care["overdue"]) && count(&care["closed"]["quiet"]) > 50, "{care}");
    assert_eq!(care["clocks"].as_array().map(Vec::len), Some(5), "{care}");
    // No restriction goes by itself.
    let entries = lines(&folder.0, &["outbox", "list", "--json", "-n", "100000"]);
    let restrictions = entries.iter().filter(|entry| entry["purpose"] == "restriction" && entry["delivery"] == "waiting");
    assert!(restrictions.clone().count() > 0);
    restrictions.for_each(|entry| assert_ne!(entry["hold"], "free", "{entry}"));

    // The rotten reseller leads, by far.
    let branches = told["branches"].as_array().expect("a list");
    assert_eq!(branches[0]["party"], "R-VLOTBOX");
    assert!(branches[0]["cases"].as_u64() > branches[1]["cases"].as_u64().map(|cases| cases * 3));

    // One address, two holders; and what came late is with the first.
    let handover = &told["handover"];
    let chain_of = |moment: &str| {
        let case = handover[moment]["case"].to_string();
        let shown = json(&folder.0, &["case", "show", &case, "--json"]);
        assert_eq!(shown["about"], handover["address"]);
        let links: Vec<Value> = shown["chain"].as_array().expect("a list").iter().map(|link| link["party"].clone()).collect();
        assert_eq!(Value::Array(links.clone()), handover[moment]["chain"]);
        links
    };
    let (before, after) = (chain_of("before"), chain_of("after"));
    assert_eq!((before.len(), after.len()), (3, 3));
    assert!(before[0] == after[0] && before[1] != after[1] && before[2] != after[2]);
    assert_eq!(handover["late_case"], handover["before"]["case"]);

    for command in told["look_further"].as_array().expect("a list") {
        let command = command.as_str().expect("a text");
        let ran = Command::new("sh").args(["-c", command]).output().expect("a shell runs");
        assert!(ran.status.success() && !ran.stdout.is_empty(), "{command}: {}", String::from_utf8_lossy(&ran.stderr));
    }

    // Shown once more it is the same; made anew too, elsewhere or in its place.
    assert_eq!(json(&folder.0, &["demo", "--json"]), told);
    assert_eq!(json(&folder.0, &["demo", "--json", "--fresh"]), told);
    let other = sluis(&folder.0, &["demo", "--seed", "2"]);
    assert!(!other.status.success() && String::from_utf8_lossy(&other.stderr).contains("--fresh"));
    let screen = sluis(&folder.0, &["demo"]);
    let screen = String::from_utf8(screen.stdout).expect("it is UTF-8");
    assert!(screen.contains("Vlotbox") && !screen.contains('\u{1b}'), "{screen}");
}

#[test]
fn one_case_is_given_away_and_proves_itself() {
    let folder = Folder::new("sealed");
    let sealed = json(&folder.0, &["demo", "--json"])["sealed"].take();
    assert_eq!((sealed["verdict"].as_str(), sealed["exit_status"].as_u64()), (Some("proven"), Some(0)), "{sealed}");
    // Where there is a browser, the second verifier says the same.
    assert!(
        sealed["page_trouble"].is_null() && ["proven", ""].contains(&sealed["page_verdict"].as_str().unwrap_or("")),
        "{sealed}"
    );
    let letters = sealed["letters"].as_array().expect("letters");
    assert!(!letters.is_empty() && letters.iter().all(|letter| letter["not_before"].is_string()), "{sealed}");
    let path = |name: &str| sealed[name].as_str().expect("a path").to_owned();
    let (bundle, policy, roots) = (path("bundle"), path("policy"), path("roots"));
    let verify = |bundle: &str| {
        let output = sluis(Path::new("/nonexistent"), &["verify", bundle, "--policy", &policy, "--tsa-roots", &roots]);
        (output.status.code(), String::from_utf8(output.stdout).expect("it is UTF-8"))
    };
    assert_eq!(verify(&bundle).0, Some(0));
    let mut bytes = std::fs::read(&bundle).expect("the bundle is there");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let changed = folder.0.join("changed.sluis-evidence");
    std::fs::write(&changed, bytes).expect("a file");
    let (status, text) = verify(&changed.display().to_string());
    assert!(matches!(status, Some(1 | 3)), "{text}");
    // The log behind it is whole.
    let fsck = sluis(&folder.0, &["log", "fsck"]);
    assert!(fsck.status.success(), "{}", String::from_utf8_lossy(&fsck.stderr));
}

#[test]
fn another_seed_is_another_world_and_as_true() {
    let folder = Folder::new("seed");
    let told = json(&folder.0, &["demo", "--json", "--seed", "20261122"]);
    assert_eq!(told["wrong"], Value::Array(Vec::new()));
    assert_eq!(told["true_chains"], told["in_cases"]);
    assert_eq!(told["branches"][0]["party"], "R-VLOTBOX");
}

#[test]
fn the_data_of_others_is_left_alone() {
    let folder = Folder::new("others");
    std::fs::create_dir_all(&folder.0).expect("a folder");
    std::fs::write(folder.0.join("letter.txt"), "dear all").expect("a file");
    for arguments in [&["demo"][..], &["demo", "--fresh"]] {
        let refused = sluis(&folder.0, arguments);
        assert!(!refused.status.success());
        assert!(String::from_utf8_lossy(&refused.stderr).contains("is not empty"), "{arguments:?}");
    }
    let left: Vec<_> = std::fs::read_dir(&folder.0).expect("a folder").filter_map(Result::ok).collect();
    assert_eq!(left.len(), 1);
}
