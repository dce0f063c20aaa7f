//! `sluis import`: an address administration becomes what this node knows, with the difference shown.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use desk::{Desk, Reading};
use model::administration::{Changes, Remarks};
use model::time::Time;
use parsers::administration::Finding;
use serde::Serialize;
use store::Transaction;

use super::{Globals, administration};
use crate::output::progress::Progress;
use crate::output::words::{count, counted, since};
use crate::output::{Screen, Style, Table, clean, json};

/// Read an address administration: parties, and what is assigned to them
///
/// What changed is ended and begun, never rewritten: cases of before keep their holders. Importing the same again changes
/// nothing. Open cases without a holder are traced once more.
#[derive(clap::Args)]
#[command(after_help = "Columns of CSV: at least 'resource' and 'party'; also 'from', 'to', 'level', 'parent', 'party_name',
'contact_mail' and others. Files may be packed with gzip.

Examples:
  sluis import --dry-run customers.csv
  sluis import --source billing --map whmcs.toml export.json
  sluis import --source ripe --within 192.0.2.0/24 ripe.db.inetnum.gz ripe.db.organisation.gz")]
pub(crate) struct Args {
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
    /// The files are everything the source has, even if some of it could not be read
    #[arg(long)]
    complete: bool,
    #[command(flatten)]
    reading: administration::Options,
    /// How many lines of each kind are shown
    #[arg(short = 'n', value_name = "N", default_value_t = 10)]
    most: usize,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct View<'a> {
    source: &'a str,
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
    changes: Vec<String>,
    conflicts: Said<'a>,
    overlaps: Said<'a>,
    cuts: Said<'a>,
    problems: Said<'a>,
    findings: Vec<FindingView<'a>>,
    gaps: usize,
}

#[derive(Serialize)]
struct Said<'a> {
    count: usize,
    first: &'a [String],
}

#[derive(Serialize)]
struct FindingView<'a> {
    place: &'a str,
    reason: &'a str,
    text: &'a str,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let source = match (&args.source, args.files.as_slice()) {
        (Some(source), _) => source.clone(),
        (None, [file]) if file.as_os_str() != "-" => stem(file),
        _ => bail!("say what the source is called with --source NAME: by it the next import knows what has changed"),
    };
    let bar = Progress::new();
    bar.wait("reading");
    let mut read = administration::read(&args.files, &args.reading)?;
    read.snapshot.complete = (read.snapshot.complete || args.complete) && !args.partial;
    bar.wait("comparing");
    let directory = crate::data::directory(globals.data.as_deref())?;
    let desk = Desk::open(&directory, globals.clock(), Reading::default())?;
    let imported = desk.import(&source, read.kind, &read.snapshot, args.dry_run)?;
    bar.finish();
    let changes = &imported.changes;
    let mut screen = Screen::new();
    desk.store().reader()?.read(|transaction| {
        if args.json {
            return as_json(args, &mut screen, &source, &read, &imported, transaction);
        }
        let title = if args.dry_run { format!("{source}: what would change") } else { format!("{source}: what changed") };
        let title = screen.paint(Style::Strong, &title);
        screen.line(title)?;
        if changes.is_empty() {
            screen.line("nothing")?;
        } else {
            draw_counts(&mut screen, changes)?;
            for lines in diff(changes, transaction, args.most)? {
                screen.line("")?;
                for line in lines {
                    let style = match line.chars().next() {
                        Some('-' | '!') => Style::Remark,
                        Some('…') => Style::Dim,
                        _ => Style::Plain,
                    };
                    let line = screen.paint(style, &line);
                    screen.line(line)?;
                }
            }
        }
        if imported.holders_found > 0 {
            let found = counted(imported.holders_found, "case");
            screen.line(format_args!("\n{found} that had no holder: now known"))?;
        }
        for (title, remarks) in [
            ("Held by another source, so not taken", &changes.conflicts),
            ("Two parties for one resource at one time", &changes.overlaps),
            ("Ranges that crossed others", &changes.cuts),
            ("Other remarks", &changes.problems),
        ] {
            draw_remarks(&mut screen, title, remarks, args.most)?;
        }
        let findings: Vec<String> =
            read.findings.iter().map(|finding| format!("{}: {} {}", finding.place, finding.reason, finding.text)).collect();
        draw_remarks(&mut screen, "Not read as it stood", &Remarks { count: findings.len(), texts: findings }, args.most)?;
        draw_gaps(&mut screen, changes, args.most)?;
        if !read.snapshot.complete {
            screen.line("")?;
            let text = screen.paint(Style::Remark, "Not everything of the source: what was not named has not ended.");
            screen.line(text)?;
        }
        Ok::<_, anyhow::Error>(())
    })?;
    super::done(screen, 0)
}

/// `customers` of `/srv/export/customers.csv.gz`.
fn stem(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    let stem = [".csv", ".json", ".txt", ".tsv"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
    clean(stem).into_owned()
}

fn as_json(
    args: &Args,
    screen: &mut Screen,
    source: &str,
    read: &administration::Administration,
    imported: &desk::import::Imported,
    transaction: &Transaction<'_>,
) -> Result<()> {
    fn said(remarks: &Remarks, most: usize) -> Said<'_> {
        Said { count: remarks.count, first: remarks.texts.get(..most.min(remarks.texts.len())).unwrap_or_default() }
    }
    let changes = &imported.changes;
    fn finding(finding: &Finding) -> FindingView<'_> {
        FindingView { place: &finding.place, reason: &finding.reason, text: &finding.text }
    }
    let view = View {
        source,
        dry_run: args.dry_run,
        complete: read.snapshot.complete,
        parties_new: changes.parties_new.len(),
        parties_changed: changes.parties_changed.len(),
        parties_moved: changes.moved.len(),
        parties_gone: changes.parties_gone.len(),
        parties_back: changes.parties_back.len(),
        assignments_begun: changes.begun.len(),
        assignments_ended: changes.ended.len(),
        assignments_superseded: changes.superseded.len(),
        holders_found: imported.holders_found,
        changes: diff(changes, transaction, args.most)?.concat(),
        conflicts: said(&changes.conflicts, args.most),
        overlaps: said(&changes.overlaps, args.most),
        cuts: said(&changes.cuts, args.most),
        problems: said(&changes.problems, args.most),
        findings: read.findings.iter().take(args.most).map(finding).collect(),
        gaps: changes.gaps.count,
    };
    Ok(json::line(screen, &view)?)
}

fn draw_counts(screen: &mut Screen, changes: &Changes) -> Result<()> {
    let mut table = Table::new(screen, &["", ">new", ">changed", ">moved", ">ended", ">back", ">corrected"]);
    let plain = |number: usize| (if number == 0 { Style::Dim } else { Style::Plain }, count(number as u64));
    let none = || (Style::Plain, String::new());
    table.row([
        (Style::Strong, "parties".to_owned()),
        plain(changes.parties_new.len()),
        plain(changes.parties_changed.len()),
        plain(changes.moved.len()),
        plain(changes.parties_gone.len()),
        plain(changes.parties_back.len()),
        none(),
    ]);
    table.row([
        (Style::Strong, "assignments".to_owned()),
        plain(changes.begun.len()),
        none(),
        none(),
        plain(changes.ended.len()),
        none(),
        plain(changes.superseded.len()),
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

fn draw_remarks(screen: &mut Screen, title: &str, remarks: &Remarks, most: usize) -> Result<()> {
    if remarks.count == 0 {
        return Ok(());
    }
    screen.heading(&format!("{title}: {}", count(remarks.count as u64)))?;
    for text in remarks.texts.iter().take(most) {
        screen.line(clean(text))?;
    }
    if remarks.count > most {
        let text = screen.paint(Style::Dim, &format!("… and {} more; -n shows them", count((remarks.count - most) as u64)));
        screen.line(text)?;
    }
    Ok(())
}

fn draw_gaps(screen: &mut Screen, changes: &Changes, most: usize) -> Result<()> {
    let gaps = &changes.gaps;
    if gaps.count == 0 {
        return Ok(());
    }
    screen.heading(&format!(
        "Held and passed on to nobody: {}, {}",
        counted(gaps.count as u64, "stretch"),
        counted(gaps.v4_addresses, "IPv4 address"),
    ))?;
    for gap in gaps.v4.iter().chain(&gaps.v6).take(most) {
        let text = format!("{} in {} of {}", gap.range, gap.inside, gap.party);
        screen.line(clean(&text))?;
    }
    Ok(())
}
