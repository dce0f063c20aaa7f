//! The verifier stays small: an expert has to be able to read it, and what it rests on, and build it years later.

use std::collections::BTreeSet;
use std::process::Command;

/// Packages that the program is built of, itself among them. Each further one is somebody else to trust.
const MOST: usize = 39;

/// What an offline verifier has no use for.
const NEVER: &[&str] =
    &["tokio", "hyper", "rusqlite", "reqwest", "rustls", "openssl", "serde", "clap", "rcgen", "socket2", "mio"];

#[test]
fn it_has_fewer_than_forty_dependencies_and_none_that_reaches_out() {
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--package", "sluis-verify", "--edges", "normal", "--prefix", "none", "--locked", "--no-dedupe"])
        .args(["--target", "x86_64-unknown-linux-gnu"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    let packages: BTreeSet<String> =
        text.lines().filter_map(|line| Some(format!("{} {}", line.split(' ').next()?, line.split(' ').nth(1)?))).collect();
    assert!(packages.len() <= MOST, "{} packages: {packages:#?}", packages.len());
    for package in &packages {
        let name = package.split(' ').next().unwrap_or_default();
        assert!(!NEVER.contains(&name), "{name} has no place in a verifier that works offline");
    }
}

/// No clock, no network and no disk but in the files that say so.
#[test]
fn only_the_files_that_say_so_touch_the_world() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![folder.clone()];
    let mut seen = 0;
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            let name = path.strip_prefix(&folder).unwrap().to_string_lossy().into_owned();
            seen += 1;
            for (word, allowed) in [
                ("std::fs", "files.rs"),
                ("std::net", ""),
                ("SystemTime", "main.rs"),
                ("std::env", "main.rs"),
                ("std::process", "main.rs"),
            ] {
                assert!(name == allowed || !text.contains(word), "{name} names {word}");
            }
        }
    }
    assert!(seen > 20);
}
