//! The rule about manifests: what the workspace says once, no crate says again.

use toml::{Table, Value};

use super::Tree;

/// Keys of `[package]` that every crate takes from the workspace.
const INHERITED: [&str; 5] = ["version", "edition", "rust-version", "license", "publish"];

/// House rule: version, edition, rust-version, licence, lints and versions of dependencies stand in one place.
pub fn inherit(tree: &Tree) -> Vec<String> {
    let mut findings = workspace(&tree.text("Cargo.toml").unwrap_or_default());
    for file in tree.files.iter().filter(|file| is_member(file)) {
        let text = tree.text(file).unwrap_or_default();
        findings.extend(member(&text).into_iter().map(|finding| format!("{file}: {finding}")));
    }
    findings
}

/// Fuzz crates stand outside the workspace and cannot inherit.
fn is_member(file: &str) -> bool {
    match file.split('/').collect::<Vec<_>>()[..] {
        ["crates", _, "Cargo.toml"] => true,
        _ => file == "xtask/Cargo.toml",
    }
}

fn workspace(text: &str) -> Vec<String> {
    let Ok(manifest) = text.parse::<Table>() else { return vec!["Cargo.toml: is not TOML".to_owned()] };
    let at = |path: &[&str]| path.iter().try_fold(manifest.get("workspace")?, |value, name| value.get(name)).cloned();
    let mut findings = Vec::new();
    let wanted: [(&[&str], &str); 6] = [
        (&["package", "rust-version"], "1.95"),
        (&["package", "edition"], "2024"),
        (&["package", "license"], "EUPL-1.2"),
        (&["lints", "rust", "unsafe_code"], "forbid"),
        (&["lints", "rust", "missing_docs"], "warn"),
        (&["lints", "clippy", "unwrap_used"], "warn"),
    ];
    for (path, value) in wanted {
        if at(path).as_ref().and_then(Value::as_str) != Some(value) {
            findings.push(format!("Cargo.toml: workspace.{} is to be '{value}'", path.join(".")));
        }
    }
    findings
}

fn member(text: &str) -> Vec<String> {
    let Ok(manifest) = text.parse::<Table>() else { return vec!["is not TOML".to_owned()] };
    let inherits = |value: Option<&Value>| value.and_then(|value| value.get("workspace")) == Some(&Value::Boolean(true));
    let mut findings = Vec::new();
    let package = manifest.get("package");
    for key in INHERITED {
        if !inherits(package.and_then(|package| package.get(key))) {
            findings.push(format!("write `{key}.workspace = true`"));
        }
    }
    if package.and_then(|package| package.get("description")).and_then(Value::as_str).is_none_or(str::is_empty) {
        findings.push("say in `description` what the room is for".to_owned());
    }
    if !inherits(manifest.get("lints")) {
        findings.push("write `[lints]` with `workspace = true`".to_owned());
    }
    let targets = manifest.get("target").and_then(Value::as_table).into_iter().flat_map(Table::values);
    let tables = targets.filter_map(Value::as_table).chain([&manifest]);
    for table in tables {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            for (name, value) in table.get(kind).and_then(Value::as_table).into_iter().flatten() {
                if !inherits(Some(value)) {
                    findings.push(format!("put the version of `{name}` into the workspace's Cargo.toml"));
                }
            }
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "
        [package]
        name = 'room'
        description = 'A room'
        version.workspace = true
        edition.workspace = true
        rust-version.workspace = true
        license.workspace = true
        publish.workspace = true
        [dependencies]
        serde = { workspace = true, features = ['derive'] }
        [lints]
        workspace = true
    ";

    #[test]
    fn a_room_that_inherits_everything_is_well() {
        assert_eq!(member(GOOD), Vec::<String>::new());
    }

    #[test]
    fn each_thing_said_again_is_found() {
        for (good, bad) in [
            ("rust-version.workspace = true", "rust-version = '1.90'"),
            ("license.workspace = true", ""),
            ("description = 'A room'", "description = ''"),
            ("[lints]\n        workspace = true", ""),
            ("{ workspace = true, features = ['derive'] }", "'1'"),
            ("[dependencies]", "[target.'cfg(unix)'.dependencies]\n libc = '1'\n [dependencies]"),
            ("[package]", "[package"),
        ] {
            assert_eq!(member(&GOOD.replace(good, bad)).len(), 1, "{bad}");
        }
    }

    #[test]
    fn fuzz_crates_are_not_members() {
        assert!(is_member("crates/model/Cargo.toml") && is_member("xtask/Cargo.toml"));
        assert!(!is_member("crates/parsers/fuzz/Cargo.toml") && !is_member("Cargo.toml"));
    }
}
