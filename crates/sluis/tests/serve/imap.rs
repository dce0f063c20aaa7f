//! Mailboxes as a node watches them, on a real server (Dovecot).
//!
//! It wants root, for Dovecot gives its parts users of their own; `cargo xtask test` says how to get it.

use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;

use crate::dovecot::{Dovecot, Wanted};
use crate::support::{Folder, Node, sluis, until};

/// A mail with a report in ARF.
fn report(number: u32) -> Vec<u8> {
    let date = rfc2822_now();
    format!(
        "From: fbl@watch.example\r\nTo: abuse@hoster.example\r\nDate: {date}\r\nMessage-ID: <{number}@watch.example>\r\n\
Subject: abuse report\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=feedback-report; boundary=\"b\"\r\n\r\n\
--b\r\nContent-Type: text/plain\r\n\r\nThis is a report.\r\n\
--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nUser-Agent: Watch/1\r\nVersion: 1\r\n\
Source-IP: 192.0.2.{}\r\nArrival-Date: {date}\r\n\r\n\
--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: x@spam.example\r\nSubject: spam {number}\r\n\r\nbuy\r\n--b--\r\n",
        number % 250 + 1
    )
    .into_bytes()
}

/// Now, as mails say it.
fn rfc2822_now() -> String {
    let now = desk::Clock::now(&desk::SystemClock).to_string();
    let month = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        [now[5..7].parse::<usize>().unwrap() - 1];
    format!("{} {month} {} {} +0000", &now[8..10], &now[..4], &now[11..19])
}

/// The settings of an account with a password.
fn settings(folder: &Folder, port: u16, more: &str) -> String {
    secret(folder, "password", "pa ss\"wörd\n");
    format!(
        "[[imap]]\nname = \"desk\"\nhost = \"localhost\"\nport = {port}\nca_file = \"cert.pem\"\nuser = \"abuse\"\n\
         password_file = \"password\"\n{more}"
    )
}

fn secret(folder: &Folder, name: &str, text: &str) {
    std::fs::write(folder.0.join(name), text).unwrap();
    std::fs::set_permissions(folder.0.join(name), PermissionsExt::from_mode(0o600)).unwrap();
}

/// Waits until the mailbox was looked into, and so its first mail is known.
fn until_looked(node: &Node, part: &str) {
    until("the mailbox is looked into", || {
        let waiting = node.log().contains("stay where they are") || node.metric("sluis_submissions_received_total") > Some(0.0);
        (waiting && node.metric(&format!("sluis_intake_failing{{part=\"{part}\"}}")) == Some(0.0)).then_some(())
    });
}

const RECEIVED: &str = "sluis_submissions_received_total";
const COPIES: &str = "sluis_submissions_copies_total";

#[test]
fn mails_are_taken_as_they_come_and_moved() {
    let folder = Folder::new("imap-idle");
    let Some(server) = Dovecot::start(&folder, &Wanted::default()) else { return };
    server.deliver("abuse", "INBOX", &report(1));
    server.deliver("abuse", "INBOX", &report(2));
    let node = Node::start(&folder, &settings(&folder, server.secure, ""));
    until_looked(&node, "imap-desk");
    assert_eq!(node.said("mails stay where they are").unwrap()["mails"], 2, "{}", node.log());

    server.deliver("abuse", "INBOX", &report(3));
    let begun = std::time::Instant::now();
    node.until_metric("sluis_reports_total", 1.0);
    assert!(begun.elapsed() < Duration::from_secs(10), "the server tells, and nobody waits for the next look");
    until("it is moved", || (server.count("abuse", "Sluis", &["SEEN"]) == 1).then_some(()));
    assert_eq!(server.count("abuse", "INBOX", &["ALL"]), 2, "what was there before stays");
    for number in 4..30 {
        server.deliver("abuse", "INBOX", &report(number));
    }
    node.until_metric("sluis_reports_total", 27.0);
    until("all are moved", || (server.count("abuse", "Sluis", &["ALL"]) == 27).then_some(()));
    assert_eq!(node.metric(COPIES), Some(0.0));
    let (status, took) = node.stop();
    assert!(status.code() == Some(0) && took < Duration::from_secs(10), "{status} after {took:?}");

    // What comes while nobody looks is taken by the next process, and what was there at first still is not.
    server.deliver("abuse", "INBOX", &report(30));
    let node = Node::start(&folder, &settings(&folder, server.secure, ""));
    node.until_metric("sluis_reports_total", 1.0);
    until("it is moved", || (server.count("abuse", "Sluis", &["ALL"]) == 28).then_some(()));
    assert_eq!((node.metric(RECEIVED), server.count("abuse", "INBOX", &["ALL"])), (Some(1.0), 2));
    drop(node);

    // Until somebody says that they are to be taken, too.
    let node = Node::start(&folder, &settings(&folder, server.secure, "backlog = true\n"));
    node.until_metric("sluis_reports_total", 2.0);
    until("they are moved", || (server.count("abuse", "INBOX", &["ALL"]) == 0).then_some(()));
}

#[test]
fn several_mailboxes_and_names_beyond_ascii() {
    let folder = Folder::new("imap-folders");
    let Some(server) = Dovecot::start(&folder, &Wanted::default()) else { return };
    for name in ["Meldingen é & 台北", "Feeds/Shadow \"x\""] {
        server.admin(&["mailbox", "create", "-u", "abuse", name], b"");
        server.deliver("abuse", name, &report(1));
    }
    server.deliver("abuse", "Feeds/Shadow \"x\"", &report(2));
    server.deliver("other", "INBOX", &report(3));
    secret(&folder, "other", "other");
    let node = Node::start(
        &folder,
        &format!(
            "{}{}",
            settings(
                &folder,
                server.plain,
                "tls = \"starttls\"\nbacklog = true\ndone = \"Gedaan ✓\"\nmailboxes = [\"Meldingen é & 台北\", \"gone\", \"Feeds/Shadow \\\"x\\\"\"]\n"
            ),
            format_args!(
                "[[imap]]\nname = \"other\"\nhost = \"127.0.0.1\"\ntls = \"none\"\nport = {}\nuser = \"other\"\npassword_file = \"other\"\n\
                 backlog = true\nidle = false\npoll_seconds = 5\n",
                server.plain
            )
        ),
    );
    // The same mail in two folders is one submission that came twice.
    node.until_metric("sluis_reports_total", 3.0);
    node.until_metric(RECEIVED, 4.0);
    until("all are moved", || (server.count("abuse", "Gedaan ✓", &["ALL"]) == 3).then_some(()));
    until("those of the other account, too", || (server.count("other", "Sluis", &["ALL"]) == 1).then_some(()));
    for (part, failing) in [("desk-1", 0.0), ("desk-2", 1.0), ("desk-3", 0.0), ("other", 0.0)] {
        assert_eq!(
            node.metric(&format!("sluis_intake_failing{{part=\"imap-{part}\"}}")),
            Some(failing),
            "{part}: {}",
            node.log()
        );
    }
    let trouble = node.said("does not work, and is tried again").unwrap();
    assert_eq!(trouble["reason"], "the server does not open the mailbox");
    // A folder that appears is found, and a server that says nothing by itself is asked.
    server.admin(&["mailbox", "create", "-u", "abuse", "gone"], b"");
    server.deliver("abuse", "gone", &report(4));
    server.deliver("other", "INBOX", &report(5));
    node.until_metric("sluis_reports_total", 5.0);
    until("it works again", || node.said("works again"));
}

#[test]
fn child_abuse_material_is_removed_from_the_mailbox() {
    let mail = |id: &str| {
        let date = rfc2822_now();
        format!(
            "From: hotline@hotline.example\r\nDate: {date}\r\nMessage-ID: <{id}@hotline.example>\r\nSubject: notice\r\nMIME-Version: 1.0\r\n\
Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsecret-text\r\n\
--b\r\nContent-Type: application/json; name=\"xarf.json\"\r\n\r\n{{\"xarf_version\":\"4.2.0\",\
\"report_id\":\"550e8400-e29b-41d4-a716-44665544{id}\",\"source_identifier\":\"192.0.2.4\",\"category\":\"content\",\"type\":\"csam\",\
\"url\":\"https://host.example/secret-place-{id}\",\"classification\":\"baseline\",\"detection_method\":\"hash_match\",\
\"timestamp\":\"2026-11-20T00:00:00Z\",\"reporter\":{{\"org\":\"Example Watch\",\"contact\":\"reports@watch.example\",\"domain\":\"watch.example\"}},\
\"sender\":{{\"org\":\"Example Watch\",\"contact\":\"reports@watch.example\",\"domain\":\"watch.example\"}}}}\r\n--b--\r\n"
        )
        .into_bytes()
    };
    let removed = |more: &'static str, kept: usize| {
        let folder = Folder::new("imap-removed");
        let Some(server) = Dovecot::start(&folder, &Wanted { more, ..Wanted::default() }) else { return };
        server.deliver("abuse", "INBOX", &mail("0001"));
        server.deliver("abuse", "INBOX", &report(1));
        let node = Node::start(&folder, &settings(&folder, server.secure, "backlog = true\n"));
        until("both are taken", || (node.metric(RECEIVED) >= Some(2.0)).then_some(()));
        until("one is removed", || (!server.holds("secret-place")).then_some(()));
        assert!(!server.holds("secret-text"));
        server.deliver("abuse", "INBOX", &mail("0002"));
        until("that too", || (node.metric(RECEIVED) >= Some(3.0) && !server.holds("secret-")).then_some(()));
        until("the other one is not", || (server.holds("buy")).then_some(()));
        assert_eq!(server.count("abuse", "INBOX", &["ALL"]), kept, "{more}");
        assert!(!node.log().contains("secret-") && node.metric("sluis_intake_failing{part=\"imap-desk\"}") == Some(0.0));
    };
    removed("", 0);
    removed("imap_capability = IMAP4rev1 SASL-IR IDLE UIDPLUS\n", 0);
    // Without UIDPLUS, as long as nobody else has deleted anything.
    removed("imap_capability = IMAP4rev1 IDLE\n", 1);
}

#[test]
fn a_server_that_can_little() {
    let little = "imap_capability = IMAP4rev1\n";
    let folder = Folder::new("imap-little");
    let Some(server) = Dovecot::start(&folder, &Wanted { more: little, ..Wanted::default() }) else { return };
    server.deliver("abuse", "INBOX", &report(1));
    server.admin(&["flags", "add", "-u", "abuse", "\\Deleted", "mailbox", "INBOX", "ALL"], b"");
    server.deliver("abuse", "INBOX", &report(2));
    let settings = settings(&folder, server.secure, "backlog = true\npoll_seconds = 5\n");
    let node = Node::start(&folder, &settings);
    node.until_metric(RECEIVED, 1.0);
    until("it is marked", || (server.count("abuse", "INBOX", &["SEEN", "KEYWORD", "$SluisReceived"]) == 1).then_some(()));
    server.deliver("abuse", "INBOX", &report(3));
    node.until_metric(RECEIVED, 2.0);
    until("it is marked, too", || (server.count("abuse", "INBOX", &["SEEN", "KEYWORD", "$SluisReceived"]) == 2).then_some(()));
    assert_eq!(server.count("abuse", "INBOX", &["DELETED"]), 1, "what somebody deleted is not for us to remove");
    assert_eq!(server.count("abuse", "INBOX", &["ALL"]), 3);
    drop(node);
    let node = Node::start(&folder, &settings);
    server.deliver("abuse", "INBOX", &report(4));
    node.until_metric("sluis_reports_total", 1.0);
    assert_eq!((node.metric(RECEIVED), node.metric(COPIES)), (Some(1.0), Some(0.0)), "what is marked is not taken again");
}

#[test]
fn a_mail_that_is_too_large_stays_and_is_told_once() {
    let folder = Folder::new("imap-large");
    let Some(server) = Dovecot::start(&folder, &Wanted::default()) else { return };
    server.deliver("abuse", "INBOX", &[&report(1)[..], &vec![b'x'; 2 << 20]].concat());
    server.deliver("abuse", "INBOX", &report(2));
    let node = Node::start(&folder, &settings(&folder, server.secure, "backlog = true\nmost_mib = 1\n"));
    node.until_metric("sluis_reports_total", 1.0);
    until("it is told", || (node.metric("sluis_intake_failing{part=\"imap-desk\"}") == Some(1.0)).then_some(()));
    for number in 3..6 {
        server.deliver("abuse", "INBOX", &report(number));
        node.until_metric("sluis_reports_total", f64::from(number) - 1.0);
    }
    assert_eq!(node.log().matches("a mail has more than 1 MiB, and stays in the mailbox").count(), 1, "{}", node.log());
    assert_eq!(server.count("abuse", "INBOX", &["ALL"]), 1);
    let (code, status, _) = sluis(&folder.data(), &["serve", "--status"]);
    let status: Value = serde_json::from_str(&status).unwrap();
    assert!(code == 0 && status["troubles"][0][0] == "imap-desk", "{status}");
    server.admin(&["expunge", "-u", "abuse", "mailbox", "INBOX", "ALL"], b"");
    server.deliver("abuse", "INBOX", &report(7));
    until("it works again", || node.said("works again"));
}

#[test]
fn what_keeps_it_from_the_mailbox_is_said() {
    let folder = Folder::new("imap-refused");
    let Some(server) = Dovecot::start(&folder, &Wanted::default()) else { return };
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let account = |name: &str, port: u16, more: &str| {
        format!("[[imap]]\nname = \"{name}\"\nhost = \"localhost\"\nport = {port}\nuser = \"abuse\"\n{more}")
    };
    secret(&folder, "password", "pa ss\"wörd");
    secret(&folder, "wrong", "wrong");
    const GOOD: &str = "password_file = \"password\"\n";
    let trusted = format!("{GOOD}ca_file = \"cert.pem\"\n");
    let accounts = [
        account("wrong", server.secure, "password_file = \"wrong\"\nca_file = \"cert.pem\"\n"),
        account("untrusted", server.secure, GOOD),
        account("name", server.secure, &trusted).replace("localhost", "127.0.0.1"),
        account("nobody", nobody, &trusted),
        account("clear", server.plain, &format!("{trusted}poll_seconds = 7\n")),
        account("tls", server.secure, &format!("{trusted}tls = \"starttls\"\n")),
        account("good", server.secure, &trusted),
    ];
    let node = Node::start(&folder, &accounts.concat());
    let expected = [
        ("wrong", "the server refuses the login"),
        ("untrusted", "no trusted TLS connection"),
        ("name", "no trusted TLS connection"),
        ("nobody", "the server does not answer"),
        ("clear", "no trusted TLS connection"),
    ];
    for (name, reason) in expected {
        let part = format!("\"part\":\"imap-{name}\"");
        until(&format!("{name}: {reason}"), || {
            node.log().lines().any(|line| line.contains(&part) && line.contains(reason)).then_some(())
        });
    }
    until("the good one is looked into", || {
        (node.metric("sluis_intake_failing{part=\"imap-good\"}") == Some(0.0)
            && server.count("abuse", "INBOX", &["ALL"]) == 0
            && !server.admin(&["mailbox", "list", "-u", "abuse"], b"").is_empty())
        .then_some(())
    });
    assert!(!node.log().contains("wörd") && !node.log().contains("abuse@"), "{}", node.log());
    let (status, took) = node.stop();
    assert!(status.code() == Some(0) && took < Duration::from_secs(10), "{status} after {took:?}: nobody is waited for");
}

#[test]
fn tokens_are_fetched_used_and_replaced() {
    let folder = Folder::new("imap-tokens");
    let Some(server) = Dovecot::start(&folder, &Wanted { mechanisms: "plain xoauth2", ..Wanted::default() }) else { return };
    secret(&folder, "client-secret", "s&cret");
    let account = |secret: &str| {
        let port = server.tokens.port.load(Ordering::SeqCst);
        format!(
            "[[imap]]\nname = \"shared\"\nhost = \"localhost\"\nport = {}\nca_file = \"cert.pem\"\nuser = \"shared@hoster.example\"\n\
             authentication = \"xoauth2\"\nbacklog = true\n[imap.oauth]\ntoken_url = \"https://localhost:{port}/token\"\n\
             client_id = \"app 1\"\nclient_secret_file = \"{secret}\"\nscope = \"https://outlook.example/.default\"\n\
             flow = \"client_credentials\"\nca_file = \"cert.pem\"\nallow = [\"localhost:{port}\"]\n",
            server.secure
        )
    };
    let user = "shared@hoster.example";
    server.deliver(user, "INBOX", &report(1));
    let node = Node::start(&folder, &account("client-secret"));
    node.until_metric("sluis_reports_total", 1.0);
    let asked = server.tokens.asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        "client_id=app%201&client_secret=s%26cret&scope=https%3A%2F%2Foutlook.example%2F.default&grant_type=client_credentials"
    );
    // A connection that ends is made again with the same token.
    server.admin(&["kick", user], b"");
    server.deliver(user, "INBOX", &report(2));
    node.until_metric("sluis_reports_total", 2.0);
    assert_eq!(server.tokens.given.load(Ordering::SeqCst), 1);
    // One that was withdrawn is replaced, without waiting for its time to be up.
    server.tokens.withdraw();
    server.admin(&["kick", user], b"");
    server.deliver(user, "INBOX", &report(3));
    node.until_metric("sluis_reports_total", 3.0);
    assert_eq!(server.tokens.given.load(Ordering::SeqCst), 2);
    assert!(!node.log().contains("token0"), "{}", node.log());
    drop(node);

    secret(&folder, "old-secret", "old");
    let node = Node::start(&folder, &account("old-secret"));
    let trouble = until("it is told", || node.said("does not work, and is tried again"));
    assert_eq!(trouble["reason"], "no token: invalid_client (401)");
    assert!(trouble["hint"].as_str().unwrap().contains("has expired") && !node.log().contains("jan@"), "{trouble}");
}

#[test]
fn a_kill_between_receipt_and_move_loses_and_doubles_nothing() {
    let folder = Folder::new("imap-kill");
    let Some(server) = Dovecot::start(&folder, &Wanted::default()) else { return };
    for number in 0..150 {
        server.deliver("abuse", "INBOX", &report(number));
    }
    // Between the two: everything goes through, but no word of a move.
    let between = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let (port, plain) = (between.local_addr().unwrap().port(), server.plain);
    let (told, was_told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for client in between.incoming().flatten() {
            let server = std::net::TcpStream::connect(("127.0.0.1", plain)).unwrap();
            let (mut back, mut to) = (server.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || std::io::copy(&mut back, &mut to));
            let told = told.clone();
            std::thread::spawn(move || forward(client, server, &told));
        }
    });
    let account = |port: u16| settings(&folder, port, "backlog = true\ntls = \"none\"\n").replace("ca_file = \"cert.pem\"\n", "");
    let mut node = Node::start(&folder, &account(port));
    was_told.recv_timeout(crate::support::PATIENCE).unwrap();
    node.signal(rustix::process::Signal::KILL);
    node.wait();
    drop(node);
    assert_eq!(server.count("abuse", "INBOX", &["ALL"]), 150, "nothing was moved");

    let node = Node::start(&folder, &account(server.plain));
    until("all are moved", || (server.count("abuse", "Sluis", &["ALL"]) == 150).then_some(()));
    node.until_metric("sluis_queue_length{queue=\"unread\"}", 0.0);
    assert_eq!(node.metric(RECEIVED), Some(150.0));
    let copies = node.metric(COPIES).unwrap();
    assert!(copies >= 100.0, "{copies}: what was received before the kill came again");
    drop(node);
    let (code, out, error) = sluis(&folder.data(), &["submission", "list", "--json", "-n", "1000"]);
    assert_eq!((code, out.lines().count()), (0, 150), "{error}");
}

/// Hands on what the client says, until it wants to move something.
fn forward(mut client: std::net::TcpStream, mut server: std::net::TcpStream, told: &std::sync::mpsc::Sender<()>) {
    use std::io::{Read, Write};
    let mut buffer = [0; 4096];
    while let Ok(count @ 1..) = client.read(&mut buffer) {
        if String::from_utf8_lossy(&buffer[..count]).contains("UID MOVE") {
            let _ = told.send(());
            return;
        }
        server.write_all(&buffer[..count]).unwrap();
    }
}

#[test]
fn a_mailbox_that_is_numbered_anew_gives_what_is_new_and_only_that() {
    let folder = Folder::new("imap-anew");
    let Some(server) = Dovecot::start(&folder, &Wanted::default()) else { return };
    server.deliver("abuse", "INBOX", &report(1));
    server.age("abuse");
    let settings = settings(&folder, server.secure, "");
    let node = Node::start(&folder, &settings);
    until_looked(&node, "imap-desk");
    server.deliver("abuse", "INBOX", &report(2));
    until("it is moved", || (server.count("abuse", "Sluis", &["ALL"]) == 1).then_some(()));
    drop(node);
    std::thread::sleep(Duration::from_secs(1));
    server.deliver("abuse", "INBOX", &report(3));
    // Without its list of numbers the server begins another.
    let numbers = || server.admin(&["mailbox", "status", "-u", "abuse", "uidvalidity", "INBOX"], b"");
    let before = numbers();
    server.forget_numbers("abuse");
    assert_ne!(before, numbers());
    let node = Node::start(&folder, &settings);
    node.until_metric("sluis_reports_total", 1.0);
    until("it is moved", || (server.count("abuse", "Sluis", &["ALL"]) == 2).then_some(()));
    server.deliver("abuse", "INBOX", &report(4));
    node.until_metric("sluis_reports_total", 2.0);
    assert_eq!((node.metric(RECEIVED), server.count("abuse", "INBOX", &["ALL"])), (Some(2.0), 1), "{}", node.log());
}

#[test]
#[ignore = "a measurement"]
fn how_long_ten_thousand_mails_take() {
    const MAILS: u32 = 10_000;
    let folder = Folder::new("imap-many");
    let Some(server) = Dovecot::start(&folder, &Wanted::default()) else { return };
    server.deliver("abuse", "INBOX", &report(0));
    for number in 1..MAILS {
        let path = folder.0.join(format!("mail/abuse/new/{}.M{number}.host", 1_700_000_000 + number));
        std::fs::write(&path, report(number)).unwrap();
        std::os::unix::fs::chown(&path, Some(8), Some(8)).unwrap();
    }
    let begun = std::time::Instant::now();
    let node = Node::start(&folder, &settings(&folder, server.secure, "backlog = true\n"));
    while node.metric(RECEIVED) != Some(f64::from(MAILS)) || server.count("abuse", "INBOX", &["ALL"]) > 0 {
        std::thread::sleep(Duration::from_millis(100));
    }
    let took = begun.elapsed().as_secs_f64();
    eprintln!("{MAILS} mails taken and moved in {took:.1} s: {:.0} a second", f64::from(MAILS) / took);
}
