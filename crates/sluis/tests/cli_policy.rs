//! The policy from the command line: written, checked, taken up, explained, and tried out.

mod common;

use std::process::Command;

use common::{CUSTOMERS, User, lines};

/// A report of phishing on an address of a customer.
const PHISHING: &str = r#"{"xarf_version":"4.2.0","report_id":"7d3c1f00-0000-4000-8000-000000000001","timestamp":"2026-11-21T11:00:00Z","reporter":{"org":"Reporter","contact":"abuse@reporter.example","domain":"reporter.example"},"sender":{"org":"Reporter","contact":"abuse@reporter.example","domain":"reporter.example"},"source_identifier":"192.0.2.7","category":"content","type":"phishing","url":"http://shop.example/login"}"#;

#[test]
fn a_policy_file_from_beginning_to_end() {
    let user = User::new();
    let run = |rest: &[&str]| user.run(rest);
    assert!(run(&["policy", "init"]).good().contains("only observes"));
    assert!(run(&["policy", "init"]).failed(1).contains("cannot be made"), "a file that is there stays");
    assert!(run(&["policy", "check"]).good().contains("can be used. It sends nothing"));

    user.file("customers.csv", CUSTOMERS);
    user.file("report.json", PHISHING);
    run(&["import", "customers.csv"]).good();
    run(&["receive", "report.json"]).good();
    let said = run(&["policy", "explain", "1"]).good();
    for sentence in [
        "Rule 'phishing' holds, the first that is about content/phishing.",
        "version 1 of the policy",
        "It is to be mended by 2026-11-23 00:0",
        "P1 only observes. 'mode = \"act\"' under [severity.P1]",
        "overdue",
    ] {
        assert!(said.contains(sentence), "no {sentence:?} in\n{said}");
    }
    let explained = user.json(&["policy", "explain", "1", "--json"]);
    assert_eq!((&explained["rule"], &explained["observing"]), (&"phishing".into(), &true.into()));

    user.file("new.toml", "[severity.P1]\nmode = \"act\"\n[[rule]]\nname = \"phishing\"\nfix = \"6 hours\"\n");
    let differs = run(&["policy", "diff", "current", "new.toml"]);
    assert_eq!(differs.code, Some(1));
    assert!(differs.out.contains("fix: 12 hours -> 6 hours") && differs.out.contains("mode: observe -> act"), "{}", differs.out);
    let later = Command::new(env!("CARGO_BIN_EXE_sluis"))
        .args(["--now", "2026-11-25T12:00:00Z", "policy", "simulate", "new.toml", "--cases", "1", "--json", "--data"])
        .arg(user.data())
        .current_dir(user.data().join(".."))
        .output()
        .unwrap();
    let simulated = &lines(&String::from_utf8(later.stdout).unwrap())[0];
    assert_eq!((&simulated["cases"], &simulated["differ"]), (&1.into(), &0.into()), "the same happens, sooner, and goes out");
    let row = |of: &str| simulated[of]["rules"][0].clone();
    assert_eq!((&row("old")["held"], &row("new")["letters"]), (&6.into(), &2.into()), "{simulated}");

    user.file("new.toml", "[severity.P1]\nmode = \"atc\"\n[rulez]\n");
    let wrong = run(&["policy", "check", "new.toml"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.out.contains("new.toml:3:2") && wrong.out.contains("did you mean 'rule'?"), "{}", wrong.out);
    assert!(run(&["policy", "show", "--rule", "nothing"]).failed(1).contains("there is no rule"));
    assert!(run(&["policy", "show", "--text"]).good().contains("base = \"shipped\""));
    assert!(run(&["policy", "versions"]).good().contains("observes"));
    assert!(run(&["policy", "reload"]).good().contains("version 1 is in force"));
}
