//! `sluis case bundle`: a case as a file that proves itself, for a court, a defence, a provider.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use desk::seal::export::choice::Choice;
use desk::seal::export::{self, Made, Standing};
use serde_json::json;
use store::keys::Keys;

use super::{Globals, Id, find};
use crate::acts::{self, Act, By};
use crate::cli::id;
use crate::output::words::{count, counted, moment, size};
use crate::output::{Screen, Style, json};

/// How often it is looked whether the log was published.
const LOOK: Duration = Duration::from_secs(2);

/// Write a case with its proofs into one file, for a court, a defence lawyer or a provider
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis case bundle 17 --to 'Rechtbank Rotterdam'                        what a court needs
  sluis case bundle 17 --to 'mr. A. Jansen' --show reporter -o 17.sluis-evidence
  sluis case bundle 17 --to 'mr. A. Jansen' --hide party_name --publish

Not shown unless asked for: who reported it (reporter, rest) and which colleagues worked on it (actor). What is hidden can be
shown later, in another bundle: the proofs are the same. Who was given a bundle is sealed in its case.

The file holds what is under a published checkpoint of the log. 'sluis serve' publishes every few minutes.

Exit codes: 0 written; 1 not written; 2 the command line was wrong; 3 some of the case is not published yet.")]
pub(crate) struct Args {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = id)]
    id: Id,
    /// The file; it must not be there yet. Without it, one named by the case in this folder
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// To whom it is given: the log keeps it
    #[arg(long, value_name = "WHOM", default_value = "not named")]
    to: String,
    /// Show a field that else is hidden, by its name; 'all' for everything
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    show: Vec<String>,
    /// Hide a field, by its name
    #[arg(long, value_name = "FIELD", value_delimiter = ',')]
    hide: Vec<String>,
    /// Show also that, when and with which number letters went to the same party in other cases, so that none is missing
    #[arg(long)]
    letters: bool,
    /// Publish the log now, if some of the case is not published yet
    #[arg(long, conflicts_with = "wait")]
    publish: bool,
    /// Wait until 'sluis serve' has published all of it
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    by: By,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let mut choice = Choice::parse(&args.show, &args.hide)?;
    choice.letters = args.letters;
    let by = args.by.name()?;
    let data = globals.data()?;
    let case = globals.reader()?.read(|transaction| find(transaction, args.id))?.case;
    if let Some(code) = is_too_early(args, globals, case.id)? {
        return Ok(code);
    }
    let keys = Keys::open_to_read(&data.directory.join("keys.db"))?;
    let now = globals.clock().now();
    let made = data.reader()?.read(|transaction| export::case(transaction, &keys, &data.directory, case.id, &choice, now))?;
    let file = args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}.sluis-evidence", case.public)));
    // It is written first: the log is not to say that somebody has what was never there.
    write(&file, &made.bytes)?;
    let digest: String = made.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    let issued = Act::Issue { case: case.id, to: args.to.clone(), bundle: digest.clone(), records: made.records, by };
    if let Err(error) = acts::ask(globals, &issued) {
        let _ = std::fs::remove_file(&file);
        return Err(error.context("the log could not keep who is given it, so it is not written"));
    }
    told(&made, &file, args.json)?;
    Ok(0)
}

/// Looks whether all of the case is published, and has it published or waits if that is asked for. The exit code when it is not.
fn is_too_early(args: &Args, globals: &Globals, case: i64) -> Result<Option<u8>> {
    let every = Duration::from_secs(globals.config()?.log.publish_seconds.into());
    let until = Instant::now() + every + Duration::from_secs(60);
    let standing = || -> Result<Standing> { Ok(globals.reader()?.read(|transaction| export::standing(transaction, case))?) };
    let mut now = standing()?;
    if now != Standing::Published && args.publish {
        acts::ask(globals, &Act::PublishLog)?;
        now = standing()?;
    }
    while now != Standing::Published && args.wait {
        if Instant::now() > until {
            bail!("the log was not published meanwhile: does 'sluis serve' run? --publish does it here and now");
        }
        std::thread::sleep(LOOK);
        now = standing()?;
    }
    if now == Standing::Published {
        return Ok(None);
    }
    let last = globals.reader()?.read(|transaction| {
        let shards = transaction.shards()?;
        shards.last().map_or(Ok(None), |shard| transaction.published_checkpoint(shard.id))
    })?;
    let last = last.and_then(|last| last.published);
    let when = match last {
        Some(last) => format!("it was last published at {}, and is every {}", moment(last), said(every)),
        None => format!("it was never published; 'sluis serve' does so every {}", said(every)),
    };
    crate::output::warn(&format!(
        "some of this case is not under a published checkpoint of the log yet: {when}\n--wait waits for it, --publish publishes now"
    ));
    Ok(Some(3))
}

fn said(every: Duration) -> String {
    match every.as_secs() {
        seconds if seconds.is_multiple_of(60) => counted(seconds / 60, "minute"),
        seconds => counted(seconds, "second"),
    }
}

/// Writes a file that was not there, for nobody else to read.
pub(in crate::cli) fn write(file: &std::path::Path, bytes: &[u8]) -> Result<()> {
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened =
        options.open(file).with_context(|| format!("{}: cannot be written (one that is there is kept)", file.display()))?;
    std::io::Write::write_all(&mut opened, bytes)
        .and_then(|()| opened.sync_all())
        .or_else(|error| std::fs::remove_file(file).and(Err(error)))
        .with_context(|| format!("{}: was not written", file.display()))
}

/// Says what was written, and what whoever gives it away should know.
pub(in crate::cli) fn told(made: &Made, file: &std::path::Path, as_json: bool) -> Result<()> {
    let mut screen = Screen::new();
    let digest: String = made.digest.iter().map(|byte| format!("{byte:02x}")).collect();
    if as_json {
        let view = json!({
            "file": file.display().to_string(),
            "sha256": digest,
            "bytes": made.bytes.len(),
            "records": made.records,
            "reports": made.reports,
            "hidden": made.hidden,
            "checkpoint": made.size,
            "time_stamps": made.stamped,
            "witnesses": made.witnesses,
            "remarks": made.remarks,
        });
        json::line(&mut screen, &view)?;
        return Ok(std::io::Write::flush(&mut screen)?);
    }
    let written = screen.paint(Style::Strong, &crate::output::clean(&file.display().to_string()));
    screen.line(format!("{written} ({})", size(made.bytes.len() as u64)))?;
    let checkpoint = made.size.map_or("none yet".to_owned(), |entries| format!("of {} entries", count(entries)));
    screen.facts(&[
        ("sha256", digest),
        ("records", count(made.records)),
        ("rows", count(made.reports)),
        ("checkpoint", checkpoint),
        ("time-stamps", count(made.stamped)),
        ("witnesses", count(made.witnesses)),
        ("not shown", if made.hidden.is_empty() { "nothing".to_owned() } else { made.hidden.join(", ") }),
    ])?;
    for remark in &made.remarks {
        let remark = screen.paint(Style::Remark, &crate::output::clean(remark));
        screen.line(remark)?;
    }
    Ok(std::io::Write::flush(&mut screen)?)
}
