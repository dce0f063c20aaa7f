//! Who held it when: from a file without any node, and from a node's data, one by one and in batches.

mod common;

use common::{CUSTOMERS, User, lines};

#[test]
fn a_file_is_enough_to_trace() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    let trace = |at: &str| user.json(&["trace", "--assignments", "customers.csv", "--at", at, "--json", "192.0.2.7"]);
    assert_eq!(trace("2026-09-30T23:59:59Z")["holder"], "C-1");
    assert_eq!(trace("2026-10-01")["holder"], "C-2");
    assert_eq!(trace("2023-01-01")["holder"], "R-1");
    assert_eq!(trace("2019-12-31")["holder"], serde_json::Value::Null);
    let shown = user.run(&["trace", "--assignments", "customers.csv", "192.0.2.7", "203.0.113.1"]).good();
    assert!(shown.contains("Second Customer (C-2)  ← holder"), "{shown}");
    assert!(shown.contains("nobody is known to have held it then"), "{shown}");
    assert!(!common::exists(&user.data()), "no node was needed");
}

#[test]
fn objects_of_a_registry_are_an_administration_too() {
    let user = User::new();
    user.file(
        "registry.txt",
        "% a database\n\ninetnum: 192.0.2.0 - 192.0.2.255\nnetname: EXAMPLE\norg: ORG-EX1-TEST\nstatus: ALLOCATED PA\nmnt-by: EX-MNT\n\
         created: 2020-01-01T00:00:00Z\nsource: TEST\n\norganisation: ORG-EX1-TEST\norg-name: Example Hosting\nsource: TEST\n",
    );
    let traced = user.json(&["trace", "--assignments", "registry.txt", "--json", "192.0.2.7"]);
    assert_eq!(traced["chain"][0]["name"], "Example Hosting", "{traced}");
}

#[test]
fn batches_come_line_by_line() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.run(&["import", "customers.csv"]).good();
    let input = "192.0.2.7 2026-01-01\n\n# remark\n192.0.2.7\t2026-11-01T00:00:00Z\nnonsense here\n203.0.113.1\n";
    let run = user.pipe(&["trace", "--json"], input);
    assert_eq!(run.code, Some(1));
    assert!(run.err.contains("line 5"), "{}", run.err);
    let holders: Vec<_> = lines(&run.out).iter().map(|line| line["holder"].as_str().map(str::to_owned)).collect();
    assert_eq!(holders, [Some("C-1".to_owned()), Some("C-2".to_owned()), None]);
    let run = user.pipe(&["trace"], "192.0.2.7 2026-01-01\n");
    assert_eq!(
        run.good(),
        "192.0.2.7\t2026-01-01T00:00:00Z\tExample Hosting (P-1) > Reseller One (R-1) > First Customer (C-1)\n"
    );
}

#[test]
fn what_is_no_resource_is_said() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    let said = user.run(&["trace", "--assignments", "customers.csv", "192.0.2.1/24"]).failed(1);
    assert!(said.contains("did you mean 192.0.2.0/24?"), "{said}");
    assert!(user.run(&["trace", "--at", "yesterday", "192.0.2.1"]).failed(2).contains("not a time"));
}
