//! Witnesses from the command line: logs of others are audited, and cosigned from a file.

// A helper that cannot go on ends the test.
#![allow(clippy::unwrap_used)]

mod common;

use std::path::Path;

use common::{CUSTOMERS, User};
use seal::checkpoint::Checkpoint;
use seal::note::{Algorithm, Ed25519Signer, Signer};
use serde_json::Value;

fn string(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn a_log_that_others_made_passes_the_audit_and_a_damaged_one_does_not() {
    let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
        eprintln!("skipped: SLUIS_SHARED is unset");
        return;
    };
    let folder = Path::new(&shared).join("vectors/evidence/log-tessera");
    if !folder.is_dir() {
        eprintln!("skipped: there is no {}", folder.display());
        return;
    }
    let user = User::new();
    let index: Value = serde_json::from_slice(&std::fs::read(folder.join("index.json")).unwrap()).unwrap();
    let (log, key) = (string(&folder), index["vkey"].as_str().unwrap());
    let since: Vec<String> = (0..)
        .map(|size| folder.join(format!("checkpoint.{size}")))
        .take_while(|file| file.exists())
        .map(|file| string(&file))
        .collect();
    assert!(since.len() > 5);
    let mut arguments = vec!["log", "audit", &log, "--foreign", "--key", key, "--json"];
    since.iter().for_each(|file| arguments.extend(["--since", file]));
    let found = user.json(&arguments);
    assert_eq!((&found["sound"], &found["signature"]), (&Value::Bool(true), &Value::from("verified")), "{found}");
    assert_eq!(found["compared"].as_u64(), Some(since.len() as u64));
    assert!(user.run(&["log", "audit", &log, "--foreign"]).good().contains("not checked"));
    // An entry that is another, in a copy.
    let copy = user.file("copy", "");
    std::fs::remove_file(&copy).unwrap();
    let tiles = copy_of(&folder, &copy);
    let entries = tiles.iter().filter(|path| path.to_string_lossy().contains("entries"));
    for file in entries {
        let mut bytes = std::fs::read(file).unwrap();
        *bytes.last_mut().unwrap() ^= 1;
        std::fs::write(file, bytes).unwrap();
    }
    let wrong = user.run(&["log", "audit", &string(&copy), "--foreign", "--key", key]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.out.contains("wrong: "), "{}", wrong.out);
}

fn copy_of(from: &Path, to: &Path) -> Vec<std::path::PathBuf> {
    std::fs::create_dir_all(to).unwrap();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(from).unwrap().flatten() {
        let (path, copy) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            files.extend(copy_of(&path, &copy));
        } else {
            std::fs::write(&copy, std::fs::read(&path).unwrap()).unwrap();
            files.push(copy);
        }
    }
    files
}

#[test]
fn what_comes_on_a_stick_is_cosigned_once_for_each_history() {
    let two = User::new();
    let customers = two.file("customers.csv", CUSTOMERS);
    two.run(&["import", "--source", "crm", &string(&customers)]).good();
    assert!(two.run(&["log", "witness"]).good().contains("cosigns no logs of others"));
    let log = Ed25519Signer::new("log.one.example/abuse/2026", Algorithm::Ed25519, &[1; 32]).unwrap();
    let settings = format!("[witness]\nname = \"witness.two.example/w\"\nlogs = [\"{}\"]\n", log.key());
    std::fs::write(two.data().join("sluis.toml"), settings).unwrap();
    assert!(two.run(&["log", "witness"]).good().contains("no key as a witness yet"));
    let note = Checkpoint::new(log.key().name(), 5, [5; 32]).unwrap().sign(&[&log]).unwrap();
    let request = two.file("request.txt", format!("old 0\n\n{note}"));
    let line = two.run(&["log", "witness", "--cosign", &string(&request)]).good();
    assert!(line.starts_with("\u{2014} witness.two.example/w "), "{line}");
    let again = two.run(&["log", "witness", "--cosign", &string(&request)]).failed(1);
    assert!(again.contains("the checkpoint known here has 5 entries"), "{again}");
    let shown = two.json(&["log", "witness", "--json"]);
    assert!(shown["key"].as_str().unwrap().starts_with("witness.two.example/w+"), "{shown}");
    assert_eq!(shown["cosigned"][0]["origin"].as_str(), Some(log.key().name()));
    assert_eq!(shown["trouble"], Value::Null);
    // As after a restore on another machine.
    std::fs::remove_file(two.data().join("signed/witness")).unwrap();
    assert!(two.run(&["log", "witness"]).good().contains("as after a restore"));
    assert!(two.run(&["log", "witness", "--cosign", &string(&request)]).failed(1).contains("as after a restore"));
    assert!(two.pipe(&["log", "witness", "--cosign", "-"], "hello\n").failed(1).contains("not a request"));
}
