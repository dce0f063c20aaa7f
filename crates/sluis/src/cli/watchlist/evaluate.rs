//! `sluis watchlist evaluator`, `evaluate` and `audit`: a machine with the keys of an epoch and no list, which answers query files.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use watchlist::evaluator::{Evaluated, Evaluator};
use watchlist::files;
use watchlist::keys::{Public, Role};

use super::{Globals, Passphrase};
use crate::cli::done;
use crate::output::{Screen, Style, Table, clean, json};

/// The most bytes of a file that is taken in: 4 GiB.
pub(super) const MOST: u64 = 4 << 30;

/// Set up an evaluator: a directory with the keys of an epoch and nothing of the list
#[derive(clap::Subcommand)]
#[command(after_help = "Examples:
  sluis watchlist evaluator new --dir DIR --name 'Evaluator' --officer one.key.pub --officer two.key.pub   a directory with a key of its own
  sluis watchlist evaluator epoch --dir DIR --manifest FILE --keys FILE                                  the keys of a new epoch")]
pub(crate) enum Command {
    New(New),
    Epoch(Epoch),
}

/// Make an evaluator's directory, with a key of its own
#[derive(clap::Args)]
pub(crate) struct New {
    /// The directory, made when it is not there
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// What it is called
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The public key of an officer of the list; give at least two
    #[arg(long, value_name = "FILE", required = true)]
    officer: Vec<PathBuf>,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Take in the keys of an epoch
#[derive(clap::Args)]
pub(crate) struct Epoch {
    /// The evaluator's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The manifest, signed by two officers: the list holder's file of the epoch. Nothing else of it is kept
    #[arg(long, value_name = "FILE")]
    manifest: PathBuf,
    /// The parcel with the keys, which only this evaluator can open
    #[arg(long, value_name = "FILE")]
    keys: PathBuf,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Answer query files, and take in enrolments and leavings
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist evaluate query-E1-P0.slu --dir DIR --out answers   an answer file for the provider
  sluis watchlist evaluate enrolment.slu --dir DIR --out answers     from now on that provider is answered")]
pub(crate) struct Evaluate {
    /// Query files, enrolments, leavings, in any order
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The evaluator's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Where the answers go
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// One JSON object a file
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Show how much each provider asked, and nothing else: nothing else is known here
#[derive(clap::Args)]
pub(crate) struct Audit {
    /// The evaluator's directory
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    match command {
        Command::New(args) => new(args),
        Command::Epoch(args) => epoch(args, globals),
    }
}

fn new(args: &New) -> Result<u8> {
    let officers = args
        .officer
        .iter()
        .map(|file| Public::open(file, Role::Officer).with_context(|| file.display().to_string()))
        .collect::<Result<Vec<_>>>()?;
    let passphrase = args.passphrase.read()?;
    let made = Evaluator::create(&args.dir, &args.name, &officers, passphrase.as_deref(), &mut watchlist::chance::system())?;
    let mut screen = Screen::new();
    writeln!(screen, "{}", made.public().fingerprint())?;
    writeln!(
        screen,
        "This is the evaluator's fingerprint. Give {} to the list holder, and read it to them.",
        args.dir.join("identity.key.pub").display()
    )?;
    for officer in &officers {
        writeln!(screen, "It trusts the officer {}  {}", officer.fingerprint(), clean(&officer.name))?;
    }
    if passphrase.is_none() {
        writeln!(screen, "Its key has no passphrase: whoever copies the directory can evaluate.")?;
    }
    done(screen, 0)
}

fn epoch(args: &Epoch, globals: &Globals) -> Result<u8> {
    let mut evaluator = open(&args.dir, &args.passphrase)?;
    let manifest = files::read(&args.manifest, MOST)?;
    let parcel = files::read(&args.keys, 4_096)?;
    let taken = evaluator.take_epoch(&manifest, &parcel, globals.clock().now().0)?;
    let mut screen = Screen::new();
    writeln!(
        screen,
        "Epoch {} is open until {}. Remove {}: it is not needed any more.",
        taken.epoch,
        day(taken.not_after),
        args.keys.display()
    )?;
    done(screen, 0)
}

/// What became of a file, for programs.
#[derive(Serialize)]
struct View {
    file: String,
    answer: Option<String>,
    evaluated: usize,
    repeated: usize,
    errors: Vec<ErrorView>,
    refused: Vec<String>,
    papers: Vec<String>,
}

#[derive(Serialize)]
struct ErrorView {
    provider: String,
    batch: u64,
    code: u16,
    advice: &'static str,
}

pub(super) fn evaluate(args: &Evaluate, globals: &Globals) -> Result<u8> {
    let mut evaluator = open(&args.dir, &args.passphrase)?;
    let now = globals.clock().now().0;
    let mut screen = Screen::new();
    let mut code = 0;
    for file in &args.files {
        let bytes = files::read(file, MOST)?;
        let evaluated = evaluator.evaluate(&bytes, now).with_context(|| file.display().to_string())?;
        let answer = answer(&evaluated, file, &args.out)?;
        if !evaluated.refused.is_empty() || !evaluated.errors.is_empty() {
            code = 1;
        }
        let view = view(file, answer.as_deref(), evaluated);
        if args.json {
            json::line(&mut screen, &view)?;
        } else {
            tell(&mut screen, &view)?;
        }
    }
    done(screen, code)
}

/// Writes the answer beside its fellows: `query-…` is answered by `answer-…`.
fn answer(evaluated: &Evaluated, query: &Path, out: &Path) -> Result<Option<PathBuf>> {
    if evaluated.file.is_empty() {
        return Ok(None);
    }
    let name = query.file_name().and_then(|name| name.to_str()).unwrap_or("query.slu");
    let name = name.strip_prefix("query-").unwrap_or(name);
    files::directory(out)?;
    let path = out.join(format!("answer-{name}"));
    files::write(&path, &evaluated.file)?;
    Ok(Some(path))
}

fn view(file: &Path, answer: Option<&Path>, evaluated: Evaluated) -> View {
    let errors = evaluated.errors.into_iter().map(|told| ErrorView {
        provider: told.provider,
        batch: told.seq,
        code: told.code as u16,
        advice: told.code.advice(),
    });
    View {
        file: file.display().to_string(),
        answer: answer.map(|path| path.display().to_string()),
        evaluated: evaluated.fresh,
        repeated: evaluated.again,
        errors: errors.collect(),
        refused: evaluated.refused,
        papers: evaluated.papers,
    }
}

fn tell(screen: &mut Screen, view: &View) -> Result<()> {
    let file = clean(&view.file);
    for paper in &view.papers {
        writeln!(screen, "{file}: {}", clean(paper))?;
    }
    if view.evaluated + view.repeated > 0 {
        write!(screen, "{file}: {} batches evaluated", view.evaluated)?;
        if view.repeated > 0 {
            write!(screen, ", {} answered again without a charge", view.repeated)?;
        }
        writeln!(screen)?;
    }
    for error in &view.errors {
        writeln!(
            screen,
            "{file}: batch {} of {} was not evaluated (error {:02}): {}",
            error.batch, error.provider, error.code, error.advice
        )?;
    }
    for why in &view.refused {
        writeln!(screen, "{file}: not answered: {}", clean(why))?;
    }
    match &view.answer {
        Some(answer) => writeln!(screen, "Give {} to the provider.", clean(answer))?,
        None if view.papers.is_empty() => writeln!(screen, "{file}: there is nothing to answer")?,
        None => {}
    }
    Ok(())
}

pub(super) fn audit(args: &Audit) -> Result<u8> {
    let evaluator = open(&args.dir, &args.passphrase)?;
    let volumes = evaluator.state().audit();
    let mut screen = Screen::new();
    if args.json {
        for volume in volumes {
            json::line(&mut screen, &volume)?;
        }
        return done(screen, 0);
    }
    let mut table =
        Table::new(&screen, &["Provider", "=Fingerprint", ">Epoch", "=Group", ">Batches", ">Elements", ">Quota", ">Left"]);
    for volume in volumes {
        table.row([
            (Style::Plain, volume.provider),
            (Style::Plain, volume.fingerprint),
            (Style::Plain, volume.epoch.to_string()),
            (Style::Plain, volume.group.to_owned()),
            (Style::Plain, volume.batches.to_string()),
            (Style::Plain, volume.elements.to_string()),
            (Style::Plain, volume.quota.to_string()),
            (Style::Plain, volume.left.to_string()),
        ]);
    }
    table.write(&mut screen)?;
    writeln!(screen, "Elements are counted with the dummies: they say nothing of customers, and nothing of hits.")?;
    done(screen, 0)
}

fn open(dir: &Path, passphrase: &Passphrase) -> Result<Evaluator> {
    if !dir.is_dir() {
        bail!("there is no directory {}; make it with 'sluis watchlist evaluator new --dir DIR'", dir.display());
    }
    Ok(Evaluator::open(dir, passphrase.read()?.as_deref())?)
}

/// The day of a time, in UTC.
pub(super) fn day(millis: i64) -> String {
    let text = model::time::Time(millis).to_string();
    text.get(..10).unwrap_or(&text).to_owned()
}
