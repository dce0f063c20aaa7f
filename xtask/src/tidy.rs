//! The house rules that a program can hold; `CONTRIBUTING.md` tells them to people.
//!
//! A rule looks at the [`Tree`] and returns what it found wrong, one line each, with what to do about it.

pub mod docs;
pub mod fixtures;
pub mod manifests;
pub mod text;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One rule: its name, and the check.
pub type Rule = (&'static str, fn(&Tree) -> Vec<String>);

/// Every rule.
pub const RULES: &[Rule] = &[
    ("each Rust file opens by saying what lives in it", text::opens_with_a_sentence),
    ("no trailing blanks, and a newline at the end", text::no_trailing_blanks),
    ("no unfinished business in the code", text::nothing_left_undone),
    ("files fit the head", text::files_fit_the_head),
    ("no large files", text::no_large_files),
    ("crates inherit what the workspace says", manifests::inherit),
    ("fixtures use documentation addresses", fixtures::documentation_addresses),
    ("one word in docs/words.md means one thing", docs::words_are_unique),
    ("decisions are numbered and whole", docs::decisions_are_whole),
    ("the changelog can take the next change", docs::changelog_is_open),
    ("the licence is there in full", docs::licence_is_whole),
];

/// The files of the project: what git tracks, and what it would track if it were added.
pub struct Tree {
    /// The top folder.
    pub root: PathBuf,
    /// Paths below it, with `/` between names, sorted.
    pub files: Vec<String>,
}

impl Tree {
    /// Asks git which files there are; without git (an unpacked archive) walks the folders.
    ///
    /// # Errors
    /// When neither works.
    pub fn open(root: &Path) -> std::io::Result<Tree> {
        let mut files = match of_git(root) {
            Some(files) => files,
            None => walked(root)?,
        };
        files.retain(|file| root.join(file).is_file());
        files.sort();
        files.dedup();
        Ok(Tree { root: root.to_path_buf(), files })
    }

    /// The bytes of a file; nothing when it cannot be read (it was deleted a moment ago).
    pub fn bytes(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.root.join(file)).unwrap_or_default()
    }

    /// The text of a file, mended to UTF-8; `None` when it is not there.
    pub fn text(&self, file: &str) -> Option<String> {
        std::fs::read(self.root.join(file)).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The Rust files of our own: under `src`, `tests`, `benches` or a fuzz crate.
    pub fn rust(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(String::as_str).filter(|file| file.ends_with(".rs") && !is_fixture(file))
    }
}

/// Whether a file is input for a test, to be taken as it is.
pub fn is_fixture(file: &str) -> bool {
    file.split('/').any(|name| matches!(name, "fixtures" | "vectors" | "corpus")) && !file.ends_with(".rs")
}

/// Holds all rules and writes what they find; whether they found nothing.
///
/// # Errors
/// When the tree cannot be listed or `out` not be written.
pub fn run(root: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    let tree = Tree::open(root)?;
    let mut clean = true;
    for (name, rule) in RULES {
        let findings = rule(&tree);
        if !findings.is_empty() {
            clean = false;
            writeln!(out, "rule: {name}")?;
        }
        for finding in findings {
            writeln!(out, "  {finding}")?;
        }
    }
    if clean {
        writeln!(out, "tidy: {} rules hold over {} files", RULES.len(), tree.files.len())?;
    }
    Ok(clean)
}

fn of_git(root: &Path) -> Option<Vec<String>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let listed = String::from_utf8_lossy(&output.stdout);
    let files: Vec<String> = listed.split('\0').filter(|file| !file.is_empty()).map(str::to_owned).collect();
    // A folder inside somebody else's repository is listed as empty when they ignore it: then we walk.
    (!files.is_empty()).then_some(files)
}

fn walked(root: &Path) -> std::io::Result<Vec<String>> {
    let mut files = Vec::new();
    let mut folders = vec![String::new()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(root.join(&folder))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
            let kind = entry.file_type()?;
            if kind.is_dir() && !matches!(name.as_str(), "target" | ".git" | "artifacts") {
                folders.push(path);
            } else if kind.is_file() {
                files.push(path);
            }
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_is_tidy() {
        let mut findings = Vec::new();
        let clean = run(&crate::root(), &mut findings).expect("the tree can be listed");
        assert!(clean, "{}", String::from_utf8_lossy(&findings));
    }

    #[test]
    fn git_and_a_walk_see_the_same_sources() {
        let root = crate::root();
        let walked = walked(&root).expect("the tree can be walked");
        for file in Tree::open(&root).expect("the tree can be listed").rust() {
            assert!(walked.iter().any(|other| other == file), "{file} is not found by walking");
        }
    }
}
