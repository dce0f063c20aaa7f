//! A mail server pipes a mail in, and learns from the exit code whether it may forget it.

mod common;

use std::io::Write;

use common::{User, login_attack};

fn mail() -> String {
    let report = login_attack("192.0.2.7", "2026-11-20T01:00:00Z").replace('\n', "\r\n");
    format!(
        "From: reports@watch.example\r\nTo: abuse@hosting.example\r\nSubject: report\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/plain\r\n\r\nSee the attachment.\r\n\
         --x\r\nContent-Type: application/json; name=xarf.json\r\nContent-Disposition: attachment; filename=xarf.json\r\n\r\n{report}\r\n--x--\r\n"
    )
}

#[test]
fn a_mail_becomes_a_case_and_nothing_is_said() {
    let user = User::new();
    let run = user.pipe(&["receive"], mail());
    assert_eq!((run.code, run.out.as_str(), run.err.as_str()), (Some(0), "", ""));
    assert_eq!(user.json(&["case", "list", "--json"])["about"], "192.0.2.7");
    assert_eq!(user.json(&["submission", "list", "--json"])["door"], "pipe");
    let run = user.pipe(&["receive", "--verbose"], mail());
    assert!(run.good().contains("the same bytes again"));
}

#[test]
fn what_nobody_understands_is_kept_all_the_same() {
    let user = User::new();
    for (input, reason) in [(&b""[..], "it is empty"), (b"hello", "no format"), (&[0, 159, 146, 150, 255], "no format")] {
        assert_eq!(user.pipe(&["receive"], input).good(), "");
        let found = &common::lines(&user.run(&["queue", "unreadable", "--json"]).good())[0];
        assert!(found["reason"].as_str().unwrap().contains(reason), "{found}");
    }
}

#[test]
fn exit_codes_are_those_that_mail_servers_know() {
    let user = User::new();
    assert!(user.pipe(&["receive", "--nonsense"], mail()).failed(64).contains("--nonsense"));
    assert!(user.run(&["receive", "missing.eml"]).failed(66).contains("missing.eml"));
    assert!(user.run(&["receive", "."]).failed(66).contains("--maildir"));
    // A wrong setting is the operator's, and must not bounce anybody's mail.
    user.file("map.toml", "nonsense");
    assert!(user.pipe(&["receive", "--map", "map.toml"], mail()).failed(75).contains("map.toml"));
    // The data directory cannot be made: a file stands in its way.
    std::fs::remove_dir_all(user.data()).unwrap();
    std::fs::write(user.data(), "").unwrap();
    assert!(!user.pipe(&["receive"], mail()).failed(75).is_empty());
}

#[test]
fn of_several_files_the_readable_ones_are_taken() {
    let user = User::new();
    user.file("a.json", login_attack("192.0.2.7", "2026-11-20T01:00:00Z"));
    let run = user.run(&["receive", "missing.json", "a.json"]);
    assert!(run.failed(66).contains("missing.json"));
    assert_eq!(user.json(&["case", "list", "--json"])["about"], "192.0.2.7");
}

/// An event as IntelMQ writes it.
fn event(address: &str) -> String {
    format!(
        "{{\"classification.taxonomy\": \"intrusion-attempts\", \"classification.type\": \"brute-force\", \"feed.name\": \"honeypots\", \
         \"source.ip\": \"{address}\", \"time.source\": \"2026-11-20T01:00:00+00:00\", \"time.observation\": \"2026-11-20T01:05:00+00:00\"}}\n"
    )
}

#[test]
fn a_program_that_goes_on_is_not_waited_for() {
    let user = User::new();
    let mut child = user.command(&["receive", "--ndjson"]).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let mut tool = child.stdin.take().unwrap();
    tool.write_all(event("192.0.2.7").as_bytes()).unwrap();
    tool.write_all(event("192.0.2.8").as_bytes()).unwrap();
    let begun = std::time::Instant::now();
    let cases = |least: usize| {
        while !user.data().join("sluis.db").exists() || common::lines(&user.run(&["case", "list", "--json"]).out).len() < least {
            assert!(begun.elapsed() < std::time::Duration::from_secs(60), "waited in vain for {least} cases");
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    };
    cases(2);
    assert_eq!(common::lines(&user.run(&["submission", "list", "--json"]).good()).len(), 1);
    // Half a line is kept when it is told to stop: a person sees what there was of it.
    tool.write_all(event("192.0.2.9").as_bytes()).unwrap();
    tool.flush().unwrap();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    let run = common::finished(child);
    assert_eq!((run.code, run.out.as_str()), (Some(0), ""), "{run:?}");
    cases(3);
    assert_eq!(user.json(&["submission", "list", "--json", "-n", "1"])["door"], "pipe");
    drop(tool);
    // Its end is an end, too.
    assert_eq!(user.pipe(&["receive", "--ndjson"], event("192.0.2.10").trim_end()).good(), "");
    cases(4);
    user.run(&["receive", "--ndjson", "file"]).failed(64);
}
