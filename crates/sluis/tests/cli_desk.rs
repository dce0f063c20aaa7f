//! The desk's day from the terminal: what burns, acts on one case and on many, undoing, and a late administration.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CUSTOMERS, User, is_harmless, lines, login_attack};
use serde_json::Value;

/// A user with one login attack on each of `count` addresses of the second customer, from 192.0.2.7 on.
fn user(count: u8) -> User {
    let user = User::new();
    let mut customers = CUSTOMERS.to_owned();
    for last in 8..7 + count {
        customers.push_str(&format!("C-2,Second Customer,R-1,customer,192.0.2.{last},assigned,2024-01-01,,vps-{last},\n"));
    }
    user.file("customers.csv", customers);
    user.run(&["import", "customers.csv"]).good();
    for last in 7..7 + count {
        user.pipe(&["receive"], login_attack(&format!("192.0.2.{last}"), "2026-11-20T10:00:00Z")).good();
    }
    user
}

fn cases(user: &User, arguments: &[&str]) -> Vec<Value> {
    let mut all = vec!["case", "list", "--json"];
    all.extend(arguments);
    lines(&user.run(&all).good())
}

#[test]
fn a_day_at_the_desk() {
    let user = user(4);
    let by = ["--by", "Anna"];
    let run = |arguments: &[&str]| user.run(&[arguments, &by].concat());
    // Mine, and what is to be mended first.
    run(&["case", "handle", "1", "2", "--yes", "2"]).good();
    assert_eq!(cases(&user, &["--handler", "Anna"]).len(), 2);
    assert_eq!(cases(&user, &["--handler", "none"]).len(), 2);
    let due = cases(&user, &["--due"]);
    assert_eq!(due.len(), 4, "each has a clock");
    let clocks: Vec<&str> = due.iter().map(|case| case["mend_by"].as_str().unwrap()).collect();
    assert!(clocks.is_sorted(), "{clocks:?}");
    assert!(cases(&user, &["--overdue"]).is_empty());

    // Written down, put off, disputed, decided by another.
    run(&["case", "note", "1", "called \u{1b}[2Jthem"]).good();
    run(&["case", "snooze", "1", "--until", "2026-11-25", "--reason", "they asked for time"]).good();
    run(&["case", "dispute", "2", "--reason", "they say it is a scanner of ours"]).good();
    let refused = run(&["case", "decide", "2", "--dispute", "upheld", "--reason", "it is"]).failed(1);
    assert!(refused.contains("somebody else decides"), "{refused}");
    let decided = user.run(&["case", "decide", "2", "--dispute", "upheld", "--reason", "it is", "--by", "Bert"]).good();
    assert!(decided.contains("done: 1 case"), "{decided}");
    let shown = user.run(&["case", "show", "1"]).good();
    for expected in ["put off until", "handled by Anna", "called", "mend by", "rule"] {
        assert!(shown.contains(expected), "{expected} is not in {shown}");
    }
    assert!(is_harmless(&shown));
    let shown = user.json(&["case", "show", "2", "--json"]);
    assert_eq!((shown["state"].as_str(), shown["closure"].as_str()), (Some("closed"), Some("false report")));
    assert!(shown["steps"].as_array().unwrap().iter().any(|step| step["person"] == "Bert"));

    // Many at once: a look first, then exactly as many.
    let many = ["case", "close", "--all", "--kind", "connection/login_attack", "--as", "insufficient", "--reason", "too little"];
    let look = run(&many);
    assert_eq!(look.code, Some(1));
    assert!(look.out.contains("3 cases") && look.out.contains("1 case left out: it is closed"), "{}", look.out);
    assert!(look.err.contains("--yes 3"), "{}", look.err);
    assert!(run(&[&many[..], &["--yes", "2"]].concat()).failed(1).contains("look again"));
    let done = run(&[&many[..], &["--yes", "3"]].concat()).good();
    assert!(done.contains("sluis case undo"), "{done}");
    assert_eq!(cases(&user, &["--open"]).len(), 0);
    let acts = lines(&user.run(&["case", "acts", "--json"]).good());
    assert_eq!((acts[0]["verb"].as_str(), acts[0]["cases"].as_u64()), (Some("close: insufficient"), Some(3)));
    run(&["case", "undo", acts[0]["id"].as_str().unwrap(), "--reason", "the wrong filter"]).good();
    assert_eq!(cases(&user, &["--open"]).len(), 3);
    for wrong in [
        &["case", "close", "--all", "--as", "lawful", "--reason", "x"][..],
        &["case", "close", "1", "--kind", "content/phishing", "--as", "lawful", "--reason", "x"],
        &["case", "note", "only a text"],
        &["case", "undo", "99", "--reason", "x"],
    ] {
        run(wrong).failed(1);
    }
    assert!(run(&["case", "close", "1", "--as", "boring", "--reason", "x"]).failed(2).contains("false-report"));

    // Two are one.
    run(&["case", "merge", "3", "--into", "4", "--reason", "one machine"]).good();
    assert!(user.run(&["case", "show", "4"]).good().contains("merged into it"));
    assert_eq!(user.json(&["case", "show", "4", "--json"])["latest_reports"].as_array().unwrap().len(), 2);
}

#[test]
fn a_late_administration_waits_for_a_person() {
    let user = user(1);
    let moved = CUSTOMERS.replace("2026-10-01", "2026-11-21");
    user.file("customers.csv", moved);
    let said = user.run(&["import", "customers.csv"]).good();
    assert!(said.contains("1 case turned out to be another party's"), "{said}");
    let waiting = lines(&user.run(&["queue", "holder-changed", "--json"]).good());
    assert_eq!(waiting.len(), 1);
    assert_eq!((waiting[0]["reports"].as_u64(), waiting[0]["of"].as_u64()), (Some(1), Some(1)));
    let queue = user.run(&["queue", "holder-changed"]).good();
    assert!(queue.contains("Second Customer") && queue.contains("First Customer"), "{queue}");
    let done = user.run(&["case", "correct", "1", "--move", "--reason", "three weeks late", "--by", "Anna"]).good();
    assert!(done.contains("done: 1 case"), "{done}");
    assert_eq!(user.json(&["case", "show", "1", "--json"])["holder"]["party"], "C-1");
    assert!(user.run(&["queue", "holder-changed"]).good().contains("nothing waits here"));
}
