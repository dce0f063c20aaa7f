//! Feeds from a real server over TLS, by the test's own authority: what is new, what is not, and what breaks.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use desk::{Clock, Reading};
use model::submission::Submission;
use model::time::{DAY, HOUR, MINUTE};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;
use crate::serve::config::Config;

/// What a server answers, byte by byte, and what it does then.
#[derive(Clone, Default)]
struct Answer {
    bytes: Vec<u8>,
    /// It ends without saying so.
    cut: bool,
    /// It says nothing more for so long.
    silence: Duration,
}

impl Answer {
    fn new(head: &str, body: &str) -> Answer {
        let bytes = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).into_bytes();
        Answer { bytes, ..Answer::default() }
    }

    fn raw(text: &str) -> Answer {
        Answer { bytes: text.as_bytes().to_vec(), ..Answer::default() }
    }
}

type Says = Arc<dyn Fn(&str) -> Answer + Send + Sync>;

/// A server that answers as it is told.
struct Server {
    port: u16,
    ca: PathBuf,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start(tls: bool, says: impl Fn(&str) -> Answer + Send + Sync + 'static) -> Server {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let ca =
            std::env::temp_dir().join(format!("sluis-feed-{}-{}.pem", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst)));
        let config = Arc::new(authority(&ca));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (kept, says): (_, Says) = (Arc::clone(&requests), Arc::new(says));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (config, kept, says) = (Arc::clone(&config), Arc::clone(&kept), Arc::clone(&says));
                std::thread::spawn(move || {
                    let mut stream = stream.unwrap();
                    if !tls {
                        answer(&mut stream, &kept, &says);
                        return;
                    }
                    let connection = rustls::ServerConnection::new(config).unwrap();
                    let mut stream = rustls::StreamOwned::new(connection, stream);
                    if !answer(&mut stream, &kept, &says) {
                        stream.conn.send_close_notify();
                        let _ = stream.flush();
                    }
                });
            }
        });
        Server { port, ca, requests }
    }

    /// What it was asked so far, and forgets it.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.requests.lock().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca);
    }
}

/// Answers one request; whether it ends without a word.
fn answer(stream: &mut (impl Read + Write), kept: &Mutex<Vec<String>>, says: &Says) -> bool {
    let mut reader = BufReader::new(&mut *stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return true;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        text.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    text.push_str(&String::from_utf8(body).unwrap());
    kept.lock().unwrap().push(text.clone());
    let answer = says(&text);
    let _ = stream.write_all(&answer.bytes).and_then(|()| stream.flush());
    std::thread::sleep(answer.silence);
    answer.cut
}

fn authority(ca: &Path) -> rustls::ServerConfig {
    let mut authority = CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    std::fs::write(ca, authority.pem()).unwrap();
    rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap()
}

struct Hand(AtomicI64);

impl Clock for Hand {
    fn now(&self) -> Time {
        Time(self.0.load(Ordering::SeqCst))
    }
}

/// A node with one feed.
struct Node {
    folder: PathBuf,
    clock: Arc<Hand>,
    desk: Option<Desk>,
    feed: FeedConfig,
}

impl Node {
    /// With these settings of a feed at a server.
    fn new(server: &Server, url: &str, more: &str) -> Node {
        let text = format!(
            "[[feed]]\nonly_ours = false\nname = \"list\"\nurl = \"{}\"\nca_file = \"{}\"\nallow = [\"localhost:{}\"]\nformat = \"shadowserver\"\n\
             file_name = \"2026-06-01-scan_telnet-list.csv\"\ncomplete = true\n{more}\n",
            url.replace("PORT", &server.port.to_string()),
            server.ca.display(),
            server.port
        );
        Node::with(&text)
    }

    /// With these settings.
    fn with(text: &str) -> Node {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let folder = std::env::temp_dir().join(format!("sluis-fetch-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("secret"), "s3cret\n").unwrap();
        std::fs::write(folder.join("key"), "k3y\n").unwrap();
        for file in ["secret", "key"] {
            std::fs::set_permissions(folder.join(file), std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        }
        let config = Config::parse(text, &folder.join("sluis.toml")).unwrap();
        let feed = config.feed.into_iter().next().unwrap();
        let clock = Arc::new(Hand(AtomicI64::new(Time::parse(b"2026-06-01T06:00:00Z").unwrap().0)));
        let mut node = Node { folder, clock, desk: None, feed };
        node.open();
        node
    }

    /// Begins anew, as after the process was killed.
    fn open(&mut self) {
        self.desk = None;
        let feeds = BTreeMap::from([("list".to_owned(), self.feed.reading(|_| unreachable!()).unwrap())]);
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        self.desk = Some(Desk::open(&self.folder.join("data"), clock, Reading { feeds, ..Reading::default() }).unwrap());
    }

    fn desk(&self) -> &Desk {
        self.desk.as_ref().unwrap()
    }

    fn later(&self, millis: i64) {
        self.clock.0.fetch_add(millis, Ordering::SeqCst);
    }

    fn fetcher(&self) -> Fetcher {
        let mut fetcher = Fetcher::open(&self.feed).unwrap();
        fetcher.time = Duration::from_secs(3);
        fetcher.most = 64 << 10;
        fetcher
    }

    fn look(&self) -> Looked {
        self.fetcher().look(self.desk(), 0).unwrap()
    }

    fn submissions(&self) -> Vec<Submission> {
        self.desk().store().reader().unwrap().read(|transaction| transaction.submissions_of_feed("list", 100)).unwrap()
    }

    fn state(&self) -> Fetch {
        self.desk().fetches().unwrap().into_iter().next().unwrap()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn rows(count: u8) -> String {
    let mut text = "\"timestamp\",\"ip\",\"protocol\",\"port\",\"hostname\",\"tag\",\"asn\",\"geo\",\"banner\"\n".to_owned();
    for row in 1..=count {
        text += &format!("\"2026-06-01 01:00:00\",\"192.0.2.{row}\",\"tcp\",23,\"\",\"telnet\",64496,\"NL\",\"\"\n");
    }
    text
}

#[test]
fn what_has_not_changed_is_not_sent_again() {
    let version = Arc::new(AtomicUsize::new(1));
    let of_server = Arc::clone(&version);
    let server = Server::start(true, move |request| {
        let version = of_server.load(Ordering::SeqCst);
        let tag = format!("W/\"v{version}\"");
        if request.contains(&format!("if-none-match: {tag}\r\n")) {
            return Answer::raw(&format!("HTTP/1.1 304 Not Modified\r\netag: {tag}\r\n\r\n"));
        }
        Answer::new(&format!("200 OK\r\netag: {tag}\r\nlast-modified: Mon, 01 Jun 2026 00:00:00 GMT"), &rows(version as u8))
    });
    let more = "authorization_file = \"key\"\nsecret_file = \"secret\"\nheaders = { X-Who = \"us\" }";
    let node = Node::new(&server, "https://localhost:PORT/lists/{secret}/telnet.csv?days=1", more);
    let looked = node.look();
    assert_eq!((looked.received, looked.trouble.as_str()), (1, ""));
    assert_eq!(looked.next, node.desk().now().plus(HOUR));
    let request = server.asked().remove(0);
    for line in ["GET /lists/s3cret/telnet.csv?days=1 HTTP/1.1\r\n", "authorization: k3y\r\n", "x-who: us\r\n"] {
        assert!(request.to_ascii_lowercase().contains(&line.to_ascii_lowercase()), "{request}");
    }
    assert!(!request.contains("if-none-match"));
    let [only] = &node.submissions()[..] else { panic!() };
    assert_eq!((only.door, only.feed.as_str(), only.name.as_str()), (Door::Feed, "list", "2026-06-01-scan_telnet-list.csv"));
    let work = || node.desk().work(&|_, _| {}).unwrap().applied.reports;
    assert_eq!(work(), 1);

    node.later(HOUR);
    let looked = node.look();
    assert_eq!((looked.received, looked.trouble.as_str()), (0, ""));
    let request = server.asked().remove(0);
    assert!(request.contains("if-none-match: W/\"v1\"\r\n") && request.contains("if-modified-since: Mon, 01 Jun"), "{request}");
    assert_eq!((node.submissions().len(), node.state().checked), (1, Some(node.desk().now())));
    assert_eq!(node.state().changed, Some(node.desk().now().plus(-HOUR)));

    version.store(2, Ordering::SeqCst);
    assert_eq!((node.look().received, node.submissions().len(), work()), (1, 2, 2));
    // The list names all there is: what it still names after a day is said again, though nothing has changed.
    node.later(DAY);
    server.asked();
    assert_eq!((node.look().received, work()), (1, 2));
    assert!(!server.asked().remove(0).contains("if-none-match"));
    assert_eq!(node.state().changed, Some(node.desk().now().plus(-DAY)), "it is nothing new all the same");
}

#[test]
fn what_breaks_is_not_received() {
    let ok = |text: &str| Answer::raw(&format!("HTTP/1.1 200 OK\r\n{text}"));
    let long = "x".repeat(70 << 10);
    let chunk = format!("{:x}\r\n{long}\r\n", long.len());
    let other = "HTTP/1.1 302 Found\r\nlocation: https://localhost:1/x\r\ncontent-length: 0\r\n\r\n";
    let stories: Vec<(&str, Answer, &str)> = vec![
        ("half of it", ok(&format!("content-length: 9999\r\n\r\n{}", rows(3))), "it broke off before its end"),
        ("half of a chunk", ok("transfer-encoding: chunked\r\n\r\nff\r\nabc"), "it broke off before its end"),
        ("chunks without an end", ok("transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n"), "it broke off before its end"),
        (
            "an end that nobody vouches for",
            Answer { cut: true, ..ok(&format!("connection: close\r\n\r\n{}", rows(3))) },
            "it broke off before its end",
        ),
        ("too much, as it says", ok("content-length: 99999999\r\n\r\n"), "max_mib"),
        ("too much, as it comes", ok(&format!("transfer-encoding: chunked\r\n\r\n{chunk}0\r\n\r\n")), "max_mib"),
        ("too slow", Answer { silence: Duration::from_secs(20), ..ok("content-length: 99\r\n\r\nabc") }, "it came too slowly"),
        ("an error", Answer::new("500 No", "<html>"), "it answered 500"),
        ("nothing", Answer::raw("HTTP/1.1 204 No Content\r\n\r\n"), "nothing to say"),
        ("nothing there", Answer::new("404 No", ""), "there is nothing there"),
        ("a lock", Answer::new("403 No", ""), "to prove who asks"),
        ("unchanged since nothing", Answer::raw("HTTP/1.1 304 Not Modified\r\n\r\n"), "it answered 304"),
        ("a part", Answer::new("206 Partial Content\r\ncontent-range: bytes 0-2/9", "abc"), "it answered 206"),
        ("a redirect", Answer::raw(other), "redirects = true"),
        ("no HTTP", Answer::raw("220 mail.example ESMTP\r\n"), "does not speak HTTP"),
    ];
    for (name, answer, expected) in stories {
        let server = Server::start(true, move |_| answer.clone());
        let node = Node::new(&server, "https://localhost:PORT/x", "");
        let looked = node.look();
        assert!(looked.received == 0 && looked.trouble.contains(expected), "{name}: {}", looked.trouble);
        assert!(node.submissions().is_empty(), "{name}");
        assert!(node.state().failures == 1 && node.state().etag.is_empty(), "{name}");
        assert_eq!(looked.next, node.desk().now().plus(MINUTE / 2), "{name}");
    }
}

#[test]
fn a_server_that_asks_to_wait_is_waited_for() {
    let server = Server::start(true, |_| Answer::new("503 Later\r\nretry-after: 7200", ""));
    let node = Node::new(&server, "https://localhost:PORT/x", "");
    assert_eq!(node.look().next, node.desk().now().plus(2 * HOUR));
    assert!(!node.fetcher().is_due(Some(&node.state()), node.desk().now()));
    node.desk().fetch_soon("list").unwrap();
    assert!(node.fetcher().is_due(Some(&node.state()), node.desk().now()), "unless a person says so");
}

#[test]
fn redirects_lead_to_the_same_host_and_only_if_that_is_said() {
    for (name, place, expected) in [
        ("a path", "/new", ""),
        ("the whole", "https://localhost:PORT/new", ""),
        ("another host", "https://lists.example/new", "another host"),
        ("another host in disguise", "//lists.example/new", "no host"),
        ("another port", "https://localhost:1/new", "another host"),
        ("without TLS", "http://localhost:PORT/new", "only https"),
        ("in a circle", "/old", "from one redirect to the next"),
    ] {
        let server = Server::start(true, move |request| match request.starts_with("GET /new ") {
            true => Answer::new("200 OK", &rows(1)),
            false => {
                let port = request.split("localhost:").nth(1).and_then(|rest| rest.split("\r\n").next()).unwrap_or_default();
                Answer::new(&format!("301 Moved\r\nlocation: {}", place.replace("PORT", port)), "")
            }
        });
        let node = Node::new(&server, "https://localhost:PORT/old", "redirects = true");
        let looked = node.look();
        assert_eq!(looked.received, u32::from(expected.is_empty()), "{name}: {}", looked.trouble);
        assert!(looked.trouble.contains(expected) || expected == "no host", "{name}: {}", looked.trouble);
    }
}

#[test]
fn without_tls_an_end_must_be_announced_and_an_authority_is_believed_only_if_it_is_ours() {
    let server = Server::start(false, |request| match request.contains("GET /long ") {
        true => Answer::new("200 OK", &rows(1)),
        false => Answer::raw(&format!("HTTP/1.1 200 OK\r\n\r\n{}", rows(1))),
    });
    let node = Node::new(&server, "http://localhost:PORT/short", "plain_http = true");
    assert!(node.look().trouble.contains("nobody can tell whether it is all there"));
    let node = Node::new(&server, "http://localhost:PORT/long", "plain_http = true");
    assert_eq!(node.look().received, 1);
    let (server, other) = (Server::start(true, |_| Answer::new("200 OK", "")), Server::start(true, |_| Answer::default()));
    let more = format!("# {}", other.ca.display());
    let mut node = Node::new(&server, "https://localhost:PORT/x", &more);
    node.feed.ca_file = Some(other.ca.clone());
    assert!(node.look().trouble.contains("certificate"));
    node.feed.ca_file = Some(server.ca.clone());
    node.feed.allow.clear();
    assert!(node.look().trouble.contains("private network"));
    assert!(server.asked().is_empty());
}

#[test]
fn who_dies_between_receipt_and_state_receives_nothing_twice() {
    let server = Server::start(true, |_| Answer::new("200 OK\r\netag: \"v1\"", &rows(2)));
    let mut node = Node::new(&server, "https://localhost:PORT/x", "");
    let (receipt, _) = node.fetcher().receive(node.desk(), "2026-06-01-scan_telnet-list.csv", rows(2).as_bytes()).unwrap();
    assert!(matches!(receipt, Receipt::New(_)));
    assert!(node.desk().fetches().unwrap().is_empty(), "nothing else was kept");
    node.open();
    let looked = node.look();
    assert_eq!((looked.received, looked.trouble.as_str(), node.submissions().len()), (0, "", 1));
    assert_eq!((node.submissions()[0].times, node.state().etag.as_str()), (2, "\"v1\""));
}

#[test]
fn files_of_shadowserver_are_taken_once_and_asked_for_with_proof() {
    let broken = Arc::new(AtomicUsize::new(1));
    let of_server = Arc::clone(&broken);
    let server = Server::start(true, move |request| {
        let (head, body) = request.split_once("\r\n\r\n").unwrap();
        if head.starts_with("POST /api2/reports/list ") {
            let question: serde_json::Value = serde_json::from_str(body).unwrap();
            assert_eq!(question["apikey"], "k3y");
            let proof = hmac_of(body);
            assert!(head.to_ascii_lowercase().contains(&format!("hmac2: {proof}")), "{head}");
            let day = question["date"].as_str().unwrap();
            let file = |kind: &str| serde_json::json!({ "id": format!("{kind}-{day}"), "file": format!("{day}-{kind}-list.csv"), "type": kind });
            let files = [file("scan_telnet"), file("scan_rdp"), serde_json::json!({ "id": "../../x", "file": "x", "more": 1 })];
            return Answer::new("200 OK", &serde_json::to_string(&files).unwrap());
        }
        assert!(!head.contains("k3y") && !head.contains("hmac2"), "{head}");
        match head.starts_with("GET /dl/scan_rdp-2026-05-31 ") && of_server.load(Ordering::SeqCst) == 1 {
            true => Answer::new("500 No", ""),
            false => Answer::new("200 OK", &rows(2)),
        }
    });
    let more = format!(
        "api = \"shadowserver\"\nkey_file = \"key\"\nsecret_file = \"secret\"\ndays = 1\ndownload_url = \"https://localhost:{}/dl/\"",
        server.port
    );
    let node = Node::new(&server, "https://localhost:PORT/api2/", &more);
    let looked = node.look();
    assert_eq!((looked.received, looked.trouble.as_str()), (1, "it answered 500"), "it does not go on asking in vain");
    broken.store(0, Ordering::SeqCst);
    node.later(MINUTE);
    let looked = node.look();
    assert_eq!((looked.received, looked.trouble.as_str()), (3, ""));
    let mut names: Vec<String> = node.submissions().into_iter().map(|submission| submission.name).collect();
    names.sort();
    let expected = [
        "2026-05-31-scan_rdp-list.csv",
        "2026-05-31-scan_telnet-list.csv",
        "2026-06-01-scan_rdp-list.csv",
        "2026-06-01-scan_telnet-list.csv",
    ];
    assert_eq!(names, expected);
    server.asked();
    node.later(HOUR);
    assert_eq!(node.look().received, 0);
    assert_eq!(server.asked().len(), 2, "lists only");
}

fn hmac_of(text: &str) -> String {
    let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, b"s3cret");
    ring::hmac::sign(&key, text.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn names_of_files_are_those_of_addresses() {
    for (url, expected) in [
        ("https://lists.example/a/drop.txt", "drop.txt"),
        ("https://lists.example/a/drop.txt?key=x/y", "drop.txt"),
        ("https://lists.example/a/", "list"),
        ("https://lists.example", "list"),
        ("https://lists.example/..", "list"),
        ("https://lists.example/%2e%2e%2fx", "list"),
        ("https://lists.example/{secret}", "list"),
    ] {
        assert_eq!(file_of(url, "list"), expected, "{url}");
    }
}

#[test]
fn what_lists_say_of_our_ranges_is_one_submission() {
    let works = Arc::new(AtomicUsize::new(0));
    let of_server = Arc::clone(&works);
    let (server, _) = dnsbl::tests::server(move |name| {
        let listing = Some(vec![std::net::Ipv4Addr::new(127, 0, 0, 4)]);
        match (name, of_server.load(Ordering::SeqCst)) {
            ("2.0.0.127.s3cret.bl.lists.example", 1..) | ("9.2.0.192.s3cret.bl.lists.example", 1 | 2) => listing,
            ("1.0.0.127.s3cret.bl.lists.example", 2) => listing,
            _ => Some(Vec::new()),
        }
    });
    let node = Node::with(&format!(
        "[[feed]]\nonly_ours = false\nname = \"list\"\napi = \"dnsbl\"\nzone = \"{{secret}}.bl.lists.example\"\nsecret_file = \"secret\"\n\
         ranges = [\"192.0.2.8/30\"]\nserver = \"{server}\"\nper_second = 200\n"
    ));
    assert!(node.look().trouble.contains("does not list 127.0.0.2"));
    works.store(2, Ordering::SeqCst);
    assert!(node.look().trouble.contains("lists everything"));
    assert!(node.submissions().is_empty());
    works.store(1, Ordering::SeqCst);
    assert_eq!(node.look(), Looked { received: 1, trouble: String::new(), next: node.desk().now().plus(HOUR) });
    let [only] = &node.submissions()[..] else { panic!() };
    assert_eq!((only.name.as_str(), only.feed.as_str()), ("dnsbl-list.txt", "list"));
    let text = "# address list answer when\n192.0.2.9 bl.lists.example 127.0.0.4 2026-06-01T06:00:00Z\n";
    assert_eq!(only.size, text.len() as u64);
    assert_eq!(node.feed.location(), "dns:bl.lists.example");
    // A day later it is still so, and said again; that is nothing new.
    let changed = node.state().changed;
    node.later(DAY);
    assert_eq!((node.look().received, node.state().changed), (1, changed));
    works.store(3, Ordering::SeqCst);
    assert_eq!((node.look().received, node.look().trouble.as_str()), (0, ""), "nothing is listed");
}
