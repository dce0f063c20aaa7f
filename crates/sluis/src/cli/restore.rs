//! `sluis restore`: a node from a backup, what it lacks, and what is read again; and a person's word that it may send.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use desk::restore::{self, Again, Plan};
use serde::Serialize;

use super::Globals;
use crate::acts::{self, Act, By};
use crate::output::words::{age, count, counted, size};
use crate::output::{Screen, Style, json};
use crate::serve::config::Config;

/// Identifiers that are listed.
const LISTED: usize = 20;

/// Make a data directory of a backup, and read again what came since
#[derive(clap::Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "Examples:
  sluis restore /mnt/backup --keys /mnt/keys --data /var/lib/sluis
  sluis restore /mnt/backup --keys /mnt/keys --data /var/lib/sluis --again-from /var/mail/archive
  sluis restore confirm                                a person has looked: letters may go again

The data directory is empty or not there. The watched maildirs of the settings are looked through again, and the folders
that --again-from names: what is known is counted, and not reported again. Letters and restrictions are held until
'sluis restore confirm', since they may have gone out in the time that is missing.

Exit codes: 0 restored, nothing is missing that was in the backup; 3 restored, and something is missing; 1 not restored;
2 the command line was wrong."
)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// A backup, or a folder of backups: then the newest
    #[arg(value_name = "DIR", required = true)]
    from: Option<PathBuf>,
    /// The folder of the keys; without them raw submissions cannot be read
    #[arg(long, value_name = "DIR")]
    keys: Option<PathBuf>,
    /// A folder, or a maildir, that has what came since. May be given more than once
    #[arg(long, value_name = "DIR")]
    again_from: Vec<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(clap::Subcommand)]
enum Command {
    Confirm(Confirm),
}

/// Say that a restored node has been looked at: what is decided from now on may go
#[derive(clap::Args)]
struct Confirm {
    /// Let go what was held until now, too
    #[arg(long, conflicts_with = "withdraw")]
    release: bool,
    /// Withdraw what was held until now: it has gone out before
    #[arg(long)]
    withdraw: bool,
    #[command(flatten)]
    by: By,
}

#[derive(Serialize)]
struct View {
    backup: String,
    missing_from: String,
    missing_until: String,
    submissions: i64,
    cases: i64,
    bytes: u64,
    seconds: f64,
    letters_held: u64,
    has_keys: bool,
    erased_since: u64,
    without_key: usize,
    without_file: usize,
    first_without: Vec<String>,
    settings: Option<String>,
    read_again: Vec<FolderView>,
}

#[derive(Serialize)]
struct FolderView {
    folder: String,
    files: u64,
    new: u64,
    trouble: Option<String>,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    if let Some(Command::Confirm(confirm)) = &args.command {
        return run_confirm(confirm, globals);
    }
    let Some(from) = &args.from else { bail!("name the backup") };
    let begun = Instant::now();
    let data = globals.data()?;
    let plan = Plan { from, keys: args.keys.as_deref(), data: &data.directory, engine: data.engine() };
    let restored = restore::restore(&plan, globals.clock())?;
    let mut folders = Vec::new();
    // The settings that came with it, unless others were named.
    let config = Config::load(globals.config.as_deref(), &data.directory).context("the settings of the restored node")?;
    let since = restore::since(restored.taken);
    let maildirs = config.intake.maildirs.iter().map(|folder| (folder.as_path(), Some(since)));
    let named = args.again_from.iter().map(|folder| (folder.as_path(), None));
    let desk = data.desk(globals.clock(), config.readers()?)?;
    for (folder, since) in maildirs.chain(named) {
        let again = desk.take_again(folder, since);
        folders.push(folder_view(folder, again));
    }
    drop(desk);
    let lost = &restored.lost;
    let view = View {
        backup: restored.folder.display().to_string(),
        missing_from: restored.taken.to_string(),
        missing_until: restored.now.to_string(),
        submissions: restored.submissions,
        cases: restored.cases,
        bytes: restored.bytes,
        seconds: begun.elapsed().as_secs_f64(),
        letters_held: restored.held,
        has_keys: restored.has_keys,
        erased_since: restored.erased_since,
        without_key: lost.keyless.len(),
        without_file: lost.fileless.len(),
        first_without: restore::first(&lost.keyless, LISTED).into_iter().chain(restore::first(&lost.fileless, LISTED)).collect(),
        settings: restored.settings.as_ref().map(|folder| folder.display().to_string()),
        read_again: folders,
    };
    let is_whole = restored.has_keys && view.first_without.is_empty() && view.read_again.iter().all(|one| one.trouble.is_none());
    let code = if is_whole { 0 } else { 3 };
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &view)?;
    } else {
        draw(&mut screen, &view, &age(restored.taken, restored.now))?;
    }
    super::done(screen, code)
}

fn folder_view(folder: &Path, again: Result<Again, desk::Error>) -> FolderView {
    let (counted, trouble) = match again {
        Ok(again) => (again, None),
        Err(error) => (Again::default(), Some(error.to_string())),
    };
    FolderView { folder: folder.display().to_string(), files: counted.files, new: counted.new, trouble }
}

fn draw(screen: &mut Screen, view: &View, gap: &str) -> Result<()> {
    screen.line(format_args!("restored from {} in {:.0} s", view.backup, view.seconds))?;
    screen.facts(&[
        ("has", format!("{}, {}", counted(view.submissions, "submission"), counted(view.cases, "case"))),
        ("size", size(view.bytes)),
        ("missing", format!("what was done from {} until {} ({gap})", view.missing_from, view.missing_until)),
        ("held", format!("{}, until 'sluis restore confirm'", counted(view.letters_held, "letter"))),
    ])?;
    screen.line("steps, notes, decisions and imports of that time are gone: import the administration again, and look at what people remember")?;
    screen.line("what 'sluis forget' took out of rows since then is in them again: say it once more")?;
    if view.erased_since > 0 {
        let erasures = counted(view.erased_since, "erasure");
        let text =
            format!("{erasures} came after the backup: what they took out of the seal stays unreadable, the keys are gone");
        screen.line(text)?;
    }
    if !view.has_keys {
        alarm(
            screen,
            "no keys were named (--keys DIR): no raw submission of before can be read, and what comes again is taken for new",
        )?;
    }
    if view.without_key > 0 {
        alarm(screen, &format!("{} cannot be read: their keys are not there", counted(view.without_key as u64, "submission")))?;
    }
    if view.without_file > 0 {
        alarm(screen, &format!("{} cannot be read: their files are not there", counted(view.without_file as u64, "submission")))?;
    }
    for public in &view.first_without {
        screen.line(format_args!("  {public}"))?;
    }
    if let Some(settings) = &view.settings {
        screen.line(format_args!("settings that lay elsewhere are in {settings}: put them back where they were"))?;
    }
    for folder in &view.read_again {
        let name = crate::output::clean(&folder.folder);
        match &folder.trouble {
            None => {
                screen.line(format_args!("{name}: {} looked at, {} new", counted(folder.files, "file"), count(folder.new)))?
            }
            Some(trouble) => alarm(screen, &format!("{name}: not read again: {}", crate::output::clean(trouble)))?,
        }
    }
    Ok(())
}

fn alarm(screen: &mut Screen, text: &str) -> Result<()> {
    let text = screen.paint(Style::Alarm, text);
    Ok(screen.line(text)?)
}

fn run_confirm(args: &Confirm, globals: &Globals) -> Result<u8> {
    let act = Act::ConfirmRestore { release: args.release, withdraw: args.withdraw, by: args.by.name()? };
    let outcome = acts::ask(globals, &act)?;
    let held = outcome.get("held").and_then(serde_json::Value::as_u64).unwrap_or(0);
    let mut screen = Screen::new();
    screen.line("what is decided from now on may go")?;
    if held > 0 {
        let became = match (args.release, args.withdraw) {
            (true, _) => "were let go",
            (_, true) => "were withdrawn",
            _ => "stay held: look at each in the outbox, or say 'sluis restore confirm' with --release or --withdraw",
        };
        screen.line(format_args!("{} {became}", counted(held, "letter")))?;
    }
    super::done(screen, 0)
}
