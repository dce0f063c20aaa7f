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
