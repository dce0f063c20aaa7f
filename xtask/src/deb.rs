//! `cargo xtask deb`: the Debian package, with everything in it that is made rather than written.
//!
//! The program itself writes its manual pages and completions; licences come from the libraries' own files. Then
//! cargo-deb puts together what `[package.metadata.deb]` of `crates/sluis/Cargo.toml` lists.

mod licences;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, ensure};

use crate::prerequisites;

/// The version of cargo-deb that the metadata is written for.
const CARGO_DEB: &str = "3.8.0";

/// Where what is made is laid; `crates/sluis/Cargo.toml` names the same folder.
const PARTS: &str = "target/deb/parts";

/// Builds the package; whether it was built. Its path is the last line that cargo-deb writes.
///
/// # Errors
/// When a tool is missing, or a step fails; with the command.
pub fn run(root: &Path) -> anyhow::Result<bool> {
    let cargo_deb = prerequisites::tool("cargo-deb", CARGO_DEB, root)?;
    let parts = root.join(PARTS);
    if parts.exists() {
        fs::remove_dir_all(&parts).with_context(|| parts.display().to_string())?;
    }
    fs::create_dir_all(&parts).with_context(|| parts.display().to_string())?;

    let done = command(root, "cargo", &["build", "--release", "--locked", "-p", "sluis"])?;
    ensure!(done, "the program does not build");
    let program = prerequisites::target_folder(root).join("release").join("sluis");
    let written = Command::new(&program).arg("generate").arg(&parts).status();
    ensure!(written.is_ok_and(|status| status.success()), "{} generate {}: failed", program.display(), parts.display());

    write(&parts.join("copyright"), &copyright(&read(&root.join("LICENSE"))?))?;
    write(&parts.join("changelog"), &read(&root.join("CHANGELOG.md"))?)?;
    let (stamp, date) = (said(root, "%ct")?, said(root, "%cD")?);
    write(&parts.join("changelog.debian"), &changelog(env!("CARGO_PKG_VERSION"), &date))?;
    let list = parts.join("LICENCES-OF-LIBRARIES");
    write(&list, &licences::text(root)?)?;
    // Without its name and time in it the file is the same whenever it is packed.
    ensure!(command(&parts, "gzip", &["-9", "--no-name", "LICENCES-OF-LIBRARIES"])?, "gzip failed");

    let output = root.join("target").join("deb");
    let words = ["--package", "sluis", "--no-build", "--locked", "--output"];
    eprintln!("$ cargo-deb {} {}", words.join(" "), output.display());
    let status = Command::new(cargo_deb)
        .args(words)
        .arg(&output)
        .env("SOURCE_DATE_EPOCH", stamp)
        .current_dir(root)
        .status()
        .context("cannot start cargo-deb")?;
    Ok(status.success())
}

fn command(folder: &Path, program: &str, words: &[&str]) -> anyhow::Result<bool> {
    eprintln!("$ {program} {}", words.join(" "));
    let status = Command::new(program).args(words).current_dir(folder).status();
    Ok(status.with_context(|| format!("cannot start '{program}'"))?.success())
}

/// What git says of the newest commit: packages of one commit are the same, whenever they are built.
fn said(root: &Path, format: &str) -> anyhow::Result<String> {
    let words = ["log", "-1", &format!("--format={format}")];
    let output = Command::new("git").args(words).current_dir(root).stdin(Stdio::null()).output().context("cannot start git")?;
    ensure!(output.status.success(), "git log: {}", String::from_utf8_lossy(&output.stderr).trim());
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn read(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| path.display().to_string())
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| path.display().to_string())
}

/// The machine-readable copyright file of Debian (copyright-format 1.0).
fn copyright(licence: &str) -> String {
    let body: String = licence
        .lines()
        .map(|line| if line.trim().is_empty() { " .\n".to_owned() } else { format!(" {}\n", line.trim_end()) })
        .collect();
    format!(
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/
Upstream-Name: Sluis
Comment: The program is linked with libraries of others. Their names, versions and licences, with the texts, are in
 /usr/share/doc/sluis/LICENCES-OF-LIBRARIES.gz.

Files: *
Copyright: the contributors to Sluis
License: EUPL-1.2

License: EUPL-1.2
{body}"
    )
}

/// The changelog of the packaging: one package a release, so it points at the one of the program.
fn changelog(version: &str, date: &str) -> String {
    format!(
        "sluis ({version}-1) unstable; urgency=medium

  * What has changed for users: /usr/share/doc/sluis/changelog.gz.

 -- The Sluis project <maintainers@sluis.example>  {date}
"
    )
}

/// The folder of an unpacked crate, from the path of its manifest.
fn folder_of(manifest: &str) -> PathBuf {
    Path::new(manifest).parent().map(Path::to_path_buf).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_of_the_licence_ends_the_field_it_stands_in() {
        let text = copyright("EUPL\n\n  1. Definitions\n");
        assert!(text.ends_with("License: EUPL-1.2\n EUPL\n .\n   1. Definitions\n"), "{text}");
    }

    #[test]
    fn the_package_lists_what_is_made_here() {
        let manifest = include_str!("../../crates/sluis/Cargo.toml");
        for part in ["copyright", "changelog", "changelog.debian", "LICENCES-OF-LIBRARIES.gz", "man/*.1", "completions/_sluis"] {
            assert!(manifest.contains(&format!("\"../../{PARTS}/{part}\"")), "{part}");
        }
    }
}
