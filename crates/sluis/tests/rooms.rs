//! Holds the picture of the rooms: which crate may name which, in `Cargo.toml` and in ARCHITECTURE.md alike.
//!
//! The borders are why the house stays readable: what a room may not name, it cannot come to depend on in passing.
//! A new arrow is a decision first (`docs/decisions`), then a line here and in the picture.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Who may name whom. An arrow is allowed, not required; what is not in this table may name nothing of ours.
const ARROWS: &[(&str, &[&str])] = &[
    ("sluis", &["desk", "store", "parsers", "watchlist", "matching", "seal", "sluis-verify", "sluis-grade", "model"]),
    ("desk", &["store", "parsers", "matching", "seal", "model"]),
    ("store", &["model"]),
    ("parsers", &["model"]),
    ("model", &[]),
    ("watchlist", &["matching", "seal"]),
    ("matching", &[]),
    ("seal", &[]),
    ("sluis-verify", &["seal"]),
    ("sluis-grade", &["sluis-verify", "seal"]),
    ("xtask", &["parsers", "matching", "model"]),
];

/// Crates of others that only these rooms may name, because of what they bring with them.
const KEPT_IN: &[(&str, &[&str], &str)] = &[
    ("rusqlite", &["store"], "store is the only place for SQL"),
    ("libsqlite3-sys", &["store"], "store is the only place for SQL"),
    ("tokio", &["sluis"], "everything below the program is blocking"),
    ("axum", &["sluis"], "only the program speaks HTTP"),
    ("hyper", &["sluis"], "only the program speaks HTTP"),
    ("clap", &["sluis"], "only the program has a command line"),
];

/// A dependency as a manifest states it.
struct Dependency {
    name: String,
    /// Dependencies of tests and benchmarks; they are not in the program.
    dev: bool,
}

#[test]
fn the_rooms_are_those_of_the_table() {
    let mut ours: Vec<String> = packages().into_keys().collect();
    let mut table: Vec<&str> = ARROWS.iter().map(|(room, _)| *room).collect();
    ours.sort();
    table.sort_unstable();
    assert_eq!(ours, table, "a new room is a decision: docs/decisions, then ARROWS, then the picture in ARCHITECTURE.md");
}

/// Tests and benchmarks keep to the same arrows: a test that needs the room above belongs in the room above.
#[test]
fn each_room_names_only_the_rooms_it_may() {
    let packages = packages();
    for (room, dependencies) in &packages {
        let allowed = ARROWS.iter().find(|(name, _)| name == room).map_or(&[][..], |(_, allowed)| allowed);
        for dependency in dependencies.iter().filter(|dependency| packages.contains_key(&dependency.name)) {
            assert!(allowed.contains(&dependency.name.as_str()), "{room} may not name {}", dependency.name);
        }
    }
}

#[test]
fn the_arrows_go_one_way() {
    fn below(room: &str, seen: &mut Vec<String>) {
        let arrows = ARROWS.iter().find(|(name, _)| *name == room).map_or(&[][..], |(_, arrows)| arrows);
        for arrow in arrows {
            assert!(!seen.iter().any(|name| name == arrow), "{arrow} reaches itself by way of {seen:?}");
            seen.push((*arrow).to_owned());
            below(arrow, seen);
            seen.pop();
        }
    }
    for (room, _) in ARROWS {
        below(room, &mut vec![(*room).to_owned()]);
    }
}

#[test]
fn the_model_needs_nothing() {
    let packages = packages();
    let named: Vec<&str> = packages["model"].iter().filter(|one| !one.dev).map(|one| one.name.as_str()).collect();
    assert!(named.is_empty(), "model says what there is, with the standard library alone; it names {named:?}");
}

#[test]
fn what_is_kept_in_a_room_stays_there() {
    for (room, dependencies) in packages() {
        for dependency in dependencies.iter().filter(|dependency| !dependency.dev) {
            for (name, rooms, why) in KEPT_IN {
                let kept = dependency.name != *name || rooms.contains(&room.as_str());
                assert!(kept, "{room} may not name {name}: {why}");
            }
        }
    }
}

#[test]
fn the_picture_in_the_architecture_page_is_true() {
    let page = root().join("ARCHITECTURE.md");
    let Ok(text) = std::fs::read_to_string(&page) else {
        println!("skipped: {} is not there", page.display());
        return;
    };
    let picture = picture(&text).expect("ARCHITECTURE.md has a code block of lines like `store -> model`");
    let table: BTreeMap<String, Vec<String>> = ARROWS
        .iter()
        .map(|(room, arrows)| {
            let mut arrows: Vec<String> = arrows.iter().map(|arrow| (*arrow).to_owned()).collect();
            arrows.sort();
            ((*room).to_owned(), arrows)
        })
        .collect();
    assert_eq!(picture, table, "left: ARCHITECTURE.md, right: the table of this test");
}

/// The first code block in which every line that is not blank is `room -> room, room`; `-> nothing` names none.
/// Braces and a remark after `#` are for the eye.
fn picture(page: &str) -> Option<BTreeMap<String, Vec<String>>> {
    let blocks = page.split("```").skip(1).step_by(2);
    blocks.map(|block| block.split_once('\n').map_or("", |(_, lines)| lines)).find_map(|block| {
        let mut arrows = BTreeMap::new();
        for line in block.lines().map(|line| line.split('#').next().unwrap_or_default()).filter(|line| !line.trim().is_empty()) {
            let (room, rooms) = line.split_once("->")?;
            let names = rooms.split(|letter: char| !(letter.is_alphanumeric() || letter == '-'));
            let mut names: Vec<String> = names.filter(|name| !matches!(*name, "" | "nothing")).map(str::to_owned).collect();
            names.sort();
            arrows.insert(room.trim().to_owned(), names);
        }
        (!arrows.is_empty()).then_some(arrows)
    })
}

#[test]
fn a_picture_is_found_among_other_code() {
    let page = "# A\n```sh\ncargo run\n```\ntext\n```text\na -> {b, c-d}   # why\n\nb -> nothing\n```\n";
    let arrows = picture(page).expect("it is there");
    assert_eq!(arrows["a"], ["b", "c-d"]);
    assert!(arrows["b"].is_empty());
    assert!(picture("no picture\n```\nx = 1\n```\n").is_none());
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Our crates with what their manifests name, normal, build and dev alike.
fn packages() -> BTreeMap<String, Vec<Dependency>> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root())
        .output()
        .expect("cargo can be started");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo metadata writes JSON");
    let list = |value: &Value, key: &str| value[key].as_array().cloned().unwrap_or_default();
    let text = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
    list(&metadata, "packages")
        .iter()
        .map(|package| {
            let dependencies = list(package, "dependencies");
            let dependencies = dependencies.iter().map(|one| Dependency { name: text(one, "name"), dev: one["kind"] == "dev" });
            (text(package, "name"), dependencies.collect())
        })
        .collect()
}
