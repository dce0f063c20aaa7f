//! `sluis log audit`: a log of somebody else, from a folder or from its server, reckoned again and held against what was seen of it.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use clap::Args;
use desk::seal::fsck;
use desk::seal::watch::{Compared, compare};
use seal::note::{MAX_NOTE, Note, VerifierKey};
use seal::tile::MAX_FILE;
use seal::witness::of_origin;
use serde_json::json;
use store::witness::Views;

use super::Globals;
use crate::egress::{Destination, Egress};
use crate::output::words::count;
use crate::output::{Screen, Style, clean, json};
use crate::serve::config::Config;

/// Reckon a log again from its entries to its signature, and compare it with what was seen of it. Exit status 1 when something is wrong
#[derive(Args)]
#[command(after_help = "Examples:
  sluis log audit https://log.hoster.example/2026     as its server shows it
  sluis log audit copy/2026                           a copy; --key tells whose signature it must have
  sluis log audit copy --foreign                      a log that is not of Sluis")]
pub(crate) struct Audit {
    /// The address of the log, or a folder with a copy
    #[arg(value_name = "URL|DIR")]
    log: String,
    /// The key that signs it; without it one of the settings, if they name one for it
    #[arg(long, value_name = "KEY", value_parser = super::key)]
    key: Option<VerifierKey>,
    /// It is not of Sluis: its entries have no slots
    #[arg(long)]
    foreign: bool,
    /// A checkpoint that was seen before: whether the log continues it
    #[arg(long, value_name = "FILE")]
    since: Vec<PathBuf>,
    /// Where the proof goes, if it has two histories
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    /// The server may be on a private network
    #[arg(long)]
    private: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Where a log is.
enum Place {
    Folder(PathBuf),
    Server(Box<Egress>, String),
}

impl Place {
    fn of(args: &Audit) -> Result<Place> {
        if !args.log.contains("://") {
            return Ok(Place::Folder(PathBuf::from(&args.log)));
        }
        let url = args.log.trim_end_matches('/');
        let destination = Destination::parse_plain_too(url).map_err(|wrong| anyhow::anyhow!("{url}: {wrong}"))?;
        let allow = if args.private { vec![destination.authority()] } else { Vec::new() };
        let egress = if destination.is_plain() { Egress::without_tls(&allow) } else { Egress::new(None, &allow)? };
        Ok(Place::Server(Box::new(egress), url.to_owned()))
    }

    /// The bytes of a file below the log; nothing when there is none.
    fn read(&self, path: &str, most: usize) -> io::Result<Option<Vec<u8>>> {
        match self {
            Place::Folder(folder) => read_file(&folder.join(path), most),
            Place::Server(egress, url) => {
                egress.fetch(&format!("{url}/{path}"), most).map_err(|failed| io::Error::other(failed.0))
            }
        }
    }
}

pub(super) fn run(args: &Audit, globals: &Globals) -> Result<u8> {
    let place = Place::of(args)?;
    let shown = place.read("checkpoint", MAX_NOTE).with_context(|| format!("{}: checkpoint", args.log))?;
    let shown = shown.with_context(|| format!("{}: there is no checkpoint: it is no log, or shows nothing yet", args.log))?;
    let note = Note::parse(&shown).with_context(|| format!("{}: checkpoint", args.log))?;
    let origin = note.text.lines().next().unwrap_or_default().to_owned();
    let (known, named) = seen(globals, &origin)?;
    let key = args.key.clone().or(named);
    let report = fsck::of_source(
        &mut |path: &str| match path {
            // One checkpoint all along, however the log grows meanwhile.
            "checkpoint" => Ok(Some(shown.clone())),
            path => place.read(path, MAX_FILE),
        },
        key.as_ref(),
        !args.foreign,
    );
    let (mut wrong, mut compared, mut proof) = (report.wrong, 0u64, None);
    let mut before = Vec::new();
    for file in &args.since {
        let bytes = read_file(file, MAX_NOTE).with_context(|| file.display().to_string())?;
        let bytes = bytes.with_context(|| format!("{}: there is no such file", file.display()))?;
        before.push(Note::parse(&bytes).with_context(|| file.display().to_string())?);
    }
    ensure!(key.is_some() || before.is_empty(), "--since needs --key: what is compared must have been signed");
    before.extend(known);
    if let Some(key) = &key {
        for one in &before {
            match compare(one, &note, key, |tile| place.read(&tile.to_string(), MAX_FILE).ok().flatten()) {
                Ok(Compared::Consistent) => {}
                Ok(Compared::Missing) => wrong.push("a tile is missing that shows whether it continues what was seen".to_owned()),
                Ok(Compared::Unproven(_)) => {
                    wrong.push("it does not fit what was seen, and nothing proves whose fault that is".to_owned())
                }
                Ok(Compared::Fork(text)) => {
                    wrong.push("it has two histories, and its own signatures prove it".to_owned());
                    proof = Some(text);
                }
                Err(error) => wrong.push(error.to_string()),
            }
            compared += 1;
        }
    }
    if let (Some(file), Some(text)) = (&args.proof, &proof) {
        std::fs::write(file, text).with_context(|| file.display().to_string())?;
    }
    let signature = if report.verified { "verified" } else { "not checked" };
    let mut screen = Screen::new();
    if args.json {
        let view = json!({ "sound": wrong.is_empty(), "origin": report.origin, "entries": report.published, "tiles": report.tiles,
            "sealed": report.sealed, "signature": signature, "compared": compared, "wrong": wrong, "proof": proof });
        json::line(&mut screen, &view)?;
        return super::super::done(screen, u8::from(!wrong.is_empty()));
    }
    let title = screen.paint(Style::Strong, &clean(&origin));
    screen.line(title)?;
    let mut facts =
        vec![("entries", count(report.published)), ("tiles", format!("{}, every hash reckoned again", count(report.tiles)))];
    if !args.foreign {
        facts.push(("slots", format!("{}, none twice", count(report.sealed))));
    }
    facts.push(("signature", signature.to_owned()));
    facts.push(("before", format!("{} checkpoints that were seen before were compared", count(compared))));
    if wrong.is_empty() {
        screen.facts(&facts)?;
    }
    for wrong in &wrong {
        let text = screen.paint(Style::Alarm, &format!("wrong: {}", clean(wrong)));
        screen.line(text)?;
    }
    if let (Some(_), None) = (&proof, &args.proof) {
        screen.line("--proof FILE writes what proves it, for 'sluis verify --fork'")?;
    }
    super::super::done(screen, u8::from(!wrong.is_empty()))
}

/// What this node saw of a log, and the key that its settings name for it. Without data there is neither.
fn seen(globals: &Globals, origin: &str) -> Result<(Vec<Note>, Option<VerifierKey>)> {
    let Ok(data) = globals.data() else { return Ok((Vec::new(), None)) };
    let config = Config::load(globals.config.as_deref(), &data.directory)?;
    let year = globals.clock().now().date().0.saturating_add(1);
    let watched = config.witness.watch.iter().filter_map(|peer| peer.key().ok());
    let logs = config.witness.settings().map(|settings| settings.logs).unwrap_or_default();
    let key = watched.chain(logs).find_map(|key| of_origin(&key, origin, year));
    let Ok(mut reader) = data.reader() else { return Ok((Vec::new(), key)) };
    let views = reader.read(|transaction| {
        [Views::Watched, Views::Witnessed]
            .iter()
            .map(|views| transaction.view(*views, origin))
            .collect::<Result<Vec<_>, store::Error>>()
    })?;
    Ok((views.into_iter().flatten().filter_map(|view| Note::parse(view.note.as_bytes()).ok()).collect(), key))
}

/// The bytes of a file, no more than so many; nothing when there is none.
fn read_file(path: &Path, most: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(cause) => return Err(cause),
    };
    let mut bytes = Vec::new();
    file.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "it is larger than any such file"));
    }
    Ok(Some(bytes))
}
