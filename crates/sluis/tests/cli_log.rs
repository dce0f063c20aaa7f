//! The log, from the command line: what is done is sealed, the whole can be reckoned again, and what was brought back is seen.

#![allow(clippy::unwrap_used)]

mod common;

use common::{CUSTOMERS, NOW, User, login_attack};
use serde_json::Value;

/// A user with an administration and one case.
fn with_a_case() -> User {
    let user = User::new();
    let customers = user.file("customers.csv", CUSTOMERS);
    user.run(&["import", "--source", "crm", &customers.display().to_string()]).good();
    user.pipe(&["receive", "-"], login_attack("192.0.2.7", NOW)).good();
    user
}

fn number(value: &Value, name: &str) -> u64 {
    value["logs"][0][name].as_u64().unwrap()
}

#[test]
fn what_a_command_does_is_sealed_at_its_end() {
    let user = with_a_case();
    let shown = user.json(&["log", "show", "--json"]);
    assert_eq!((shown["waiting"].as_u64(), &shown["trouble"]), (Some(0), &Value::Null), "{shown}");
    let before = number(&shown, "entries");
    assert!(before > 1, "{shown}");
    assert_eq!(number(&shown, "signed"), before);
    user.run(&["case", "note", "1", "called them", "--by", "jan"]).good();
    assert_eq!(number(&user.json(&["log", "show", "--json"]), "signed"), before + 1);
    let checked = user.json(&["log", "fsck", "--json"]);
    assert_eq!((&checked["sound"], &checked["logs"][0]["signature"]), (&Value::Bool(true), &Value::from("verified")));
    // What only reads does not touch it.
    user.run(&["case", "list"]).good();
    assert_eq!(number(&user.json(&["log", "show", "--json"]), "entries"), before + 1);
    let key = user.run(&["log", "key"]).good();
    let origin = shown["logs"][0]["origin"].as_str().unwrap();
    assert!(key.starts_with(&format!("{origin}+")) && origin.ends_with("/2026"), "{key}");
    assert!(origin.starts_with("sluis.invalid/"), "{origin}");
}

#[test]
fn a_name_of_ones_own_begins_a_log_of_that_name() {
    let user = with_a_case();
    user.file("data/sluis.toml", "[log]\nname = \"log.hoster.example/abuse\"\n");
    user.run(&["case", "note", "1", "called them", "--by", "jan"]).good();
    let shown = user.json(&["log", "show", "--json"]);
    assert_eq!(shown["logs"][1]["origin"], "log.hoster.example/abuse/2026.2");
    assert!(shown["logs"][0]["ended"].is_string());
    // The old one was published for the last time, so its copy is whole.
    let copy = user.file("copy/.keep", "").parent().unwrap().to_owned();
    user.run(&["log", "export", &copy.display().to_string()]).good();
    let key = user.run(&["log", "key", "--json"]).good();
    let key: Value = serde_json::from_str(key.lines().next().unwrap()).unwrap();
    let folder = copy.join("2026").display().to_string();
    let checked = user.json(&["log", "fsck", &folder, "--key", key["key"].as_str().unwrap(), "--json"]);
    assert_eq!((&checked["sound"], &checked["logs"][0]["published"]), (&Value::Bool(true), &Value::from(64)));
    // One bit of one entry.
    let bundle = copy.join("2026/tile/entries/000.p/64");
    let mut bytes = std::fs::read(&bundle).unwrap();
    bytes[70] ^= 1;
    std::fs::write(&bundle, bytes).unwrap();
    let said = user.run(&["log", "fsck", &folder]);
    assert_eq!(said.code, Some(1));
    assert!(said.out.contains("does not hold the hashes"), "{}", said.out);
}

#[test]
fn a_node_without_its_promise_says_so_and_goes_on() {
    let user = with_a_case();
    std::fs::remove_dir_all(user.data().join("signed")).unwrap();
    let noted = user.run(&["case", "note", "1", "called them", "--by", "jan"]);
    assert_eq!(noted.code, Some(0));
    assert!(noted.err.contains("not sealed yet") && noted.err.contains("sluis log begin"), "{}", noted.err);
    let shown = user.json(&["log", "show", "--json"]);
    assert_eq!(shown["waiting"], 1);
    assert!(shown["trouble"].as_str().unwrap().contains("nothing says what was signed last"));
    assert_eq!(user.run(&["log", "fsck"]).code, Some(1));
    let begun = user.json(&["log", "begin", "--json"]);
    assert!(begun["origin"].as_str().unwrap().ends_with("/2026.2"), "{begun}");
    let shown = user.json(&["log", "show", "--json"]);
    assert_eq!((&shown["waiting"], &shown["trouble"]), (&Value::from(0), &Value::Null), "{shown}");
    assert_eq!(shown["logs"][1]["signed"], 2);
}
