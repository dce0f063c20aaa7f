//! Walks the exports of systems: each folder of `fixtures/administrations/SYSTEM` is one import, its files handed in together,
//! and becomes what stands in its `expected.txt`. `UPDATE_EXPECT=1` rewrites that; read the difference before you commit it.
//!
//! Every import has passwords, keys or tokens in it, marked, and none of them may come out.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use parsers::administration::map::{FileName, Rows};
use parsers::administration::systems::{self, System, Takes};
use parsers::administration::{Finding, Limits, Snapshot};

/// What stands in every secret of the fixtures.
const SECRET: &str = "SLUIS-SECRET";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/administrations")
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries
}

fn name(path: &Path) -> &str {
    path.file_name().unwrap().to_str().unwrap()
}

fn read(system: &System, files: &[PathBuf]) -> (Snapshot, Vec<Finding>) {
    let mut rows = Rows::default();
    for path in files {
        let bytes = fs::read(path).unwrap();
        let file = FileName::of(name(path), true);
        match system.export(name(path), &bytes).map(|export| &export.takes) {
            Some(Takes::Rows(mapping)) => rows.add(&mut bytes.as_slice(), &file, mapping, &Limits::default()),
            Some(Takes::Nothing(why)) => rows.note(name(path), why),
            None => rows.lose(name(path), "not recognised".to_owned()),
        }
    }
    rows.finish()
}

fn write(snapshot: &Snapshot, findings: &[Finding]) -> String {
    let mut text = format!("complete: {}\n\n", snapshot.complete);
    for party in &snapshot.parties {
        let roles: Vec<&str> = party.roles.iter().map(|role| role.word()).collect();
        let contacts: Vec<&str> = party.contacts.iter().map(|contact| contact.target.as_str()).collect();
        let parent = party.parent.as_deref().unwrap_or("nobody");
        writeln!(
            text,
            "party {} | {} | {} | under {parent} | {}",
            party.reference,
            party.name,
            roles.join(";"),
            contacts.join(";")
        )
        .unwrap();
    }
    text.push('\n');
    for row in &snapshot.assignments {
        let words: Vec<&str> =
            [row.service.as_str(), row.product.as_str(), row.panel.as_str(), row.account.as_str(), row.reference.as_str()]
                .into_iter()
                .filter(|word| !word.is_empty())
                .collect();
        writeln!(text, "{} {} {} | {} | {}", row.resource, row.level.word(), row.party, row.period, words.join(", ")).unwrap();
    }
    text.push('\n');
    for finding in findings {
        writeln!(text, "{}: {} [{}]", finding.place, finding.reason, finding.text.escape_debug()).unwrap();
    }
    text
}

#[test]
fn exports_are_read_as_expected_and_no_secret_comes_out() {
    let mut failures = Vec::new();
    for system in systems::all() {
        for kind in ["plain", "bad-row", "hostile"] {
            let folder = root().join(&system.name).join(kind);
            assert!(folder.is_dir(), "{} is missing", folder.display());
            let (expected, files): (Vec<_>, Vec<_>) = entries(&folder).into_iter().partition(|path| name(path) == "expected.txt");
            assert!(
                files.iter().any(|path| String::from_utf8_lossy(&fs::read(path).unwrap()).contains(SECRET)),
                "{}",
                folder.display()
            );
            let (snapshot, findings) = read(system, &files);
            let found = write(&snapshot, &findings);
            let all = format!("{found}{snapshot:?}{findings:?}");
            assert!(!all.contains(SECRET), "{}: a secret came out:\n{all}", folder.display());
            assert_eq!(snapshot.complete, kind == "plain", "{}:\n{found}", folder.display());
            if std::env::var_os("UPDATE_EXPECT").is_some() {
                fs::write(folder.join("expected.txt"), &found).unwrap();
                continue;
            }
            let expected = expected.first().map_or(String::new(), |path| fs::read_to_string(path).unwrap());
            if expected != found {
                failures.push(format!("{}\n--- expected\n{expected}\n--- found\n{found}", folder.display()));
            }
        }
    }
    assert!(failures.is_empty(), "{}\n(UPDATE_EXPECT=1 rewrites it)", failures.join("\n"));
}

#[test]
fn every_export_has_a_fixture_that_is_no_other_systems() {
    let mut met = Vec::new();
    for system in systems::all() {
        for folder in entries(&root().join(&system.name)) {
            for path in entries(&folder).into_iter().filter(|path| name(path) != "expected.txt") {
                let bytes = fs::read(&path).unwrap();
                if let Some(export) = system.export(name(&path), &bytes) {
                    met.push((system.name.clone(), export.what.clone()));
                }
                if let Some((other, export)) = systems::recognise(name(&path), &bytes) {
                    assert_eq!(other.name, system.name, "{} is taken for {}", path.display(), export.what);
                }
            }
        }
    }
    for system in systems::all() {
        for export in &system.exports {
            assert!(met.contains(&(system.name.clone(), export.what.clone())), "{}: no fixture of: {}", system.name, export.what);
        }
    }
}
