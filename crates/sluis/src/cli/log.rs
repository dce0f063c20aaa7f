//! `sluis log`: how the tamper-evident log stands, its key, its whole reckoned again, and a copy for others.

mod audit;
pub(crate) mod witness;

mod receipt;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use desk::seal::folder::Folder;
use desk::seal::{folder_of, fsck, start};
use model::time::Time;
use seal::note::{Note, VerifierKey};
use seal::shelf::{File, Shelf};
use seal::tile;
use serde::Serialize;
use serde_json::json;
use store::log::{Checkpoint, Shard};

use super::Globals;
use crate::acts::{self, Act};
use crate::output::words::{age, count, counted, moment};
use crate::output::{Screen, Style, json};

/// Tiles that are copied together.
const TOGETHER: usize = 256;

/// The tamper-evident log: what it holds, its key, and whether it is sound
#[derive(Subcommand)]
#[command(after_help = "Examples:
  sluis log show                     how it stands, and why it cannot sign if it cannot
  sluis log key                      the key that verifies it, for whoever gets a bundle
  sluis log fsck                     reckon all of it again: tiles, slots, database, signatures
  sluis log fsck copy/2026           the same of a copy, as anybody can
  sluis log export copy              a copy of what is public, for a mirror or a web server
  sluis log witness                  logs of others that this node cosigned, and who cosigns its own
  sluis log audit copy/2026          a log of somebody else, and whether it continues what was seen of it")]
pub(crate) enum Command {
    Show(Show),
    Key(Key),
    Fsck(Fsck),
    Export(Export),
    Begin(Begin),
    Witness(witness::Witness),
    Audit(audit::Audit),
    Receipt(receipt::Args),
}

/// Show how the log stands
#[derive(Args)]
pub(crate) struct Show {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Print the key that verifies the log
#[derive(Args)]
pub(crate) struct Key {
    /// One JSON object for each tree of the log
    #[arg(long)]
    json: bool,
}

/// Reckon the log again, from its entries to its signatures. Exit status 1 when something is wrong
#[derive(Args)]
pub(crate) struct Fsck {
    /// A folder with a copy of a log; without it, the log of this node
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
    /// The key that signed the copy, as 'sluis log key' prints it; without it, its signature is not checked
    #[arg(long, value_name = "KEY", value_parser = key, requires = "folder")]
    key: Option<VerifierKey>,
    /// The copy is of a log that is not of Sluis: its entries have no slots
    #[arg(long, requires = "folder")]
    foreign: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Copy what is public of the log into a folder
#[derive(Args)]
pub(crate) struct Export {
    /// The folder; it may hold an older copy, which is completed
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Freeze the log as it is, and begin another: for a node that was restored, or lost its key
#[derive(Args)]
#[command(
    after_help = "A log that was signed is never changed. When the data is older than what was signed, or the key is gone, the log
cannot go on; another then begins, and says at its beginning where the old one ended. What was sealed keeps its proofs."
)]
pub(crate) struct Begin {
    /// One JSON object
    #[arg(long)]
    json: bool,
}

fn key(text: &str) -> Result<VerifierKey, String> {
    text.parse().map_err(|wrong: seal::note::Wrong| wrong.to_string())
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    match command {
        Command::Show(args) => show(args, globals),
        Command::Key(args) => keys(args, globals),
        Command::Fsck(args) => check(args, globals),
        Command::Export(args) => export(args, globals),
        Command::Begin(args) => begin(args, globals),
        Command::Receipt(args) => receipt::run(args, globals),
        Command::Witness(args) => witness::run(args, globals),
        Command::Audit(args) => audit::run(args, globals),
    }
}

/// A shard and its checkpoints.
struct Seen {
    shard: Shard,
    entries: u64,
    signed: Option<Checkpoint>,
    published: Option<Checkpoint>,
}

fn seen(transaction: &store::Transaction<'_>) -> Result<Vec<Seen>, store::Error> {
    let of = |shard: Shard| {
        Ok(Seen {
            entries: transaction.log_size(shard.id)?,
            signed: transaction.signed_checkpoint(shard.id)?,
            published: transaction.published_checkpoint(shard.id)?,
            shard,
        })
    };
    transaction.shards()?.into_iter().map(of).collect()
}

fn show(args: &Show, globals: &Globals) -> Result<u8> {
    let (data, now) = (globals.data()?, globals.clock().now());
    let mut reader = data.reader()?;
    let trouble = start::trouble(&mut reader, &data.log)?;
    let (waiting, shards) =
        reader.read(|transaction| Ok::<_, store::Error>((transaction.count_unsealed()?, seen(transaction)?)))?;
    let mut screen = Screen::new();
    if args.json {
        let view = |seen: &Seen| {
            json!({
                "origin": seen.shard.origin,
                "began": seen.shard.began.to_string(),
                "ended": seen.shard.ended.map(|time| time.to_string()),
                "entries": seen.entries,
                "signed": seen.signed.as_ref().map_or(0, |signed| signed.size),
                "published": seen.published.as_ref().map_or(0, |published| published.size),
                "published_at": seen.published.as_ref().and_then(|published| published.published).map(|time| time.to_string()),
            })
        };
        let shards: Vec<_> = shards.iter().map(view).collect();
        json::line(&mut screen, &json!({ "waiting": waiting, "trouble": trouble, "logs": shards }))?;
        return super::done(screen, 0);
    }
    if shards.is_empty() {
        screen.line("there is no log yet: it begins with the first thing that is sealed")?;
    }
    for seen in &shards {
        let title = screen.paint(Style::Strong, &seen.shard.origin);
        screen.line(title)?;
        let checkpoint = |checkpoint: &Option<Checkpoint>, time: fn(&Checkpoint) -> Option<Time>| match checkpoint {
            None => "nothing yet".to_owned(),
            Some(checkpoint) => {
                let at = time(checkpoint).map_or_else(String::new, |at| format!(", {} ago", age(at, now)));
                format!("{}{at}", counted(checkpoint.size, "entry").replace("entrys", "entries"))
            }
        };
        let mut facts = vec![
            ("began", moment(seen.shard.began)),
            ("entries", count(seen.entries)),
            ("signed", checkpoint(&seen.signed, |signed| Some(signed.signed))),
            ("published", checkpoint(&seen.published, |published| published.published)),
        ];
        facts.extend(seen.shard.ended.map(|ended| ("frozen", moment(ended))));
        screen.facts(&facts)?;
    }
    screen.line(match waiting {
        0 => "nothing waits to be sealed".to_owned(),
        waiting => format!("waiting to be sealed: {}", count(waiting)),
    })?;
    if let Some(trouble) = &trouble {
        let text = screen.paint(Style::Alarm, trouble);
        screen.line(text)?;
    }
    super::done(screen, 0)
}

fn keys(args: &Key, globals: &Globals) -> Result<u8> {
    let data = globals.data()?;
    let shards = data.reader()?.read(|transaction| transaction.shards())?;
    let mut screen = Screen::new();
    let Some(last) = shards.last() else { bail!("there is no log yet: it begins with the first thing that is sealed") };
    for shard in shards.iter().filter(|shard| args.json || shard.id == last.id) {
        let key = start::verifier(&data.directory, &data.log, &shard.origin)?;
        let key = key.context("the key of the log is not there: 'sluis log show' says what to do")?.to_string();
        if args.json {
            json::line(&mut screen, &json!({ "origin": shard.origin, "key": key }))?;
        } else {
            screen.line(key)?;
        }
    }
    super::done(screen, 0)
}

#[derive(Serialize)]
struct ReportView {
    origin: String,
    entries: u64,
    signed: u64,
    published: u64,
    sealed: u64,
    tiles: u64,
    signature: &'static str,
    wrong: Vec<String>,
}

fn check(args: &Fsck, globals: &Globals) -> Result<u8> {
    let reports = match &args.folder {
        Some(folder) => vec![fsck::of_folder(folder, args.key.as_ref(), !args.foreign)],
        None => {
            let data = globals.data()?;
            fsck::of_data(&mut data.reader()?, &data.log)?
        }
    };
    let sound = reports.iter().all(|report| report.wrong.is_empty());
    let views: Vec<ReportView> = reports
        .into_iter()
        .map(|report| ReportView {
            origin: report.origin,
            entries: report.entries,
            signed: report.signed,
            published: report.published,
            sealed: report.sealed,
            tiles: report.tiles,
            signature: if report.verified { "verified" } else { "not checked" },
            wrong: report.wrong,
        })
        .collect();
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &json!({ "sound": sound, "logs": views }))?;
        return super::done(screen, u8::from(!sound));
    }
    if views.is_empty() {
        screen.line("there is no log yet")?;
    }
    for view in &views {
        let title = screen.paint(Style::Strong, &crate::output::clean(&view.origin));
        screen.line(title)?;
        screen.facts(&[
            (
                "entries",
                format!(
                    "{}, of which {} are signed and {} published",
                    count(view.entries),
                    count(view.signed),
                    count(view.published)
                ),
            ),
            ("tiles", format!("{}, every hash reckoned again", count(view.tiles))),
            ("slots", format!("{}, none twice", count(view.sealed))),
            ("signature", view.signature.to_owned()),
        ])?;
        for wrong in &view.wrong {
            let text = screen.paint(Style::Alarm, &format!("wrong: {}", crate::output::clean(wrong)));
            screen.line(text)?;
        }
    }
    if !sound {
        screen.line("'sluis serve' mends tiles at its start; what the database or the promise has lost it cannot")?;
    }
    super::done(screen, u8::from(!sound))
}

fn export(args: &Export, globals: &Globals) -> Result<u8> {
    let data = globals.data()?;
    let shards = data.reader()?.read(seen)?;
    let mut done = Vec::new();
    for seen in &shards {
        let Some(published) = &seen.published else { continue };
        let label = seen.shard.label();
        let (from, to) = (Folder::shown(folder_of(&data.directory, label)), Folder::shown(args.folder.join(label)));
        let files = copy(&from, &to, published)?;
        done.push((seen.shard.origin.clone(), published.size, files));
    }
    let mut screen = Screen::new();
    if args.json {
        let view = |(origin, size, files): &(String, u64, usize)| json!({ "origin": origin, "entries": size, "files": files });
        json::line(&mut screen, &json!({ "logs": done.iter().map(view).collect::<Vec<_>>() }))?;
        return super::done(screen, 0);
    }
    if done.is_empty() {
        screen.line("nothing was published yet: 'sluis serve' does it every few minutes")?;
    }
    for (origin, size, files) in &done {
        screen.line(format_args!("{origin}: {} entries in {} files", count(*size), count(*files as u64)))?;
    }
    super::done(screen, 0)
}

/// Copies what a checkpoint needs, and it last: a copy that breaks off is an older one, whole.
fn copy(from: &Folder, to: &Folder, published: &Checkpoint) -> Result<usize> {
    let note = Note::parse(published.note.as_bytes())?;
    let mut some: Vec<File> = Vec::new();
    let mut files = 1;
    for tile in tile::touched(0, published.size) {
        let place = if from.read(&tile.to_string())?.is_some() { tile } else { tile.full() };
        let bytes = from.read(&place.to_string())?.with_context(|| format!("{tile} is missing: 'sluis serve' mends it"))?;
        some.push((place.to_string(), bytes));
        files += 1;
        if some.len() == TOGETHER {
            to.keep(&some)?;
            some.clear();
        }
    }
    for folder in ["anchor", "archive", "cosigned"] {
        for name in names(&from.path().join(folder))? {
            let path = format!("{folder}/{name}");
            if let Some(bytes) = from.read(&path)? {
                to.publish(&path, &bytes)?;
                files += 1;
            }
        }
    }
    to.keep(&some)?;
    to.publish("checkpoint", note.to_string().as_bytes())?;
    Ok(files)
}

/// Names of the files of a folder that are whole; none when there is no folder.
fn names(folder: &Path) -> Result<Vec<String>> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(cause) => return Err(cause.into()),
    };
    let mut names = Vec::new();
    for entry in entries {
        names.extend(entry?.file_name().into_string().ok().filter(|name| name.starts_with(|first: char| first.is_ascii_digit())));
    }
    names.retain(|name| !name.ends_with(".new"));
    names.sort_unstable();
    Ok(names)
}

fn begin(args: &Begin, globals: &Globals) -> Result<u8> {
    let outcome = acts::ask(globals, &Act::BeginLog)?;
    let mut screen = Screen::new();
    if args.json {
        screen.line(&outcome)?;
    } else {
        let origin = outcome.get("origin").and_then(serde_json::Value::as_str).unwrap_or_default();
        screen.line(format_args!("another log has begun: {origin}"))?;
        screen.line("tell whoever verifies its key: sluis log key")?;
    }
    super::done(screen, 0)
}
