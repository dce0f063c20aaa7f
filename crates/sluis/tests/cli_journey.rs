//! The journey of a desk: an administration, a report, its case, its party, and who it was before.

mod common;

use common::{CUSTOMERS, User, lines, login_attack};

#[test]
fn from_a_report_to_the_party_that_held_the_address_then() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.file("before.json", login_attack("192.0.2.7", "2026-09-30T23:00:00Z"));
    user.file("after.json", login_attack("192.0.2.7", "2026-10-01T01:00:00Z"));
    user.file("nobody.json", login_attack("198.51.100.1", "2026-11-20T01:00:00Z"));
    user.run(&["import", "customers.csv"]).good();
    let table = user.run(&["receive", "before.json", "after.json", "nobody.json"]).good();
    assert!(table.contains("cases opened"), "{table}");

    let cases = lines(&user.run(&["case", "list", "--json"]).good());
    let holders: Vec<_> = cases.iter().map(|case| case["holder"]["party"].as_str()).collect();
    assert_eq!(holders, [None, Some("C-2"), Some("C-1")], "{cases:?}");

    let found = user.json(&["case", "show", cases[2]["id"].as_str().unwrap(), "--json"]);
    let chain: Vec<_> = found["chain"].as_array().unwrap().iter().map(|link| link["party"].as_str().unwrap()).collect();
    assert_eq!(chain, ["P-1", "R-1", "C-1"]);
    assert_eq!(found["chain"][2]["resource"], "192.0.2.7");
    assert_eq!(found["chain"][2]["since"], "2024-01-01T00:00:00Z");
    assert_eq!(found["chain"][2]["source"], "customers");
    assert_eq!(found["latest_reports"][0]["kind"], "connection/login_attack");
    assert_eq!(found["steps"][0]["what"], "opened");

    let shown = user.run(&["case", "show", "1"]).good();
    for text in
        ["connection/login_attack on 192.0.2.7", "└─ Reseller One (R-1)", "First Customer (C-1)  ← holder", "destination_port"]
    {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let party = user.run(&["party", "show", "R-1"]).good();
    for text in
        ["Example Hosting (P-1)", "Reseller One (R-1)  ← this party", "First Customer (C-1)", "mail abuse@reseller.example"]
    {
        assert!(party.contains(text), "{text}: {party}");
    }
    let party = user.json(&["party", "show", "Second Cust", "--json"]);
    assert_eq!(party["rents_from"], serde_json::json!(["R-1", "P-1"]));
    assert_eq!(party["open_cases"].as_array().map(Vec::len), Some(1));
}

#[test]
fn cases_are_found_by_what_one_knows_of_them() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.file("a.json", login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    user.file("b.json", login_attack("198.51.100.1", "2026-11-20T01:00:00Z"));
    user.run(&["import", "customers.csv"]).good();
    user.run(&["receive", "a.json", "b.json"]).good();
    for (arguments, expected) in [
        (&["--open"][..], &[2, 1][..]),
        (&["--closed"], &[]),
        (&["--holder", "none"], &[2]),
        (&["--holder", "C-2"], &[1]),
        (&["--address", "192.0.2.7"], &[1]),
        (&["--kind", "connection/login-attack"], &[2, 1]),
        (&["--kind", "content/phishing"], &[]),
        (&["-n", "1"], &[2]),
        (&["-n", "1", "--before", "2"], &[1]),
    ] {
        let found = lines(&user.run(&[&["case", "list", "--json"], arguments].concat()).good());
        let numbers: Vec<i64> = found.iter().map(|case| case["number"].as_i64().unwrap()).collect();
        assert_eq!(numbers, expected, "{arguments:?}");
    }
    assert!(user.run(&["case", "list", "--kind", "content/phish"]).failed(2).contains("category and type"));
    assert!(user.run(&["case", "list", "--holder", "C-9"]).failed(1).contains("there is no party 'C-9'"));
    assert!(user.run(&["case", "show", "99"]).failed(1).contains("there is no such case"));
}

#[test]
fn the_same_file_twice_is_counted_and_not_repeated() {
    let user = User::new();
    user.file("a.json", login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    user.run(&["receive", "a.json"]).good();
    let summary = user.json(&["receive", "--json", "a.json"]);
    assert_eq!((summary["received"].as_u64(), summary["repeated"].as_u64()), (Some(0), Some(1)), "{summary}");
    assert_eq!(user.json(&["submission", "list", "--json"])["times"], 2);
    assert_eq!(user.json(&["case", "list", "--json"])["reports"], 1);
}

#[test]
fn before_there_is_data_one_is_told_how_to_begin() {
    let user = User::new();
    let said = user.run(&["case", "list"]).failed(1);
    assert!(said.contains("'sluis receive' or 'sluis import'"), "{said}");
}
