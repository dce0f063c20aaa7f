//! `sluis log witness`: this node as a witness, who cosigns its own log, and what does not fit together.

use std::io::Read;

use anyhow::{Context, Result, bail};
use clap::Args;
use desk::seal::asking::label;
use desk::seal::witness::{trouble, verifier};
use seal::witness::MAX_REQUEST;
use serde_json::{Value, json};
use store::witness::{Conflict, View, Views};

use super::Globals;
use crate::acts::{self, Act};
use crate::output::words::{age, count, moment};
use crate::output::{Screen, Style, clean, json};
use crate::serve::config::Config;

/// Conflicts that are shown.
const SHOWN: u32 = 20;

/// Show what this node cosigned and saw of others' logs, and who cosigns its own
#[derive(Args)]
#[command(after_help = "Examples:
  sluis log witness                          what was cosigned and seen, and what does not fit together
  sluis log witness --cosign request.txt     cosign what came on a stick: the body of a C2SP add-checkpoint request")]
pub(crate) struct Witness {
    /// Cosign the request in this file, or '-': what is printed goes back to who asked
    #[arg(long, value_name = "FILE")]
    cosign: Option<std::path::PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// One who cosigns this node's log.
struct Cosigner {
    name: String,
    key: String,
    last: Option<model::time::Time>,
}

pub(super) fn run(args: &Witness, globals: &Globals) -> Result<u8> {
    if let Some(file) = &args.cosign {
        return cosign(file, globals);
    }
    let data = globals.data()?;
    let config = Config::load(globals.config.as_deref(), &data.directory)?;
    let now = globals.clock().now();
    let key = match config.witness.settings() {
        Some(settings) => verifier(&data.directory, &settings)?.map(|key| key.to_string()),
        None => None,
    };
    let (witnessed, watched, conflicts, cosigners) = data.reader()?.read(|transaction| {
        let cosigner = |peer: &crate::serve::config_witness::PeerConfig| {
            let key = peer.key().ok();
            let last = key.as_ref().map(|key| transaction.last_cosigned(&label(key))).transpose()?.flatten();
            let key = key.map_or_else(String::new, |key| key.to_string());
            Ok(Cosigner { name: peer.name.clone(), key, last })
        };
        Ok::<_, store::Error>((
            transaction.views(Views::Witnessed)?,
            transaction.views(Views::Watched)?,
            transaction.conflicts(SHOWN)?,
            config.log.witness.iter().map(cosigner).collect::<Result<Vec<_>, store::Error>>()?,
        ))
    })?;
    let trouble = match config.witness.settings() {
        Some(settings) => trouble(&data.directory, &settings, &data.log, &witnessed)?,
        None => None,
    };
    let mut screen = Screen::new();
    if args.json {
        let view = |view: &View| json!({ "origin": view.origin, "size": view.size, "at": view.at.to_string() });
        let views = |views: &[View]| views.iter().map(view).collect::<Vec<_>>();
        let conflict = |one: &Conflict| json!({ "id": one.id, "origin": one.origin, "found": one.found.to_string(), "proven": one.proven, "file": file_of(one) });
        let cosigner =
            |one: &Cosigner| json!({ "name": one.name, "key": one.key, "last": one.last.map(|last| last.to_string()) });
        json::line(
            &mut screen,
            &json!({
                "key": key,
                "trouble": trouble,
                "cosigned": views(&witnessed),
                "watched": views(&watched),
                "witnesses": cosigners.iter().map(cosigner).collect::<Vec<_>>(),
                "conflicts": conflicts.iter().map(conflict).collect::<Vec<_>>(),
            }),
        )?;
        return super::super::done(screen, 0);
    }
    match (&key, config.witness.settings().is_some()) {
        (Some(key), _) => screen.line(format_args!("this node cosigns as {key}"))?,
        (None, true) => screen.line("this node has no key as a witness yet: 'sluis serve' makes it")?,
        (None, false) => screen.line("this node cosigns no logs of others: [witness] logs names them")?,
    }
    if let Some(trouble) = &trouble {
        let text = screen.paint(Style::Alarm, trouble);
        screen.line(text)?;
    }
    for (what, views) in [("cosigned", &witnessed), ("looked at", &watched)] {
        if !views.is_empty() {
            screen.heading(what)?;
        }
        for view in views {
            screen.line(format_args!("{}  {} entries, {} ago", clean(&view.origin), count(view.size), age(view.at, now)))?;
        }
    }
    if !cosigners.is_empty() {
        screen.heading("who cosigns the log of this node")?;
    }
    for one in &cosigners {
        let last =
            one.last.map_or_else(|| "not yet".to_owned(), |last| format!("last at {}, {} ago", moment(last), age(last, now)));
        screen.line(format_args!("{}  {last}", one.name))?;
    }
    for one in &conflicts {
        let what = match one.proven {
            true => format!("has two histories, and its own signatures prove it: 'sluis verify --fork {}'", file_of(one)),
            false => format!("showed what does not fit, and nothing proves whose fault that is: {}", file_of(one)),
        };
        let text = screen.paint(Style::Alarm, &format!("{} {}: {what}", moment(one.found), clean(&one.origin)));
        screen.line(text)?;
    }
    super::super::done(screen, 0)
}

/// The file of a conflict, in the data directory.
fn file_of(conflict: &Conflict) -> String {
    format!("log/forks/{}.{}", conflict.id, if conflict.proven { "fork-proof" } else { "unproven" })
}

fn cosign(file: &std::path::Path, globals: &Globals) -> Result<u8> {
    let mut bytes = Vec::new();
    let most = MAX_REQUEST as u64 + 1;
    match file.to_str() {
        Some("-") => std::io::stdin().lock().take(most).read_to_end(&mut bytes),
        _ => std::fs::File::open(file).and_then(|file| file.take(most).read_to_end(&mut bytes)),
    }
    .with_context(|| format!("{}: cannot be read", file.display()))?;
    let request = String::from_utf8(bytes).ok().context("this is no request for a cosignature: it is not UTF-8")?;
    match acts::ask(globals, &Act::Cosign { request })? {
        Value::String(line) => {
            let mut screen = Screen::new();
            screen.line(line)?;
            super::super::done(screen, 0)
        }
        _ => bail!("'sluis serve' answered something else; is it another version?"),
    }
}

/// Cosigns a request, in the process that owns the data.
///
/// # Errors
/// Why not.
pub(crate) fn perform(desk: &desk::Desk, request: &str) -> Result<Value, desk::Error> {
    let refused = |refused: seal::witness::Refused| desk::Error::Invalid(format!("not cosigned: {refused}"));
    let asked = desk.read_request(request.as_bytes()).map_err(refused)?;
    let answer = desk.cosign(&[asked])?.into_iter().next();
    match answer {
        Some(Ok(line)) => Ok(Value::String(line.to_string())),
        Some(Err(why)) => Err(refused(why)),
        None => Err(desk::Error::Unavailable("nothing was answered".to_owned())),
    }
}
