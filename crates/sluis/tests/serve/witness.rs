//! Nodes that are witnesses of one another, as processes: logs are cosigned, and one that runs twice is found out.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

use seal::fork::ForkProof;
use seal::note::{self, Algorithm, Ed25519Signer, Note, Signer, VerifierKey};

use crate::support::{Folder, Node, PATIENCE, sluis, until};

/// A node of the test: its keys are known before it is there.
struct Party {
    folder: Folder,
    name: &'static str,
    seed: u8,
    port: u16,
}

impl Party {
    fn new(name: &'static str, seed: u8) -> Party {
        // Free a moment ago, and nobody else takes ports here so fast.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Party { folder: Folder::new(name), name, seed, port }
    }

    fn key(&self, name: &str, algorithm: Algorithm, seed: u8) -> VerifierKey {
        Ed25519Signer::new(name, algorithm, &[seed; 32]).unwrap().key().clone()
    }

    /// The log's key in the first year there was.
    fn log(&self) -> VerifierKey {
        self.key(&format!("log.{}.example/x/2026", self.name), Algorithm::Ed25519, self.seed)
    }

    fn witness(&self) -> VerifierKey {
        self.key(&format!("{}.example/witness", self.name), Algorithm::Cosignature, self.seed + 100)
    }

    fn settings(&self, other: &Party, more: &str) -> String {
        for (file, seed) in [("log-key", self.seed), ("witness-key", self.seed + 100)] {
            std::fs::write(self.folder.0.join(file), [seed; 32]).unwrap();
        }
        format!(
            "[log]\nname = \"log.{}.example/x\"\nkey_file = \"log-key\"\nlisten = \"127.0.0.1:{}\"\npublish_seconds = 10\n\
             [[log.witness]]\nname = \"{}\"\nurl = \"http://127.0.0.1:{}/\"\nkey = \"{}\"\nallow = [\"127.0.0.1:{}\"]\n\
             [witness]\nname = \"{}.example/witness\"\nkey_file = \"witness-key\"\nlogs = [\"{}\"]\n{more}",
            self.name,
            self.port,
            other.name,
            other.port,
            other.witness(),
            other.port,
            self.name,
            other.log()
        )
    }

    /// The file with cosignatures over a size, when it is there; and the newest label of its log.
    fn cosigned(&self, size: u64) -> Option<Note> {
        let logs = std::fs::read_dir(self.folder.data().join("log")).ok()?.flatten().map(|entry| entry.path());
        let file = logs.map(|log| log.join(format!("cosigned/{size}"))).find(|file| file.exists())?;
        Note::parse(&std::fs::read(file).ok()?).ok()
    }
}

/// Asks the listener of a log: status, head, body.
fn send(port: u16, method: &str, path: &str, body: &[u8]) -> (u16, String, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).unwrap();
    // A server that has heard enough may close the connection before it has read everything.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    (status, head.to_ascii_lowercase(), body.to_owned())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => copy(&entry.path(), &to.join(entry.file_name())),
            kind if kind.is_file() => drop(std::fs::copy(entry.path(), to.join(entry.file_name())).unwrap()),
            _ => {}
        }
    }
}

#[test]
fn two_nodes_cosign_one_anothers_logs_and_one_that_runs_twice_is_found_out() {
    let (one, two) = (Party::new("one", 1), Party::new("two", 2));
    let watch = format!(
        "watch_seconds = 10\n[[witness.watch]]\nname = \"one\"\nurl = \"http://127.0.0.1:{0}/2026\"\nkey = \"{1}\"\nallow = [\"127.0.0.1:{0}\"]\n",
        one.port,
        one.log()
    );
    let node = Node::start(&one.folder, &one.settings(&two, ""));
    let other = Node::start(&two.folder, &two.settings(&one, &watch));
    for (party, by) in [(&one, &two), (&two, &one)] {
        let note = until("it is cosigned", || party.cosigned(64));
        let opened = note::open(&note, std::slice::from_ref(&by.witness())).map(|opened| opened.verified.len());
        assert_eq!(opened, Ok(1));
    }
    let (code, text, error) = sluis(&two.folder.data(), &["log", "witness", "--json"]);
    assert_eq!(code, 0, "{error}");
    assert!(text.contains("log.one.example/x/") && text.contains("\"size\":64"), "{text}");

    let audit = |key: &VerifierKey| {
        let url = format!("http://127.0.0.1:{}/{}", one.port, label(&one));
        let key = key.to_string();
        let config = two.folder.0.join("sluis.toml").display().to_string();
        sluis(&two.folder.data(), &["--config", &config, "log", "audit", &url, "--private", "--json", "--key", &key])
    };
    let key = seal::witness::of_origin(&one.log(), &format!("log.one.example/x/{}", label(&one)), 2100).unwrap();
    let (code, text, error) = audit(&key);
    assert!(code == 0 && !text.contains("\"compared\":0") && text.contains("\"verified\""), "{text} {error}");

    // A snapshot of the machine of the first; it runs on, and after it has stopped its twin does.
    assert!(node.stop().0.success());
    let kept: PathBuf = one.folder.0.join("kept");
    copy(&one.folder.data(), &kept);
    let settings = one.settings(&two, "");
    let node = Node::start(&one.folder, &settings);
    until("the next one is cosigned", || one.cosigned(128));
    assert!(node.stop().0.success());
    std::fs::remove_dir_all(one.folder.data()).unwrap();
    std::fs::rename(&kept, one.folder.data()).unwrap();
    let twin = Node::start(&one.folder, &settings);
    until("it is said that it is not cosigned", || twin.said("does not cosign; it is asked again, ever more seldom"));
    assert!(one.cosigned(128).is_none(), "there is one root for one size");
    // Its twin's signature is the proof, in the hands of the witness.
    let proof = until("the proof is there", || std::fs::read(two.folder.data().join("log/forks/1.fork-proof")).ok());
    let origin = Note::parse(&proof_note(&proof)).unwrap().text.lines().next().unwrap().to_owned();
    let key = seal::witness::of_origin(&one.log(), &origin, 2100).unwrap();
    assert_eq!(ForkProof::parse(&proof).unwrap().verify(&origin, &key).unwrap().earlier.size, 128);
    until("who looks at it sees it too", || other.said("a log of somebody else is not as it should be"));
    let (code, text, error) = audit(&key);
    assert!(code == 1 && text.contains("sluis-fork-proof/v1"), "{text} {error}");
    let (code, text, _) = sluis(&two.folder.data(), &["log", "witness"]);
    assert!(code == 0 && text.contains("two histories"), "{text}");
    let (_, alerts, _) = sluis(&two.folder.data(), &["alert", "list"]);
    assert!(alerts.contains("two histories"), "{alerts}");
    assert!(twin.stop().0.success());
    assert!(other.stop().0.success());
}

/// The year of a party's log.
fn label(party: &Party) -> String {
    let entries = std::fs::read_dir(party.folder.data().join("log")).unwrap().flatten();
    let mut names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names.find(|name| name.starts_with("20")).unwrap()
}

/// The first checkpoint in a fork proof of two sizes that are equal.
fn proof_note(proof: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(proof.to_vec()).unwrap();
    let (_, rest) = text.split_once("checkpoint 5\n").unwrap();
    rest.lines().take(5).map(|line| format!("{line}\n")).collect::<String>().into_bytes()
}

#[test]
fn the_session_of_another_witness_is_answered_as_the_standard_says() {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        eprintln!("skipped: SLUIS_SHARED is unset");
        return;
    };
    let vectors = Path::new(&shared).join("vectors/evidence/witness/litewitness-session.jsonl");
    let Ok(session) = std::fs::read_to_string(&vectors) else {
        eprintln!("skipped: there is no {}", vectors.display());
        return;
    };
    let party = Party::new("session", 7);
    let public: Vec<u8> = "ffdc2d4d98e4124d3feaf788c0c2f9abfd796083d1f0495437f302ec79cf100f"
        .as_bytes()
        .chunks(2)
        .map(|two| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap())
        .collect();
    let origin = "sigsum.org/v1/tree/4d6d8825a6bb689d459628312889dfbb0bcd41b5211d9e1ce768b0ff0309e562";
    let key = VerifierKey::new(origin, Algorithm::Ed25519, &public).unwrap();
    let settings =
        format!("[log]\nlisten = \"127.0.0.1:{}\"\n[witness]\nname = \"example.com/witness\"\nlogs = [\"{key}\"]\n", party.port);
    let node = Node::start(&party.folder, &settings);
    for line in session.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let (status, head, body) = send(party.port, "POST", "/add-checkpoint", case["request"].as_str().unwrap().as_bytes());
        assert_eq!(u64::from(status), case["c2sp_status"].as_u64().unwrap(), "{}: {body}", case["name"]);
        assert!(status != 200 || body.starts_with("\u{2014} example.com/witness "), "{body}");
        if case["asserts"].as_str().unwrap().starts_with("body == ") {
            assert!(head.contains("content-type: text/x.tlog.size"), "{head}");
        }
    }
    // What is none is refused, and the node lives on.
    assert_eq!(send(party.port, "POST", "/add-checkpoint", b"").0, 400);
    assert_ne!(send(party.port, "POST", "/add-checkpoint", &vec![b'a'; 1 << 20]).0, 200);
    assert_eq!(send(party.port, "GET", "/add-checkpoint", b"").0, 405);
    assert_eq!(send(party.port, "POST", "/2026/checkpoint", b"").0, 405);
    assert!(node.stop().0.success());
}

#[test]
fn a_node_that_is_no_witness_has_no_such_address() {
    let party = Party::new("none", 9);
    let node = Node::start(&party.folder, &format!("[log]\nlisten = \"127.0.0.1:{}\"\n", party.port));
    assert_eq!(send(party.port, "POST", "/add-checkpoint", b"old 0\n").0, 405);
    assert!(node.stop().0.success());
}

/// `cargo test --release -p sluis --test serve -- --ignored --nocapture add_checkpoints_a_second`
#[test]
#[ignore = "a measurement"]
fn add_checkpoints_a_second() {
    use seal::checkpoint::Checkpoint;
    use seal::tree::{Hash, leaf_hash, prove_consistency, root_of};
    const LOGS: usize = 32;
    const SIZES: usize = 100;
    let party = Party::new("speed", 11);
    let port = party.port;
    let log = |at: usize| Ed25519Signer::new(&format!("log.h{at}.example/x/2026"), Algorithm::Ed25519, &[at as u8; 32]).unwrap();
    let keys: Vec<String> = (0..LOGS).map(|at| format!("\"{}\"", log(at).key())).collect();
    let settings = format!("[log]\nlisten = \"127.0.0.1:{}\"\n[witness]\nlogs = [{}]\n", party.port, keys.join(", "));
    let leaves: Vec<Hash> = (0..SIZES).map(|leaf| leaf_hash(&leaf.to_be_bytes())).collect();
    let body = |at: usize, size: usize| {
        let mut nodes = |level: u8, index: u64| leaves.get((index as usize) << level..(index as usize + 1) << level).map(root_of);
        let old = size as u64 - 1;
        let proof = if old == 0 { Vec::new() } else { prove_consistency(old, size as u64, &mut nodes).unwrap() };
        let checkpoint = Checkpoint::new(log(at).key().name(), size as u64, root_of(&leaves[..size])).unwrap();
        seal::witness::Request { old, proof, checkpoint: checkpoint.sign(&[&log(at)]).unwrap() }.to_string()
    };
    let bodies: Vec<Vec<String>> = (0..LOGS).map(|at| (1..=SIZES).map(|size| body(at, size)).collect()).collect();
    let node = Node::start(&party.folder, &settings);
    let begun = std::time::Instant::now();
    std::thread::scope(|scope| {
        for bodies in &bodies {
            scope.spawn(move || {
                let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                stream.set_nodelay(true).unwrap();
                for body in bodies {
                    let head = format!("POST /add-checkpoint HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
                    stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
                    let mut answer = vec![0; 4096];
                    let length = stream.read(&mut answer).unwrap();
                    assert!(answer[..length].starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer[..length]));
                }
            });
        }
    });
    let rate = (LOGS * SIZES) as f64 / begun.elapsed().as_secs_f64();
    eprintln!("{rate:.0} add-checkpoint a second over {LOGS} connections");
    assert!(node.stop().0.success());
}
