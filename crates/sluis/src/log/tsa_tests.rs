//! A real authority, OpenSSL's `ts`, behind an HTTP server of the test's own; and what one can do wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rcgen::{BasicConstraints, CertificateParams, CustomExtension, DnType, IsCa, Issuer, KeyPair, date_time_ymd};

use super::*;

const DIGEST: [u8; 32] = [7; 32];
/// How long the client waits in these tests.
const PATIENCE: Duration = Duration::from_secs(5);

/// How the authority behaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Well,
    /// Answers a question of its own, over the same digest.
    AnotherNonce,
    /// Answers a question of its own about another digest.
    AnotherDigest,
    /// Nothing, for longer than anybody waits.
    Slow,
    /// Begins well and then sends a byte now and then.
    Drip,
    /// More than can be an answer, and says so.
    Huge,
    /// More and more, without saying how much.
    Endless,
    Garbage,
    Empty,
    /// A page for people.
    Page,
    Unavailable,
    Elsewhere,
    /// A good answer and something after it.
    Trailing,
    /// Half of a good answer.
    Half,
}

/// An authority with a certificate of its own, in a folder of its own.
struct Authority {
    folder: PathBuf,
    url: String,
    port: u16,
}

fn openssl() -> bool {
    let there = Command::new("openssl").arg("version").stdout(Stdio::null()).status().is_ok_and(|status| status.success());
    if !there {
        eprintln!("skipped: openssl is not installed");
    }
    there
}

fn run(folder: &Path, line: &str) {
    let output = Command::new("sh").args(["-ec", line]).current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{line}\n{}", String::from_utf8_lossy(&output.stderr));
}

fn folder() -> PathBuf {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let name = format!("sluis-tsa-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::SeqCst));
    let folder = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// An authority and a TSA beneath it, by OpenSSL: `ca.pem`, `tsa.pem`, `tsa.key`.
fn certificates(folder: &Path) {
    std::fs::write(folder.join("extensions"), "keyUsage=critical,digitalSignature\nextendedKeyUsage=critical,timeStamping\n")
        .unwrap();
    run(
        folder,
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 30 -subj '/O=Clocks of Example/CN=Root' \
            -addext keyUsage=critical,keyCertSign
         openssl req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj '/O=Clocks of Example/CN=Unit'
         openssl x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 20 -extfile extensions -out tsa.pem",
    );
}

/// The same with a certificate of the TSA that is over: OpenSSL stamps with it all the same.
fn expired_certificates(folder: &Path) {
    let mut root = CertificateParams::default();
    root.distinguished_name.push(DnType::CommonName, "Root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let (root_key, key) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let mut tsa = CertificateParams::default();
    tsa.distinguished_name.push(DnType::CommonName, "Unit");
    (tsa.not_before, tsa.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let mut purpose =
        CustomExtension::from_oid_content(&[2, 5, 29, 37], b"\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08".to_vec());
    purpose.set_criticality(true);
    tsa.custom_extensions.push(purpose);
    std::fs::write(folder.join("ca.pem"), root.self_signed(&root_key).unwrap().pem()).unwrap();
    let certificate = tsa.signed_by(&key, &Issuer::from_params(&root, &root_key)).unwrap();
    std::fs::write(folder.join("tsa.pem"), certificate.pem()).unwrap();
    std::fs::write(folder.join("tsa.key"), key.serialize_pem()).unwrap();
}

impl Authority {
    /// Starts one that stamps digests of the kinds that are named.
    fn start(manner: Manner, digests: &str, certificates: fn(&Path)) -> Authority {
        let folder = folder();
        certificates(&folder);
        std::fs::write(folder.join("serial"), "01\n").unwrap();
        let settings = format!(
            "[tsa]\ndefault_tsa = one\n[one]\nserial = ./serial\nsigner_cert = ./tsa.pem\nsigner_key = ./tsa.key\n\
             signer_digest = sha256\ndefault_policy = 1.3.6.1.4.1.64496.1\nother_policies = 1.3.6.1.4.1.64496.2\n\
             digests = {digests}\naccuracy = secs:1\ness_cert_id_alg = sha256\n"
        );
        std::fs::write(folder.join("tsa.cnf"), settings).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = folder.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A client that hangs up is no fault of this server.
                let _ = serve(stream, manner, &own);
            }
        });
        Authority { url: format!("http://127.0.0.1:{port}/tsr"), folder, port }
    }

    /// The client of a node that is configured for this authority.
    fn client(&self, more: &str) -> Tsa {
        let text = format!(
            "[[log.tsa]]\nname = \"test\"\nurl = \"{}\"\nroots = \"ca.pem\"\nallow = [\"127.0.0.1:{}\"]\n{more}",
            self.url, self.port
        );
        let config = crate::serve::config::Config::parse(&text, &self.folder.join("sluis.toml")).unwrap();
        let tsa = Tsa::open(&config.log.tsa[0]).unwrap();
        Tsa { egress: tsa.egress.hurried(PATIENCE), ..tsa }
    }
}

impl Drop for Authority {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Answers one request.
fn serve(mut stream: TcpStream, manner: Manner, folder: &Path) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut line, mut length, mut media) = (String::new(), 0, false);
    while reader.read_line(&mut line)? > 2 {
        let lower = line.to_ascii_lowercase();
        if let Some(value) = lower.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        media |= lower.trim() == "content-type: application/timestamp-query";
        line.clear();
    }
    assert!(media, "RFC 3161 section 3.4 names the content type");
    let mut query = vec![0; length];
    reader.read_exact(&mut query)?;
    let of_digest = |byte: u8| {
        let digest = format!("{byte:02x}").repeat(32);
        format!("openssl ts -query -digest {digest} -sha256 -cert -out query.tsq")
    };
    let head = |status: &str, length: usize| {
        format!("HTTP/1.1 {status}\r\ncontent-type: application/timestamp-reply\r\ncontent-length: {length}\r\n\r\n")
    };
    let mut answer = |status: &str, body: &[u8]| {
        stream.write_all(head(status, body.len()).as_bytes())?;
        stream.write_all(body)
    };
    std::fs::write(folder.join("query.tsq"), &query)?;
    match manner {
        Manner::AnotherNonce => run(folder, &of_digest(7)),
        Manner::AnotherDigest => run(folder, &of_digest(8)),
        Manner::Slow => std::thread::sleep(2 * PATIENCE),
        Manner::Drip => {
            stream.write_all(head("200 OK", 1_000).as_bytes())?;
            for _ in 0..40 {
                stream.write_all(b"0")?;
                std::thread::sleep(PATIENCE / 20);
            }
            return Ok(());
        }
        Manner::Huge => return answer("200 OK", &vec![0x30; 4 << 20]),
        Manner::Endless => {
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n")?;
            loop {
                stream.write_all(&[0x30; 16 << 10])?;
            }
        }
        Manner::Garbage => return answer("200 OK", &[0xa5; 700]),
        Manner::Empty => return answer("200 OK", b""),
        Manner::Page => return answer("200 OK", b"<html><body>Please sign in to this network</body></html>"),
        Manner::Unavailable => return answer("503 Service Unavailable", b"later"),
        Manner::Elsewhere => {
            return stream.write_all(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\ncontent-length: 0\r\n\r\n");
        }
        Manner::Well | Manner::Trailing | Manner::Half => {}
    }
    run(folder, "openssl ts -reply -config tsa.cnf -queryfile query.tsq -out answer.tsr");
    let mut body = std::fs::read(folder.join("answer.tsr"))?;
    match manner {
        Manner::Trailing => body.extend([0x05, 0x00]),
        Manner::Half => body.truncate(body.len() / 2),
        _ => {}
    }
    answer("200 OK", &body)
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis() as i64
}

#[test]
fn a_real_authority_stamps_a_digest() {
    if !openssl() {
        return;
    }
    let authority = Authority::start(Manner::Well, "sha256, sha512", certificates);
    let tsa = authority.client("every = \"1 day\"\npolicy = \"1.3.6.1.4.1.64496.2\"\n");
    let first = tsa.stamp(Imprint::Sha256(&DIGEST)).unwrap();
    let second = tsa.stamp(Imprint::Sha512(&[9; 64])).unwrap();
    assert!((first.stamp.gen_time_ms - now()).abs() < 60_000, "{:?}", first.stamp);
    assert_eq!(first.stamp.accuracy_ms, Some(1_000));
    assert_eq!((first.stamp.tsa.as_str(), first.stamp.anchor.as_str()), ("Clocks of Example, Unit", "test"));
    assert_eq!(first.stamp.policy.to_string(), "1.3.6.1.4.1.64496.2");
    assert!((first.stamp.valid_until_ms - now() - 20 * model::time::DAY).abs() < model::time::DAY);
    assert_ne!(first.stamp.serial, second.stamp.serial);
    assert_eq!((tsa.name.as_str(), tsa.every_ms), ("test", model::time::DAY));
    // OpenSSL believes what we believe.
    std::fs::write(authority.folder.join("kept.tsr"), &first.response).unwrap();
    run(&authority.folder, &format!("openssl ts -verify -digest {} -in kept.tsr -CAfile ca.pem", "07".repeat(32)));
}

#[test]
fn what_proves_nothing_is_not_taken() {
    if !openssl() {
        return;
    }
    let cases = [
        (Manner::AnotherNonce, "sha256", "nonce differs"),
        (Manner::AnotherDigest, "sha256", "another digest"),
        (Manner::Well, "sha512", "status 2 (rejection), the algorithm is not known"),
        (Manner::Slow, "sha256", "took longer than"),
        (Manner::Drip, "sha256", "took longer than"),
        (Manner::Huge, "sha256", "more than 65536 bytes"),
        (Manner::Endless, "sha256", "more than 65536 bytes"),
        (Manner::Garbage, "sha256", "no time-stamp in DER"),
        (Manner::Empty, "sha256", "no time-stamp in DER"),
        (Manner::Page, "sha256", "no time-stamp in DER"),
        (Manner::Unavailable, "sha256", "it answered 503"),
        (Manner::Elsewhere, "sha256", "redirects are not followed"),
        (Manner::Trailing, "sha256", "bytes follow"),
        (Manner::Half, "sha256", "no time-stamp in DER"),
    ];
    // All at once: some of them take as long as anybody waits.
    std::thread::scope(|scope| {
        for (manner, digests, word) in cases {
            scope.spawn(move || {
                let authority = Authority::start(manner, digests, certificates);
                let client = authority.client("");
                let begun = Instant::now();
                let Failed(why) = client.stamp(Imprint::Sha256(&DIGEST)).err().unwrap();
                assert!(why.contains(word), "{manner:?}: {why}");
                assert!(begun.elapsed() < 2 * PATIENCE, "{manner:?} took {:?}", begun.elapsed());
            });
        }
    });
}

#[test]
fn an_authority_that_is_over_is_not_believed() {
    if !openssl() {
        return;
    }
    let authority = Authority::start(Manner::Well, "sha256", expired_certificates);
    let Failed(why) = authority.client("").stamp(Imprint::Sha256(&DIGEST)).err().unwrap();
    assert!(why.contains("no trust file vouches") && why.contains("CertExpired"), "{why}");
}

#[test]
fn an_authority_of_others_is_not_believed() {
    if !openssl() {
        return;
    }
    let authority = Authority::start(Manner::Well, "sha256", certificates);
    let client = authority.client("");
    std::fs::rename(authority.folder.join("ca.pem"), authority.folder.join("old.pem")).unwrap();
    run(
        &authority.folder,
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout other.key -out ca.pem -days 30 -subj '/O=Clocks of Example/CN=Root' \
         -addext keyUsage=critical,keyCertSign",
    );
    assert!(client.stamp(Imprint::Sha256(&DIGEST)).is_ok(), "the roots are those of when it was opened");
    let Failed(why) = authority.client("").stamp(Imprint::Sha256(&DIGEST)).err().unwrap();
    assert!(why.contains("no trust file vouches"), "a root of the same name with another key: {why}");
}

#[test]
fn what_is_not_allowed_is_not_asked() {
    if !openssl() {
        return;
    }
    let authority = Authority::start(Manner::Well, "sha256", certificates);
    let client = authority.client("");
    let text = format!("[[log.tsa]]\nname = \"test\"\nurl = \"{}\"\nroots = \"ca.pem\"\n", authority.url);
    let config = crate::serve::config::Config::parse(&text, &authority.folder.join("sluis.toml")).unwrap();
    let closed = Tsa::open(&config.log.tsa[0]).unwrap();
    let Failed(why) = closed.stamp(Imprint::Sha256(&DIGEST)).err().unwrap();
    assert!(why.contains("private network") && why.contains("allow = ["), "{why}");
    assert!(client.stamp(Imprint::Sha256(&DIGEST)).is_ok());
}

#[test]
fn trust_files_that_cannot_be_used_are_told_by_name() {
    let folder = folder();
    let open = |roots: &str| {
        let text = format!("[[log.tsa]]\nname = \"one\"\nurl = \"http://tsa.example/\"\nroots = \"{roots}\"\n");
        let config = crate::serve::config::Config::parse(&text, &folder.join("sluis.toml")).unwrap();
        format!("{:#}", Tsa::open(&config.log.tsa[0]).err().unwrap())
    };
    std::fs::write(folder.join("empty.pem"), "").unwrap();
    std::fs::File::create(folder.join("large.pem")).unwrap().set_len(2 << 20).unwrap();
    for (roots, word) in
        [("none.pem", "cannot be read"), ("empty.pem", "no certificate of an authority"), ("large.pem", "at most")]
    {
        let why = open(roots);
        assert!(why.contains("[[log.tsa]] 'one'") && why.contains(roots) && why.contains(word), "{why}");
    }
    std::fs::remove_dir_all(folder).unwrap();
}
