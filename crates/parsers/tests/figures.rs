//! The figures that the program shows: every format has some, and its fixtures are as many as are there.
//!
//! `UPDATE_EXPECT=1` writes the counts of fixtures anew; those of samples are written by `cargo xtask corpus DIR --figures`.

#![allow(clippy::unwrap_used)]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use parsers::figures::{Figures, parse};
use parsers::formats::all;

/// What stands beside an input and is none.
const BESIDE: [&str; 6] = [".expected.json", ".declared.toml", ".location", ".kind", ".format", ".md"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Inputs in the folder of a format.
fn inputs(format: &str) -> u32 {
    let entries = fs::read_dir(root().join("fixtures").join(format)).into_iter().flatten().map(Result::unwrap);
    let names = entries.filter(|entry| entry.path().is_file()).map(|entry| entry.file_name().into_string().unwrap());
    names.filter(|name| !BESIDE.iter().any(|end| name.ends_with(end))).count().try_into().unwrap()
}

#[test]
fn figures_are_of_what_is_there() {
    let path = root().join("data/figures.toml");
    let text = fs::read_to_string(&path).unwrap();
    let known = parse(&text).unwrap();
    let mut names: Vec<_> = all().map(|format| format.name).collect();
    names.sort_unstable();
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        let head: String = text.lines().take_while(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
        let mut new = head;
        for name in &names {
            let Figures { samples, as_expected, by, .. } = known.get(*name).cloned().unwrap_or_default();
            let fixtures = inputs(name);
            write!(new, "\n[{name}]\nfixtures = {fixtures}\nsamples = {samples}\nas_expected = {as_expected}\nby = \"{by}\"\n")
                .unwrap();
        }
        fs::write(&path, new).unwrap();
        return;
    }
    let mut wrong: Vec<String> = Vec::new();
    for name in &names {
        let (there, said) = (inputs(name), known.get(*name).map(|figures| figures.fixtures));
        if said != Some(there) {
            wrong.push(format!("{name}: {said:?} fixtures are said to be there, and there are {there}"));
        }
    }
    wrong.extend(known.keys().filter(|name| !names.contains(&name.as_str())).map(|name| format!("{name} is no format")));
    wrong.extend(known.iter().filter(|(_, figures)| figures.as_expected > figures.samples).map(|(name, _)| name.clone()));
    assert!(wrong.is_empty(), "UPDATE_EXPECT=1 cargo test -p parsers --test figures writes them anew:\n{}", wrong.join("\n"));
}
