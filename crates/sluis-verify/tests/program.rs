//! The small program: what it answers to a call, and that its exit status is the verdict.

#![expect(clippy::unwrap_used, reason = "what fails here fails a test")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use seal::testing::stories;

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_sluis-verify")).args(arguments).current_dir(folder).output().unwrap()
}

#[test]
fn the_exit_status_is_the_verdict() {
    let folder = Folder(std::env::temp_dir().join(format!("sluis-verify-{}", std::process::id())));
    let path = &folder.0;
    std::fs::create_dir_all(path.join("roots")).unwrap();
    let set = stories::all(20);
    std::fs::write(path.join("sector.policy"), &set.policy).unwrap();
    for (name, pem) in &set.roots {
        std::fs::write(path.join("roots").join(format!("{name}.pem")), pem).unwrap();
    }
    for example in &set.examples {
        std::fs::write(path.join(&example.name), &example.bytes).unwrap();
        for (file, bytes) in example.log.iter().flatten() {
            let file = path.join(format!("{}.log", example.name)).join(file);
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(file, bytes).unwrap();
        }
    }
    let trust = ["--policy", "sector.policy", "--tsa-roots", "roots"];
    let cases: &[(&[&str], i32, &str)] = &[
        (&["good-whole"], 0, "PROVEN"),
        (&["good-whole", "--lang", "nl"], 0, "BEWEZEN"),
        (&["good-whole", "--json"], 0, "\"verdict\":\"proven\""),
        (&["good-whole", "--print"], 0, "*** PROVEN ***"),
        (&["good-whole", "--print=html", "--lang", "nl"], 0, "<html lang=\"nl\">"),
        (&["good-receipt"], 0, "PROVEN"),
        (&["salts-swapped"], 1, "INVALID"),
        (&["step-dropped"], 2, "not shown: records 9"),
        (&["early-receipt"], 2, "INCOMPLETE"),
        (&["tail-kept-back", "--log", "tail-kept-back.log"], 2, "the log has a record 4"),
        (&["slot-twice-in-the-log", "--log", "slot-twice-in-the-log.log"], 1, "in one slot"),
        // Before the time-stamps were made, they proved nothing.
        (&["good-whole", "--at", "2020-01-01"], 2, "is from after the date of verifying"),
        // The certificates have ended by then, and nothing renewed the time-stamps.
        (&["good-whole", "--at", "2090-01-01"], 2, "no renewal is shown"),
        (&["sector.policy"], 3, "UNREADABLE"),
        (&["good-whole", "--fork"], 3, "this is no fork proof"),
    ];
    for (arguments, code, text) in cases {
        let output = run(path, &[arguments, &trust[..]].concat());
        let shown = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}\n{shown}");
        assert!(shown.contains(text), "{arguments:?}\n{shown}");
    }
    // Nobody's trust is taken from the bundle.
    assert_eq!(run(path, &["good-whole", "--policy", "sector.policy"]).status.code(), Some(2));
    for wrong in [
        &["good-whole"][..],
        &["good-whole", "--policy", "nowhere"],
        &["nowhere", "--policy", "sector.policy"],
        &["good-whole", "--policy", "good-whole"],
        &["good-whole", "--policy", "sector.policy", "--policy-key", "x"],
        &["good-whole", "--policy", "sector.policy", "--tsa-roots", "."],
        &["good-whole", "--policy", "sector.policy", "--lang", "fr"],
        &["good-whole", "--policy", "sector.policy", "--at", "yesterday"],
        &["good-whole", "good-row", "--policy", "sector.policy"],
        &["--help-me"],
        &["--policy"],
    ] {
        assert_eq!(run(path, wrong).status.code(), Some(4), "{wrong:?}");
    }
    assert_eq!(run(path, &["--help"]).status.code(), Some(0));
}
