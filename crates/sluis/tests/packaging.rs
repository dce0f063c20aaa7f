//! Holds the Debian package together: what the manifest lists is there, what units and scripts name is in the package, and
//! the node runs as closed off as we say.
//!
//! That every command line in units and manual can be typed is held beside the command line (`src/cli/documented.rs`).
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Folders every Debian system has, and those systemd makes for a unit.
const SYSTEM: [&str; 9] =
    ["/bin/", "/sbin/", "/usr/bin/", "/usr/sbin/", "/run/", "/var/mail", "/var/backups", "/dev/", "/etc/passwd"];
/// Everything else that units and scripts may name: ours.
const OURS: [&str; 2] = ["/var/lib/sluis", "/var/spool/sluis"];
/// Programs that scripts may call: in every Debian system, or brought by what the package depends on.
const PROGRAMS: [&str; 7] = ["adduser", "install", "chown", "chmod", "systemctl", "deb-systemd-invoke", "rmdir"];
/// What systemd-analyze may find open to attack, of 10: under 2 is what it calls OK.
const EXPOSURE: f64 = 1.5;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn manifest() -> toml::Table {
    let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    text.parse().unwrap()
}

/// What the package is made of: where it comes from, where it goes, with what mode.
fn assets() -> Vec<(String, String, u32)> {
    let manifest = manifest();
    let assets = manifest["package"]["metadata"]["deb"]["assets"].as_array().unwrap();
    let text = |asset: &toml::Value, at: usize| asset[at].as_str().unwrap().to_owned();
    assets
        .iter()
        .map(|asset| (text(asset, 0), text(asset, 1), u32::from_str_radix(asset[2].as_str().unwrap(), 8).unwrap()))
        .collect()
}

/// The files of the package, as far as they are written and not made: path in it, and text.
fn files(ending: &str) -> BTreeMap<String, String> {
    let units = assets().into_iter().filter(|(from, _, _)| from.ends_with(ending));
    units
        .map(|(from, to, _)| {
            let path = root().join(from.trim_start_matches("../"));
            let name = path.file_name().unwrap().to_str().unwrap();
            let to = if to.ends_with('/') { format!("/{to}{name}") } else { format!("/{to}") };
            (to, std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
        })
        .collect()
}

fn units() -> BTreeMap<String, String> {
    let mut units = files(".service");
    units.extend(files(".timer"));
    units
}

fn scripts() -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(root().join("deploy/debian")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read_to_string(&path).unwrap())).collect()
}

/// Settings of a unit, without comments; a setting may stand more than once.
fn settings(unit: &str) -> Vec<(String, String)> {
    let lines = unit.lines().filter(|line| !line.starts_with(['#', ';', '[']));
    lines.filter_map(|line| line.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

#[test]
fn what_the_package_lists_is_there() {
    for (from, to, mode) in assets() {
        assert!(!to.starts_with('/'), "{to}: paths in the package begin at its root");
        assert_eq!(mode, if to == "usr/bin/" { 0o755 } else { 0o644 }, "{to}");
        if from.starts_with("target/release/") || from.starts_with("../../target/deb/parts/") {
            continue;
        }
        let path = root().join(from.strip_prefix("../../").unwrap());
        let folder = path.parent().unwrap();
        let is_there = if from.contains('*') { folder.is_dir() } else { path.is_file() };
        assert!(is_there, "{from} is not there");
    }
    let deb = &manifest()["package"]["metadata"]["deb"];
    for file in deb["conf-files"].as_array().unwrap() {
        let to = file.as_str().unwrap().trim_start_matches('/').to_owned();
        assert!(assets().iter().any(|(_, asset, _)| *asset == to), "{to}: a configuration file that is not in the package");
    }
}

/// A unit or script that names a path of an older layout fails on the machine of a stranger, at night.
#[test]
fn every_path_in_units_and_scripts_is_known() {
    let mut known: BTreeSet<String> = assets().iter().map(|(_, to, _)| format!("/{}", to.trim_end_matches('/'))).collect();
    known.extend(OURS.map(str::to_owned));
    known.extend(known.clone().iter().filter_map(|path| Some(Path::new(path).parent()?.to_str()?.to_owned())));
    for (name, text) in units().into_iter().chain(scripts()) {
        let code = text.lines().filter(|line| !line.starts_with("#!") && !line.trim_start().starts_with('#'));
        for word in code.flat_map(|line| line.split(|c: char| c.is_whitespace() || "\"'=;:,".contains(c))) {
            let word = word.trim_start_matches(['-', '+', '!', '@']).trim_start_matches("//");
            if !word.starts_with('/') || word == "/dev/null" {
                continue;
            }
            let path = word.trim_end_matches(['/', '.', ')']);
            let is_known = known.iter().any(|known| path == known || path.starts_with(&format!("{known}/")))
                || SYSTEM.iter().any(|folder| path.starts_with(folder));
            assert!(is_known, "{name} names {path}, which is neither in the package nor of the system");
        }
    }
}

#[test]
fn every_unit_that_is_named_is_in_the_package() {
    let units: BTreeSet<String> = units().keys().map(|path| path.rsplit('/').next().unwrap().to_owned()).collect();
    let named = |text: &str| -> BTreeSet<String> {
        let words = text
            .split(|c: char| c.is_whitespace() || "=\"'`()".contains(c))
            .map(|word| word.trim_end_matches(['.', ',', ';', ':']));
        words
            .filter(|word| word.starts_with("sluis") && (word.ends_with(".service") || word.ends_with(".timer")))
            .map(str::to_owned)
            .collect()
    };
    for (name, text) in self::units().into_iter().chain(scripts()) {
        for unit in named(&text) {
            assert!(units.contains(&unit), "{name} names {unit}, which is not in the package");
        }
    }
}

#[test]
fn every_unit_of_ours_is_closed_off() {
    let wanted = [
        ("User", "sluis"),
        ("UMask", "0077"),
        ("NoNewPrivileges", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateTmp", "yes"),
        ("PrivateDevices", "yes"),
        ("CapabilityBoundingSet", ""),
        ("RestrictAddressFamilies", "AF_UNIX AF_INET AF_INET6"),
        ("SystemCallFilter", "@system-service"),
        ("MemoryDenyWriteExecute", "yes"),
        ("LockPersonality", "yes"),
    ];
    for (name, text) in files(".service") {
        let settings = settings(&text);
        for (setting, value) in wanted {
            let found = settings.iter().any(|(name, found)| name == setting && found == value);
            assert!(found, "{name}: {setting}={value} is missing");
        }
    }
    let node = settings(&files(".service")["/usr/lib/systemd/system/sluis.service"]);
    for (setting, value) in
        [("Type", "notify"), ("StateDirectory", "sluis"), ("StateDirectoryMode", "0700"), ("Restart", "on-failure")]
    {
        assert!(node.contains(&(setting.to_owned(), value.to_owned())), "{setting}={value} is missing");
    }
    assert!(node.iter().any(|(setting, _)| setting == "WatchdogSec"));
}

/// Installing a package must not begin to send anything, nor run a node whose settings nobody has looked at.
#[test]
fn scripts_start_nothing_and_destroy_nothing() {
    for (name, text) in scripts() {
        assert!(text.starts_with("#!/bin/sh\n# "), "{name}: a shell, and what it is for");
        assert!(text.contains("\nset -e\n"), "{name}: it goes on after a failure");
        let code: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
        for line in &code {
            assert!(!line.contains(" start ") && !line.contains(" enable "), "{name}: {line}");
            let removes = line.trim_start().starts_with("rm ") || line.contains("deluser");
            assert!(!removes, "{name}: {line}");
            let first = line.trim().split(' ').next().unwrap_or_default();
            let shell = ["case", "esac", "if", "fi", "then", "else", "set", "exit", "echo", ";;", ""];
            let known = shell.contains(&first) || first.ends_with(')') || PROGRAMS.contains(&first);
            assert!(known, "{name} calls {first}: a Debian system may not have it");
        }
        let path = root().join("deploy/debian").join(&name);
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o755, "{name} cannot be run");
        let output = Command::new("sh").arg("-n").arg(&path).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A program of the system; `None`, said loudly, where it is not.
fn of_the_system(program: &str, arguments: &[&str]) -> Option<Output> {
    let output = Command::new(program).args(arguments).output();
    if output.is_err() {
        eprintln!("SKIPPED: there is no {program} on this machine");
    }
    output.ok()
}

#[test]
fn systemd_understands_the_units_and_finds_them_closed() {
    let folder = std::env::temp_dir().join(format!("sluis-units-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut paths = Vec::new();
    for (name, text) in units() {
        let path = folder.join(name.rsplit('/').next().unwrap());
        // It looks whether the program is there, so it is shown the one that was just built.
        std::fs::write(&path, text.replace("/usr/bin/sluis", env!("CARGO_BIN_EXE_sluis"))).unwrap();
        paths.push(path.to_str().unwrap().to_owned());
    }
    let arguments: Vec<&str> = ["verify", "--man=no"].into_iter().chain(paths.iter().map(String::as_str)).collect();
    let verified = of_the_system("systemd-analyze", &arguments);
    for path in paths.iter().filter(|path| path.ends_with(".service")) {
        let Some(output) = of_the_system("systemd-analyze", &["security", "--offline=true", "--no-pager", path]) else { break };
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let figure = said.rsplit("level for").next().unwrap().split_whitespace().find_map(|word| word.parse::<f64>().ok());
        match figure {
            Some(exposure) => assert!(exposure <= EXPOSURE, "{path}: {exposure} is open to attack\n{said}"),
            // `--offline` came with systemd 250.
            None => eprintln!("SKIPPED: systemd-analyze gives no figure: {}", String::from_utf8_lossy(&output.stderr)),
        }
    }
    let _ = std::fs::remove_dir_all(&folder);
    if let Some(output) = verified {
        // Other units of the machine may be wrong: what it says of ours counts.
        let said = String::from_utf8_lossy(&output.stderr);
        let of_ours: Vec<&str> = said.lines().filter(|line| line.contains("sluis")).collect();
        assert!(of_ours.is_empty(), "{}", of_ours.join("\n"));
    }
}
