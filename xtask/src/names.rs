//! `cargo xtask names`: how well names are found and how many are opened that should not be, measured on public names; and the table of
//! how rare words are, made anew.
//!
//! The folder has `alias_pairs.csv` (entity, name, alias), `as_org_names.txt` (a name a line) and `labelled_org_pairs.csv` (name1, name2,
//! is_match). None of it is in the repository.

mod data;
mod measure;
mod table;

use std::io::Write;
use std::path::Path;

use anyhow::Context;

/// Where the table lives, below the top folder.
const TABLE: &str = "crates/matching/data/name-words.txt";
/// Our own part of it.
const OWN: &str = "crates/matching/data/name-words-nl.txt";

/// Measures and prints; whether every floor is held.
///
/// # Errors
/// When the folder cannot be read, or `out` not be written.
pub fn run(folder: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    let data = data::Data::read(folder)?;
    measure::run(&data, out)
}

/// Makes the table of how rare words are, from `as_org_names.txt` of the folder and our own figures.
///
/// # Errors
/// When a file cannot be read or written.
pub fn make_table(root: &Path, folder: &Path, out: &mut dyn Write) -> anyhow::Result<bool> {
    let read = |path: &Path| std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let text = table::make(&read(&folder.join("as_org_names.txt"))?, &read(&root.join(OWN))?);
    std::fs::write(root.join(TABLE), &text).with_context(|| format!("cannot write {TABLE}"))?;
    writeln!(
        out,
        "{TABLE}: {} lines. If it changed, raise NORM_VERSION (docs/matching.md, section Names).",
        text.lines().count()
    )?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_floors_hold_on_public_names() {
        let Some(shared) = std::env::var_os("SLUIS_SHARED") else {
            println!("skipped: SLUIS_SHARED names no folder of samples");
            return;
        };
        let mut out = Vec::new();
        let held = run(&Path::new(&shared).join("names"), &mut out).expect("the folder can be read");
        let table = String::from_utf8_lossy(&out);
        println!("{table}");
        assert!(held, "{table}");
    }
}
