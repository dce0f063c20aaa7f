//! An administration comes in, and comes in again: history is ended and begun, cases find their holders.

mod common;

use common::{CUSTOMERS, User, login_attack};

#[test]
fn an_import_is_shown_before_it_is_done_and_does_nothing_twice() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    let dry = user.run(&["import", "--dry-run", "customers.csv"]).good();
    assert!(dry.contains("what would change") && dry.contains("+ party C-1 First Customer"), "{dry}");
    assert!(user.run(&["party", "list"]).good().contains("no parties yet"));
    assert_eq!(user.json(&["import", "--json", "customers.csv"])["assignments_begun"], 4);
    let again = user.run(&["import", "customers.csv"]).good();
    assert!(again.contains("nothing"), "{again}");
    assert_eq!(user.json(&["import", "--json", "customers.csv"])["assignments_begun"], 0);
}

#[test]
fn what_is_no_longer_named_has_ended_unless_the_file_tells_of_changes_only() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.run(&["import", "customers.csv"]).good();
    let fewer: Vec<&str> = CUSTOMERS.lines().filter(|line| !line.starts_with("C-2")).collect();
    user.file("customers.csv", fewer.join("\n"));
    assert_eq!(user.json(&["import", "--json", "--partial", "customers.csv"])["assignments_ended"], 0);
    let diff = user.run(&["import", "--dry-run", "customers.csv"]).good();
    assert!(diff.contains("- 192.0.2.7 assigned to C-2 ends 2026-11-22 12:00"), "{diff}");
    assert_eq!(user.json(&["import", "--json", "customers.csv"])["parties_gone"], 1);
}

#[test]
fn cases_without_a_holder_find_theirs() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.file("a.json", login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    user.run(&["receive", "a.json"]).good();
    assert_eq!(user.json(&["queue", "no-holder", "--json"])["about"], "192.0.2.7");
    assert_eq!(user.json(&["import", "--json", "customers.csv"])["holders_found"], 1);
    assert_eq!(user.run(&["queue", "no-holder"]).good(), "nothing waits here\n");
    assert!(user.run(&["case", "show", "1"]).good().contains("holder found"));
}

#[test]
fn several_files_are_one_source_with_a_name() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.file("names.csv", "party,party_name,parent,resource,from\nC-3,Third,P-1,192.0.2.99,2025-01-01\n,,,192.0.2.98,\n");
    assert!(user.run(&["import", "customers.csv", "names.csv"]).failed(1).contains("--source NAME"));
    let said = user.json(&["import", "--json", "--source", "billing", "customers.csv", "names.csv"]);
    assert_eq!((said["source"].as_str(), said["complete"].as_bool()), (Some("billing"), Some(false)), "{said}");
    assert!(said["findings"]["first"][0]["place"].as_str().unwrap().starts_with("names.csv, line 3"), "{said}");
    let mapped = "format = \"csv\"\n[columns]\nparty = \"klant\"\nresource = \"adres\"\n";
    user.file("map.toml", mapped);
    user.file("export.csv", "klant;adres\nC-4;192.0.2.97\n");
    assert_eq!(user.json(&["import", "--json", "--map", "map.toml", "export.csv"])["assignments_begun"].as_u64(), Some(1));
}

#[test]
fn changes_are_taken_by_hand_and_the_age_of_a_source_is_shown() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.run(&["import", "--source", "crm", "customers.csv"]).good();
    user.file("today.jsonl", "{\"end\": {\"resource\": \"192.0.2.7\", \"party\": \"C-2\"}}\n{\"begin\": {\"resource\": \"192.0.2.8\", \"party\": \"C-2\"}}\n");
    let shown = user.run(&["import", "--source", "crm", "--changes", "--dry-run", "today.jsonl"]).good();
    assert!(shown.contains("- 192.0.2.7 assigned to C-2") && shown.contains("+ 192.0.2.8 assigned to C-2"), "{shown}");
    let done = user.json(&["import", "--source", "crm", "--changes", "--json", "today.jsonl"]);
    assert_eq!((done["assignments_begun"].as_u64(), done["assignments_ended"].as_u64()), (Some(1), Some(1)), "{done}");
    user.file("wrong.jsonl", "{\"begin\": {\"resource\": \"192.0.2.8\", \"party\": \"C-9\"}}\n");
    assert!(
        user.run(&["import", "--source", "crm", "--changes", "wrong.jsonl"])
            .failed(1)
            .contains("line 1: there is no party 'C-9'")
    );
    assert!(user.run(&["import", "--source", "crm", "--changes", "--complete", "wrong.jsonl"]).failed(2).contains("--complete"));
    assert!(user.run(&["party", "sources"]).good().contains("any age"));
    assert_eq!(user.run(&["party", "sources", "--stale"]).good(), "no source is stale\n");
}

#[test]
fn what_says_nothing_does_not_make_its_source_look_fresh() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.file("junk", [0xff, 0, 7, 7]);
    user.file("empty", "");
    user.file("header.csv", "resource,party\n");
    // Three weeks before the clock of every other command here.
    let mut first = std::process::Command::new(env!("CARGO_BIN_EXE_sluis"));
    first.args(["--now", "2026-11-01T00:00:00Z", "import", "--source", "crm", "customers.csv", "--data"]).arg(user.data());
    assert!(first.current_dir(&user.directory).env_remove("SLUIS_DATA").output().unwrap().status.success());
    let age = || user.json(&["party", "sources", "--json"]);
    let before = age();
    assert!(before["checked"].as_str().unwrap().starts_with("2026-11-01"), "{before}");
    for arguments in [
        &["import", "--source", "crm", "--system", "whmcs", "junk"][..],
        &["import", "--source", "crm", "--system", "whmcs", "empty"],
        &["import", "--source", "crm", "--system", "whmcs", "customers.csv"],
        &["import", "--source", "crm", "junk"],
        &["import", "--source", "crm", "--partial", "header.csv"],
        &["import", "abuseio", "--source", "crm", "junk"],
    ] {
        let said = user.run(arguments).failed(1);
        assert!(!said.is_empty(), "{arguments:?}");
        assert_eq!(age(), before, "{arguments:?}: {said}");
    }
}
