//! The one command that passes all tests: each step announced, the first failure ends the run and says what to do.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::Context;

use crate::prerequisites::{self, Manner};
use crate::tidy;

/// One command of the suite.
struct Step {
    title: &'static str,
    program: String,
    words: Vec<String>,
    environment: &'static [(&'static str, &'static str)],
    /// What to do when it fails.
    advice: &'static str,
}

/// Runs everything, cheapest first; whether all of it passed.
///
/// # Errors
/// When prerequisites are missing or a command cannot be started.
pub fn run(root: &Path) -> anyhow::Result<bool> {
    let begun = Instant::now();
    let manner = Manner::of_surroundings();
    eprintln!("== prerequisites");
    let tools = prerequisites::ensure(root, manner)?;

    eprintln!("\n== house rules\n$ cargo xtask tidy");
    if !tidy::run(root, &mut std::io::stderr().lock())? {
        eprintln!("\nFAILED: house rules. Each line above says what to change.");
        return Ok(false);
    }
    for step in steps(root, tools.cargo_deny.as_deref()) {
        if !step.run(root)? {
            return Ok(false);
        }
    }
    let seconds = begun.elapsed().as_secs();
    if tools.cargo_deny.is_none() {
        eprintln!("\nPASSED OVER: licences, bans and sources, because cargo-deny could not be had. CI will not pass over it.");
    }
    eprintln!("\nAll that was run has passed, in {} min {} s.", seconds / 60, seconds % 60);
    Ok(true)
}

fn steps(root: &Path, cargo_deny: Option<&Path>) -> Vec<Step> {
    let cargo = |title, words: &[&str], environment, advice| Step {
        title,
        program: "cargo".to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        environment,
        advice,
    };
    let mut steps = vec![cargo("format", &["fmt", "--all", "--check"], &[], "Run `cargo fmt --all`.")];
    if let Some(program) = cargo_deny {
        steps.push(Step {
            title: "licences, bans and sources of dependencies",
            program: program.to_string_lossy().into_owned(),
            words: ["--locked", "check", "--hide-inclusion-graph", "bans", "licenses", "sources"].map(str::to_owned).to_vec(),
            environment: &[],
            advice: "A new licence, a banned crate or a new source is a decision: docs/decisions first, then deny.toml.",
        });
    }
    steps.extend([
        cargo(
            "lints",
            &["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"],
            &[],
            "Mend the code; an `#[expect]` needs its reason.",
        ),
        cargo(
            "documentation",
            &["doc", "--workspace", "--no-deps", "--document-private-items", "--locked"],
            &[("RUSTDOCFLAGS", "-D warnings")],
            "Mend the link or the comment named above.",
        ),
        cargo(
            "tests",
            &["test", "--workspace", "--locked"],
            &[],
            "Run the failing test alone with `cargo test -p CRATE NAME`; it names its input.",
        ),
    ]);
    let target = prerequisites::target_folder(root).to_string_lossy().into_owned();
    for manifest in fuzz_manifests(root) {
        let manifest = manifest.to_string_lossy().into_owned();
        steps.push(Step {
            title: "fuzz targets compile",
            program: "cargo".to_owned(),
            words: ["check", "--locked", "--manifest-path", &manifest, "--target-dir", &target].map(str::to_owned).to_vec(),
            environment: &[],
            advice: "The fuzz crate calls something that has changed; its Cargo.lock must be committed too.",
        });
    }
    steps
}

/// Fuzz crates stand outside the workspace, because they need flags of their own.
pub(crate) fn fuzz_manifests(root: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(root.join("crates"))
        .into_iter()
        .flatten()
        .flatten()
        .map(|room| room.path())
        .chain([root.to_path_buf()])
        .map(|folder| folder.join("fuzz").join("Cargo.toml"))
        .filter(|manifest| manifest.is_file())
        .collect();
    found.sort();
    found
}

impl Step {
    fn run(&self, root: &Path) -> anyhow::Result<bool> {
        let environment: String = self.environment.iter().map(|(name, value)| format!("{name}='{value}' ")).collect();
        eprintln!("\n== {}\n$ {environment}{} {}", self.title, self.program, self.words.join(" "));
        let status = Command::new(&self.program)
            .args(&self.words)
            .envs(self.environment.iter().copied())
            .current_dir(root)
            .status()
            .with_context(|| format!("cannot start '{}'", self.program))?;
        if !status.success() {
            eprintln!("\nFAILED: {} ({status}). {}", self.title, self.advice);
        }
        Ok(status.success())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cargo_step_that_takes_a_lock_is_locked() {
        for step in steps(&crate::root(), Some(Path::new("cargo-deny"))) {
            let takes_lock = step.words.first().is_none_or(|word| word != "fmt");
            assert_eq!(step.words.iter().any(|word| word == "--locked"), takes_lock, "{}", step.title);
            assert!(step.advice.ends_with('.'), "{}", step.title);
        }
    }

    #[test]
    fn licences_are_a_step_only_with_the_tool() {
        let titles = |tool| steps(&crate::root(), tool).iter().filter(|step| step.title.starts_with("licences")).count();
        assert_eq!(titles(Some(Path::new("cargo-deny"))), 1);
        assert_eq!(titles(None), 0);
    }
}
