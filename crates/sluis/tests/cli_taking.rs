//! A mail for people, from the mailbox to a case: nothing understands it, a person sees what stands in it, and picks.
#![allow(clippy::unwrap_used)]

mod common;

use common::{CUSTOMERS, User, is_harmless, lines};
use serde_json::Value;

/// Written by a person, who names the attacker, their own machine, and the time in a line of a log.
const LETTER: &str = "\
From: Jan <jan@victim.example>\nTo: abuse@hosting.example\nSubject: somebody tries passwords on our server\n\
Date: Sun, 22 Nov 2026 09:00:00 +0000\nMessage-ID: <1@victim.example>\nContent-Type: text/plain\n\n\
Dear colleagues,\n\nplease look at 192.0.2.7, which tries passwords on our server 203.0.113.9:\n\n\
2026-11-20T10:00:00Z sshd[4]: Failed password for root from 192.0.2.7 port 40222 ssh2\n\n\
See hxxp://victim[.]example/why\u{1b}[2J for more.\n\nJan\n";

fn findings(user: &User, id: &str) -> Vec<Value> {
    lines(&user.run(&["submission", "findings", id, "--json"]).good())
}

fn number_of(all: &[Value], what: &str, value: &str) -> String {
    let found = all.iter().find(|one| one["what"] == what && one["value"].as_str().unwrap().contains(value));
    found.unwrap_or_else(|| panic!("no {what} {value} in {all:?}"))["number"].to_string()
}

#[test]
fn a_letter_becomes_a_case_of_who_held_the_address_then() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.run(&["import", "customers.csv"]).good();
    user.pipe(&["receive"], LETTER).good();
    assert!(user.run(&["case", "list"]).good().contains("no "), "nothing is done before a person picks");
    let queue = user.run(&["queue", "unreadable"]).good();
    assert!(queue.contains("192.0.2.7") && queue.contains("sluis submission findings"), "{queue}");
    let waiting = lines(&user.run(&["queue", "unreadable", "--json"]).good());
    assert!(!waiting[0]["findings"].as_array().unwrap().is_empty());

    let all = findings(&user, "1");
    assert!(all.windows(2).all(|pair| pair[0]["confidence"].as_u64() >= pair[1]["confidence"].as_u64()), "the surest first");
    let shown = user.run(&["submission", "findings", "1"]).good();
    assert!(is_harmless(&shown) && shown.contains("line of a log"), "{shown}");
    let (address, time) = (number_of(&all, "address", "192.0.2.7"), number_of(&all, "time", "2026-11-20T10:00:00Z"));
    let line = number_of(&all, "line of a log", "");
    let picks = [address.clone(), time, line].join(",");

    // What makes no report is refused, and nothing happens.
    let kind = ["--kind", "connection/login_attack", "--by", "Anna"];
    let take = |picks: &str, more: &[&str]| user.run(&[&["submission", "take", "1", "--pick", picks], &kind[..], more].concat());
    assert!(take(&address, &[]).failed(1).contains("say when it was"));
    assert!(take("99", &["--at", "2026-11-20"]).failed(1).contains("there is no finding 99"));

    let said = take(&picks, &[]).good();
    assert!(said.contains("submission 2 has 1 report"), "{said}");
    let case = user.json(&["case", "show", "1", "--json"]);
    assert_eq!(case["holder"]["party"], "C-2", "who held it at the time in the line");
    let made = user.json(&["submission", "show", "2", "--json"]);
    assert_eq!(
        (made["door"].as_str(), made["format"].as_str(), made["reports"].as_u64()),
        (Some("person"), Some("xarf"), Some(1))
    );
    assert_eq!(made["sender"]["from"], "jan@victim.example", "what was proven of the mail goes with it");
    let report = made["first_reports"][0].to_string();
    for expected in ["jan@victim.example", "taken-from-", "2026-11-20T10:00:00Z"] {
        assert!(report.contains(expected), "{expected} is not in {report}");
    }
    // The letter waits for nobody any more, also when it is read again.
    let letter = user.json(&["submission", "show", "1", "--json"]);
    assert!(letter["taken"].as_str().unwrap().contains("by Anna") && letter["progress"] == "read", "{letter}");
    user.run(&["receive", "--again", "1"]).good();
    assert!(user.run(&["queue", "unreadable"]).good().contains("nothing waits here"));
    // The same again is the same.
    assert!(take(&picks, &[]).good().contains("taken before"));
    assert_eq!(lines(&user.run(&["submission", "list", "--json"]).good()).len(), 2);
    assert_eq!(user.json(&["case", "show", "1", "--json"])["latest_reports"].as_array().unwrap().len(), 1);
    // What was understood is not taken from.
    assert!(
        user.run(&["submission", "take", "2", "--pick", "1", "--kind", "messaging/spam", "--by", "Anna"])
            .failed(1)
            .contains("read as xarf")
    );
}

#[test]
fn a_letter_with_nothing_in_it_is_dismissed() {
    let user = User::new();
    user.pipe(&["receive"], LETTER).good();
    let dismiss = ["submission", "dismiss", "1", "--by", "Anna", "--reason"];
    user.run(&[&dismiss[..], &[" "]].concat()).failed(1);
    user.run(&[&dismiss[..], &["a question, answered by telephone"]].concat()).good();
    assert!(user.run(&["queue", "unreadable"]).good().contains("nothing waits here"));
    assert!(user.run(&["submission", "show", "1"]).good().contains("answered by telephone"));
}

#[test]
fn where_child_abuse_material_is_is_shown_to_nobody() {
    let user = User::new();
    user.file("customers.csv", CUSTOMERS);
    user.run(&["import", "customers.csv"]).good();
    let letter = LETTER
        .replace("tries passwords", "spreads child sexual abuse material")
        .replace("victim[.]example/why", "bad[.]example/secret");
    user.pipe(&["receive"], &letter).good();
    for arguments in [&["submission", "findings", "1"][..], &["submission", "findings", "1", "--json"], &["queue", "unreadable"]]
    {
        let shown = user.run(arguments).good();
        assert!(!shown.contains("secret") && !shown.contains("sshd"), "{shown}");
    }
    let all = findings(&user, "1");
    let picks = [number_of(&all, "domain name", "bad.example"), number_of(&all, "address", "192.0.2.7")].join(",");
    let take = ["submission", "take", "1", "--kind", "content/csam", "--at", "2026-11-20", "--by", "Anna", "--pick", &picks];
    user.run(&take).good();
    let made = user.run(&["submission", "show", "2"]).good() + &user.run(&["submission", "show", "2", "--raw"]).failed(1);
    assert!(!made.contains("secret"), "{made}");
    assert_eq!(lines(&user.run(&["case", "list", "--json"]).good()).len(), 1);
    // From then on nothing of the letter is shown at all.
    user.run(&["submission", "findings", "1"]).failed(1);
    user.run(&["submission", "show", "1", "--raw"]).failed(1);
    user.run(&take).failed(1);
}
