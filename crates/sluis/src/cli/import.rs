//! `sluis import`: an address administration becomes what this node knows, with the difference shown.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use desk::Reading;
use desk::import::Imported;
use model::administration::{Changes, Remarks, Snapshot};
use model::time::Time;
use parsers::administration::{Finding, Limits, changes};
use serde::{Deserialize, Serialize};
use store::Transaction;

use super::{Globals, administration};
use crate::output::progress::Progress;
use crate::output::words::{count, counted, since};
use crate::output::{Screen, Style, Table, clean, json};
use crate::serve::socket::{self, Import, Request, Response};
use crate::serve::wire;

/// Read an address administration: parties, and what is assigned to them
///
/// What changed is ended and begun, never rewritten: cases of before keep their holders. Importing the same again changes
/// nothing. Open cases without a holder are traced once more.
#[derive(clap::Args)]
#[command(after_help = "Columns of CSV: at least 'resource' and 'party'; also 'from', 'to', 'level', 'parent', 'party_name',
'contact_mail' and others. Files may be packed with gzip.

Examples:
  sluis import --dry-run customers.csv
  sluis import --source billing --system whmcs clients.json services.json
  sluis import --source billing --map own.toml export.json
  sluis import --source billing --changes 2026-11-22.changes.jsonl
  sluis import abuseio dump.sql.gz
  sluis import --source ripe --within 192.0.2.0/24 ripe.db.inetnum.gz ripe.db.organisation.gz")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// Files of one source; '-' is standard input
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The name of the source; default is that of the file. One source has the say over what it told of
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Show what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    /// The files tell of changes only: what they do not name has not ended
    #[arg(long, conflicts_with = "complete")]
    partial: bool,
    /// The files really are everything the source has: what they do not name has ended, even if some of them could not be
    /// read, and even if that is most of it
    #[arg(long)]
    complete: bool,
    /// The file tells of changes one by one, in order: {"begin": …}, {"end": …} and {"party": …}, one JSON object a line
    #[arg(long, conflicts_with_all = ["partial", "complete", "map", "system", "form", "within"])]
    changes: bool,
    #[command(flatten)]
    reading: administration::Options,
    /// How many lines of each kind are shown
    #[arg(short = 'n', value_name = "N", default_value_t = 10)]
    most: usize,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What can be imported that is no administration alone.
#[derive(clap::Subcommand)]
enum Other {
    Abuseio(super::abuseio::Args),
}

/// Bytes of a file of changes.
const CHANGES: u64 = 256 << 20;

/// What an import came to, as `--json` shows it; tables are drawn from the same.
#[derive(Serialize, Deserialize)]
pub(crate) struct View {
    source: String,
    dry_run: bool,
    complete: bool,
    parties_new: usize,
    parties_changed: usize,
    parties_moved: usize,
    parties_gone: usize,
    parties_back: usize,
    assignments_begun: usize,
    assignments_ended: usize,
    assignments_superseded: usize,
    holders_found: u64,
    #[serde(default)]
    holders_changed: u64,
    changes: Vec<Vec<String>>,
    conflicts: Said,
    overlaps: Said,
    cuts: Said,
    problems: Said,
    #[serde(default)]
    findings: Findings,
    gaps: Said,
    gap_addresses: u128,
}

/// Remarks: how many there are, and the first of them.
#[derive(Default, Serialize, Deserialize)]
struct Said {
    count: usize,
    first: Vec<String>,
}

/// What was not read as it stood: how often, and the first of it.
#[derive(Default, Serialize, Deserialize)]
struct Findings {
    count: usize,
    first: Vec<FindingView>,
}

#[derive(Serialize, Deserialize)]
struct FindingView {
    place: String,
    reason: String,
    text: String,
}

impl Said {
    fn of(remarks: &Remarks, most: usize) -> Said {
        Said { count: remarks.count, first: remarks.texts.iter().take(most).cloned().collect() }
    }
}

impl View {
    /// What `done` came to, with the rows it speaks of from the database after it.
    pub(crate) fn of(asked: &Import, done: &Imported, transaction: &Transaction<'_>) -> Result<View> {
        let changes = &done.changes;
        let most = asked.most;
        let gaps = changes.gaps.v4.iter().chain(&changes.gaps.v6).take(most);
        Ok(View {
            source: asked.source.clone(),
            dry_run: asked.dry_run,
            complete: asked.complete,
            parties_new: changes.parties_new.len(),
            parties_changed: changes.parties_changed.len(),
            parties_moved: changes.moved.len(),
            parties_gone: changes.parties_gone.len(),
            parties_back: changes.parties_back.len(),
            assignments_begun: changes.begun.len(),
            assignments_ended: changes.ended.len(),
            assignments_superseded: changes.superseded.len(),
            holders_found: done.holders_found,
            holders_changed: done.holders_changed,
            changes: diff(changes, transaction, most)?,
            conflicts: Said::of(&changes.conflicts, most),
            overlaps: Said::of(&changes.overlaps, most),
            cuts: Said::of(&changes.cuts, most),
            problems: Said::of(&changes.problems, most),
            findings: Findings::default(),
            gaps: Said {
                count: changes.gaps.count,
                first: gaps.map(|gap| format!("{} in {} of {}", gap.range, gap.inside, gap.party)).collect(),
            },
            gap_addresses: u128::from(changes.gaps.v4_addresses),
        })
    }

    /// Adds what was not read as it stood.
    pub(super) fn found(&mut self, findings: &[Finding], most: usize) {
        let first = findings.iter().take(most).map(|finding| FindingView {
            place: finding.place.clone(),
            reason: finding.reason.clone(),
            text: finding.text.clone(),
        });
        self.findings = Findings { count: findings.len(), first: first.collect() };
    }

    fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    if let Some(Other::Abuseio(args)) = &args.other {
        return super::abuseio::run(args, globals);
    }
    let source = match (&args.source, args.files.as_slice()) {
        (Some(source), _) => source.clone(),
        (None, [file]) if file.as_os_str() != "-" => stem(file),
        _ => bail!("say what the source is called with --source NAME: by it the next import knows what has changed"),
    };
    if args.changes {
        return run_changes(args, globals, source);
    }
    let bar = Progress::new();
    bar.wait("reading");
    let mut read = administration::read(&args.files, &args.reading)?;
    let broken = !read.findings.is_empty() && !args.complete && !args.dry_run;
    if let Some(why) = read.unread().filter(|_| broken) {
        bail!("{why}\nNothing was changed, and the source is as old as it was.");
    }
    read.snapshot.complete = (read.snapshot.complete || args.complete) && !args.partial;
    bar.wait("comparing");
    let data = globals.data()?;
    let mut asked = Import {
        source,
        kind: read.kind.to_owned(),
        complete: read.snapshot.complete,
        most: args.most,
        vouched: args.complete,
        dry_run: args.dry_run,
        bytes: 0,
    };
    let mut view = match data.desk(globals.clock(), Reading::default()) {
        Ok(desk) => {
            let done = desk.import(&asked.source, &asked.kind, &read.snapshot, asked.how())?;
            crate::data::seal(&desk);
            desk.store().reader()?.read(|transaction| View::of(&asked, &done, transaction))?
        }
        // Another process owns the data: it does the same for us, if it is one that listens.
        Err(desk::Error::Conflict(owned)) => by_owner(&data.directory, &mut asked, &read.snapshot).context(owned)?,
        Err(error) => return Err(error.into()),
    };
    bar.finish();
    view.found(&read.findings, args.most);
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &view)?;
    } else {
        draw(&mut screen, &view)?;
    }
    super::done(screen, 0)
}

/// `--changes`: one file, as a whole or not at all.
fn run_changes(args: &Args, globals: &Globals, source: String) -> Result<u8> {
    let [file] = args.files.as_slice() else { bail!("--changes takes one file at a time: their order is what they mean") };
    let mut body = Vec::new();
    administration::open(file)
        .and_then(|reader| Ok(reader.take(CHANGES + 1).read_to_end(&mut body)?))
        .with_context(|| file.display().to_string())?;
    if body.len() as u64 > CHANGES {
        bail!("over {} MiB of changes; hand in several files", CHANGES >> 20);
    }
    let told = changes::read(&mut body.as_slice(), &Limits::default()).map_err(anyhow::Error::msg)?;
    let data = globals.data()?;
    let (kind, complete, most, dry_run) = ("changes".to_owned(), true, args.most, args.dry_run);
    let mut asked = Import { source, kind, complete, most, vouched: false, dry_run, bytes: 0 };
    let view = match data.desk(globals.clock(), Reading::default()) {
        Ok(desk) => {
            let done = desk.import_changes(&asked.source, &told, asked.how())?;
            crate::data::seal(&desk);
            desk.store().reader()?.read(|transaction| View::of(&asked, &done, transaction))?
        }
        Err(desk::Error::Conflict(owned)) => ask_owner(&data.directory, &mut asked, &body).context(owned)?,
        Err(error) => return Err(error.into()),
    };
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &view)?;
    } else {
        draw(&mut screen, &view)?;
    }
    super::done(screen, 0)
}

/// Has the process that owns the data import what was read here.
pub(super) fn by_owner(directory: &Path, asked: &mut Import, said: &Snapshot) -> Result<View> {
    let mut body = Vec::new();
    wire::write(said, &mut body)?;
    ask_owner(directory, asked, &body)
}

fn ask_owner(directory: &Path, asked: &mut Import, body: &[u8]) -> Result<View> {
    asked.bytes = body.len() as u64;
    match socket::call(directory, &Request::Import(asked.clone()), Some(&mut &*body))? {
        Response::Imported { summary } => Ok(serde_json::from_value(summary)?),
        Response::Refused { reason } => bail!("{reason}"),
        _ => bail!("'sluis serve' answered something else; is it another version?"),
    }
}

pub(super) fn draw(screen: &mut Screen, view: &View) -> Result<()> {
    let source = clean(&view.source);
    let title = if view.dry_run { format!("{source}: what would change") } else { format!("{source}: what changed") };
    screen.line(screen.paint(Style::Strong, &title))?;
    if view.is_empty() {
        screen.line("nothing")?;
    } else {
        draw_counts(screen, view)?;
        for lines in &view.changes {
            screen.line("")?;
            for line in lines {
                let style = match line.chars().next() {
                    Some('-' | '!') => Style::Remark,
                    Some('…') => Style::Dim,
                    _ => Style::Plain,
                };
                screen.line(screen.paint(style, &clean(line)))?;
            }
        }
    }
    if view.holders_found > 0 {
        let found = counted(view.holders_found, "case");
        screen.line(format_args!("\n{found} that had no holder: now known"))?;
    }
    if view.holders_changed > 0 {
        let changed = counted(view.holders_changed, "case");
        let text = format!("{changed} turned out to be another party's: look at them with 'sluis queue holder-changed'");
        screen.line(screen.paint(Style::Alarm, &text))?;
    }
    draw_remarks(screen, "Held by another source, so not taken", &view.conflicts)?;
    draw_remarks(screen, "Two parties for one resource at one time", &view.overlaps)?;
    draw_remarks(screen, "Ranges that crossed others", &view.cuts)?;
    draw_remarks(screen, "Other remarks", &view.problems)?;
    let not_read = Said {
        count: view.findings.count,
        first: view
            .findings
            .first
            .iter()
            .map(|finding| format!("{}: {} {}", finding.place, finding.reason, finding.text))
            .collect(),
    };
    draw_remarks(screen, "Not read as it stood", &not_read)?;
    let addresses = u64::try_from(view.gap_addresses).unwrap_or(u64::MAX);
    draw_remarks(
        screen,
        &format!("Held and passed on to nobody, {}; stretches", counted(addresses, "IPv4 address")),
        &view.gaps,
    )?;
    if !view.complete {
        screen.line("")?;
        screen.line(screen.paint(Style::Remark, "Not everything of the source: what was not named has not ended."))?;
    }
    Ok(())
}

/// `customers` of `/srv/export/customers.csv.gz`.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = [".csv", ".json", ".txt", ".tsv"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    clean(stem).into_owned()
}

fn draw_counts(screen: &mut Screen, view: &View) -> Result<()> {
    let mut table = Table::new(screen, &["", ">new", ">changed", ">moved", ">ended", ">back", ">corrected"]);
    let plain = |number: usize| (if number == 0 { Style::Dim } else { Style::Plain }, count(number as u64));
    let none = || (Style::Plain, String::new());
    table.row([
        (Style::Strong, "parties".to_owned()),
        plain(view.parties_new),
        plain(view.parties_changed),
        plain(view.parties_moved),
        plain(view.parties_gone),
        plain(view.parties_back),
        none(),
    ]);
    table.row([
        (Style::Strong, "assignments".to_owned()),
        plain(view.assignments_begun),
        none(),
        none(),
        plain(view.assignments_ended),
        none(),
        plain(view.assignments_superseded),
    ]);
    Ok(table.write(screen)?)
}

/// What changes, in lines, at most `most` of each kind.
fn diff(changes: &Changes, transaction: &Transaction<'_>, most: usize) -> Result<Vec<Vec<String>>> {
    let kept = |id: i64| -> Result<String> {
        let assignment = transaction.assignment(id)?.map(|kept| kept.assignment);
        Ok(assignment.map_or_else(String::new, |one| format!("{} {} to {}", one.resource, one.level.word(), one.party)))
    };
    let start = |time: Option<Time>| time.map_or_else(|| "an unknown time".to_owned(), since);
    let mut groups = vec![
        group(&changes.parties_new, most, |party| Ok(format!("+ party {} {}", party.reference, party.name)))?,
        group(&changes.parties_changed, most, |change| {
            Ok(format!("~ party {}: {}", change.new.reference, change.fields.join(", ")))
        })?,
        group(&changes.moved, most, |moved| {
            let name = |party: &Option<String>| party.clone().unwrap_or_else(|| "nobody".to_owned());
            Ok(format!("~ party {} rents from {} instead of {}", moved.party, name(&moved.new), name(&moved.old)))
        })?,
        group(&changes.parties_gone, most, |(_, reference)| Ok(format!("- party {reference} is no longer named")))?,
        group(&changes.parties_back, most, |(_, reference)| Ok(format!("+ party {reference} is named again")))?,
        group(&changes.begun, most, |one| {
            let until = one.period.to.map_or_else(String::new, |to| format!(" until {}", since(to)));
            let from = start(one.period.from);
            Ok(format!("+ {} {} to {} since {from}{until}", one.resource, one.level.word(), one.party))
        })?,
        group(&changes.ended, most, |(id, at)| Ok(format!("- {} ends {}", kept(*id)?, since(*at))))?,
        group(&changes.superseded, most, |(id, reason)| Ok(format!("! {}: {}", kept(*id)?, reason.text())))?,
    ];
    groups.retain(|lines| !lines.is_empty());
    Ok(groups)
}

fn group<T>(list: &[T], most: usize, line: impl Fn(&T) -> Result<String>) -> Result<Vec<String>> {
    let mut lines = list.iter().take(most).map(line).collect::<Result<Vec<_>>>()?;
    if list.len() > most {
        lines.push(format!("… and {} more", count((list.len() - most) as u64)));
    }
    Ok(lines)
}

fn draw_remarks(screen: &mut Screen, title: &str, remarks: &Said) -> Result<()> {
    if remarks.count == 0 {
        return Ok(());
    }
    screen.heading(&format!("{title}: {}", count(remarks.count as u64)))?;
    for text in &remarks.first {
        screen.line(clean(text))?;
    }
    if remarks.count > remarks.first.len() {
        let more = count((remarks.count - remarks.first.len()) as u64);
        screen.line(screen.paint(Style::Dim, &format!("… and {more} more; -n shows them")))?;
    }
    Ok(())
}
