//! `sluis case note`, `handle`, `close` and the other acts on cases, on one or on many; and how they are undone.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use desk::acts::Preview;
use model::policy::Closure;
use model::submission::PublicId;
use model::time::Time;
use serde::Serialize;
use store::Transaction;
use store::listing::Listing;

use super::{Command, find, list};
use crate::acts::cases::{Listed, OnCases, Outcome, SplitOutcome, Splitting, UndoOutcome, What};
use crate::acts::{self, Act, By};
use crate::cli::{Globals, Id, done, id, time};
use crate::output::chain::Kept;
use crate::output::words::{counted, moment};
use crate::output::{Screen, Style, Table, json};

/// Which cases it is done to.
#[derive(Args)]
pub(crate) struct Target {
    /// Cases: identifiers, or numbers in the list
    #[arg(value_name = "ID", value_parser = id, required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<Id>,
    #[command(flatten)]
    many: Many,
}

/// How many are touched at once.
#[derive(Args)]
pub(crate) struct Many {
    /// All that 'sluis case list' shows with the same options
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    which: list::Which,
    /// Do it to several without asking, if they are exactly so many: the number that a look at them gave
    #[arg(long, value_name = "N")]
    yes: Option<u64>,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// Why, and who says so.
#[derive(Args)]
pub(crate) struct Why {
    /// Why: it is kept with each case
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: String,
    #[command(flatten)]
    pub(super) by: By,
}

/// Write something down in the journal of a case; it never leaves the house
#[derive(Args)]
#[command(after_help = "Examples:
  sluis case note 12 'called them, they look at it today'
  sluis case note --all --holder C-1 'is moving its machines this week'")]
pub(crate) struct Note {
    /// Cases, and last the text
    #[arg(value_name = "ID… TEXT", required = true)]
    words: Vec<String>,
    #[command(flatten)]
    many: Many,
    #[command(flatten)]
    by: By,
}

/// Take cases, or give them to a colleague
#[derive(Args)]
pub(crate) struct Handle {
    #[command(flatten)]
    target: Target,
    /// Whose they are; default is yours
    #[arg(long, value_name = "NAME", conflicts_with = "nobody")]
    to: Option<String>,
    /// Nobody has them any more
    #[arg(long)]
    nobody: bool,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
    #[command(flatten)]
    by: By,
}

/// Put cases off: nothing is sent and no rung is climbed until then
#[derive(Args)]
pub(crate) struct Snooze {
    #[command(flatten)]
    target: Target,
    /// Until when
    #[arg(long, value_name = "TIME", value_parser = time, required_unless_present = "over")]
    until: Option<Time>,
    /// They are put off no more
    #[arg(long, conflicts_with = "until")]
    over: bool,
    #[command(flatten)]
    why: Why,
}

/// Close cases that are not about our network
#[derive(Args)]
pub(crate) struct NotOurs {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    why: Why,
}

/// Close cases because the abuse was mended
#[derive(Args)]
pub(crate) struct Resolve {
    #[command(flatten)]
    target: Target,
    /// Who mended it
    #[arg(long, value_enum)]
    fixed_by: FixedBy,
    /// It is certain that it was so: at P0 and P1 it counts against the party
    #[arg(long)]
    confirmed: bool,
    #[command(flatten)]
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FixedBy {
    /// The party that holds it
    Party,
    /// We
    Operator,
}

/// Note that the party says it is not so: the ladder stands still until somebody else decides
#[derive(Args)]
pub(crate) struct Dispute {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    why: Why,
}

/// Decide disputes, as somebody who did not handle the case
#[derive(Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    target: Target,
    /// Whether the party is right: then the case is closed, and counts against it no more
    #[arg(long, value_enum)]
    dispute: Outcomes,
    #[command(flatten)]
    why: Why,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Outcomes {
    /// The party is right
    Upheld,
    /// It is not: the case goes on
    Refused,
}

/// Close cases for a reason
#[derive(Args)]
pub(crate) struct Close {
    #[command(flatten)]
    target: Target,
    /// What became of it: false-report, lawful, insufficient, passed-on, quiet, fixed, fixed-by-operator, not-ours and others
    #[arg(long = "as", value_name = "WHAT", value_parser = closure)]
    closure: Closure,
    #[command(flatten)]
    why: Why,
}

/// Open closed cases again: their clocks begin anew
#[derive(Args)]
pub(crate) struct Reopen {
    #[command(flatten)]
    target: Target,
    #[command(flatten)]
    why: Why,
}

/// Let cases become part of another; further reports of them join that one
#[derive(Args)]
pub(crate) struct Merge {
    #[command(flatten)]
    target: Target,
    /// The case that they become part of
    #[arg(long, value_name = "ID", value_parser = id)]
    into: Id,
    #[command(flatten)]
    why: Why,
}

/// Give some of a case's reports a case of their own
#[derive(Args)]
#[command(after_help = "Example:
  sluis case split 12 --address 192.0.2.9 --reason 'another machine'")]
pub(crate) struct Split {
    /// The case
    #[arg(value_name = "ID", value_parser = id)]
    id: Id,
    /// Reports about this address
    #[arg(long, value_name = "ADDRESS", value_parser = super::address)]
    address: Option<model::address::Address>,
    /// Reports of abuse seen at this time or later
    #[arg(long, value_name = "TIME", value_parser = time)]
    from: Option<Time>,
    /// Reports of abuse seen before this
    #[arg(long, value_name = "TIME", value_parser = time)]
    to: Option<Time>,
    /// Reports of this submission
    #[arg(long, value_name = "ID")]
    submission: Option<String>,
    /// Reports at these places in their submissions
    #[arg(long, value_name = "N,N", value_delimiter = ',')]
    place: Vec<u32>,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    why: Why,
}

/// List what people did to cases, newest first
#[derive(Args)]
pub(crate) struct Acts {
    /// Only those with a lower number: the next page
    #[arg(long, value_name = "N", default_value_t = i64::MAX, hide_default_value = true)]
    before: i64,
    /// How many
    #[arg(short = 'n', value_name = "N", default_value_t = 25)]
    most: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Undo an act: its cases are as they were, if nothing else has changed them since
#[derive(Args)]
pub(crate) struct Undo {
    /// The act: its identifier, or its number in 'sluis case acts'
    #[arg(value_name = "ACT", value_parser = id)]
    act: Id,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    why: Why,
}

fn closure(text: &str) -> Result<Closure, String> {
    let found = Closure::parse(&text.replace(['-', '_'], " ")).filter(|closure| *closure != Closure::Merged);
    found.ok_or_else(|| {
        let words = Closure::ALL.iter().filter(|closure| **closure != Closure::Merged);
        let words: Vec<String> = words.map(|closure| closure.word().replace(' ', "-")).collect();
        format!("not a reason to close a case; there is {}", words.join(", "))
    })
}

pub(super) fn run(command: &Command, globals: &Globals, now: Time) -> Result<u8> {
    match command {
        Command::Note(args) => note(args, globals, now),
        Command::Handle(args) => {
            let by = args.by.name()?;
            let handler = match (&args.to, args.nobody) {
                (_, true) => String::new(),
                (Some(to), _) => acts::name(to).map_err(anyhow::Error::msg)?,
                (None, _) => by.clone(),
            };
            on_cases(globals, now, &args.target, What::Handle { handler }, args.reason.clone(), by)
        }
        Command::Snooze(args) => {
            because(globals, now, &args.target, What::Snooze { until: args.until.map(|until| until.0) }, &args.why)
        }
        Command::NotOurs(args) => because(globals, now, &args.target, closing(Closure::NotOurs), &args.why),
        Command::Resolve(args) => {
            let what = What::Resolve { by_operator: args.fixed_by == FixedBy::Operator, confirmed: args.confirmed };
            because(globals, now, &args.target, what, &args.why)
        }
        Command::Dispute(args) => because(globals, now, &args.target, What::Dispute, &args.why),
        Command::Decide(args) => {
            let what = What::Decide { upheld: args.dispute == Outcomes::Upheld };
            because(globals, now, &args.target, what, &args.why)
        }
        Command::Close(args) => because(globals, now, &args.target, closing(args.closure), &args.why),
        Command::Reopen(args) => because(globals, now, &args.target, What::Reopen, &args.why),
        Command::Merge(args) => {
            let into = globals.reader()?.read(|transaction| find(transaction, args.into))?.case.id;
            because(globals, now, &args.target, What::Merge { into }, &args.why)
        }
        Command::Split(args) => split(args, globals),
        Command::Undo(args) => undo(args, globals),
        Command::List(_)
        | Command::Show(_)
        | Command::Bundle(_)
        | Command::Export(_)
        | Command::Evidence(_)
        | Command::Acts(_)
        | Command::Correct(_) => Ok(0),
    }
}

fn closing(closure: Closure) -> What {
    What::Close { closure: closure.word().to_owned() }
}

fn note(args: &Note, globals: &Globals, now: Time) -> Result<u8> {
    let Some((text, ids)) = args.words.split_last() else { bail!("say what is to be written down") };
    let ids: Vec<Id> = ids.iter().map(|text| id(text).map_err(anyhow::Error::msg)).collect::<Result<_>>()?;
    if ids.is_empty() != args.many.all {
        bail!("name cases and then the text: sluis case note 12 'called them'; or the text and --all");
    }
    do_it(globals, now, &ids, &args.many, What::Note, text.clone(), args.by.name()?)
}

fn because(globals: &Globals, now: Time, target: &Target, what: What, why: &Why) -> Result<u8> {
    on_cases(globals, now, target, what, why.reason.clone(), why.by.name()?)
}

fn on_cases(globals: &Globals, now: Time, target: &Target, what: What, reason: String, by: String) -> Result<u8> {
    do_it(globals, now, &target.ids, &target.many, what, reason, by)
}

/// Looks first when it is about several, asks, and does it.
fn do_it(globals: &Globals, now: Time, ids: &[Id], many: &Many, what: What, reason: String, by: String) -> Result<u8> {
    let mut reader = globals.reader()?;
    let mut asked = reader.read(|transaction| -> Result<OnCases> {
        let listed = if many.all {
            if many.which.is_everything(now, transaction)? {
                bail!("say which cases: --all goes with at least one of --kind, --holder, --address, --severity, --rule, --handler, --overdue");
            }
            Some(Listed::of(&many.which.listing(transaction, now)?))
        } else if many.which.listing(transaction, now)? != Listing::default() {
            bail!("--all is missing: without it, name the cases");
        } else {
            None
        };
        let cases = ids.iter().map(|id| Ok(find(transaction, *id)?.case.id)).collect::<Result<_>>()?;
        Ok(OnCases { what, cases, listed, expected: many.yes, by, reason })
    })?;
    let is_bulk = asked.listed.is_some() || asked.cases.len() > 1;
    if is_bulk {
        let doing = asked.doing()?;
        let preview = reader.read(|transaction| desk::acts::preview(transaction, &doing, now))?;
        if many.yes.is_none() {
            reader.read(|transaction| draw(&preview, &doing.verb.word(), transaction))?;
            asked.expected = Some(agreed(preview.cases)?);
        }
    }
    let outcome: Outcome = serde_json::from_value(acts::ask(globals, &Act::Cases(Box::new(asked)))?)?;
    let mut screen = Screen::new();
    if many.json {
        json::line(&mut screen, &outcome)?;
    } else {
        let text = format!("done: {}; to undo it: sluis case undo {}", counted(outcome.cases, "case"), outcome.number);
        screen.line(text)?;
        remarks(&mut screen, outcome.left_out_p0, &outcome.not_done)?;
    }
    done(screen, 0)
}

pub(super) fn remarks(screen: &mut Screen, urgent: u64, others: &[(String, u64)]) -> Result<()> {
    if urgent > 0 {
        let text = format!("{} of P0 left out: each is decided about by itself", counted(urgent, "case"));
        screen.line(screen.paint(Style::Remark, &text))?;
    }
    for (why, cases) in others {
        screen.line(format_args!("{} left out: {}", counted(*cases, "case"), crate::output::clean(why)))?;
    }
    Ok(())
}

/// Shows what would be touched.
pub(super) fn draw(preview: &Preview, verb: &str, transaction: &Transaction<'_>) -> Result<()> {
    const SHOWN: usize = 10;
    let mut names = Kept::new(transaction)?;
    let mut screen = Screen::new();
    let title = format!("{}: {}", crate::output::clean(verb), counted(preview.cases, "case"));
    screen.line(screen.paint(Style::Strong, &title))?;
    let mut table = Table::new(&screen, &["by", "", ">cases"]);
    let mut rows: Vec<(&str, String, u64)> = Vec::new();
    rows.extend(preview.severities.iter().map(|(severity, cases)| ("severity", severity.word().to_owned(), *cases)));
    rows.extend(preview.kinds.iter().take(SHOWN).map(|(kind, cases)| ("kind", kind.to_string(), *cases)));
    for (holder, cases) in preview.holders.iter().take(SHOWN) {
        let title = match holder {
            Some(holder) => names.title(*holder)?,
            None => "nobody known".to_owned(),
        };
        rows.push(("holder", title, *cases));
    }
    let rest = preview.holders.len().saturating_sub(SHOWN);
    if rest > 0 {
        rows.push(("holder", format!("{rest} others"), preview.holders.iter().skip(SHOWN).map(|(_, cases)| cases).sum()));
    }
    for (by, what, cases) in rows {
        table.row([(Style::Dim, by.to_owned()), (Style::Plain, what), (Style::Plain, cases.to_string())]);
    }
    table.write(&mut screen)?;
    remarks(&mut screen, preview.urgent, &preview.others)?;
    screen.flush()?;
    Ok(())
}

/// Asks a person at a terminal; nobody else can say yes without having looked.
pub(super) fn agreed(cases: u64) -> Result<u64> {
    if cases == 0 {
        bail!("there is no case to which this can be done");
    }
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        bail!("nothing was done; to do it: the same again with --yes {cases}");
    }
    write!(std::io::stderr(), "Type {cases} to go on: ")?;
    let mut line = String::new();
    stdin.lock().read_line(&mut line)?;
    if line.trim() != cases.to_string() {
        bail!("nothing was done");
    }
    Ok(cases)
}

fn split(args: &Split, globals: &Globals) -> Result<u8> {
    let case = globals.reader()?.read(|transaction| find(transaction, args.id))?.case.id;
    if args.address.is_none() && args.from.is_none() && args.to.is_none() && args.submission.is_none() && args.place.is_empty() {
        bail!("say which reports: --address, --from, --to, --submission or --place");
    }
    let splitting = Splitting {
        case,
        address: args.address.map(|address| address.to_string()),
        from: args.from.map(|from| from.0),
        to: args.to.map(|to| to.0),
        submission: args.submission.clone(),
        ordinals: args.place.clone(),
        by: args.why.by.name()?,
        reason: args.why.reason.clone(),
    };
    let outcome: SplitOutcome = serde_json::from_value(acts::ask(globals, &Act::Split(Box::new(splitting)))?)?;
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &outcome)?;
    } else {
        let reports = counted(outcome.reports, "report");
        screen.line(format_args!("{reports} to case {}; to undo it: sluis case undo {}", outcome.number, outcome.act_number))?;
    }
    done(screen, 0)
}

fn undo(args: &Undo, globals: &Globals) -> Result<u8> {
    let act = globals.reader()?.read(|transaction| match args.act {
        Id::Row(row) => Ok::<_, store::Error>(Some(row)),
        Id::Public(public) => Ok(transaction.act_by_public(public)?.map(|act| act.id)),
    })?;
    let act = act.context("there is no such act; 'sluis case acts' shows those there are")?;
    let undo = Act::Undo { act, by: args.why.by.name()?, reason: args.why.reason.clone() };
    let outcome: UndoOutcome = serde_json::from_value(acts::ask(globals, &undo)?)?;
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &outcome)?;
    } else {
        screen.line(format_args!("as it was: {}", counted(outcome.cases, "case")))?;
        for (case, why) in &outcome.left {
            let text = format!("case {case} left as it is: {}", crate::output::clean(why));
            screen.line(screen.paint(Style::Remark, &text))?;
        }
    }
    done(screen, u8::from(!outcome.left.is_empty()))
}

#[derive(Serialize)]
struct ActView {
    id: String,
    number: i64,
    verb: String,
    person: String,
    reason: String,
    at: String,
    cases: u64,
    undone: Option<String>,
}

pub(super) fn list(args: &Acts, transaction: &Transaction<'_>) -> Result<u8> {
    let acts = transaction.acts(args.before, args.most)?;
    let mut screen = Screen::new();
    if args.json {
        for act in acts {
            let view = ActView {
                id: PublicId::to_string(&act.public),
                number: act.id,
                verb: act.verb,
                person: act.person,
                reason: act.reason,
                at: act.at.to_string(),
                cases: act.cases,
                undone: act.undone.map(|time| time.to_string()),
            };
            json::line(&mut screen, &view)?;
        }
        return done(screen, 0);
    }
    if acts.is_empty() {
        screen.line("nobody has done anything yet")?;
        return done(screen, 0);
    }
    let mut table = Table::new(&screen, &[">act", "=when", "what", ">cases", "by", "why", "=undone"]);
    for act in acts {
        table.row([
            (Style::Strong, act.id.to_string()),
            (Style::Plain, moment(act.at)),
            (Style::Plain, crate::output::safe::short(&act.verb, 60)),
            (Style::Plain, act.cases.to_string()),
            (Style::Plain, act.person),
            (Style::Plain, crate::output::safe::short(&act.reason, 80)),
            (Style::Dim, act.undone.map(moment).unwrap_or_default()),
        ]);
    }
    table.write(&mut screen)?;
    done(screen, 0)
}
