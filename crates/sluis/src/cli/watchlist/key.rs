//! `sluis watchlist key` and `fingerprint`: who somebody is in an exchange of files.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use watchlist::keys::{self, Role};

use super::{Globals, Passphrase};
use crate::cli::done;
use crate::output::{Screen, clean};

/// Make a key: the secret in FILE, its public half in FILE.pub
#[derive(clap::Args)]
pub(crate) struct Key {
    /// What it is for: officer, log, evaluator, provider, desk, leader, helper, collector or association
    #[arg(value_name = "ROLE", value_parser = role)]
    role: Role,
    /// Where the secret goes; nothing is written over
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What its owner calls itself
    #[arg(long, value_name = "NAME")]
    name: String,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Show the fingerprint of a public key, to be read aloud
#[derive(clap::Args)]
pub(crate) struct Fingerprint {
    /// A public key (.pub)
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
}

fn role(text: &str) -> Result<Role, String> {
    Role::of(text).ok_or_else(|| {
        let all: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
        format!("not a role: it is one of {}", all.join(", "))
    })
}

pub(super) fn create(args: &Key, _globals: &Globals) -> Result<u8> {
    if args.name.trim().is_empty() {
        bail!("a key needs a name that its owner is known by");
    }
    let passphrase = args.passphrase.read()?;
    let made = keys::create(&args.file, args.role, &args.name, passphrase.as_deref(), &mut watchlist::chance::system())
        .context("no key was made")?;
    let mut screen = Screen::new();
    writeln!(screen, "{}", made.public.fingerprint())?;
    writeln!(
        screen,
        "The secret is in {}: keep it. Give {} to others, and read them the fingerprint.",
        args.file.display(),
        keys::public_path(&args.file).display()
    )?;
    if passphrase.is_none() {
        writeln!(screen, "It has no passphrase: whoever copies the file is you.")?;
    }
    done(screen, 0)
}

pub(super) fn fingerprint(args: &Fingerprint) -> Result<u8> {
    let mut screen = Screen::new();
    for file in &args.files {
        let bytes = watchlist::files::read(file, 8192)?;
        let text = std::str::from_utf8(&bytes).context("this is no public key")?;
        let public = keys::Public::parse(text).with_context(|| file.display().to_string())?;
        writeln!(screen, "{}  {}  {}", public.fingerprint(), public.role, clean(&public.name))?;
    }
    done(screen, 0)
}
