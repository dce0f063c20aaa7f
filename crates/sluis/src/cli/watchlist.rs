//! `sluis watchlist`: a confidential list, and who finds what on it, by files. Each role has its file here.

mod desk;
mod enrol;
mod evaluate;
mod holder;
mod key;
mod leaks;
mod provider;
mod publish;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use super::Globals;

/// Compare customers with a confidential list, by files: nobody learns the other's, and only the provider its hits
#[derive(clap::Subcommand)]
#[command(after_help = "Examples:
  sluis watchlist key officer officer-1.key --name 'Officer 1'   a key, and beside it its public half with the fingerprint
  sluis watchlist fingerprint officer-1.key.pub                  what people read to each other before they trust a key
  sluis watchlist match --dir lijst --csv klanten.csv            a provider looks its customers up, alone
  sluis watchlist leaks --lang nl                                what each party learns, and what leaks")]
pub(crate) enum Command {
    Key(key::Key),
    Fingerprint(key::Fingerprint),
    New(holder::New),
    Add(holder::Add),
    Import(holder::Import),
    Review(holder::Review),
    Publish(publish::Publish),
    Sign(publish::Sign),
    Diff(publish::Diff),
    Withdraw(holder::Withdraw),
    Take(publish::Take),
    Replace(holder::Replace),
    Match(provider::Match),
    Hits(provider::Shown),
    Decide(provider::Decided),
    Ask(provider::Asked),
    Leaks(leaks::Leaks),
    #[command(subcommand)]
    Desk(desk::Command),
    Answer(desk::Answer),
    Suspend(desk::Suspend),
    #[command(subcommand)]
    Listed(desk::Listed),
    Enrol(enrol::Enrol),
    Leave(enrol::Leave),
    #[command(subcommand)]
    Evaluator(evaluate::Command),
    Evaluate(evaluate::Evaluate),
    Audit(evaluate::Audit),
    Join(enrol::Join),
}

/// Runs one of them.
pub(crate) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    match command {
        Command::Key(args) => key::create(args, globals),
        Command::Fingerprint(args) => key::fingerprint(args),
        Command::New(args) => holder::new(args),
        Command::Add(args) => holder::add(args, globals),
        Command::Import(args) => holder::import(args, globals),
        Command::Review(args) => holder::review(args, globals),
        Command::Publish(args) => publish::publish(args, globals),
        Command::Sign(args) => publish::sign(args, globals),
        Command::Diff(args) => publish::diff(args, globals),
        Command::Withdraw(args) => holder::withdraw(args, globals),
        Command::Take(args) => publish::take(args, globals),
        Command::Replace(args) => holder::replace(args, globals),
        Command::Match(args) => provider::run(args, globals),
        Command::Hits(args) => provider::hits(args, globals),
        Command::Decide(args) => provider::decided(args, globals),
        Command::Ask(args) => provider::asked(args, globals),
        Command::Leaks(args) => leaks::run(args),
        Command::Desk(command) => desk::run(command, globals),
        Command::Answer(args) => desk::answer(args, globals),
        Command::Suspend(args) => desk::suspend(args, globals),
        Command::Listed(command) => desk::listed(command, globals),
        Command::Enrol(args) => enrol::enrol(args, globals),
        Command::Leave(args) => enrol::leave(args, globals),
        Command::Evaluator(command) => evaluate::run(command, globals),
        Command::Evaluate(args) => evaluate::evaluate(args, globals),
        Command::Audit(args) => evaluate::audit(args),
        Command::Join(args) => enrol::join(args, globals),
    }
}

/// How a key is protected.
#[derive(clap::Args)]
pub(crate) struct Passphrase {
    /// A file whose first line is the passphrase of the key
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl Passphrase {
    /// The passphrase, if a file with one was given.
    pub(crate) fn read(&self) -> Result<Option<String>> {
        self.passphrase_file.as_deref().map(first_line).transpose()
    }
}

fn first_line(path: &Path) -> Result<String> {
    let text = watchlist::files::read(path, 4096).context("the passphrase cannot be read")?;
    match std::str::from_utf8(&text).ok().and_then(|text| text.lines().next()) {
        Some(line) if !line.is_empty() => Ok(line.to_owned()),
        _ => bail!("{} has no passphrase in its first line", path.display()),
    }
}
