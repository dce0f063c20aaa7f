//! `sluis queue`: what waits for a person, and what to do about it.

use std::collections::HashMap;

use anyhow::Result;
use clap::ValueEnum;
use model::case::State;
use model::submission::Progress;
use model::time::Time;
use serde::Serialize;
use store::Transaction;
use store::listing::Listing;
use store::queues::{Queue, Queued, SetAside};

use super::{Globals, case, taking};
use crate::output::chain::Kept;
use crate::output::safe::{masked, short};
use crate::output::words::{count, moment};
use crate::output::{Screen, Style, Table, json};

/// Show what waits for a person
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis queue                     how much waits where, and what to do about it
  sluis queue rejects -n 5        the newest statements that could not be read
  sluis receive --again rejects   read them once more, with a better version or --map")]
pub(crate) struct Args {
    /// One of the queues; none for the counts of all
    #[arg(value_enum)]
    queue: Option<Name>,
    /// How many entries
    #[arg(short = 'n', value_name = "N", default_value_t = 25)]
    most: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Open cases whose holder nobody knows
    NoHolder,
    /// Cases that turned out to be another party's: the administration was corrected
    HolderChanged,
    /// Submissions that no format understood
    Unreadable,
    /// Statements that could not be read
    Rejects,
    /// Reports without a credible time: nobody can say who it was then
    Undated,
    /// Submissions that are perhaps the order of an authority
    Orders,
}

#[derive(Serialize)]
struct CountView {
    queue: &'static str,
    waiting: i64,
    what_to_do: &'static str,
}

#[derive(Serialize)]
struct EntryView {
    submission: String,
    ordinal: u32,
    at: String,
    place: String,
    reason: String,
    text: String,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now();
    let mut reader = globals.reader()?;
    let directory = reader.directory().to_owned();
    reader.read(|transaction| match args.queue {
        None => counts(args, transaction),
        Some(Name::NoHolder) => no_holder(args, transaction, now),
        Some(Name::HolderChanged) => holder_changed(args, transaction),
        Some(Name::Unreadable) => unreadable(args, transaction, &directory),
        Some(Name::Rejects) => entries(args, transaction, Queue::Rejects),
        Some(Name::Undated) => entries(args, transaction, Queue::Undated),
        Some(Name::Orders) => super::order::queue(args.most, args.json, transaction, now),
    })
}

fn counts(args: &Args, transaction: &Transaction<'_>) -> Result<u8> {
    let waiting = transaction.waiting()?;
    let rows = [
        ("no-holder", waiting.no_holder, "import the administration that knows the address: sluis import FILE"),
        ("holder-changed", waiting.holder_changed, "say whose they are: sluis case correct ID --move or --leave"),
        (
            "unreadable",
            waiting.unreadable,
            "see what stands in it: sluis submission findings ID; a CSV of your own is read with --map",
        ),
        ("rejects", waiting.rejects, "see the reasons: sluis queue rejects; then sluis receive --again rejects"),
        ("undated", waiting.undated, "ask the reporter when it was: sluis queue undated"),
        ("orders", waiting.orders, "look within the hour: sluis queue orders; then sluis submission order ID --is order|not"),
        ("unread", waiting.unread, "nothing: the next 'sluis receive', or 'sluis serve', reads them"),
    ];
    let mut screen = Screen::new();
    let mut table = Table::new(&screen, &["=queue", ">waiting", "what to do"]);
    for (queue, waiting, what_to_do) in rows {
        if args.json {
            json::line(&mut screen, &CountView { queue, waiting, what_to_do })?;
            continue;
        }
        let (style, what) = if waiting > 0 { (Style::Alarm, what_to_do) } else { (Style::Dim, "") };
        table.row([(Style::Strong, queue.to_owned()), (style, count(waiting)), (Style::Plain, what.to_owned())]);
    }
    if !args.json {
        table.write(&mut screen)?;
    }
    super::done(screen, 0)
}

fn no_holder(args: &Args, transaction: &Transaction<'_>, now: Time) -> Result<u8> {
    let listing = Listing { state: Some(State::Open), holder: Some(0), ..Listing::default() };
    let cases = transaction.list_cases(&listing, args.most)?;
    let mut names = Kept::new(transaction)?;
    let mut screen = Screen::new();
    if args.json {
        for (filed, standing) in &cases {
            json::line(&mut screen, &case::view(&filed.case, standing, &mut names, now)?)?;
        }
    } else if cases.is_empty() {
        empty(&mut screen)?;
    } else {
        case::table(&mut screen, &cases, &mut names, now)?;
    }
    super::done(screen, 0)
}

#[derive(Serialize)]
struct ChangeView {
    case: String,
    number: i64,
    found: String,
    old: String,
    new: String,
    reports: u64,
    of: u64,
}

fn holder_changed(args: &Args, transaction: &Transaction<'_>) -> Result<u8> {
    let found = transaction.waiting_holder_changes(None, args.most)?;
    let mut names = Kept::new(transaction)?;
    let mut screen = Screen::new();
    if found.is_empty() && !args.json {
        empty(&mut screen)?;
        return super::done(screen, 0);
    }
    let columns = &[">case", "=P", "about", "we thought", "it is", ">reports", "=found"];
    let mut table = Table::new(&screen, columns);
    for change in &found {
        let Some((filed, standing)) = transaction.case_standing(change.case)? else { continue };
        let mut title = |party: Option<i64>| party.map_or_else(|| Ok("nobody known".to_owned()), |party| names.title(party));
        let (old, new) = (title(change.old)?, title(change.new)?);
        if args.json {
            let view = ChangeView {
                case: filed.case.public.to_string(),
                number: change.case,
                found: change.found.to_string(),
                old,
                new,
                reports: change.reports,
                of: change.of,
            };
            json::line(&mut screen, &view)?;
            continue;
        }
        table.row([
            (Style::Strong, change.case.to_string()),
            (Style::Plain, standing.progress.severity.word().to_owned()),
            (Style::Plain, short(&crate::output::report::about(&filed.case), 60)),
            (Style::Dim, old),
            (Style::Plain, new),
            (Style::Plain, format!("{} of {}", change.reports, change.of)),
            (Style::Plain, moment(change.found)),
        ]);
    }
    if !args.json {
        table.write(&mut screen)?;
    }
    super::done(screen, 0)
}

#[derive(Serialize)]
struct UnreadableView {
    #[serde(flatten)]
    submission: super::submission::SubmissionView,
    /// The surest of what stands in its text.
    findings: Vec<taking::FindingView>,
}

/// Findings of each submission that are shown with it.
const FINDINGS: usize = 10;

fn unreadable(args: &Args, transaction: &Transaction<'_>, directory: &std::path::Path) -> Result<u8> {
    let found = transaction.submissions(Some(Progress::Unreadable), i64::MAX, args.most)?;
    let mut screen = Screen::new();
    let keys = store::keys::Keys::open_to_read(&directory.join("keys.db"))?;
    // What cannot be looked through now is shown without what stands in it.
    let look = |submission: &_| taking::look(transaction, submission, directory, &keys).ok().flatten().unwrap_or_default();
    if args.json {
        for submission in &found {
            let findings = taking::views(&look(submission), FINDINGS);
            json::line(&mut screen, &UnreadableView { submission: super::submission::view(submission), findings })?;
        }
    } else if found.is_empty() {
        empty(&mut screen)?;
    } else {
        let mut table = Table::new(&screen, &[">submission", "=received", "=door", "name", "perhaps about", "why"]);
        for submission in &found {
            table.row([
                (Style::Strong, submission.id.to_string()),
                (Style::Plain, moment(submission.received)),
                (Style::Plain, submission.door.word().to_owned()),
                (Style::Plain, short(&submission.name, 60)),
                (Style::Plain, taking::in_short(&look(submission))),
                (Style::Plain, submission.reason.clone()),
            ]);
        }
        table.write(&mut screen)?;
        screen.line("See what stands in one, and pick: sluis submission findings NUMBER")?;
    }
    super::done(screen, 0)
}

fn entries(args: &Args, transaction: &Transaction<'_>, queue: Queue) -> Result<u8> {
    let found = transaction.queued(queue, None, args.most)?;
    let mut known = HashMap::new();
    let mut screen = Screen::new();
    if args.json {
        for queued in &found {
            let public = transaction.submission(queued.submission)?.map(|submission| submission.public.to_string());
            let entry = hide(transaction, queued, &mut known)?;
            let view = EntryView {
                submission: public.unwrap_or_default(),
                ordinal: entry.ordinal,
                at: queued.at.to_string(),
                place: entry.place,
                reason: entry.reason,
                text: entry.text,
            };
            json::line(&mut screen, &view)?;
        }
    } else if found.is_empty() {
        empty(&mut screen)?;
    } else {
        table(&mut screen, transaction, &found)?;
    }
    super::done(screen, 0)
}

/// Statements that were set aside, in a table.
pub(super) fn table(screen: &mut Screen, transaction: &Transaction<'_>, found: &[Queued]) -> Result<()> {
    let mut known = HashMap::new();
    let mut table = Table::new(screen, &[">submission", "=set aside", "place", "reason", "text"]);
    for queued in found {
        let entry = hide(transaction, queued, &mut known)?;
        table.row([
            (Style::Strong, queued.submission.to_string()),
            (Style::Dim, moment(queued.at)),
            (Style::Plain, short(&entry.place, 80)),
            (Style::Plain, short(&entry.reason, 200)),
            (Style::Dim, short(&entry.text, if screen.terminal { 60 } else { 200 })),
        ]);
    }
    table.write(screen)?;
    Ok(())
}

/// Stands where nobody is to read on.
const HIDDEN: &str = "(not shown: it may tell where child abuse material is)";

/// An entry as people may see it: what calls itself a report of child abuse material, and what came beside one, may name
/// its location. `known` remembers which submissions hold such reports.
pub(super) fn hide(transaction: &Transaction<'_>, queued: &Queued, known: &mut HashMap<i64, bool>) -> Result<SetAside> {
    let mut entry = queued.entry.clone();
    let hidden = super::submission::tells_of_child_abuse(&entry.text)
        || match known.get(&queued.submission) {
            Some(holds) => *holds,
            None => {
                let holds = transaction.holds_child_abuse(queued.submission)?;
                known.insert(queued.submission, holds);
                holds
            }
        };
    if hidden {
        entry.text = HIDDEN.to_owned();
        entry.reason = masked(&entry.reason);
    }
    Ok(entry)
}

fn empty(screen: &mut Screen) -> Result<()> {
    Ok(screen.line("nothing waits here")?)
}
