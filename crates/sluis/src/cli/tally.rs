//! `sluis tally`: counts of a sector that expose nobody, by files. The association makes the task, providers report, two aggregators and a
//! collector make the total, and anybody can check it.

mod aggregate;
mod plan;
mod report;
mod show;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::Serialize;
use watchlist::files;
use watchlist::keys::{Public, Role as KeyRole, hex};
use watchlist::tally::{Held, Home, MOST_FILE};

use super::Globals;
use super::watchlist::Passphrase;
use crate::output::{Screen, clean, json};

/// Count over a sector without exposing anybody: shares to two aggregators, noise, and a total that anybody can check
#[derive(clap::Subcommand)]
#[command(after_help = "Examples:
  sluis tally key --dir leader --for helper.pub                      the leader draws the key of verification
  sluis tally task --dir association task.toml                       the association describes the tally
  sluis tally join --dir leader task.slu --author association.pub    each role looks at it and signs
  sluis tally report --dir provider --hits                           a provider's two files
  sluis tally accept --dir leader share.slu                          an aggregator's receipts
  sluis tally set --dir leader                                       what both hold, shown for seven days
  sluis tally prepare --dir leader                                   the proof of each contribution
  sluis tally release --dir leader                                   an aggregator's share of the total
  sluis tally collect --dir collector one.slu two.slu                the total
  sluis tally show task.slu total.slu --html total.html              what it says, checked

Keys: sluis watchlist key ROLE DIR/identity.key")]
pub(crate) enum Command {
    Key(aggregate::Key),
    Task(plan::Args),
    Join(Join),
    Report(report::Report),
    Receipt(report::Receipt),
    Consent(report::Consent),
    Accept(aggregate::Accept),
    Set(aggregate::Set),
    Prepare(aggregate::Prepare),
    Release(aggregate::Release),
    Collect(show::Collect),
    Show(show::Show),
}

/// Runs one of them.
pub(crate) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    match command {
        Command::Key(args) => aggregate::key(args, globals),
        Command::Task(args) => plan::run(args, globals),
        Command::Join(args) => join(args, globals),
        Command::Report(args) => report::report(args, globals),
        Command::Receipt(args) => report::receipt(args, globals),
        Command::Consent(args) => report::consent(args, globals),
        Command::Accept(args) => aggregate::accept(args, globals),
        Command::Set(args) => aggregate::set(args, globals),
        Command::Prepare(args) => aggregate::prepare(args, globals),
        Command::Release(args) => aggregate::release(args, globals),
        Command::Collect(args) => show::collect(args, globals),
        Command::Show(args) => show::show(args),
    }
}

/// Take a task in, and sign it where it names this directory's role
#[derive(clap::Args)]
pub(crate) struct Join {
    /// The task's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The association's public key, the fingerprint of which you have checked
    #[arg(long, value_name = "FILE")]
    author: PathBuf,
    #[command(flatten)]
    party: Party,
}

/// In whose directory.
#[derive(clap::Args)]
struct Party {
    /// This party's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

impl Party {
    fn open(&self) -> Result<Home> {
        let passphrase = self.passphrase.read()?;
        Home::of(&self.dir, passphrase.as_deref()).with_context(|| {
            format!(
                "the directory {0} cannot be used; make its key with 'sluis watchlist key ROLE {0}/identity.key'",
                self.dir.display()
            )
        })
    }

    /// Writes a file to hand on, into `outbox`.
    fn hand(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let folder = self.dir.join("outbox");
        files::directory(&folder)?;
        let path = folder.join(name);
        files::write(&path, bytes)?;
        Ok(path)
    }
}

/// Which task, where a directory has several.
#[derive(clap::Args)]
struct Which {
    /// The task, by the first letters of its name; not needed when there is one
    #[arg(long, value_name = "TASK")]
    task: Option<String>,
}

fn input(path: &Path) -> Result<Vec<u8>> {
    Ok(files::read(path, MOST_FILE)?)
}

fn now(globals: &Globals) -> i64 {
    globals.clock().now().0
}

fn short(held: &Held) -> String {
    hex(&held.id[..4])
}

/// What was made, and what to do with it.
#[derive(Serialize)]
struct Made {
    task: String,
    files: Vec<Hand>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
}

/// A file and whom it is for.
#[derive(Serialize)]
struct Hand {
    to: String,
    file: PathBuf,
}

impl Made {
    fn of(held: &Held) -> Made {
        Made { task: hex(&held.id), files: Vec::new(), notes: Vec::new() }
    }

    fn file(mut self, to: impl Into<String>, file: PathBuf) -> Made {
        self.files.push(Hand { to: to.into(), file });
        self
    }

    fn note(mut self, note: impl Into<String>) -> Made {
        self.notes.push(note.into());
        self
    }

    fn tell(&self, party: &Party) -> Result<u8> {
        let mut screen = Screen::new();
        if party.json {
            json::line(&mut screen, self)?;
            return super::done(screen, 0);
        }
        for hand in &self.files {
            screen.line(format_args!("{}  for {}", hand.file.display(), clean(&hand.to)))?;
        }
        for note in &self.notes {
            screen.line(clean(note))?;
        }
        super::done(screen, 0)
    }
}

fn public(path: &Path, role: KeyRole) -> Result<Public> {
    Public::open(path, role).with_context(|| path.display().to_string())
}

fn join(args: &Join, globals: &Globals) -> Result<u8> {
    let home = args.party.open()?;
    let author = public(&args.author, KeyRole::Association)?;
    let held = home.join(&input(&args.file)?, &author.key, now(globals))?;
    let (task, mut made) = (&held.task, Made::of(&held));
    if home.identity.public.role != KeyRole::Provider {
        let path = args.party.hand(&format!("task-{}.slu", short(&held)), &held.file())?;
        made = made.file("the other roles, then the members of the cohort and nobody else", path);
        let path = args.party.hand(&format!("task-{}-public.slu", short(&held)), &held.public_file())?;
        made = made.file("everybody", path);
    }
    made = made.note(format!("{} / {}", task.question.nl, task.question.en));
    made = made.note(format!(
        "period {}, at least {} independent providers, epsilon {} a period",
        task.period.name,
        task.floor,
        task.epsilon()
    ));
    for (role, party) in [("leader", &task.leader), ("helper", &task.helper), ("collector", &task.collector)] {
        let police = if party.police { ", police" } else { "" };
        let print = watchlist::tally::fingerprint(&party.signing);
        made = made.note(format!("{role}: {} ({}{police})  {print}", party.name, party.entity));
    }
    for role in held.unsigned() {
        made = made.note(format!("the {} has not signed it yet", role.name()));
    }
    made.tell(&args.party)
}
