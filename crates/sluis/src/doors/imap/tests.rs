//! A server that does what servers should not, against the client and the mailbox.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use desk::{Desk, Reading, SystemClock};

use super::client::{Client, Security};
use super::failed::{Failed, Kind};
use super::login::{Login, Proof};
use super::mailbox::{Looked, Mailbox, Refused};
use super::{Account, Watched};

/// What a server answers to commands that begin so; `TAG` stands for the tag. The first that fits is used once, but the last
/// that fits again and again.
type Script = Vec<(&'static str, String)>;

/// A server with a script; what it was asked.
struct Server {
    port: u16,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(greeting: &'static str, mut script: Script) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
                let _ = stream.write_all(greeting.as_bytes());
                for line in lines {
                    let (tag, command) = line.split_once(' ').unwrap_or(("", &line));
                    log.lock().unwrap().push(command.to_owned());
                    let fitting: Vec<usize> = (0..script.len()).filter(|at| command.starts_with(script[*at].0)).collect();
                    let answer = match fitting[..] {
                        [] => "TAG BAD what?\r\n".to_owned(),
                        [last] => script[last].1.clone(),
                        [first, ..] => script.remove(first).1,
                    };
                    if stream.write_all(answer.replace("TAG", tag).as_bytes()).is_err() {
                        break;
                    }
                }
            }
        });
        Server { port, asked }
    }

    fn client(&self) -> Result<Client, Failed> {
        Client::connect("127.0.0.1", self.port, &Security::None, Arc::new(|| false))
    }

    fn was_asked(&self, command: &str) -> bool {
        self.asked.lock().unwrap().iter().any(|asked| asked.starts_with(command))
    }
}

const GREETING: &str = "* OK hello\r\n";

/// A desk in a folder of its own.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn watched() -> (Watched, Folder) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = std::env::temp_dir().join(format!("sluis-imap-unit-{}-{number}", std::process::id()));
    let desk = Arc::new(Desk::open(&folder, Arc::new(SystemClock), Reading::default()).unwrap());
    let login = Login { user: "abuse".to_owned(), proof: Proof::Password(folder.join("password")) };
    let account = Account {
        name: "desk".to_owned(),
        host: "127.0.0.1".to_owned(),
        port: 0,
        security: Security::None,
        login,
        mailboxes: vec!["INBOX".to_owned()],
        done: "Done".to_owned(),
        backlog: true,
        most: 1 << 20,
        poll: Duration::from_secs(5),
        idle: true,
    };
    let watched = Watched { desk, account, folder: "INBOX".to_owned(), part: "imap-desk".to_owned(), wake: Box::new(|| {}) };
    (watched, Folder(folder))
}

/// One look at a mailbox of a server with this script, and how many submissions there are then.
fn look(capabilities: &str, script: Script) -> (Result<Looked, Failed>, u64, Server) {
    let mut script = script;
    script.push(("CAPABILITY", format!("* CAPABILITY IMAP4rev1 {capabilities}\r\nTAG OK done\r\n")));
    script.push((
        "SELECT",
        "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [UIDNEXT 12] next\r\n* OK [PERMANENTFLAGS (\\Seen \\*)] kept\r\nTAG OK [READ-WRITE] done\r\n"
            .to_owned(),
    ));
    script.push(("LIST", "* LIST () \"/\" Done\r\nTAG OK done\r\n".to_owned()));
    for word in ["UID STORE", "UID MOVE", "UID COPY", "UID EXPUNGE", "EXPUNGE", "CREATE", "SUBSCRIBE", "LOGOUT"] {
        script.push((word, "TAG OK done\r\n".to_owned()));
    }
    let server = Server::start(GREETING, script);
    let (watched, _folder) = watched();
    let mut refused = Refused::default();
    let looked = server.client().and_then(|mut client| {
        let mut mailbox = Mailbox::open(&watched, &mut client, &mut refused)?;
        mailbox.look()
    });
    (looked, watched.desk.totals().received, server)
}

/// The list of mails, and the mails.
fn list(entries: &str) -> (&'static str, String) {
    ("UID FETCH 1:* (UID RFC822.SIZE", format!("{entries}TAG OK done\r\n"))
}

fn bodies(text: &str) -> (&'static str, String) {
    ("UID FETCH", format!("{text}TAG OK done\r\n"))
}

const CHILD_ABUSE: &str = r#"{"xarf_version":"4.2.0","source_identifier":"192.0.2.4","category":"content","type":"csam","classification":"baseline","url":"https://host.example/x","timestamp":"2026-11-20T00:00:00Z","reporter":{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"},"sender":{"org":"Example Watch","contact":"reports@watch.example","domain":"watch.example"}}"#;

const TWO: &str = "* 1 FETCH (UID 10 RFC822.SIZE 5 FLAGS ())\r\n* 2 FETCH (UID 11 RFC822.SIZE 5 FLAGS (\\Seen))\r\n";

#[test]
fn what_is_no_server_is_said() {
    for (name, greeting, reason) in [
        ("another protocol", "220 mail.example ESMTP\r\n", "no IMAP server"),
        ("in the name of somebody", "* PREAUTH welcome\r\n", "before we said who we are"),
        ("closed", "* BYE too many\r\n", "closed now"),
        ("a line without end", Box::leak("x".repeat(100_000).into_boxed_str()), "without end"),
    ] {
        let failed = Server::start(greeting, Vec::new()).client().err().unwrap();
        assert!(failed.trouble.reason.contains(reason), "{name}: {failed:?}");
    }
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let (asked, port) = (Arc::clone(&stop), silent.local_addr().unwrap().port());
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        stop.store(true, Ordering::SeqCst);
    });
    let begun = Instant::now();
    let failed =
        Client::connect("127.0.0.1", port, &Security::None, Arc::new(move || asked.load(Ordering::SeqCst))).err().unwrap();
    assert!(failed.kind == Kind::Stopping && begun.elapsed() < Duration::from_secs(5), "{failed:?}");
}

#[test]
fn what_comes_in_the_clear_before_tls_is_not_believed() {
    let (watched, _folder) = watched();
    let tls = Arc::new(
        rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth(),
    );
    for (answer, reason) in [
        ("TAG OK begin\r\n* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n", "more before TLS"),
        ("TAG NO not here\r\n", "does not begin TLS"),
    ] {
        let server = Server::start(GREETING, vec![("STARTTLS", answer.to_owned())]);
        let security = Security::Starttls(Arc::clone(&tls));
        let failed = Client::connect("127.0.0.1", server.port, &security, Arc::new(|| false)).err().unwrap();
        assert!(failed.trouble.reason.contains(reason), "{failed:?}");
        assert!(!server.was_asked("AUTHENTICATE") && !server.was_asked("LOGIN"));
    }
    drop(watched);
}

#[test]
fn mails_in_any_order_and_manner() {
    let (looked, received, server) = look(
        "MOVE",
        vec![
            list(TWO),
            list(""),
            // The second first, its number behind it, beside flags that changed and news.
            bodies(
                "* 2 FETCH (BODY[] {5}\r\nfirst UID 11)\r\n* 5 EXISTS\r\n* 1 FETCH (FLAGS (\\Seen))\r\n* 1 FETCH (UID 10 BODY[] {6}\r\nsecond FLAGS ())\r\n",
            ),
        ],
    );
    assert_eq!((looked, received), (Ok(Looked { taken: 2, trouble: None }), 2));
    assert!(server.was_asked("UID MOVE 10:11 \"Done\""), "{:?}", server.asked.lock().unwrap());
}

#[test]
fn a_mail_is_never_moved_for_another() {
    for (name, text, reason, received) in [
        ("another's number", "* 1 FETCH (UID 99 BODY[] {5}\r\nhello)\r\n", "did not say which", 0),
        ("no number", "* 1 FETCH (BODY[] {5}\r\nhello)\r\n", "did not say which", 0),
        (
            "one twice",
            "* 1 FETCH (UID 10 BODY[] {5}\r\nhello)\r\n* 1 FETCH (UID 10 BODY[] {5}\r\nother)\r\n",
            "did not say which",
            1,
        ),
        ("larger than it may be", "* 1 FETCH (UID 10 BODY[] {99999999999}\r\nhello)\r\n", "larger than the server said", 0),
        ("not as long as said", "* 1 FETCH (UID 10 BODY[] {3}\r\nhello)\r\n", "not as long as it said", 0),
        ("an end of its own", "* 1 FETCH (UID 10 BODY[] {5}\r\nhello)\r\n* BYE enough\r\n", "ended the connection", 1),
        ("another command's end", "x9 OK done\r\n", "what was not asked", 0),
        ("what is no reply", "hello\r\n", "no IMAP", 0),
        ("a name without end", "* 1 FETCH (UID 10 X {99999999}\r\n", "more than was asked", 0),
    ] {
        let (looked, took, server) = look("MOVE UIDPLUS", vec![list(TWO), bodies(text)]);
        let failed = looked.unwrap_err();
        assert!(failed.trouble.reason.contains(reason), "{name}: {failed:?}");
        assert_eq!(took, received, "{name}: what came whole is kept");
        assert!(!server.was_asked("UID MOVE") && !server.was_asked("UID STORE"), "{name}");
    }
}

#[test]
fn what_the_server_does_not_give_does_not_hold_up_the_rest() {
    let (looked, received, server) = look(
        "MOVE",
        vec![
            list(TWO),
            list("* 1 FETCH (UID 10 RFC822.SIZE 5 FLAGS ())\r\n"),
            ("UID FETCH 10:11", "TAG NO one of them is broken\r\n".to_owned()),
            ("UID FETCH 10 ", "* 1 FETCH (UID 10 BODY[] NIL)\r\nTAG NO broken\r\n".to_owned()),
            ("UID FETCH 11 ", "* 2 FETCH (UID 11 BODY[] {5}\r\nhello)\r\nTAG OK done\r\n".to_owned()),
        ],
    );
    assert_eq!((looked.unwrap().taken, received), (1, 1));
    assert!(server.was_asked("UID MOVE 11 "));
}

#[test]
fn a_folder_that_takes_nothing_stops_nothing() {
    let (looked, received, server) = look(
        "MOVE",
        vec![
            list(TWO),
            bodies("* 1 FETCH (UID 10 BODY[] {5}\r\nhello)\r\n* 2 FETCH (UID 11 BODY[] {5}\r\nworld)\r\n"),
            ("UID MOVE", "TAG NO [OVERQUOTA] full\r\n".to_owned()),
        ],
    );
    let looked = looked.unwrap();
    assert_eq!((looked.taken, received), (2, 2));
    assert!(looked.trouble.unwrap().trouble.reason.contains("does not move"));
    assert!(server.was_asked("UID STORE 10:11 +FLAGS.SILENT (\\Seen $SluisReceived)"));
    assert!(!server.was_asked("EXPUNGE") && !server.was_asked("UID EXPUNGE"));
}

#[test]
fn a_folder_that_cannot_be_made_stops_nothing() {
    let script = vec![
        ("LIST", "TAG OK done\r\n".to_owned()),
        ("CREATE", "TAG NO [NOPERM] not here\r\n".to_owned()),
        list(TWO),
        bodies("* 1 FETCH (UID 10 BODY[] {5}\r\nhello)\r\n* 2 FETCH (UID 11 BODY[] {5}\r\nworld)\r\n"),
        ("UID MOVE", "TAG NO [TRYCREATE] no such folder\r\n".to_owned()),
        ("LIST", "TAG OK done\r\n".to_owned()),
        ("CREATE", "TAG NO [NOPERM] not here\r\n".to_owned()),
    ];
    let (looked, received, server) = look("MOVE", script);
    let looked = looked.unwrap();
    assert!((looked.taken, received) == (2, 2) && looked.trouble.is_some(), "{looked:?}");
    assert!(server.was_asked("UID STORE 10:11 +FLAGS.SILENT (\\Seen $SluisReceived)"));
}

#[test]
fn without_marks_a_removal_that_was_begun_is_ended_too() {
    let report = CHILD_ABUSE;
    let body = format!("* 1 FETCH (UID 10 BODY[] {{{}}}\r\n{report})\r\n", report.len());
    let select = "* 3 EXISTS\r\n* OK [UIDVALIDITY 7] valid\r\n* OK [PERMANENTFLAGS (\\Seen \\Deleted)] kept\r\nTAG OK [READ-WRITE] done\r\n";
    let script = vec![
        ("SELECT", select.to_owned()),
        ("UID FETCH 4294967295:*", "* 3 FETCH (UID 12 RFC822.SIZE 5)\r\nTAG OK done\r\n".to_owned()),
        list("* 1 FETCH (UID 10 RFC822.SIZE 5 FLAGS (\\Deleted))\r\n"),
        bodies(&body),
    ];
    let (looked, received, server) = look("MOVE UIDPLUS", script);
    assert_eq!((looked, received), (Ok(Looked { taken: 1, trouble: None }), 1));
    assert!(server.was_asked("UID STORE 10 +FLAGS.SILENT (\\Deleted)") && server.was_asked("UID EXPUNGE 10"));
}

#[test]
fn a_mailbox_that_may_only_be_read_is_left_alone() {
    let (looked, received, server) =
        look("MOVE", vec![("SELECT", "* 3 EXISTS\r\nTAG OK [READ-ONLY] done\r\n".to_owned()), list(TWO)]);
    assert!(looked.unwrap_err().trouble.reason.contains("may only be read"));
    assert!(received == 0 && !server.was_asked("UID FETCH"));
}

#[test]
fn what_others_deleted_is_not_removed_with_child_abuse_material() {
    let report = CHILD_ABUSE;
    let body = format!("* 1 FETCH (UID 10 BODY[] {{{}}}\r\n{report})\r\n", report.len());
    let one = "* 1 FETCH (UID 10 RFC822.SIZE 5 FLAGS ())\r\n";
    for (name, deleted, expunged) in [("others have", "10 12", false), ("nobody has", "10", true)] {
        let search = ("UID SEARCH", format!("* SEARCH {deleted}\r\nTAG OK done\r\n"));
        let (looked, received, server) = look("", vec![list(one), bodies(&body), search]);
        let looked = looked.unwrap();
        assert_eq!((looked.taken, received), (1, 1), "{name}");
        assert!(server.was_asked("UID STORE 10 +FLAGS.SILENT (\\Deleted $SluisRemove)"), "{name}");
        assert_eq!(server.was_asked("EXPUNGE"), expunged, "{name}");
        assert_eq!(looked.trouble.is_some(), !expunged, "{name}: {looked:?}");
        assert!(looked.trouble.is_none_or(|trouble| trouble.trouble.hint.contains("by hand, today")), "{name}");
    }
    // What was begun before is ended, and nothing is taken for that.
    let begun = "* 1 FETCH (UID 10 RFC822.SIZE 5 FLAGS (\\Deleted $SluisRemove))\r\n";
    let (looked, received, server) = look("UIDPLUS", vec![list(begun)]);
    assert_eq!((looked, received), (Ok(Looked::default()), 0));
    assert!(server.was_asked("UID EXPUNGE 10"));
}
