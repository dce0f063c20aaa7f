//! `sluis backup`: a copy of everything a node is, and whether a copy is whole.

use std::path::PathBuf;

use anyhow::{Result, bail};
use desk::backup::{self, Plan};
use serde::Serialize;

use super::Globals;
use crate::output::words::{count, counted, size};
use crate::output::{Screen, Style, json};
use crate::serve::config::Config;

/// Copy everything a node is, while it goes on working
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  sluis backup /mnt/backup --keys /mnt/keys            tonight's copy; the keys go to a place of their own
  sluis backup /mnt/backup --keys /mnt/keys --keep 14  and the oldest beyond fourteen go
  sluis backup check /mnt/backup --keys /mnt/keys      whether the newest one is whole

A backup has the database, raw submissions, the spool and the settings. What the one before has already is shared with
it. The folder of the keys has the newest keys only: they open every older backup, and what is erased on the node is
erased in all backups from the next one on. Backups hold personal data; encrypt the disk that they are on.

Exit codes: 0 it is there, or whole; 1 it is not; 2 the command line was wrong."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The folder of backups; it gets a folder for each
    #[arg(value_name = "DIR", required = true)]
    to: Option<PathBuf>,
    /// The folder of the keys: on another disk, looked after by others. Without it the keys are left out
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// The folder of the keys may lie in the folder of backups. Whoever has the backup can read everything then
    #[arg(long, requires = "keys")]
    keys_beside: bool,
    /// How many backups stay
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    Check(Check),
}

/// Look whether every file of a backup is what it was, the database is whole, and the keys fit
#[derive(clap::Args)]
struct Check {
    /// A backup, or a folder of backups: then the newest
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The folder of the keys
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct TakenView {
    folder: String,
    taken: String,
    engine: String,
    schema: i64,
    submissions: i64,
    cases: i64,
    files: usize,
    bytes: u64,
    shared: u64,
    missing: u64,
    removed: u32,
    keys: String,
}

#[derive(Serialize)]
struct CheckView {
    folder: String,
    taken: String,
    files: usize,
    bytes: u64,
    wrong: Vec<String>,
    without_key: Option<u64>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    if let Some(Command::Check(check)) = &args.command {
        return run_check(check);
    }
    let Some(to) = &args.to else { bail!("name the folder of backups") };
    let data = globals.data()?;
    let settings = Config::files(globals.config.as_deref(), &data.directory)?;
    let plan = Plan {
        data: &data.directory,
        engine: data.engine(),
        to,
        keys: args.keys.as_deref(),
        beside: args.keys_beside,
        settings: &settings,
        most: args.keep,
        now: globals.clock().now(),
    };
    let taken = backup::take(&plan)?;
    let manifest = &taken.manifest;
    let mut screen = Screen::new();
    if args.json {
        json::line(
            &mut screen,
            &TakenView {
                folder: taken.folder.display().to_string(),
                taken: manifest.taken.to_string(),
                engine: manifest.engine.clone(),
                schema: manifest.schema,
                submissions: manifest.submissions,
                cases: manifest.cases,
                files: manifest.files.len(),
                bytes: manifest.bytes(),
                shared: taken.shared,
                missing: taken.missing,
                removed: taken.removed,
                keys: manifest.keys.clone(),
            },
        )?;
        return super::done(screen, 0);
    }
    screen.line(format_args!("{}", taken.folder.display()))?;
    screen.facts(&[
        ("has", format!("{}, {}", counted(manifest.submissions, "submission"), counted(manifest.cases, "case"))),
        ("size", format!("{} in {}", size(manifest.bytes()), counted(manifest.files.len() as u64, "file"))),
        ("shared", format!("{} with the one before", count(taken.shared))),
    ])?;
    if taken.missing > 0 {
        let text = format!("{} had a row and no file: erased meanwhile, or lost", counted(taken.missing, "raw submission"));
        let text = screen.paint(Style::Alarm, &text);
        screen.line(text)?;
    }
    if taken.removed > 0 {
        screen.line(format_args!(
            "{} went, for there are {} newer ones",
            counted(taken.removed, "backup"),
            args.keep.unwrap_or(0)
        ))?;
    }
    if manifest.keys == "none" {
        let text =
            "the keys are not in it: without them the raw submissions cannot be read; name a place for them with --keys DIR";
        let text = screen.paint(Style::Alarm, text);
        screen.line(text)?;
    }
    super::done(screen, 0)
}

fn run_check(args: &Check) -> Result<u8> {
    let checked = backup::check(&args.folder, args.keys.as_deref())?;
    let keyless = checked.keyless.unwrap_or(0);
    let code = u8::from(!checked.wrong.is_empty() || keyless > 0);
    let manifest = &checked.manifest;
    let mut screen = Screen::new();
    if args.json {
        json::line(
            &mut screen,
            &CheckView {
                folder: checked.folder.display().to_string(),
                taken: manifest.taken.to_string(),
                files: manifest.files.len(),
                bytes: manifest.bytes(),
                wrong: checked.wrong,
                without_key: checked.keyless,
            },
        )?;
        return super::done(screen, code);
    }
    screen.line(format_args!("{}, taken {}", checked.folder.display(), manifest.taken))?;
    screen.line(format_args!("{}, {}", counted(manifest.files.len() as u64, "file"), size(manifest.bytes())))?;
    for wrong in &checked.wrong {
        let text = screen.paint(Style::Alarm, &crate::output::clean(wrong));
        screen.line(text)?;
    }
    if keyless > 0 {
        let text = format!("{} cannot be read by these keys", counted(keyless, "submission"));
        let text = screen.paint(Style::Alarm, &text);
        screen.line(text)?;
    }
    if code == 0 {
        screen.line(if checked.keyless.is_some() {
            "it is whole, and the keys fit"
        } else {
            "it is whole; the keys were not looked at (--keys DIR)"
        })?;
    }
    super::done(screen, code)
}
