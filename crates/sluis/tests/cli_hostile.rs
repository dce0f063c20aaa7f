//! Strangers write what a terminal would obey, and what nobody may see.

mod common;

use common::{CUSTOMERS, User, is_harmless, lines, login_attack};

#[test]
fn text_of_strangers_does_nothing_to_a_terminal() {
    let user = User::new();
    let evil = "\\u001b[2J\\u001b]0;owned\\u0007 a\\u202egnp\\u200b\\u009b31m";
    let report = login_attack("192.0.2.7", "2026-11-20T01:00:00Z");
    let report =
        report.replace("\"evidence_source\"", &format!("\"description\":\"{evil}\",\"{evil}\":\"{evil}\",\"evidence_source\""));
    user.file("a\u{1b}[31m\n.json", &report);
    user.file("evil.csv", "time,ip,kind\n\u{1b}[2Jwhen,192.0.2.7,\u{202e}x\n");
    user.file("customers.csv", CUSTOMERS.replace("Second Customer", "Sec\u{202e}ond\u{1b}[31m"));
    user.run(&["import", "customers.csv"]).good();
    user.run(&["receive", "a\u{1b}[31m\n.json", "evil.csv"]).good();
    for arguments in [
        &["case", "list"][..],
        &["case", "show", "1"],
        &["case", "show", "1", "--json"],
        &["submission", "list"],
        &["submission", "list", "--json"],
        &["submission", "show", "1"],
        &["submission", "show", "2", "--json"],
        &["queue", "rejects"],
        &["queue", "rejects", "--json"],
        &["queue", "undated"],
        &["party", "list"],
        &["party", "show", "C-2"],
        &["party", "show", "C-2", "--json"],
        &["trace", "192.0.2.7"],
        &["trace", "192.0.2.7", "--json"],
        &["import", "--dry-run", "--source", "b\u{1b}[31m", "customers.csv"],
    ] {
        let out = user.run(arguments).good();
        assert!(!out.is_empty() && is_harmless(&out), "{arguments:?}: {out:?}");
    }
    for (arguments, code) in [(&["case", "list", "--holder", "\u{1b}[31mx"][..], 1), (&["receive", "no\u{1b}[31m"], 66)] {
        let said = user.run(arguments).failed(code);
        assert!(is_harmless(&said), "{said:?}");
    }
    let shown = &lines(&user.run(&["case", "show", "1", "--json"]).good())[0];
    let fields = shown["latest_reports"][0]["fields"].as_array().unwrap();
    assert!(fields.iter().any(|field| field["value"].as_str().is_some_and(|text| text.contains('\u{202e}'))), "nothing is lost");
}

#[test]
fn locations_of_child_abuse_material_are_not_shown() {
    let user = User::new();
    let report = login_attack("192.0.2.7", "2026-11-20T01:00:00Z")
        .replace("\"connection\",\"type\":\"login_attack\"", "\"content\",\"type\":\"csam\"")
        .replace(
            "\"protocol\":\"tcp\"",
            "\"url\":\"https://img.example/secret/a.jpg\",\"classification\":\"baseline\",\"detection_method\":\"manual_review\",
             \"description\":\"at https://img.example/secret/a.jpg\",\"more\":{\"where\":[\"https://img.example/secret/b.jpg\"]}",
        );
    user.file("a.json", &report);
    // The same again, broken: it becomes a reject, whose text is the report's.
    user.file("b.json", report.replace("\"timestamp\":\"2026", "\"timestamp\":\"x2026"));
    user.run(&["receive", "a.json", "b.json"]).good();
    for arguments in [
        &["case", "list"][..],
        &["case", "list", "--json"],
        &["case", "show", "1"],
        &["case", "show", "1", "--json"],
        &["submission", "show", "1"],
        &["submission", "show", "1", "--json"],
        &["submission", "show", "2"],
        &["submission", "show", "2", "--json"],
        &["queue", "rejects"],
        &["queue", "rejects", "--json"],
        &["queue", "undated", "--json"],
    ] {
        let out = user.run(arguments).good();
        assert!(!out.contains("secret"), "{arguments:?}: {out}");
    }
    assert!(user.run(&["case", "show", "1"]).good().contains("img.example"));
    user.file("c.csv", "time,url,kind\nnever,img.example/secret/c.jpg,content/csam\n");
    user.run(&["receive", "c.csv"]).good();
    let rejects = user.run(&["queue", "rejects"]).good();
    // A row that calls itself one and cannot be read is not kept either; that there was one is.
    assert!(rejects.contains("ask who sent it") && rejects.contains("line 2") && !rejects.contains("secret"), "{rejects}");
    for id in ["1", "2"] {
        let said = user.run(&["submission", "show", id, "--raw"]).failed(1);
        assert!(said.contains("child abuse material"), "{said}");
    }
}
