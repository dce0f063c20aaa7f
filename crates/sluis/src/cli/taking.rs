//! `sluis submission findings`, `take` and `dismiss`: what stands in a mail that no format understood, and what a person makes of it.

use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::Args;
use desk::taking::{Offered, Picking, offered};
use desk::{Desk, Reading};
use model::category::Kind;
use model::submission::{Progress, PublicId, Submission};
use model::time::Time;
use parsers::sink::{Finding, Found};
use parsers::source::Limits;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use store::Transaction;
use store::keys::Keys;
use store::submissions::Receipt;

use super::{Globals, Id};
use crate::acts::{self, Act, By};
use crate::output::safe::{masked, short};
use crate::output::words::counted;
use crate::output::{Screen, Style, Table, clean, json};

/// Show what stands in a submission that nothing understood: addresses, URLs, times and lines of logs
///
/// Nothing is done about any of them before somebody picks: innocent addresses stand in such texts beside guilty ones.
#[derive(Args)]
#[command(after_help = "How sure it is that something is meant as the source or time of abuse (0 to 100) only orders the list.
Then: sluis submission take ID --pick 1,3 --kind connection/login_attack")]
pub(crate) struct Findings {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = super::id)]
    id: Id,
    /// How many, the surest first
    #[arg(short = 'n', value_name = "N", default_value_t = 50)]
    most: usize,
    /// One JSON object a line, with all of it
    #[arg(long)]
    json: bool,
}

/// Make reports of what stands in a submission that nothing understood
///
/// What is picked becomes a submission of its own, reported by whoever the first one is from, and takes the way of every other; the
/// first one leaves the queue. The same picks taken again change nothing.
#[derive(Args)]
#[command(
    after_help = "Each address, URL or domain name that is picked is a report. The time is picked too, or said with --at; lines of logs
become evidence. Of content, one address beside URLs says where those are.

Examples:
  sluis submission findings 12
  sluis submission take 12 --pick 1,2,4 --kind connection/login_attack
  sluis submission take 12 --pick 3 --kind content/phishing --at 2026-11-20T10:00:00Z"
)]
pub(crate) struct Take {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = super::id)]
    id: Id,
    /// Numbers that 'sluis submission findings' shows, with commas between them
    #[arg(long, value_name = "NUMBERS", value_delimiter = ',', required = true)]
    pick: Vec<usize>,
    /// The kind of abuse: category and type of XARF
    #[arg(long, value_name = "KIND", value_parser = super::case::kind)]
    kind: Kind,
    /// When it was; not when a time is picked
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    at: Option<Time>,
    #[command(flatten)]
    by: By,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Take a submission that nothing understood out of the queue: there is nothing in it to act on
#[derive(Args)]
pub(crate) struct Dismiss {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = super::id)]
    id: Id,
    /// Why: what it is
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    by: By,
}

/// What is asked of the process that owns the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Taking {
    /// Public identifier of the submission.
    submission: String,
    picks: Vec<usize>,
    /// Category and type.
    kind: String,
    at: Option<i64>,
    by: String,
}

impl Taking {
    /// Does it; the number of the new submission, its reports, and whether it is new.
    pub(crate) fn perform(&self, desk: &Desk) -> Result<Value, desk::Error> {
        let kind = super::case::kind(&self.kind).map_err(desk::Error::Invalid)?;
        let picking = Picking {
            submission: public(&self.submission)?,
            picks: self.picks.clone(),
            kind,
            at: self.at.map(Time),
            by: self.by.clone(),
        };
        let made = desk.take_findings(&picking)?;
        let is_new = matches!(made.receipt, Receipt::New(_));
        Ok(json!({ "submission": made.receipt.id(), "reports": made.reports, "new": is_new }))
    }
}

/// Takes a submission out of the queue.
pub(crate) fn perform_dismiss(desk: &Desk, submission: &str, by: &str, reason: &str) -> Result<Value, desk::Error> {
    desk.dismiss(public(submission)?, by, reason).map(|()| Value::Null)
}

fn public(text: &str) -> Result<PublicId, desk::Error> {
    PublicId::parse(text).ok_or_else(|| desk::Error::Invalid(format!("'{text}' is no identifier")))
}

#[derive(Serialize)]
pub(super) struct FindingView {
    number: usize,
    what: &'static str,
    value: String,
    written: String,
    confidence: u8,
    place: String,
}

impl FindingView {
    /// What it is, its value or its line, how sure it is, and where.
    pub(super) fn shown(&self) -> (&'static str, &str, u8, &str) {
        let value = if self.what == word(Found::LogLine) { &self.written } else { &self.value };
        (self.what, value, self.confidence, &self.place)
    }
}

/// Stands where nobody is to read on.
const HIDDEN: &str = "(not shown: its text speaks of child abuse material)";

/// Findings as people may see them, the surest first, at most `most`.
pub(super) fn views(offered: &Offered, most: usize) -> Vec<FindingView> {
    let mut all: Vec<(usize, &Finding)> = offered.findings.iter().enumerate().collect();
    all.sort_by_key(|(at, finding)| (std::cmp::Reverse(finding.confidence), *at));
    let view = |(at, finding): (usize, &Finding)| {
        let (value, written) = match (offered.hidden, finding.what) {
            (true, Found::LogLine) => (HIDDEN.to_owned(), HIDDEN.to_owned()),
            (true, Found::Url) => (masked(&finding.value), HIDDEN.to_owned()),
            _ => (finding.value.clone(), finding.written.clone()),
        };
        let place = if offered.hidden { masked(&finding.place) } else { finding.place.clone() };
        FindingView { number: at + 1, what: word(finding.what), value, written, confidence: finding.confidence, place }
    };
    all.into_iter().take(most).map(view).collect()
}

/// In a line: what a submission is perhaps about.
pub(super) fn in_short(offered: &Offered) -> String {
    let is_about = |view: &FindingView| ["address", "URL", "domain name"].contains(&view.what);
    let values: Vec<String> =
        views(offered, usize::MAX).into_iter().filter(is_about).take(3).map(|view| short(&view.value, 60)).collect();
    values.join(", ")
}

fn word(what: Found) -> &'static str {
    match what {
        Found::Address => "address",
        Found::Prefix => "range",
        Found::Url => "URL",
        Found::Domain => "domain name",
        Found::Mail => "mail address",
        Found::Time => "time",
        Found::LogLine => "line of a log",
    }
}

/// What stands in a submission that no format understood; `None` when its bytes are not kept any more, are more than is looked
/// through, or may not be shown.
pub(super) fn look(
    transaction: &Transaction<'_>,
    submission: &Submission,
    directory: &Path,
    keys: &Keys,
) -> Result<Option<Offered>> {
    if transaction.became_child_abuse(submission)? || transaction.holds_child_abuse(submission.id)? {
        return Ok(None);
    }
    let Some(key) = keys.get(submission.public)? else { return Ok(None) };
    let most = Limits::default().whole;
    let mut bytes = Vec::new();
    transaction.open_raw(submission, &key, directory)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then(|| offered(&bytes, submission.received)))
}

/// Shows what stands in a submission.
pub(super) fn findings(args: &Findings, globals: &Globals) -> Result<u8> {
    let mut reader = globals.reader()?;
    let directory = reader.directory().to_owned();
    let keys = Keys::open_to_read(&directory.join("keys.db"))?;
    let (submission, offered) = reader.read(|transaction| {
        let submission = super::submission::find(transaction, args.id)?;
        let offered = look(transaction, &submission, &directory, &keys)?;
        Ok::<_, anyhow::Error>((submission, offered))
    })?;
    if submission.progress == Progress::Received {
        bail!("submission {} is not read yet", submission.public);
    }
    let offered = offered.context("nothing of it can be shown: its bytes are gone, too many, or tell of child abuse material")?;
    let mut screen = Screen::new();
    let shown = views(&offered, if args.json { usize::MAX } else { args.most });
    if args.json {
        for view in &shown {
            json::line(&mut screen, view)?;
        }
        return super::done(screen, 0);
    }
    if shown.is_empty() {
        screen.line("nothing was found in it; its bytes: sluis submission show ID --raw")?;
        return super::done(screen, 0);
    }
    let mut table = Table::new(&screen, &[">number", "=what", "value", ">sure", "as it was written", "place"]);
    for view in &shown {
        let written = if view.written == view.value { String::new() } else { short(&view.written, 200) };
        let (value, written) =
            if view.what == word(Found::LogLine) { (written, String::new()) } else { (short(&view.value, 200), written) };
        table.row([
            (Style::Strong, view.number.to_string()),
            (Style::Plain, view.what.to_owned()),
            (Style::Plain, value),
            (Style::Dim, format!("{}%", view.confidence)),
            (Style::Dim, written),
            (Style::Dim, short(&view.place, 60)),
        ]);
    }
    table.write(&mut screen)?;
    let more = offered.findings.len() - shown.len();
    let more = if more > 0 { format!("{more} more: -n {}. ", offered.findings.len()) } else { String::new() };
    let number = submission.id;
    let next = format!(
        "{more}Pick: sluis submission take {number} --pick NUMBERS --kind KIND. Nothing in it: sluis submission dismiss {number} --reason TEXT"
    );
    let next = screen.paint(Style::Dim, &next);
    screen.line(next)?;
    super::done(screen, 0)
}

/// Has the desk take what is picked, and works it off when nobody else does.
pub(super) fn take(args: &Take, globals: &Globals) -> Result<u8> {
    let submission = identifier(args.id, globals)?;
    let asked = Taking {
        submission: submission.to_string(),
        picks: args.pick.clone(),
        kind: args.kind.to_string(),
        at: args.at.map(|at| at.0),
        by: args.by.name()?,
    };
    let outcome = acts::ask(globals, &Act::Take(Box::new(asked)))?;
    // Whoever owns the data goes on with it; when nobody does, it is done here.
    let worked = match globals.data()?.desk(globals.clock(), Reading::default()) {
        Ok(desk) => {
            desk.work(&|_, _| {})?;
            desk.advance()?;
            crate::data::seal(&desk);
            true
        }
        Err(desk::Error::Conflict(_)) => false,
        Err(error) => return Err(error.into()),
    };
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &outcome)?;
        return super::done(screen, 0);
    }
    let number = outcome.get("submission").and_then(Value::as_i64).unwrap_or_default();
    let reports = outcome.get("reports").and_then(Value::as_u64).unwrap_or_default();
    if outcome.get("new").and_then(Value::as_bool) == Some(false) {
        screen.line(format_args!("the same was taken before, as submission {number}: nothing changed"))?;
    } else {
        let follows =
            if worked { "see it: sluis submission show" } else { "'sluis serve' reads it now; see it: sluis submission show" };
        screen.line(format_args!("submission {number} has {}; {follows} {number}", counted(reports, "report")))?;
    }
    super::done(screen, 0)
}

/// Takes a submission out of the queue.
pub(super) fn dismiss(args: &Dismiss, globals: &Globals) -> Result<u8> {
    let submission = identifier(args.id, globals)?;
    let (by, reason) = (args.by.name()?, args.reason.clone());
    acts::ask(globals, &Act::Dismiss { submission: submission.to_string(), by, reason })?;
    let mut screen = Screen::new();
    screen.line(format_args!("submission {submission} waits for nobody any more"))?;
    super::done(screen, 0)
}

fn identifier(id: Id, globals: &Globals) -> Result<PublicId> {
    match id {
        Id::Public(public) => Ok(public),
        Id::Row(row) => match globals.reader()?.read(|transaction| transaction.submission(row))? {
            Some(submission) => Ok(submission.public),
            None => bail!("there is no submission {row}; 'sluis queue unreadable' shows what waits"),
        },
    }
}

/// What a person did with a submission, for people.
pub(super) fn told(transaction: &Transaction<'_>, submission: i64) -> Result<String> {
    let Some(taken) = transaction.taken(submission)? else { return Ok(String::new()) };
    let person = clean(&taken.person).into_owned();
    Ok(match taken.outcome {
        Some(outcome) => format!("by {person} at {}, as submission {outcome}", taken.at),
        None => format!("nothing, says {person} at {}: {}", taken.at, clean(&taken.reason)),
    })
}
