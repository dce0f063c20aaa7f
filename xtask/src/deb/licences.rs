//! The licences of every library that is linked into the program, with the texts their authors ask to be passed on.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};
use serde_json::Value;

use super::folder_of;

/// Beginnings of the names of files that hold a licence or what it asks to be passed on.
const NAMES: [&str; 5] = ["license", "licence", "copying", "notice", "unlicense"];

/// A library, as its manifest states it.
struct Library {
    name: String,
    version: String,
    licence: String,
    home: String,
    texts: Vec<String>,
}

/// The list and the texts.
///
/// # Errors
/// When cargo cannot say what the program is made of.
pub(super) fn text(root: &Path) -> anyhow::Result<String> {
    let words = ["metadata", "--format-version=1", "--locked", "--filter-platform", "x86_64-unknown-linux-gnu"];
    let output = Command::new("cargo").args(words).current_dir(root).stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot start cargo")?;
    ensure!(output.status.success(), "cargo metadata failed");
    let metadata: Value = serde_json::from_slice(&output.stdout).context("cargo metadata")?;
    Ok(listed(&libraries(&metadata)))
}

/// What the program `sluis` needs at work: neither what only builds it nor what only tests it, and nothing of ours.
fn libraries(metadata: &Value) -> Vec<Library> {
    let nodes: BTreeMap<&str, &Value> = array(&metadata["resolve"]["nodes"]).map(|node| (word(&node["id"]), node)).collect();
    let packages: BTreeMap<&str, &Value> = array(&metadata["packages"]).map(|package| (word(&package["id"]), package)).collect();
    let begin = packages.iter().find(|(_, package)| package["name"] == "sluis" && package["source"].is_null());
    let mut todo: Vec<&str> = begin.map(|(id, _)| *id).into_iter().collect();
    let mut seen: BTreeSet<&str> = todo.iter().copied().collect();
    while let Some(id) = todo.pop() {
        let Some(node) = nodes.get(id) else { continue };
        for dependency in array(&node["deps"]) {
            let linked = array(&dependency["dep_kinds"]).any(|kind| kind["kind"].is_null());
            if linked && seen.insert(word(&dependency["pkg"])) {
                todo.push(word(&dependency["pkg"]));
            }
        }
    }
    let others = seen.iter().filter_map(|id| packages.get(id)).filter(|package| !package["source"].is_null());
    let mut found: Vec<Library> = others
        .map(|package| Library {
            name: word(&package["name"]).to_owned(),
            version: word(&package["version"]).to_owned(),
            licence: package["license"].as_str().unwrap_or("see its files").to_owned(),
            home: package["repository"].as_str().unwrap_or_default().to_owned(),
            texts: texts(&folder_of(word(&package["manifest_path"]))),
        })
        .collect();
    found.sort_by(|one, other| (&one.name, &one.version).cmp(&(&other.name, &other.version)));
    found
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The texts in a crate's folder and in the folders right under it, where C sources of others are.
fn texts(folder: &Path) -> Vec<String> {
    let entries = |folder: &Path| -> Vec<std::path::PathBuf> {
        let mut paths: Vec<_> = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        paths.sort();
        paths
    };
    let here = entries(folder);
    let under: Vec<_> = here.iter().filter(|path| path.is_dir()).flat_map(|path| entries(path)).collect();
    here.iter().chain(&under).filter(|path| path.is_file() && is_licence(path)).filter_map(|path| text_of(path)).collect()
}

fn is_licence(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
    // Sources like `license.rs` are none.
    NAMES.iter().any(|start| name.starts_with(start)) && !name.ends_with(".rs") && !name.ends_with(".c")
}

fn text_of(path: &Path) -> Option<String> {
    fs::read_to_string(path).ok().map(|text| text.trim().replace("\r\n", "\n")).filter(|text| !text.is_empty())
}

/// The list, then each text once, with the libraries it came with.
fn listed(libraries: &[Library]) -> String {
    let mut out = String::from("Libraries that are linked into sluis, and their licences.\n\n");
    let mut used: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for library in libraries {
        let _ = writeln!(out, "{} {}: {}  {}", library.name, library.version, library.licence, library.home);
        for text in &library.texts {
            let names = used.entry(text).or_default();
            if !names.contains(&library.name.as_str()) {
                names.push(&library.name);
            }
        }
    }
    let mut texts: Vec<(&str, Vec<&str>)> = used.into_iter().collect();
    texts.sort_by(|one, other| one.1.cmp(&other.1));
    for (text, names) in texts {
        let _ = write!(out, "\n{}\nOf {}:\n\n{text}\n", "=".repeat(78), names.join(", "));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_stands_once_with_all_it_came_with() {
        let library = |name: &str, texts: &[&str]| Library {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            licence: "MIT".to_owned(),
            home: String::new(),
            texts: texts.iter().map(|text| (*text).to_owned()).collect(),
        };
        let text = listed(&[library("a", &["MIT text"]), library("b", &["MIT text", "Notice of b"])]);
        assert!(text.contains("Of a, b:\n\nMIT text\n") && text.contains("Of b:\n\nNotice of b\n"), "{text}");
        assert_eq!(text.matches("MIT text").count(), 1);
    }

    #[test]
    fn what_only_builds_or_tests_is_not_in_the_program() {
        let package = |id: &str, source: Value| {
            serde_json::json!({
                "id": id, "name": id, "version": "1.0.0", "source": source, "license": "MIT", "manifest_path": "/nowhere/Cargo.toml"
            })
        };
        let edge = |to: &str, kind: Value| serde_json::json!({"pkg": to, "dep_kinds": [{"kind": kind}]});
        let metadata = serde_json::json!({
            "packages": [
                package("sluis", Value::Null), package("desk", Value::Null), package("linked", "registry".into()),
                package("builds", "registry".into()), package("tests", "registry".into()),
            ],
            "resolve": {"nodes": [
                {"id": "sluis", "deps": [edge("desk", Value::Null), edge("tests", "dev".into())]},
                {"id": "desk", "deps": [edge("linked", Value::Null), edge("builds", "build".into())]},
            ]},
        });
        let names: Vec<String> = libraries(&metadata).into_iter().map(|library| library.name).collect();
        assert_eq!(names, ["linked"]);
    }
}
