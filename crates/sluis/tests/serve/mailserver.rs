//! Mail that mail servers hand over: by LMTP and SMTP, from a real server (Postfix) and from nobody's friend.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use model::submission::{Door, Submission};
use rustix::process::Signal;
use store::Reader;

use crate::postfix::Postfix;
use crate::support::{Folder, Node, PATIENCE, until};

const LMTP: &str = "[lmtp]\nlisten = \"unix:lmtp.sock\"\nmode = \"0666\"\nhostname = \"node.hoster.example\"\n";
const SMTP: &str =
    "[smtp]\nlisten = \"127.0.0.1:0\"\nhostname = \"mx.hoster.example\"\nrecipients = [\"abuse@hoster.example\"]\n";
const ROOM: &str = "[intake]\nmin_free_mib = 0\n";
const NO_ROOM: &str = "[intake]\nmin_free_mib = 4000000000\n";

/// A client that says what it is told to.
struct Client<S> {
    stream: BufReader<S>,
}

fn lmtp(folder: &Folder) -> Client<UnixStream> {
    let stream = UnixStream::connect(folder.0.join("lmtp.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Client { stream: BufReader::new(stream) }
}

/// A client of the node's SMTP door.
fn smtp(node: &Node) -> Client<TcpStream> {
    tcp(open_at(node, "smtp").rsplit_once(':').unwrap().1.parse().unwrap())
}

fn tcp(port: u16) -> Client<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    Client { stream: BufReader::new(stream) }
}

/// Where a door of the node is.
fn open_at(node: &Node, part: &str) -> String {
    let log = node.log();
    let lines = log.lines().filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok());
    let line = lines.into_iter().find(|line| line["message"] == "open" && line["part"] == part).unwrap();
    line["listen"].as_str().unwrap().to_owned()
}

impl<S: Read + Write> Client<S> {
    fn send(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// Reads one reply, of however many lines: its last.
    fn reply(&mut self) -> String {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            if line.as_bytes().get(3) != Some(&b'-') {
                return line.trim_end().to_owned();
            }
        }
    }

    #[track_caller]
    fn say(&mut self, line: &str, expected: &str) {
        self.send(format!("{line}\r\n").as_bytes());
        self.hear(expected);
    }

    #[track_caller]
    fn hear(&mut self, expected: &str) {
        let reply = self.reply();
        assert!(reply.starts_with(expected), "{expected}: {reply}");
    }

    /// Sends a mail that is written as it is to go over the wire, without its end.
    #[track_caller]
    fn mail(&mut self, hello: &str, wire: &[u8], expected: &str) {
        self.hear("220 ");
        self.say(&format!("{hello} client.example"), "250 ");
        self.again(wire, expected);
    }

    #[track_caller]
    fn again(&mut self, wire: &[u8], expected: &str) {
        self.say("MAIL FROM:<reports@watch.example>", "250 ");
        self.say("RCPT TO:<abuse@hoster.example>", "250 ");
        self.say("DATA", "354 ");
        self.send(wire);
        self.send(b"\r\n.\r\n");
        self.hear(expected);
    }
}

fn submissions(folder: &Folder) -> Vec<Submission> {
    let mut reader = Reader::open(&folder.data()).unwrap();
    reader.read(|transaction| transaction.submissions(None, i64::MAX, 10_000)).unwrap()
}

/// The bytes of the only submission.
fn raw(folder: &Folder, submission: &Submission) -> Vec<u8> {
    // They are not shown before they were read.
    until("the submission is read", || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_sluis"));
        command.arg("--data").arg(folder.data()).args(["submission", "show", &submission.public.to_string(), "--raw"]);
        command.output().ok().filter(|output| output.status.success()).map(|output| output.stdout)
    })
}

fn mail(number: usize) -> String {
    format!("From: reports@watch.example\r\nTo: abuse@hoster.example\r\nSubject: mail {number}\r\n\r\nThis is mail {number}.\r\n")
}

#[test]
fn lmtp_takes_mails_as_they_are() {
    let folder = Folder::new("lmtp");
    let node = Node::start(&folder, &format!("{LMTP}{ROOM}"));
    let mut client = lmtp(&folder);
    client.hear("220 node.hoster.example LMTP");
    client.say("LHLO mta.hoster.example", "250 ENHANCEDSTATUSCODES");
    // All at once, for two recipients.
    client.send(b"MAIL FROM:<a@watch.example> BODY=8BITMIME\r\nRCPT TO:<abuse@hoster.example>\r\nRCPT TO:<noc@hoster.example>\r\nDATA\r\n");
    for expected in ["250 2.1.0", "250 2.1.5", "250 2.1.5", "354 "] {
        client.hear(expected);
    }
    client.send(b"Subject: \xe9\0\xff\r\n\r\n..\r\n..two\r\n.one\r\nlast\r\n.\r\n");
    client.hear("250 2.0.0");
    client.hear("250 2.0.0");
    let found = submissions(&folder);
    assert_eq!(found.len(), 1, "one mail for two recipients is one submission");
    assert_eq!((found[0].door, found[0].name.as_str()), (Door::Lmtp, ""));
    assert_eq!(raw(&folder, &found[0]), b"Subject: \xe9\0\xff\r\n\r\n.\r\n.two\r\none\r\nlast\r\n");
    // The same once more, with a long line in between and over the same connection.
    client.again(&[b"Subject: long\r\n\r\n".as_slice(), &vec![b'x'; 100_000]].concat(), "250 2.0.0");
    client.say("QUIT", "221 ");
    let found = submissions(&folder);
    assert_eq!(found.len(), 2);
    assert!(found.iter().any(|submission| submission.size == 100_000 + 19));
    assert_eq!(node.metric("sluis_intake_failing{part=\"lmtp\"}"), Some(0.0));
    let (status, took) = node.stop();
    assert!(status.success() && took < Duration::from_secs(10), "{status} {took:?}");
    assert!(!folder.0.join("lmtp.sock").exists(), "the socket goes with its process");
}

#[test]
fn smtp_takes_mail_for_its_own_and_nobody_else() {
    let folder = Folder::new("smtp");
    let node = Node::start(&folder, &format!("{SMTP}max_mib = 1\n{ROOM}"));
    let mut client = smtp(&node);
    client.hear("220 mx.hoster.example ESMTP Sluis");
    client.say("EHLO client.example", "250 ENHANCEDSTATUSCODES");
    client.say("MAIL FROM:<a@watch.example>", "250 ");
    client.say("RCPT TO:<someone@elsewhere.example>", "550 5.1.1");
    client.say("DATA", "503 ");
    client.say("RCPT TO:<Abuse@Hoster.example>", "250 ");
    client.say("STARTTLS", "502 ");
    client.say("DATA", "354 ");
    client.send(format!("{}.\r\n", mail(1)).as_bytes());
    client.hear("250 2.0.0");
    // Too large, announced and not; the connection lives on.
    client.say("MAIL FROM:<a@watch.example> SIZE=1048577", "552 5.3.4");
    client.again(&vec![b'x'; 1 << 20], "552 5.3.4");
    client.again(mail(2).as_bytes(), "250 2.0.0");
    let found = submissions(&folder);
    assert_eq!(found.len(), 2);
    assert!(found.iter().all(|submission| submission.door == Door::Smtp));
    // Stopping is said, and not waited for.
    node.signal(Signal::TERM);
    client.hear("421 4.3.2");
    let mut node = node;
    assert!(node.wait().success());
}

#[test]
fn mails_are_not_smuggled() {
    let folder = Folder::new("smuggled");
    let node = Node::start(&folder, &format!("{SMTP}{ROOM}"));
    let inner =
        "MAIL FROM:<ceo@bank.example>\r\nRCPT TO:<abuse@hoster.example>\r\nDATA\r\nFrom: ceo@bank.example\r\n\r\nsmuggled";
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r\n\n.\r\n"] {
        let mut client = smtp(&node);
        client.mail("EHLO", format!("Subject: outer\r\n\r\nouter{end}{inner}").as_bytes(), "550 5.6.0");
        client.say("QUIT", "221 ");
    }
    assert_eq!(submissions(&folder).len(), 0, "what has a bare LF is refused as a whole");
    for (number, end) in ["\r.\r", "\r\n.\r", "\r.\r\n", "\r\n.\0\r\n"].into_iter().enumerate() {
        let mut client = smtp(&node);
        client.mail("EHLO", format!("Subject: outer\r\n\r\nouter{end}{inner}").as_bytes(), "250 2.0.0");
        client.say("QUIT", "221 ");
        let found = submissions(&folder);
        assert_eq!(found.len(), number + 1, "one mail stays one");
        let kept = raw(&folder, &found[0]);
        assert!(kept.ends_with(b"smuggled\r\n"), "{end:?}: {}", kept.escape_ascii());
    }
}

#[test]
fn the_slow_and_the_many_are_sent_away() {
    let folder = Folder::new("slow");
    let node = Node::start(&folder, &format!("{SMTP}timeout_seconds = 1\nconnections = 8\nconnections_per_peer = 3\n{ROOM}"));
    // A byte now and then does not keep a line open.
    let mut slow = smtp(&node);
    slow.hear("220 ");
    let begun = Instant::now();
    for _ in 0..8 {
        let _ = slow.stream.get_mut().write_all(b"N");
        std::thread::sleep(Duration::from_millis(300));
    }
    slow.hear("421 4.4.2");
    assert!(begun.elapsed() < Duration::from_secs(10));
    // Half a mail is no mail.
    let mut half = smtp(&node);
    half.hear("220 ");
    half.send(b"EHLO a.example\r\nMAIL FROM:<>\r\nRCPT TO:<abuse@hoster.example>\r\nDATA\r\nSubject: half\r\n\r\nThis is h");
    for expected in ["250 ", "250 ", "250 ", "354 ", "421 4.4.2"] {
        half.hear(expected);
    }
    assert_eq!(submissions(&folder).len(), 0);
    let mut open: Vec<_> = (0..3).map(|_| smtp(&node)).collect();
    for client in &mut open {
        client.hear("220 ");
    }
    smtp(&node).hear("421 4.7.0");
    drop(open);
    until("there is a place again", || smtp(&node).reply().starts_with("220 ").then_some(()));
    // A line without an end, and one of another protocol.
    let mut client = smtp(&node);
    client.hear("220 ");
    client.send(&[vec![b'a'; 3_000], b"\r\nNOOP\r\n".to_vec()].concat());
    client.hear("500 5.5.2");
    client.hear("250 2.0.0");
    client.send(b"NOOP\nGET / HTTP/1.1\r\n");
    client.hear("500 5.5.2");
    client.hear("554 5.5.1");
    assert_eq!(client.reply(), "", "and that was all");
}

#[test]
fn a_short_disk_is_said_before_and_not_after() {
    let folder = Folder::new("short");
    let node = Node::start(&folder, &format!("{LMTP}{NO_ROOM}"));
    let mut client = lmtp(&folder);
    client.hear("220 ");
    client.say("LHLO a.example", "250 ");
    client.say("MAIL FROM:<a@watch.example>", "452 4.3.1");
    assert_eq!(node.metric("sluis_intake_failing{part=\"lmtp\"}"), Some(1.0));
    assert!(node.log().contains("not enough room"), "{}", node.log());
}

/// Hands a mail to Postfix.
fn into(postfix: &Postfix, text: &[u8]) {
    tcp(postfix.port).mail("EHLO", text, "250 2.0.0");
}

#[test]
fn postfix_delivers_by_lmtp() {
    let folder = Folder::new("postfix-lmtp");
    let Some(postfix) = Postfix::start(&folder, "relay_transport = lmtp:unix:FOLDER/lmtp.sock\n") else { return };
    let node = Node::start(&folder, &format!("{LMTP}{NO_ROOM}"));
    into(&postfix, mail(1).as_bytes());
    until("the disk is short, so Postfix keeps it", || postfix.log().contains("452 4.3.1").then_some(()));
    assert_eq!((submissions(&folder).len(), postfix.queued()), (0, 1));
    drop(node);
    let node = Node::start(&folder, &format!("{LMTP}{ROOM}"));
    postfix.flush();
    until("it is delivered then", || (submissions(&folder).len() == 1 && postfix.queued() == 0).then_some(()));
    // 8 bits, lines with dots, and 30 MiB.
    let odd = "From: reports@watch.example\r\nSubject: dots\r\n\r\n..\r\n..a\r\n\u{e9}\r\n...";
    into(&postfix, odd.as_bytes());
    let line = format!("{}\r\n", "0123456789abcdef".repeat(4));
    let large = format!("From: reports@watch.example\r\nSubject: large\r\n\r\n{}", line.repeat((30 << 20) / line.len()));
    into(&postfix, large.trim_end().as_bytes());
    until("all are delivered", || (submissions(&folder).len() == 3 && postfix.queued() == 0).then_some(()));
    let found = submissions(&folder);
    let largest = found.iter().max_by_key(|submission| submission.size).unwrap();
    assert!(raw(&folder, largest).ends_with(&large.as_bytes()[large.len() - (29 << 20)..]));
    let smallest = found.iter().find(|submission| raw(&folder, submission).windows(4).any(|part| part == b"dots")).unwrap();
    assert!(raw(&folder, smallest).ends_with("\r\n\r\n.\r\n.a\r\n\u{e9}\r\n..\r\n".as_bytes()));
    drop(node);
}

#[test]
fn a_kill_among_two_hundred_mails_loses_and_doubles_none() {
    let folder = Folder::new("postfix-kill");
    let Some(postfix) = Postfix::start(&folder, "relay_transport = lmtp:unix:FOLDER/lmtp.sock\n") else { return };
    let mut client = tcp(postfix.port);
    client.hear("220 ");
    client.say("EHLO a.example", "250 ");
    for number in 0..200 {
        client.again(mail(number).as_bytes(), "250 2.0.0");
    }
    let mut kills = 0;
    for least in [1, 40, 100] {
        let mut node = Node::start(&folder, &format!("{LMTP}{ROOM}"));
        until("some are kept", || (submissions(&folder).len() >= least || postfix.queued() == 0).then_some(()));
        node.signal(Signal::KILL);
        node.wait();
        kills += usize::from(postfix.queued() > 0);
    }
    let node = Node::start(&folder, &format!("{LMTP}{ROOM}"));
    postfix.flush();
    until("all are delivered", || (postfix.queued() == 0).then_some(()));
    let found = submissions(&folder);
    assert_eq!(found.len(), 200, "each is one submission, however often it came");
    let copies: u32 = found.iter().map(|submission| submission.times - 1).sum();
    eprintln!("{kills} kills with mails in the queue, {copies} copies");
    assert!(!postfix.log().contains("status=bounced"));
    drop(node);
}

#[test]
fn postfix_delivers_by_smtp_with_tls() {
    let folder = Folder::new("postfix-smtp");
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = rcgen::CertificateParams::new(vec!["mx.hoster.example".to_owned()]).unwrap().self_signed(&key).unwrap();
    std::fs::write(folder.0.join("cert.pem"), cert.pem()).unwrap();
    std::fs::write(folder.0.join("key.pem"), key.serialize_pem()).unwrap();
    let node = Node::start(&folder, &format!("{SMTP}cert_file = \"cert.pem\"\nkey_file = \"key.pem\"\n{ROOM}"));
    // What is sent in the clear behind STARTTLS is not taken for what comes by TLS.
    let mut client = smtp(&node);
    client.hear("220 ");
    client.say("EHLO a.example", "250 ");
    client.send(b"STARTTLS\r\nMAIL FROM:<injected@watch.example>\r\n");
    client.hear("554 5.5.1");
    assert_eq!(client.reply(), "");
    let port = open_at(&node, "smtp").rsplit_once(':').unwrap().1.to_owned();
    let settings = format!(
        "relay_transport = smtp:[127.0.0.1]:{port}\nsmtp_tls_security_level = verify\nsmtp_tls_verify_cert_match = mx.hoster.example\n\
         smtp_tls_CAfile = FOLDER/cert.pem\nsmtp_tls_loglevel = 1\nsmtp_host_lookup = native\n"
    );
    let Some(postfix) = Postfix::start(&folder, &settings) else { return };
    into(&postfix, mail(1).as_bytes());
    until("it is delivered", || (submissions(&folder).len() == 1 && postfix.queued() == 0).then_some(()));
    assert!(postfix.log().contains("Verified TLS connection established"), "{}", postfix.log());
    assert_eq!(submissions(&folder)[0].door, Door::Smtp);
    // A certificate that is gone is our trouble: the mail stays where it is until there is one again.
    std::fs::rename(folder.0.join("cert.pem"), folder.0.join("away.pem")).unwrap();
    let mut client = smtp(&node);
    client.hear("220 ");
    client.say("EHLO a.example", "250 ");
    client.say("STARTTLS", "454 4.7.0");
    client.say("NOOP", "250 ");
}

#[test]
fn postfix_keeps_what_a_pipe_could_not_take() {
    let folder = Folder::new("postfix-pipe");
    let Some(postfix) = Postfix::start(&folder, "relay_transport = sluis:\nsluis_destination_recipient_limit = 1\n") else {
        return;
    };
    // The data directory cannot be made by the user that the pipe runs as: EX_TEMPFAIL.
    into(&postfix, mail(1).as_bytes());
    until("it is kept", || postfix.log().contains("status=deferred (temporary failure").then_some(()));
    assert_eq!(postfix.queued(), 1);
    let made = std::process::Command::new("install").args(["-d", "-o", "nobody", "-m", "700"]).arg(folder.data()).status();
    assert!(made.unwrap().success());
    postfix.flush();
    until("it is delivered then", || (postfix.queued() == 0).then_some(()));
    assert_eq!(submissions(&folder).iter().map(|submission| submission.door).collect::<Vec<_>>(), [Door::Pipe]);
    assert!(!postfix.log().contains("status=bounced"));
}

/// For a figure, in a release build: `SLUIS_MAILS=20000 cargo test --release -p sluis --test serve mails_at_once -- --nocapture`.
#[test]
fn mails_at_once_are_all_kept() {
    let mails: usize = std::env::var("SLUIS_MAILS").ok().and_then(|text| text.parse().ok()).unwrap_or(400);
    let folder = Folder::new("lmtp-many");
    let node = Node::start(&folder, &format!("{LMTP}{ROOM}"));
    for connections in [1, 20] {
        let text = "This line is one of many that are all the same.\r\n".repeat(60);
        let begun = Instant::now();
        std::thread::scope(|scope| {
            for connection in 0..connections {
                let (folder, text) = (&folder, &text);
                scope.spawn(move || {
                    let mut client = lmtp(folder);
                    client.hear("220 ");
                    for number in 0..mails / 2 / connections {
                        if number % 500 == 0 && number > 0 {
                            client.say("QUIT", "221 ");
                            client = lmtp(folder);
                            client.hear("220 ");
                        }
                        if number % 500 == 0 {
                            client.say("LHLO client.example", "250 ");
                        }
                        let subject = format!("Subject: {connections} {connection} {number}\r\n\r\n{text}");
                        client.again(subject.as_bytes(), "250 2.0.0");
                    }
                });
            }
        });
        let sent = mails / 2 / connections * connections;
        let rate = sent as f64 / begun.elapsed().as_secs_f64();
        eprintln!("{sent} mails of 3 KB over {connections} connections: {rate:.0} a second, each durable before its 250");
    }
    let kept = node.metric("sluis_submissions_received_total");
    assert_eq!(kept, Some((mails / 2 + mails / 2 / 20 * 20) as f64));
}
