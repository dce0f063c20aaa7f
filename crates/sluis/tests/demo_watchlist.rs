//! The demo of the watchlist, end to end, and then the files of every actor as they lie on the disk: nobody may hold what is not theirs to know.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use aho_corasick::AhoCorasick;
use base64::{Engine, engine::general_purpose::STANDARD};
use matching::envelope::{Envelope, Kind};
use serde_json::Value;

/// A folder of one test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Folder {
        let path = std::env::temp_dir().join(format!("sluis-demo-watchlist-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        Folder(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() { all.extend(files(&path)) } else { all.push(path) }
    }
    all
}

/// How something may be written, so that a file that has it in any of these ways is found: as it is, in small letters, as tokens have it, in
/// hexadecimal digits, in base 64 wherever it begins, and in the two orders of UTF-16.
fn written(text: &str) -> Vec<Vec<u8>> {
    let small = text.to_lowercase();
    let joined: String = small.chars().filter(|letter| letter.is_ascii_alphanumeric()).collect();
    let mut ways = Vec::new();
    for plain in [text, &small, &joined].into_iter().collect::<BTreeSet<_>>() {
        if plain.len() < 7 {
            continue;
        }
        let bytes = plain.as_bytes();
        ways.push(bytes.to_vec());
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        ways.push(hex.to_uppercase().into_bytes());
        ways.push(hex.into_bytes());
        for before in 0..3usize {
            let encoded = STANDARD.encode([&vec![0; before][..], bytes].concat());
            // The first and the last letters depend on what stands around.
            let (from, to) = (if before == 0 { 0 } else { before + 1 }, encoded.trim_end_matches('=').len() - 1);
            ways.push(encoded.as_bytes()[from..to].to_vec());
        }
        ways.push(plain.encode_utf16().flat_map(u16::to_le_bytes).collect());
        ways.push(plain.encode_utf16().flat_map(u16::to_be_bytes).collect());
    }
    ways
}

/// Something that only some may hold.
struct Secret {
    what: String,
    /// Whether a file, by its path from the stage, may hold it.
    may: Box<dyn Fn(&str) -> bool>,
}

/// The files that hold what they may not: path and secret. At most one of each file.
fn leaks(stage: &Path, secrets: &[Secret]) -> Vec<(String, String)> {
    let mut patterns = Vec::new();
    let mut owners = Vec::new();
    for (at, secret) in secrets.iter().enumerate() {
        for way in written(&secret.what) {
            patterns.push(way);
            owners.push(at);
        }
    }
    let searcher = AhoCorasick::new(&patterns).expect("patterns that can be searched");
    let mut found = Vec::new();
    // Everybody has the list: it is looked through once.
    let mut seen: BTreeMap<Vec<u8>, Vec<usize>> = BTreeMap::new();
    for path in files(stage) {
        let name = path.strip_prefix(stage).expect("below the stage").to_string_lossy().into_owned();
        let bytes = std::fs::read(&path).expect("a file");
        let digest = matching::sha256(&[&bytes]).to_vec();
        let held = seen.entry(digest).or_insert_with(|| {
            let held: BTreeSet<usize> =
                searcher.find_overlapping_iter(&bytes).map(|found| owners[found.pattern().as_usize()]).collect();
            held.into_iter().collect()
        });
        if let Some(secret) = held.iter().map(|at| &secrets[*at]).find(|secret| !(secret.may)(&name)) {
            found.push((name, secret.what.clone()));
        }
    }
    found
}

/// Rows of a table that has no commas in its cells but within quotes.
fn rows(text: &str) -> Vec<Vec<String>> {
    text.lines().skip(1).map(|line| line.split(',').map(|cell| cell.trim_matches('"').to_owned()).collect()).collect()
}

/// What the stage keeps from whom.
fn secrets(stage: &Path, story: &Value) -> Vec<Secret> {
    let mut secrets = Vec::new();
    let hosters: Vec<PathBuf> = std::fs::read_dir(stage)
        .expect("the stage")
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("hoster-")))
        .collect();
    let found: BTreeSet<String> = story["found"]
        .as_array()
        .expect("findings")
        .iter()
        .map(|finding| finding["customer"].as_str().unwrap_or_default().to_owned())
        .collect();
    for hoster in &hosters {
        let home = hoster.file_name().expect("a name").to_string_lossy().into_owned();
        let table = std::fs::read_to_string(hoster.join("customers.csv")).expect("customers");
        for row in rows(&table) {
            let is_hit = found.contains(&row[0]);
            // Number, register number and domain name are of one customer alone; a name may be of several.
            for cell in [&row[0], &row[2], &row[3]].into_iter().filter(|cell| !cell.is_empty()) {
                let home = home.clone();
                secrets.push(Secret {
                    what: cell.clone(),
                    // Its own table has them, and of what it found its own report.
                    may: Box::new(move |path: &str| {
                        let Some(own) = path.strip_prefix(&format!("{home}/")) else { return false };
                        own == "customers.csv"
                            || is_hit && (own.starts_with("provider/report/") || own.starts_with("provider/hits/"))
                    }),
                });
            }
            let (name, home) = (row[1].clone(), home.clone());
            let is_listed_name = is_hit;
            secrets.push(Secret {
                what: name,
                may: Box::new(move |path: &str| {
                    // Other hosters may have a customer of that name; the police and the desk know the names they list.
                    path.ends_with("/customers.csv")
                        || is_listed_name
                            && (path.starts_with(&format!("{home}/provider/"))
                                || path.starts_with("police/")
                                || path.starts_with("desk/"))
                }),
            });
        }
    }
    // The list: with the police and the desk, and what a hoster opened with that hoster.
    let list = std::fs::read_to_string(stage.join("police/resellers.csv")).expect("the list");
    for row in rows(&list) {
        let site = row[14].clone();
        let opened: BTreeSet<String> = hosters
            .iter()
            .filter(|hoster| {
                let report = std::fs::read_to_string(hoster.join("provider/report/report.json")).unwrap_or_default();
                report.contains(&format!("\"{}\"", row[0]))
            })
            .filter_map(|hoster| Some(format!("{}/", hoster.file_name()?.to_string_lossy())))
            .collect();
        for what in [row[0].clone(), site, row[6].clone()] {
            let opened = opened.clone();
            secrets.push(Secret {
                what,
                may: Box::new(move |path: &str| {
                    path.starts_with("police/")
                        || path.starts_with("desk/")
                        || path.ends_with("/customers.csv")
                        || opened.iter().any(|home| path.starts_with(home))
                }),
            });
        }
    }
    // Which hits there are, and what was decided.
    for finding in story["found"].as_array().expect("findings") {
        let hit = finding["hit"].as_str().expect("a hit").to_owned();
        let home =
            format!("hoster-{}/", finding["provider"].as_str().unwrap_or_default().trim_start_matches("Hoster ").to_lowercase());
        secrets.push(Secret { what: hit, may: Box::new(move |path: &str| path.starts_with(&home)) });
    }
    // Secret keys stay where they were made.
    for path in files(stage) {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        let Some(seed) = text.lines().find_map(|line| line.strip_prefix("seed ")) else { continue };
        let home = path
            .strip_prefix(stage)
            .expect("below")
            .components()
            .next()
            .expect("an actor")
            .as_os_str()
            .to_string_lossy()
            .into_owned();
        secrets.push(Secret { what: seed.to_owned(), may: Box::new(move |path: &str| path.starts_with(&format!("{home}/"))) });
    }
    secrets
}

#[test]
fn nobody_holds_what_is_not_theirs_to_know() {
    let folder = Folder::new("whole");
    let output = Command::new(env!("CARGO_BIN_EXE_sluis"))
        .args([
            "--now",
            "2026-11-22T12:00:00Z",
            "demo",
            "watchlist",
            "--providers",
            "10",
            "--customers",
            "2000",
            "--json",
            "--keep",
        ])
        .arg(&folder.0)
        .env_remove("SLUIS_DATA")
        .output()
        .expect("the program runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let story: Value = serde_json::from_slice(&output.stdout).expect("it is JSON");
    let stage = folder.0.canonicalize().expect("the stage");

    // All who are on the list were found, the namesake too, and nobody else.
    let found = story["found"].as_array().expect("findings");
    assert!(found.len() >= 4, "{found:?}");
    assert!(found.iter().all(|finding| finding["planted"] == true), "{found:?}");
    assert!(found.iter().any(|finding| finding["decided"] == "somebody-else"), "the namesake: {found:?}");
    assert!(story["suspended"].as_u64() >= Some(1) && story["withdrawn"].as_u64() >= Some(1), "{story}");
    assert!(story["asked"].as_u64() >= Some(1));
    assert!(story["refused_nine"].as_str().is_some_and(|why| why.contains('9')), "{}", story["refused_nine"]);
    let affected = story["total"]["rows"][0]["number"].as_i64().expect("a total");
    assert!((0..=10).contains(&affected), "{}", story["total"]);

    let secrets = secrets(&stage, &story);
    assert!(secrets.len() > 5_000, "{}", secrets.len());
    assert_eq!(leaks(&stage, &secrets), Vec::new());

    // The search finds what it is there to find: each kind of secret, in each way of writing, in another's file.
    for (secret, way) in [(0, 0), (1, 1), (2, 4), (secrets.len() / 2, 3)] {
        let ways = written(&secrets[secret].what);
        let planted = stage.join("evaluator/evaluator/planted");
        std::fs::write(&planted, [b"before", &ways[way % ways.len()][..], b"after"].concat()).expect("a planted leak");
        let found = leaks(&stage.join("evaluator"), &[Secret { what: secrets[secret].what.clone(), may: Box::new(|_| false) }]);
        assert_eq!(found, [("evaluator/planted".to_owned(), secrets[secret].what.clone())]);
        std::fs::remove_file(&planted).expect("taken away");
    }

    no_element_stays_with_the_evaluator(&stage);
    everybody_has_a_directory_of_their_own(&stage, story["users"] == true);
}

/// M13: what an evaluator keeps are numbers and digests, never an element of a query.
fn no_element_stays_with_the_evaluator(stage: &Path) {
    let mut elements: BTreeSet<[u8; 32]> = BTreeSet::new();
    for path in files(&stage.join("evaluator")).into_iter().filter(|path| path.to_string_lossy().contains("query-")) {
        let bytes = std::fs::read(&path).expect("a query");
        for envelope in
            Envelope::read_all(&bytes, 1 << 16).expect("envelopes").into_iter().filter(|one| one.header.kind == Kind::EvalRequest)
        {
            elements.extend(
                envelope.body[3..].chunks_exact(32).step_by(7).map(|element| <[u8; 32]>::try_from(element).expect("32 bytes")),
            );
        }
    }
    assert!(elements.len() > 500, "{}", elements.len());
    let searcher = AhoCorasick::new(&elements).expect("elements that can be searched");
    for path in files(&stage.join("evaluator/evaluator")) {
        let bytes = std::fs::read(&path).expect("a file");
        assert!(!searcher.is_match(&bytes), "{} holds an element", path.display());
    }
}

/// Nobody else enters an actor's directory; as root each is a user of its own.
fn everybody_has_a_directory_of_their_own(stage: &Path, users: bool) {
    let mut owners = BTreeSet::new();
    let mut count = 0;
    for entry in std::fs::read_dir(stage).expect("the stage").filter_map(Result::ok).filter(|entry| entry.path().is_dir()) {
        let about = entry.metadata().expect("a directory");
        assert_eq!(about.permissions().mode() & 0o777, 0o700, "{}", entry.path().display());
        owners.insert(about.uid());
        count += 1;
    }
    assert!(count > 15, "{count}");
    assert_eq!(owners.len(), if users { count } else { 1 });
    for path in files(stage).iter().filter(|path| path.strip_prefix(stage).is_ok_and(|path| path.components().count() > 1)) {
        let mode = std::fs::metadata(path).expect("a file").permissions().mode() & 0o077;
        assert_eq!(mode, 0, "{} can be read by others", path.display());
    }
}
