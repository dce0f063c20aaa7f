//! Exports of the systems that hosters use: read as they are, with nothing of their secrets anywhere.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::{Path, PathBuf};

use common::{User, is_harmless, lines};

/// What stands in every secret of the fixtures.
const SECRET: &str = "SLUIS-SECRET";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../parsers/fixtures/administrations")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

/// Whether any file below a folder has these bytes.
fn has(folder: &Path, wanted: &str) -> bool {
    entries(folder).iter().any(|path| match path.is_dir() {
        true => has(path, wanted),
        false => std::fs::read(path).is_ok_and(|bytes| bytes.windows(wanted.len()).any(|window| window == wanted.as_bytes())),
    })
}

#[test]
fn no_secret_of_an_export_is_shown_or_kept() {
    for system in entries(&fixtures()).into_iter().filter(|path| path.is_dir()) {
        let user = User::new();
        let name = system.file_name().unwrap().to_str().unwrap().to_owned();
        for kind in entries(&system) {
            let files: Vec<PathBuf> = entries(&kind).into_iter().filter(|path| !path.ends_with("expected.txt")).collect();
            let files: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
            let source = format!("{name}-{}", kind.file_name().unwrap().to_str().unwrap());
            for more in [&["--dry-run"][..], &["--json"], &["-n", "100"]] {
                let arguments = [&["import", "--system", &name, "--source", &source], more, &files].concat();
                let run = user.run(&arguments);
                let said = format!("{}{}", run.out, run.err);
                // Of a hostile one nothing may be left to take in: that is no success.
                let is_good = run.code == Some(0) || (run.code == Some(1) && said.contains("nothing of it could be read"));
                assert!(is_good, "{source}: {said}");
                assert!(!said.contains(SECRET) && is_harmless(&said), "{source}: {said}");
            }
        }
        for line in lines(&user.run(&["party", "list", "--json", "-n", "1000"]).good()) {
            assert!(!line.to_string().contains(SECRET));
        }
        assert!(has(&user.data(), "192.0.2") || user.data().join("sluis.db").exists());
        assert!(!has(&user.data(), SECRET), "{name}: a secret was kept");
    }
}

#[test]
fn a_file_that_says_what_it_is_needs_no_option() {
    let user = User::new();
    let file = |path: &str| fixtures().join(path).to_str().unwrap().to_owned();
    let (clients, services) = (file("whmcs/plain/1-clients.json"), file("whmcs/plain/2-services.json"));
    let said = user.json(&["import", "--json", "--source", "billing", &clients, &services]);
    assert_eq!((said["parties_new"].as_u64(), said["complete"].as_bool()), (Some(2), Some(true)), "{said}");
    assert!(user.run(&["trace", "192.0.2.70"]).good().contains("Oak Bakery"));
    // What is no export of the system is lost, and says so.
    let said = user.json(&["import", "--json", "--dry-run", "--source", "billing", "--system", "netbox", &clients]);
    assert!(said["findings"]["first"][0]["reason"].as_str().unwrap().contains("not an export of netbox"), "{said}");
    assert_eq!(said["complete"].as_bool(), Some(false));
    let error = user.run(&["import", "--system", "whncs", &clients]).failed(1);
    assert!(error.contains("whmcs"), "{error}");
    assert!(user.run(&["formats"]).good().contains("unproven"));
}
