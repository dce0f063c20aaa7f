//! A real TLS server of the test's own authority, and what a hostile one tries.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::*;

/// A server that answers every request with these bytes, after which it may go on and on.
struct Server {
    port: u16,
    ca: PathBuf,
    requests: Receiver<String>,
}

/// What comes after the answer.
#[derive(Clone, Copy)]
enum After {
    /// The end.
    End,
    /// Nothing, for ever.
    Silence,
    /// More and more of it.
    More,
}

impl Server {
    fn start(name: &str, answer: &'static str, after: After) -> Server {
        let mut authority = CertificateParams::new(Vec::new()).unwrap();
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate().unwrap()).unwrap();
        let key = KeyPair::generate().unwrap();
        let names = vec!["hook.example".to_owned(), "localhost".to_owned(), "127.0.0.1".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &authority).unwrap();
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let ca = std::env::temp_dir().join(format!("sluis-ca-{name}-{}-{number}.pem", std::process::id()));
        std::fs::write(&ca, authority.pem()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.der().clone()],
                PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())),
            )
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let tls = rustls::ServerConnection::new(Arc::new(config.clone())).unwrap();
                let mut stream = rustls::StreamOwned::new(tls, stream.unwrap());
                let Some(request) = request(&mut stream) else { continue };
                let _ = sender.send(request);
                let mut sent = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
                match after {
                    After::End => {}
                    After::Silence => std::thread::sleep(Duration::from_secs(60)),
                    After::More => {
                        while sent.is_ok() {
                            sent = stream.write_all(&[b'a'; 16 << 10]);
                        }
                    }
                }
                stream.conn.send_close_notify();
                let _ = stream.flush();
            }
        });
        Server { port, ca, requests }
    }

    /// A client that trusts the server, and may ask it although it is here.
    fn client(&self) -> Egress {
        let allowed = [format!("localhost:{}", self.port), format!("127.0.0.1:{}", self.port)];
        let mut egress = Egress::new(Some(&self.ca), &allowed).unwrap();
        egress.time = Duration::from_secs(3);
        egress
    }

    fn post(&self, egress: &Egress, host: &str) -> Result<(), String> {
        let url = format!("https://{host}:{}/hook?x=1", self.port);
        egress.post(&url, &[("X-Sluis-Signature", "t=1,v1=ab".to_owned())], b"{\"a\":1}".to_vec()).map_err(|Failed(why)| why)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.ca);
    }
}

fn request(stream: &mut impl Read) -> Option<String> {
    let mut reader = BufReader::new(stream);
    let (mut text, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        text.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(text + &String::from_utf8(body).ok()?)
}

#[test]
fn a_request_as_its_receiver_sees_it() {
    let server = Server::start("plain", "HTTP/1.1 204 No Content\r\n\r\n", After::End);
    assert_eq!(server.post(&server.client(), "localhost"), Ok(()));
    let request = server.requests.recv().unwrap();
    for line in [
        "POST /hook?x=1 HTTP/1.1\r\n",
        &format!("host: localhost:{}\r\n", server.port),
        "content-type: application/json\r\n",
        "x-sluis-signature: t=1,v1=ab\r\n",
        "\r\n\r\n{\"a\":1}",
    ] {
        assert!(request.contains(line), "{request}");
    }
}

#[test]
fn hostile_answers() {
    type Story = (&'static str, &'static str, After, Result<(), &'static str>);
    let stories: [Story; 8] = [
        ("a refusal", "HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n", After::End, Err("it answered 500")),
        (
            "a redirect",
            "HTTP/1.1 302 Found\r\nlocation: https://169.254.169.254/\r\ncontent-length: 0\r\n\r\n",
            After::End,
            Err("it answered 302: redirects are not followed, name the right address"),
        ),
        ("an endless body", "HTTP/1.1 200 OK\r\n\r\n", After::More, Ok(())),
        ("an endless head", "HTTP/1.1 200 OK\r\nx: ", After::More, Err("it broke off, or does not speak HTTP")),
        ("no answer", "", After::Silence, Err("it took longer than 3 s")),
        ("half a head", "HTTP/1.1 200 OK\r\nx: ", After::Silence, Err("it took longer than 3 s")),
        ("an end without an answer", "", After::End, Err("it broke off, or does not speak HTTP")),
        ("something else", "220 mail.example ESMTP\r\n", After::End, Err("it broke off, or does not speak HTTP")),
    ];
    for (name, answer, after, expected) in stories {
        let server = Server::start("hostile", answer, after);
        let begun = Instant::now();
        assert_eq!(server.post(&server.client(), "localhost"), expected.map_err(str::to_owned), "{name}");
        assert!(begun.elapsed() < Duration::from_secs(10), "{name}");
    }
}

#[test]
fn an_authority_that_is_not_ours_is_not_believed() {
    let (server, other) = (Server::start("one", "HTTP/1.1 200 OK\r\n\r\n", After::End), Server::start("other", "", After::End));
    let mut egress = server.client();
    egress.tls = other.client().tls;
    assert!(server.post(&egress, "localhost").unwrap_err().contains("certificate"));
    assert!(server.requests.try_recv().is_err(), "nothing was told to it");
}

#[test]
fn nothing_here_is_asked_unless_it_is_allowed() {
    let server = Server::start("here", "HTTP/1.1 200 OK\r\n\r\n", After::End);
    let mut egress = server.client();
    egress.allowed.clear();
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127.1", "0x7f.1", "2130706433"] {
        let why = server.post(&egress, host).unwrap_err();
        assert!(why.contains("private network") || why.contains("no address"), "{host}: {why}");
    }
    assert!(server.requests.try_recv().is_err());
    egress.allowed.push(format!("localhost:{}", server.port + 1));
    assert!(server.post(&egress, "localhost").is_err(), "another port is another destination");
}

#[test]
fn a_name_is_resolved_once_and_the_checked_address_is_asked() {
    let server = Server::start("rebinding", "HTTP/1.1 200 OK\r\n\r\n", After::End);
    let asked = Arc::new(AtomicUsize::new(0));
    let mut egress = server.client();
    egress.allowed.clear();
    // In this test one address stands for the Internet at large, so that nothing of it is asked.
    egress.may = |address| address == IpAddr::from([127, 0, 0, 1]);
    let (count, port) = (Arc::clone(&asked), server.port);
    egress.resolve = Arc::new(move |_, _| {
        let first = count.fetch_add(1, Ordering::SeqCst) == 0;
        Ok(vec![SocketAddr::from((if first { [127, 0, 0, 1] } else { [127, 0, 0, 2] }, port))])
    });
    assert_eq!(server.post(&egress, "hook.example"), Ok(()));
    assert_eq!(asked.load(Ordering::SeqCst), 1, "resolved once: the checked address was asked");
    assert!(server.post(&egress, "hook.example").unwrap_err().contains("private network"), "then it points elsewhere");
    // One bad address among good ones spoils the name.
    egress.resolve = Arc::new(move |_, _| Ok(vec![([127, 0, 0, 1], port).into(), ([10, 0, 0, 1], port).into()]));
    assert!(server.post(&egress, "hook.example").unwrap_err().contains("private network"));
}

#[test]
fn addresses_of_the_internet_at_large() {
    for (address, expected) in [
        ("8.8.8.8", true),
        ("100.128.0.1", true),
        ("172.32.0.1", true),
        ("2a02:898::1", true),
        ("0.0.0.0", false),
        ("10.1.2.3", false),
        ("100.64.0.1", false),
        ("127.0.0.1", false),
        ("169.254.169.254", false),
        ("168.63.129.16", false),
        ("172.16.0.1", false),
        ("192.168.1.1", false),
        ("192.0.2.1", false),
        ("198.18.0.1", false),
        ("224.0.0.1", false),
        ("255.255.255.255", false),
        ("::", false),
        ("::1", false),
        ("::ffff:10.0.0.1", false),
        ("::ffff:8.8.8.8", true),
        ("64:ff9b::a00:1", false),
        ("2001:db8::1", false),
        ("2001::1", false),
        ("2002:a00:1::1", false),
        ("fd00:ec2::254", false),
        ("fe80::1", false),
        ("ff02::1", false),
    ] {
        assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
    }
    assert!(is_own([127, 0, 0, 1].into()) && !is_own([8, 8, 8, 8].into()));
}

#[test]
fn only_whole_addresses_of_the_web() {
    for (url, expected) in [
        ("https://hook.example/a?b=c", Ok(("hook.example", 443, "/a?b=c"))),
        ("https://[2001:db8::1]:8443", Ok(("2001:db8::1", 8443, "/"))),
        ("http://hook.example/", Err("only https:// is possible")),
        ("https://user:secret@hook.example/", Err("name and password do not belong into an address: use secret_file")),
        ("hook.example", Err("only https:// is possible")),
        ("https://", Err("this is no address of the web")),
        ("https://hook.example/\r\nX: y", Err("this is no address of the web")),
        ("file:///etc/passwd", Err("this is no address of the web")),
    ] {
        let found = Destination::parse(url);
        let found = found.as_ref().map(|found| (found.host.as_str(), found.port, found.path.as_str())).map_err(|error| *error);
        assert_eq!(found, expected, "{url}");
    }
}
