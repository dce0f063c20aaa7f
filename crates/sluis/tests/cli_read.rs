//! Any report in, XARF out, for pipelines: what was not understood is told on standard error, and by the exit code.

mod common;

use std::io::{Read, Write};
use std::process::Stdio;

use common::{User, lines, login_attack};

#[test]
fn reports_come_out_and_rejects_are_told() {
    let user = User::new();
    user.file("a.json", login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    user.file(
        "b.csv",
        "time,ip,kind,colour\n2026-11-20 01:00:00,192.0.2.8,content/phishing,red\n2026-11-20,nowhere,content/phishing,blue\n",
    );
    user.file("c.txt", "hello");
    let run = user.run(&["read", "a.json", "b.csv", "c.txt"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    let reports = lines(&run.out);
    let sources: Vec<_> = reports.iter().map(|report| report["source_identifier"].as_str().unwrap()).collect();
    assert_eq!(sources, ["192.0.2.7", "192.0.2.8"]);
    assert_eq!(reports[0]["xarf_version"], "4.2.0");
    let told = lines(&run.err);
    let told: Vec<_> = told.iter().filter(|line| line["what"] != "note").collect();
    assert_eq!((&told[0]["what"], &told[0]["file"]), (&"reject".into(), &"b.csv".into()), "{told:?}");
    assert!(told[0]["place"].as_str().unwrap().contains("line 3"), "{told:?}");
    assert_eq!((&told[1]["what"], &told[1]["file"]), (&"unreadable".into(), &"c.txt".into()), "{told:?}");
    assert!(!common::exists(&user.data()), "nothing is kept");
}

#[test]
fn exit_codes_say_how_well_it_went() {
    let user = User::new();
    user.file("a.json", login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    assert_eq!(user.run(&["read", "a.json"]).code, Some(0));
    assert_eq!(user.pipe(&["read", "-"], "").code, Some(1));
    let run = user.run(&["read", "missing.json", "a.json"]);
    assert_eq!((run.code, run.out.lines().count()), (Some(2), 1), "the other file is read all the same");
    assert!(user.run(&["read", "--format", "nonsense", "a.json"]).failed(2).contains("xarf"));
    assert!(user.run(&["read", "--nonsense"]).failed(2).contains("--nonsense"));
    assert_eq!(user.run(&["read", "--format", "csv", "a.json"]).code, Some(1));
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let user = User::new();
    let rows: String = (0..200_000).map(|row| format!("2026-11-20 01:00:00,192.0.2.{},content/phishing\n", row % 256)).collect();
    user.file("big.csv", format!("time,ip,kind\n{rows}"));
    let mut child = user.command(&["read", "big.csv"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = child.stdout.take().unwrap();
    out.read_exact(&mut [0; 100]).unwrap();
    drop(out);
    let run = common::finished(child);
    assert_eq!((run.code, run.err.as_str()), (Some(0), ""));
}

#[test]
fn formats_are_listed_and_can_be_forced() {
    let user = User::new();
    let table = user.run(&["formats"]).good();
    for line in lines(&user.run(&["formats", "--json"]).good()) {
        assert!(table.contains(line["name"].as_str().unwrap()), "{table}");
    }
    assert!(user.run(&["--version"]).good().starts_with("sluis "));
    let help = user.run(&["--help"]).good();
    assert!(help.contains("Examples:"), "{help}");
    std::io::stdout().flush().unwrap();
}

#[test]
fn a_format_answers_for_itself() {
    let user = User::new();
    let all = lines(&user.run(&["formats", "--json"]).good());
    let arf = all.iter().find(|one| one["name"] == "arf").unwrap();
    assert!(arf["fixtures"].as_u64().unwrap() > 0 && !arf["fields"].as_array().unwrap().is_empty(), "{arf}");
    let shown = user.run(&["formats", "arf"]).good();
    assert!(shown.contains("Source-IP") && shown.contains("bounds"), "{shown}");
    assert!(user.run(&["formats"]).good().contains("unproven"));
    assert!(user.run(&["formats", "nonsense"]).failed(1).contains("sluis formats"));
}

#[test]
fn how_a_file_is_read_is_explained() {
    let user = User::new();
    user.file(
        "mail.eml",
        "From: a@watch.example\nSubject: list\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\
         Content-Type: text/plain\n\nsee the list\n--b\nContent-Type: text/csv; name=list.csv\n\n\
         time,ip,kind,col\u{1b}[2Jour\n2026-11-20 01:00:00,192.0.2.8,content/phishing,red\n\
         2026-11-20,nowhere,content/phishing,blue\n--b--\n",
    );
    let run = user.run(&["read", "--explain", "mail.eml"]);
    assert_eq!(run.code, Some(1), "a reject: {run:?}");
    for expected in ["mail, opened", "csv", "1 report, 1 reject", "192.0.2.8", "nowhere", "kept under its own name"] {
        assert!(run.out.contains(expected), "{expected} is not in {}", run.out);
    }
    assert!(common::is_harmless(&run.out), "{}", run.out);
    let run = user.run(&["read", "--explain", "--json", "mail.eml"]);
    let told = &lines(&run.out)[0];
    assert_eq!(
        (told["reports"].as_u64(), told["rejects"].as_u64(), told["parts"][0]["depth"].as_u64()),
        (Some(1), Some(1), Some(0))
    );
    // What nothing understands shows what stands in it; what reports no abuse says so.
    user.file("letter.eml", "From: a@b.example\nSubject: look\nDate: Fri, 20 Nov 2026 10:00:00 +0000\n\nSpam came from 192.0.2.9 at 2026-11-20 09:00 UTC.\n");
    let run = user.run(&["read", "--explain", "letter.eml"]);
    assert_eq!(run.code, Some(1));
    assert!(run.out.contains("a person has to look") && run.out.contains("192.0.2.9"), "{}", run.out);
    assert!(!common::exists(&user.data()), "nothing is kept");
}

#[test]
fn a_description_is_checked() {
    let user = User::new();
    user.file("shop.toml", "kind = \"content/fraud\"\n[columns]\ntime = \"Datum\"\nip = \"Adres\"\nport = \"Poort\"\n");
    user.file("shop.csv", "Datum,Adress,Soort\n2026-11-20 01:00:00,192.0.2.8,nep\n");
    let run = user.run(&["read", "--map", "shop.toml", "--explain", "shop.csv"]);
    for expected in ["Datum", "missing, to be ip; is it 'adress'?", "missing, to be port", "not described"] {
        assert!(run.out.to_lowercase().contains(&expected.to_lowercase()), "{expected} is not in {}", run.out);
    }
    user.file("shop.csv", "Datum,Adres,Poort,Soort\n2026-11-20 01:00:00,192.0.2.8,80,nep\n");
    let run = user.run(&["read", "--map", "shop.toml", "--explain", "--json", "shop.csv"]);
    let told = &lines(&run.out)[0];
    assert_eq!(told["map"]["missing"].as_array().unwrap().len(), 0, "{told}");
    assert_eq!((told["format"].as_str(), told["reports"].as_u64()), (Some("csv"), Some(1)));
}

#[test]
fn nobody_is_shown_where_child_abuse_material_is() {
    let user = User::new();
    let report = login_attack("192.0.2.7", "2026-11-20T01:00:00Z")
        .replace("\"connection\"", "\"content\"")
        .replace("\"login_attack\"", "\"csam\",\"url\":\"http://bad.example/secret\",\"colour\":\"http://bad.example/secret\"");
    user.file("a.json", &report);
    user.file("b.txt", "child sexual abuse material at http://bad.example/secret, 2026-11-20T09:00:00Z, 192.0.2.7");
    for file in ["a.json", "b.txt"] {
        for more in [&[][..], &["--json"]] {
            let run = user.run(&[&["read", "--explain", file], more].concat());
            assert!(run.out.contains("bad.example") && !run.out.contains("secret"), "{}", run.out);
        }
    }
}
