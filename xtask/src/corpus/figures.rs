//! What the samples prove of each format, and how many fixtures it has: the file that the program shows its figures from.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::Context;
use parsers::formats::all;

const HEAD: &str = "\
# What each format was proven on. Written by `cargo xtask corpus DIR --figures`; DIR holds samples of others with oracles.
#
# fixtures: our own inputs in fixtures/NAME. samples: files of others that this format read, and that an oracle tells of;
# as_expected: those of them that are read as the oracle has it, but for what is meant otherwise; by: what made the oracles.
";

/// The figures of all formats.
#[derive(Default)]
pub(super) struct Figures<'a> {
    formats: BTreeMap<&'static str, Proof<'a>>,
}

#[derive(Default)]
struct Proof<'a> {
    samples: usize,
    as_expected: usize,
    by: BTreeSet<&'a str>,
}

impl<'a> Figures<'a> {
    /// Adds samples: the format that read each, and whether it is as the oracle has it.
    pub(super) fn add(&mut self, samples: &[(&'static str, bool)], by: &'a str) {
        for (format, as_expected) in samples {
            let proof = self.formats.entry(format).or_default();
            proof.samples += 1;
            proof.as_expected += usize::from(*as_expected);
            proof.by.extend(by.split(", "));
        }
    }

    /// Writes the file, with a table for every format.
    pub(super) fn write(&self, file: &Path) -> anyhow::Result<()> {
        let fixtures = crate::root().join("crates/parsers/fixtures");
        fs::write(file, self.text(|name| inputs(&fixtures.join(name))))
            .with_context(|| format!("cannot write {}", file.display()))
    }

    fn text(&self, fixtures: impl Fn(&str) -> usize) -> String {
        let mut text = HEAD.to_owned();
        let mut names: Vec<_> = all().map(|format| format.name).collect();
        names.sort_unstable();
        let nothing = Proof::default();
        for name in names {
            let Proof { samples, as_expected, by } = self.formats.get(name).unwrap_or(&nothing);
            let by: Vec<_> = by.iter().copied().collect();
            // Writing to a text does not fail.
            let _ = write!(
                text,
                "\n[{name}]\nfixtures = {}\nsamples = {samples}\nas_expected = {as_expected}\nby = \"{}\"\n",
                fixtures(name),
                by.join(", ")
            );
        }
        text
    }
}

/// How many inputs a folder of fixtures has: what stands beside them does not count.
fn inputs(folder: &Path) -> usize {
    const BESIDE: [&str; 6] = [".expected.json", ".declared.toml", ".location", ".kind", ".format", ".md"];
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    let names = entries.filter(|entry| entry.path().is_file()).map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !BESIDE.iter().any(|end| name.ends_with(end))).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_a_table() {
        let mut figures = Figures::default();
        figures.add(&[("arf", true), ("arf", false)], "one, another");
        figures.add(&[("arf", true)], "another");
        let text = figures.text(|_| 4);
        let tables: toml::Table = text.parse().expect("it is TOML");
        assert_eq!(tables.len(), all().count());
        let arf = tables["arf"].to_string();
        assert!(arf.contains("samples = 3") && arf.contains("as_expected = 2") && arf.contains("another, one"), "{arf}");
        assert!(inputs(&crate::root().join("crates/parsers/fixtures/arf")) > 2);
    }
}
