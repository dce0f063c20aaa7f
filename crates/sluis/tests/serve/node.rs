//! A serving node: its pages, its intake, its socket, and what it does not tell.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};

use crate::support::{Folder, Node, report, sluis, until};
use serde_json::{Value, json};

#[test]
fn pages_tell_how_the_node_is() {
    let folder = Folder::new("pages");
    let node = Node::start(&folder, "");
    let (status, head, body) = node.get("/healthz");
    assert_eq!((status, body.as_str()), (200, "{\"alive\":true}\n"));
    for line in ["x-content-type-options: nosniff", "x-frame-options: deny", "cache-control: no-store", "connection: close"] {
        assert!(head.contains(line), "{line} is not in {head}");
    }
    until("it is ready", || (node.get("/readyz").0 == 200).then_some(()));
    assert_eq!(node.get("/readyz").2, "{\"ready\":true,\"reasons\":[]}\n");
    let (status, head, text) = node.get("/metrics");
    assert_eq!(status, 200);
    assert!(head.contains("content-type: application/openmetrics-text"), "{head}");
    assert!(text.ends_with("# EOF\n"), "{text}");
    assert!(text.contains(&format!("sluis_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION"))), "{text}");
    for name in ["sluis_database_up", "sluis_intake_failing{part=\"work\"}", "sluis_queue_length{queue=\"rejects\"}"] {
        assert!(node.metric(name).is_some(), "{name} is not in {text}");
    }
    assert!(node.metric("sluis_disk_free_bytes").unwrap() > 0.0);
    // Every number that is shown is explained, and nothing else is.
    let manual = include_str!("../../../../docs/manual/serve.md");
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().unwrap();
        assert!(manual.contains(&format!("`{name}")), "docs/manual/serve.md does not explain {name}");
    }

    assert_eq!(node.get("/").0, 404);
    assert_eq!(node.send(&format!("POST /healthz HTTP/1.1\r\nHost: {}\r\n\r\n", node.address)).0, 405);
    let long = format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "a".repeat(1 << 20));
    assert_ne!(node.send(&long).0, 200, "a megabyte of header is not read");
    assert_eq!(node.get("/healthz").0, 200, "and the node lives on");
    assert_eq!(node.stop().0.code(), Some(0));
    assert!(!folder.data().join("sluis.sock").exists());
}

#[test]
fn peers_that_say_nothing_do_not_keep_others_out() {
    let folder = Folder::new("silent");
    let node = Node::start(&folder, "");
    let silent: Vec<TcpStream> = (0..80).map(|_| TcpStream::connect(&node.address).unwrap()).collect();
    for mut stream in &silent {
        stream.write_all(b"GET /healthz HT").unwrap();
    }
    assert_eq!(node.get("/healthz").0, 200);
}

#[test]
fn systemd_is_told_how_it_is() {
    let folder = Folder::new("systemd");
    let path = folder.0.join("notify");
    let told = UnixDatagram::bind(&path).unwrap();
    told.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    let node = Node::start_with(&folder, "", &[("NOTIFY_SOCKET", path.to_str().unwrap()), ("WATCHDOG_USEC", "600000")]);
    let next = || {
        let mut text = [0; 100];
        let length = told.recv(&mut text).unwrap();
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    let mut seen = vec![next(), next(), next()];
    seen.sort();
    assert_eq!(seen, ["READY=1", "WATCHDOG=1", "WATCHDOG=1"]);
    assert_eq!(node.stop().0.code(), Some(0));
    until("it says that it stops", || (next() == "STOPPING=1").then_some(()));
}

#[test]
fn a_node_with_a_short_disk_is_not_ready() {
    let folder = Folder::new("short");
    let node = Node::start(&folder, "[intake]\nmin_free_mib = 4294967295\n");
    let (status, _, body) = node.get("/readyz");
    assert_eq!(status, 503);
    let body: Value = serde_json::from_str(&body).unwrap();
    assert!(body["reasons"][0].as_str().unwrap().contains("4294967295 are asked for"), "{body}");
    assert_eq!(node.get("/healthz").0, 200, "but it is alive");
    assert_eq!(sluis(&folder.data(), &["serve", "--status"]).0, 1);
}

#[test]
fn what_is_spooled_while_it_serves_becomes_cases() {
    let folder = Folder::new("spool");
    let node = Node::start(&folder, "[intake]\npoll_seconds = 3600\n");
    until("the first look has been had", || (node.metric("sluis_intake_last_success_timestamp_seconds")? > 0.0).then_some(()));
    folder.spool("scan_rsync.csv", &report(60, 20));
    // The next look would be in an hour: the socket wakes it.
    assert_eq!(ask(&folder, &[r#"{"command":"wake"}"#]), [json!({"result": "done"})]);
    node.until_metric("sluis_reports_total", 60.0);
    assert_eq!(node.metric("sluis_cases_opened_total"), Some(20.0));
    assert_eq!(node.metric("sluis_submissions_worked_total"), Some(1.0));
    node.until_metric("sluis_queue_length{queue=\"no-holder\"}", 20.0);
    // The same once more is counted, and not worked on again.
    folder.spool("scan_rsync.csv", &report(60, 20));
    ask(&folder, &[r#"{"command":"wake"}"#]);
    until("it was taken", || (node.metric("sluis_submissions_received_total") == Some(2.0)).then_some(()));
    // Two looks at the figures are two moments: what was new may be worked off between them.
    until("what was new is worked off, and a copy is not", || {
        let copies = node.metric("sluis_submissions_copies_total")?;
        (node.metric("sluis_reports_total") == Some(60.0 * (2.0 - copies))).then_some(())
    });
}

#[test]
fn a_maildir_that_is_none_does_not_stop_the_others() {
    let folder = Folder::new("maildirs");
    let good = folder.0.join("good");
    for name in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(good.join(name)).unwrap();
    }
    std::fs::write(good.join("new").join("1.host"), report(5, 5)).unwrap();
    let node = Node::start(&folder, "[intake]\nmaildirs = [\"bad\", \"good\"]\n");
    node.until_metric("sluis_reports_total", 5.0);
    assert!(good.join("cur").join("1.host:2,S").exists());
    assert_eq!(node.metric("sluis_intake_failing{part=\"maildir-1\"}"), Some(1.0));
    assert_eq!(node.metric("sluis_intake_failing{part=\"maildir-2\"}"), Some(0.0));
    let (code, status, _) = sluis(&folder.data(), &["serve", "--status"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert_eq!(code, 0, "one maildir does not make the node unready: {status}");
    assert!(status["troubles"][0][1]["message"].as_str().unwrap().contains("bad"), "{status}");
    // It is said once, however often it is tried.
    node.until_metric("sluis_intake_failures_total{part=\"maildir-1\"}", 2.0);
    assert_eq!(node.log().matches("does not work, and is tried again").count(), 1, "{}", node.log());
    for name in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(folder.0.join("bad").join(name)).unwrap();
    }
    until("it works again", || node.said("works again"));
}

#[test]
fn a_second_node_is_refused() {
    let folder = Folder::new("second");
    let node = Node::start(&folder, "");
    let (code, _, complaint) = sluis(&folder.data(), &["serve"]);
    assert_eq!(code, 1);
    assert!(complaint.contains("another sluis process owns this data directory"), "{complaint}");
    // And the first has not lost its socket to it.
    assert_eq!(ask(&folder, &[r#"{"command":"wake"}"#]), [json!({"result": "done"})]);
    assert_eq!(node.stop().0.code(), Some(0));
}

#[test]
fn what_keeps_it_from_beginning_is_said() {
    let folder = Folder::new("begin");
    let config = folder.0.join("bad.toml");
    std::fs::write(&config, "[http]\nlisen = \"127.0.0.1:0\"\n").unwrap();
    let (code, _, complaint) = sluis(&folder.data(), &["serve", "--config", config.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(complaint.contains("line 2") && complaint.contains("lisen"), "{complaint}");
    let deep = folder.0.join("a".repeat(120));
    let (code, _, complaint) = sluis(&deep, &["serve"]);
    assert_eq!(code, 1);
    assert!(complaint.contains("shorter path"), "{complaint}");
    let (code, _, complaint) = sluis(&folder.data(), &["serve", "--status"]);
    assert_eq!(code, 1);
    assert!(complaint.contains("no 'sluis serve' listens here"), "{complaint}");
}

#[test]
fn the_socket_answers_line_by_line() {
    let folder = Folder::new("socket");
    folder.spool("letter", b"dear abuse desk, please do something\n");
    let node = Node::start(&folder, "");
    node.until_metric("sluis_submissions_unreadable_total", 1.0);
    let mode = std::fs::metadata(folder.data().join("sluis.sock")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let answers = ask(&folder, &[r#"{"command":"status"}"#, r#"{"command":"again","which":"unreadable"}"#]);
    assert_eq!(answers[0]["result"], "status");
    assert_eq!(answers[0]["listen"], node.address.as_str());
    assert_eq!(answers[0]["submissions"], 1);
    assert_eq!(answers[1], json!({"result": "again", "submissions": 1}));
    node.until_metric("sluis_submissions_unreadable_total", 2.0);

    let refused = [
        (r#"{"command":"again","which":"everything"}"#.to_owned(), "26 letters"),
        (r#"{"command":"again","which":"00000000000000000000000001"}"#.to_owned(), "there is no submission"),
        (r#"{"command":"stop"}"#.to_owned(), "this is no request"),
        ("\u{7}".to_owned(), "this is no request"),
        (format!("{{\"command\":\"{}\"}}", "a".repeat(17 << 20)), "at most 16777216 bytes"),
        (
            r#"{"command":"import","source":"x","kind":"csv","complete":true,"most":1,"bytes":99999999999999}"#.to_owned(),
            "at most",
        ),
    ];
    for (request, reason) in refused {
        let answers = ask(&folder, &[&request]);
        let said = answers.first().map_or("", |answer| answer["reason"].as_str().unwrap());
        // A request that is too long may find the connection closed while it is still being written.
        assert!(said.contains(reason) || (answers.is_empty() && request.len() > 1 << 20), "{said}");
    }
    assert_eq!(node.get("/healthz").0, 200);
}

#[test]
fn other_commands_go_through_the_node() {
    let folder = Folder::new("beside");
    let node = Node::start(&folder, "[intake]\npoll_seconds = 3600\n");
    until("the first look has been had", || (node.metric("sluis_intake_last_success_timestamp_seconds")? > 0.0).then_some(()));
    let file = folder.0.join("letter.txt");
    std::fs::write(&file, "dear abuse desk, please do something\n").unwrap();
    let (code, said, _) = sluis(&folder.data(), &["receive", file.to_str().unwrap()]);
    assert_eq!(code, 0);
    assert!(said.contains("laid into the spool"), "{said}");
    // The next look by itself would be in an hour.
    node.until_metric("sluis_submissions_unreadable_total", 1.0);
    let (code, said, complaint) = sluis(&folder.data(), &["receive", "--again", "unreadable", "--json"]);
    assert_eq!((code, said.as_str()), (0, "{\"again\":1}\n"), "{complaint}");
    node.until_metric("sluis_submissions_unreadable_total", 2.0);
    let (code, _, _) = sluis(&folder.data(), &["receive", "--again", "#1"]);
    assert_eq!(code, 0);
    node.until_metric("sluis_submissions_unreadable_total", 3.0);
    let (code, _, complaint) = sluis(&folder.data(), &["receive", "--again", "all-of-them"]);
    assert_eq!(code, 64, "{complaint}");
}

/// Asks the socket, line by line on one connection.
fn ask(folder: &Folder, requests: &[&str]) -> Vec<Value> {
    let stream = UnixStream::connect(folder.data().join("sluis.sock")).unwrap();
    stream.set_read_timeout(Some(crate::support::PATIENCE)).unwrap();
    let mut reader = BufReader::new(&stream);
    let mut answers = Vec::new();
    for request in requests {
        let _ = (&stream).write_all(format!("{request}\n").as_bytes());
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) > 0 {
            answers.push(serde_json::from_str(&line).unwrap());
        }
    }
    answers
}

/// Everything that a report says of people carries this mark, and so does every name of a file.
const MARK: &str = "zwijgplicht";
/// The address that the reports are about.
const ADDRESS: &str = "203.0.113.77";

#[test]
fn logs_and_metrics_hold_no_personal_data() {
    let folder = Folder::new(MARK);
    let maildir = folder.0.join("mail");
    for name in ["tmp", "new", "cur"] {
        std::fs::create_dir_all(maildir.join(name)).unwrap();
    }
    let seen = String::from_utf8(report(1, 1)).unwrap().lines().nth(1).unwrap()[1..20].to_owned();
    let csv = format!(
        "\"timestamp\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"module\",\"motd\"\n\
         \"{seen}\",\"{ADDRESS}\",\"tcp\",873,\"{MARK}.example\",\"rsync\",64496,\"NL\",\"{MARK}\",\"mail {MARK}@customer.example\"\n\
         \"{seen}\",\"{MARK}\",\"tcp\",873,\"{MARK}.example\",\"rsync\",64496,\"NL\",\"{MARK}\",\"\"\n\
         \"{MARK}\",\"{ADDRESS}\",\"tcp\",873,\"{MARK}.example\",\"rsync\",64496,\"NL\",\"{MARK}\",\"\"\n"
    );
    let mail = format!(
        "From: {MARK} <{MARK}@reporter.example>\r\nTo: abuse@provider.example\r\nSubject: {MARK} {ADDRESS}\r\n\
         Date: Fri, 20 Nov 2026 10:00:00 +0100\r\nMessage-ID: <{MARK}@reporter.example>\r\n\r\n\
         http://{MARK}.example/ at {ADDRESS} is bad, says {MARK}\r\n"
    );
    folder.spool(&format!("{MARK}-scan_rsync.csv"), csv.as_bytes());
    std::fs::write(maildir.join("new").join(format!("1.{MARK}")), mail).unwrap();
    let maildirs = format!("maildirs = [\"mail\", \"{MARK}\"]\npoll_seconds = 1\n");
    let node = Node::start(&folder, &format!("[intake]\n{maildirs}[logs]\nlevel = \"debug\"\n"));
    node.until_metric("sluis_submissions_worked_total", 2.0);
    assert!(node.metric("sluis_reports_total").unwrap() >= 1.0);
    assert!(node.metric("sluis_rejects_total").unwrap() >= 1.0);
    assert!(node.metric("sluis_submissions_unreadable_total").unwrap() >= 1.0);
    node.until_metric("sluis_intake_failing{part=\"maildir-2\"}", 1.0);
    node.get(&format!("/{MARK}?address={ADDRESS}"));
    node.send(&format!("GET /healthz HTTP/1.1\r\nHost: {MARK}\r\nCookie: {MARK}\r\n\r\n"));
    ask(&folder, &[&format!("{{\"command\":\"again\",\"which\":\"{MARK}\"}}")]);
    ask(&folder, &[r#"{"command":"again","which":"rejects"}"#]);
    let pages = [node.get("/metrics").2, node.get("/readyz").2, node.get("/healthz").2].concat();
    node.signal(rustix::process::Signal::TERM);
    until("it says that it stopped", || node.said("stopped"));
    let log = node.log();
    assert!(log.contains("worked off") && log.contains("\"submission\":"), "{log}");
    for text in [&log, &pages] {
        for word in [MARK, ADDRESS, "customer.example", "reporter.example", "scan_rsync"] {
            assert!(!text.contains(word), "{word} is told in {text}");
        }
    }
}

#[test]
fn an_administration_is_imported_by_the_process_that_owns_the_data() {
    let folder = Folder::new("import");
    let file = folder.0.join("customers.csv");
    std::fs::write(&file, "resource,party,party_name\n2001:db8::/32,c1,Jansen\nnot a resource,c2,Broken\n").unwrap();
    let node = Node::start(&folder, "");
    folder.spool("2026-06-01-scan_rsync-netherlands-asn.csv", &report(3, 3));
    until("the reports are there", || (node.metric("sluis_queue_length{queue=\"no-holder\"}")? > 0.0).then_some(()));
    let import = |extra: &[&str]| {
        let arguments = [&["import", file.to_str().unwrap(), "--json"], extra].concat();
        let (code, out, complaint) = sluis(&folder.data(), &arguments);
        assert_eq!(code, 0, "{complaint}");
        serde_json::from_str::<Value>(&out).unwrap()
    };
    let dry = import(&["--dry-run"]);
    assert_eq!((&dry["assignments_begun"], &dry["holders_found"]), (&json!(1), &json!(0)));
    let done = import(&[]);
    assert_eq!((&done["assignments_begun"], &done["findings"]["count"]), (&json!(1), &json!(2)), "{done}");
    assert!(done["holders_found"].as_u64().unwrap() > 0, "{done}");
    assert_eq!(import(&[])["assignments_begun"], json!(0), "the same again changes nothing");
    assert_eq!(node.stop().0.code(), Some(0));
}

#[test]
fn what_a_person_does_reaches_the_process_that_owns_the_data() {
    let folder = Folder::new("acts");
    let node = Node::start(&folder, "");
    folder.spool("one.csv", &report(1, 1));
    until("there is a case", || sluis(&folder.data(), &["case", "show", "1"]).1.contains("opened").then_some(()));
    let (code, _, err) = sluis(&folder.data(), &["case", "note", "1", "called them", "--by", "Anna"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let (_, out, _) = sluis(&folder.data(), &["case", "show", "1"]);
    assert!(out.contains("called them"), "{out}");
    let (code, _, err) = sluis(&folder.data(), &["case", "note", "1", "  ", "--by", "Anna"]);
    assert!(code == 1 && err.contains("say what is to be written down"), "{err}");
    // A file of megabytes gets there too; the owner seals it.
    let letter = folder.data().with_extension("eml");
    std::fs::write(
        &letter,
        "From: a@provider.example\nTo: b@customer.example\n\n".to_owned() + &"A long letter.\n".repeat(690_000),
    )
    .unwrap();
    let attach = ["case", "evidence", "1", letter.to_str().unwrap(), "--kind", "letter", "--by", "Anna"];
    let (code, _, err) = sluis(&folder.data(), &attach);
    assert_eq!((code, err.as_str()), (0, ""));
    let _ = std::fs::remove_file(&letter);
    node.stop();
    // And the same without it.
    assert_eq!(sluis(&folder.data(), &["case", "note", "1", "and again", "--by", "Anna"]).0, 0);
}
