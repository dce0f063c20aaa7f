//! `sluis watchlist publish`, `sign`, `diff` and `take`: what leaves the machine of a list holder, and what comes back from the desk.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde_json::json;
use watchlist::files;
use watchlist::holder::publish::MOST_FILE;
use watchlist::holder::sign::{Finished, countersign};
use watchlist::holder::{Holder, LogAt};
use watchlist::keys::{self, Role, hex};
use zeroize::Zeroizing;

use super::holder::{Desk, LogKey};
use super::{Globals, Passphrase};
use crate::cli::done;
use crate::output::{Screen, clean, json as output};

/// Make a publication and sign it as the first officer: a delta while an epoch is open, else a new epoch
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist publish --dir DIR --officer one.key --log-key log.key               a delta, or the first epoch
  sluis watchlist publish --dir DIR --officer one.key --log-key log.key --new-epoch   new keys, every quarter
  sluis watchlist publish --dir DIR --officer one.key --log-key log.key --discard     the second officer would not sign")]
pub(crate) struct Publish {
    #[command(flatten)]
    desk: Desk,
    #[command(flatten)]
    log: LogKey,
    /// Begin an epoch with new keys
    #[arg(long)]
    new_epoch: bool,
    /// 32 bytes drawn elsewhere as the seed of its keys, for a ceremony with dice or a device
    #[arg(long, value_name = "FILE", requires = "new_epoch")]
    seed: Option<PathBuf>,
    /// Throw the draft away that waits for its second signature
    #[arg(long, conflicts_with = "new_epoch")]
    discard: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Sign a publication as the second officer, and publish it
///
/// On the list's machine it is signed and published at once. On another machine (--out, without --dir) a draft that came on a stick is signed;
/// brought back, it is given with --dir and published.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist sign --dir DIR --officer two.key --log-key log.key        on the machine of the list
  sluis watchlist sign list.draft.slu --officer two.key --out signed.slu    elsewhere
  sluis watchlist sign signed.slu --dir DIR --log-key log.key               and back")]
pub(crate) struct Sign {
    /// The draft to sign elsewhere, or the signed one that came back
    #[arg(value_name = "FILE", required_unless_present = "dir")]
    file: Option<PathBuf>,
    /// The directory of the list
    #[arg(long, value_name = "DIR", requires = "log_key")]
    dir: Option<PathBuf>,
    /// Your secret key, as another officer of the list than who made the draft
    #[arg(long, value_name = "FILE", required_unless_present = "file")]
    officer: Option<PathBuf>,
    /// The secret key of the list's log
    #[arg(long, value_name = "FILE")]
    log_key: Option<PathBuf>,
    /// A file whose first line is the passphrase of that key
    #[arg(long, value_name = "FILE")]
    log_passphrase_file: Option<PathBuf>,
    /// Where a draft that is signed elsewhere goes
    #[arg(long, value_name = "FILE", conflicts_with = "dir", requires = "officer")]
    out: Option<PathBuf>,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    passphrase: Passphrase,
}

/// Show what changed between two publications, or what would change now
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis watchlist diff E1-D0 E1-D3 --dir DIR    between two publications
  sluis watchlist diff E1-D3 now --dir DIR      what a publication would change")]
pub(crate) struct Diff {
    /// Such as E1-D0, or 'nothing'; without it the newest publication
    #[arg(value_name = "FROM")]
    from: Option<String>,
    /// Such as E1-D1; without it 'now'
    #[arg(value_name = "TO")]
    to: Option<String>,
    /// The directory of the list
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Take in a delta of the contest desk: what it suspended is suspended here too
#[derive(clap::Args)]
pub(crate) struct Take {
    /// The desk's file
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The directory of the list
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
}

pub(super) fn publish(args: &Publish, globals: &Globals) -> Result<u8> {
    let (mut holder, officer) = args.desk.open()?;
    let log = args.log.open()?;
    let mut screen = Screen::new();
    if args.discard {
        holder.discard(&log)?;
        writeln!(screen, "The draft is thrown away. Nothing of it was published.")?;
        return done(screen, 0);
    }
    let seed = args.seed.as_deref().map(|path| -> Result<Zeroizing<[u8; 32]>> {
        let bytes = Zeroizing::new(files::read(path, 32)?);
        let seed = <[u8; 32]>::try_from(&bytes[..]).with_context(|| format!("{} has not 32 bytes", path.display()))?;
        Ok(Zeroizing::new(seed))
    });
    let seed = seed.transpose()?;
    let now = globals.clock().now().0;
    let made = holder.publish(&officer, &log, args.new_epoch, seed.as_deref(), now, &mut watchlist::chance::system())?;
    if args.json {
        output::line(&mut screen, &json!({ "draft": made.file, "hash": made.hash, "summary": made.summary }))?;
        return done(screen, 0);
    }
    for line in &made.summary {
        writeln!(screen, "{}", clean(line))?;
    }
    writeln!(screen, "{}", made.file)?;
    writeln!(screen, "Hash: {}", spoken(&made.hash))?;
    writeln!(
        screen,
        "One officer signed. Another reads this, and the hash aloud, and signs: `sluis watchlist sign`. Nothing is published before."
    )?;
    done(screen, 0)
}

/// A hash in groups of four, to be read aloud.
fn spoken(hash: &str) -> String {
    hash.as_bytes().chunks(4).take(8).map(|group| String::from_utf8_lossy(group).into_owned()).collect::<Vec<_>>().join(" ")
}

pub(super) fn sign(args: &Sign, globals: &Globals) -> Result<u8> {
    let officer = args
        .officer
        .as_deref()
        .map(|path| -> Result<_> { Ok(keys::open(path, Role::Officer, args.passphrase.read()?.as_deref())?) });
    let officer = officer.transpose()?;
    let mut screen = Screen::new();
    let (Some(dir), Some(log_key)) = (&args.dir, &args.log_key) else {
        let (Some(file), Some(officer), Some(out)) = (&args.file, &officer, &args.out) else {
            bail!("on the machine of the list give --dir and --log-key; elsewhere the draft, --officer and --out");
        };
        let draft = files::read(file, MOST_FILE)?;
        let hash = matching::envelope::Envelope::read_all(&draft, 2)?.first().map(matching::envelope::Envelope::hash);
        files::write_new(out, &countersign(&draft, officer)?)?;
        writeln!(screen, "Hash: {}", spoken(&hex(&hash.unwrap_or_default())))?;
        writeln!(screen, "Signed. If the hash is not the one that was read to you, destroy {}.", out.display())?;
        return done(screen, 0);
    };
    let passphrase = args.log_passphrase_file.as_deref().map(super::first_line).transpose()?;
    let log = LogAt::open(log_key, passphrase.as_deref()).with_context(|| log_key.display().to_string())?;
    let mut holder = Holder::open(dir)?;
    let (now, mut rng) = (globals.clock().now().0, watchlist::chance::system());
    let finished = match (&args.file, &officer) {
        (Some(file), _) => holder.finish(&files::read(file, MOST_FILE)?, &log, now, &mut rng)?,
        (None, Some(officer)) => holder.sign(officer, &log, now, &mut rng)?,
        (None, None) => bail!("give your key with --officer, or the file that was signed elsewhere"),
    };
    if args.json {
        let Finished { file, desk, evaluator, hash, number } = &finished;
        let value =
            json!({ "file": file, "desk": desk, "evaluator": evaluator, "hash": hash, "epoch": number.0, "delta": number.1 });
        output::line(&mut screen, &value)?;
        return done(screen, 0);
    }
    writeln!(
        screen,
        "Published as E{}-D{}, in the log of {}.",
        finished.number.0,
        finished.number.1,
        clean(&holder.state().log.origin)
    )?;
    writeln!(screen, "{}   for every provider, whole", finished.file)?;
    writeln!(screen, "{}   for the desk alone, which can read the whole list with it", finished.desk)?;
    if !finished.evaluator.is_empty() {
        writeln!(screen, "{}   for the evaluator alone, with the manifest beside it and not the list", finished.evaluator)?;
    }
    done(screen, 0)
}

pub(super) fn diff(args: &Diff, globals: &Globals) -> Result<u8> {
    let holder = Holder::open(&args.dir)?;
    let newest = holder.state().published.last();
    let newest = newest.map_or_else(|| "nothing".to_owned(), |last| format!("E{}-D{}", last.epoch, last.seq));
    let (from, to) = (args.from.as_deref().unwrap_or(&newest), args.to.as_deref().unwrap_or("now"));
    let now = globals.clock().now().0;
    let lines = holder.diff(from, to, now)?;
    let mut screen = Screen::new();
    let left_out = if to.eq_ignore_ascii_case("now") { holder.plan(now).left_out } else { Vec::new() };
    if args.json {
        output::line(&mut screen, &json!({ "from": from, "to": to, "lines": lines, "left_out": left_out }))?;
        return done(screen, 0);
    }
    writeln!(screen, "{} to {}", clean(from), clean(to))?;
    for line in lines {
        writeln!(screen, "{}", clean(&line))?;
    }
    for line in left_out {
        writeln!(screen, "left out: {}", clean(&line))?;
    }
    done(screen, 0)
}

pub(super) fn take(args: &Take, globals: &Globals) -> Result<u8> {
    let mut holder = Holder::open(&args.dir)?;
    let told = holder.take_desk(&files::read(&args.file, MOST_FILE)?, globals.clock().now().0)?;
    let mut screen = Screen::new();
    for told in told {
        writeln!(screen, "{}", clean(&told))?;
    }
    writeln!(screen, "Providers who have the desk's file know it already; the next publication follows it.")?;
    done(screen, 0)
}
