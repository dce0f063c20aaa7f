//! `sluis outbox`: what would be sent or done, to whom, about which cases, when, and what holds it.

use anyhow::{Context, Result};
use clap::{Args, Subcommand, ValueEnum};
use desk::outbox::{Released, why};
use model::outbox::{Delivery, Hold, Purpose};
use model::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Transaction;
use store::outbox::{Entry, Filter, Gate};

use super::{Globals, Id, find_party};
use crate::acts::{self, Act, By};
use crate::output::chain::Kept;
use crate::output::words::{age, count, counted, moment};
use crate::output::{Screen, Style, Table, clean, json};

/// Cases of an entry that are shown.
const CASES: u32 = 200;

/// See what would be sent or done, let it go or throw it away. This release sends nothing to parties
#[derive(Subcommand)]
#[command(after_help = "Examples:
  sluis outbox list                                  what waits, the newest first
  sluis outbox list --hold brake                     what the brake holds
  sluis outbox show 12                               to whom, about which cases, and what holds it
  sluis outbox release 12 --reason 'called them'     let it go
  sluis outbox brake off --reason 'a real wave'      let go of what the brake holds")]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Release(OnEntry),
    Discard(OnEntry),
    Brake(BrakeArgs),
}

/// List entries, newest first
#[derive(Args)]
pub(crate) struct List {
    /// Only what is held for this reason
    #[arg(long, value_parser = hold)]
    hold: Option<Hold>,
    /// Only of this purpose
    #[arg(long, value_parser = purpose)]
    purpose: Option<Purpose>,
    /// Only to or about this party
    #[arg(long, value_name = "PARTY")]
    party: Option<String>,
    /// Those that were withdrawn too
    #[arg(long)]
    all: bool,
    /// How many
    #[arg(short = 'n', value_name = "N", default_value_t = 50)]
    most: u32,
    /// Only with a lower number: the next page
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Show one entry
#[derive(Args)]
pub(crate) struct Show {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ENTRY", value_parser = super::id)]
    entry: Id,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// An entry, why, and who says so
#[derive(Args)]
pub(crate) struct OnEntry {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ENTRY", value_parser = super::id)]
    entry: Id,
    #[command(flatten)]
    why: Why,
}

#[derive(Args)]
struct Why {
    /// Why: the journal of its cases keeps it
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    by: By,
}

/// Stop the outbox, or let it go on after it stopped
#[derive(Args)]
pub(crate) struct BrakeArgs {
    /// 'off' lets go of what the brake holds; without, how it stands
    #[arg(value_enum)]
    set: Option<Set>,
    /// With 'off': throw away what the brake holds
    #[arg(long)]
    discard: bool,
    /// Why
    #[arg(long, value_name = "TEXT", required_if_eq("set", "off"))]
    reason: Option<String>,
    #[command(flatten)]
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Set {
    On,
    Off,
}

fn hold(text: &str) -> Result<Hold, String> {
    one_of(text, Hold::ALL, Hold::word)
}

fn purpose(text: &str) -> Result<Purpose, String> {
    one_of(text, Purpose::ALL, Purpose::word)
}

fn one_of<T: Copy>(text: &str, all: &[T], word: fn(T) -> &'static str) -> Result<T, String> {
    let said = text.trim().to_ascii_lowercase().replace(['-', '_'], " ");
    let found = all.iter().copied().find(|one| word(*one) == said);
    found.ok_or_else(|| format!("there is {}", all.iter().map(|one| word(*one)).collect::<Vec<_>>().join(", ")))
}

#[derive(Serialize)]
struct View {
    id: String,
    number: i64,
    purpose: &'static str,
    to: String,
    contacts: Vec<String>,
    about: String,
    severity: &'static str,
    hold: &'static str,
    log: &'static str,
    delivery: &'static str,
    created: String,
    ready: String,
    cases: i64,
    ended: Option<String>,
    reason: String,
    person: String,
}

/// An entry with what its letter says.
#[derive(Serialize)]
struct WholeView {
    #[serde(flatten)]
    entry: View,
    /// Advice about the weak points of its cases.
    advice: Vec<crate::output::advice::View>,
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    match command {
        Command::List(args) => list(args, globals),
        Command::Show(args) => show(args, globals),
        Command::Release(args) => on_entry(args, globals, true),
        Command::Discard(args) => on_entry(args, globals, false),
        Command::Brake(args) => brake(args, globals),
    }
}

fn find(transaction: &Transaction<'_>, id: Id) -> Result<Entry> {
    let found = match id {
        Id::Row(row) => transaction.entry(row)?,
        Id::Public(public) => transaction.entry_by_public(public)?,
    };
    found.context("there is no such entry; 'sluis outbox list' shows those there are")
}

/// To whom it goes: the name of the party, or the reporter.
fn to(entry: &Entry, names: &mut Kept<'_>) -> Result<String> {
    match entry.party {
        Some(party) => names.title(party),
        None => Ok(clean(&entry.subject).into_owned()),
    }
}

fn view(entry: &Entry, transaction: &Transaction<'_>, names: &mut Kept<'_>, now: Time) -> Result<View> {
    let party = match entry.party {
        Some(party) => transaction.party(party)?,
        None => None,
    };
    let contacts = party.map_or_else(Vec::new, |kept| kept.party.contacts);
    let contacts = contacts.iter().filter(|contact| contact.notify).map(|contact| clean(&contact.target).into_owned());
    let about = if entry.party.is_some() { clean(&entry.subject).into_owned() } else { String::new() };
    Ok(View {
        id: entry.public.to_string(),
        number: entry.id,
        purpose: entry.purpose.word(),
        to: to(entry, names)?,
        contacts: contacts.collect(),
        about,
        severity: entry.severity.word(),
        hold: entry.hold.word(),
        log: gate(entry, transaction, now)?.map_or("", Gate::word),
        delivery: entry.delivery.word(),
        created: entry.created.to_string(),
        ready: entry.ready.to_string(),
        cases: entry.cases,
        ended: entry.ended.map(|time| time.to_string()),
        reason: entry.reason.clone(),
        person: entry.person.clone(),
    })
}

/// What the log says to an entry that nothing else holds.
fn gate(entry: &Entry, transaction: &Transaction<'_>, now: Time) -> Result<Option<Gate>> {
    let is_free = entry.delivery == Delivery::Waiting && entry.hold == Hold::Free;
    Ok(if is_free { Some(transaction.gate(entry, now)?) } else { None })
}

fn list(args: &List, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now();
    globals.reader()?.read(|transaction| {
        let party = args.party.as_deref().map(|text| find_party(transaction, text)).transpose()?.map(|kept| kept.id);
        let delivery = (!args.all).then_some(Delivery::Waiting);
        let filter = Filter { delivery, hold: args.hold, purpose: args.purpose, party, before: args.before };
        let entries = transaction.entries(&filter, args.most)?;
        let mut names = Kept::new(transaction)?;
        let mut screen = Screen::new();
        if args.json {
            for entry in &entries {
                json::line(&mut screen, &view(entry, transaction, &mut names, now)?)?;
            }
            return super::done(screen, 0);
        }
        if entries.is_empty() {
            screen.line("nothing waits in the outbox")?;
            return super::done(screen, 0);
        }
        let mut table = Table::new(&screen, &[">entry", "purpose", "to", "=severity", ">cases", "=ready", "=held"]);
        for entry in &entries {
            let held = match entry.delivery {
                Delivery::Waiting => match gate(entry, transaction, now)? {
                    Some(gate @ (Gate::Waits | Gate::Unsealed)) => gate.word(),
                    _ => entry.hold.word(),
                },
                ended => ended.word(),
            };
            let ready = if entry.ready <= now { "now".to_owned() } else { format!("in {}", age(now, entry.ready)) };
            let style = if entry.delivery == Delivery::Waiting { Style::Plain } else { Style::Dim };
            table.row([
                (Style::Strong, entry.id.to_string()),
                (style, entry.purpose.word().to_owned()),
                (style, to(entry, &mut names)?),
                (style, entry.severity.word().to_owned()),
                (style, count(entry.cases)),
                (style, ready),
                (if entry.hold == Hold::Brake { Style::Alarm } else { style }, held.to_owned()),
            ]);
        }
        table.write(&mut screen)?;
        if let Some(last) = entries.last().filter(|_| entries.len() == args.most as usize) {
            screen.line(format_args!("more: --before {}", last.id))?;
        }
        let on = transaction.counter("brake")?;
        if on != 0 {
            let text = format!("the brake is on since {}: sluis outbox brake --help", moment(Time(on)));
            let text = screen.paint(Style::Alarm, &text);
            screen.line(text)?;
        }
        super::done(screen, 0)
    })
}

fn show(args: &Show, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now();
    globals.reader()?.read(|transaction| {
        let entry = find(transaction, args.entry)?;
        let mut names = Kept::new(transaction)?;
        let view = view(&entry, transaction, &mut names, now)?;
        let mut cases = Vec::new();
        let mut traits = Vec::new();
        for case in transaction.cases_of_entry(entry.id, CASES)? {
            cases.extend(transaction.case(case)?);
            traits.extend(transaction.standing(case)?.map(|standing| standing.traits));
        }
        // Only a letter to a party tells it what to do.
        let advised = traits.iter().map(String::as_str).filter(|_| entry.party.is_some());
        let advice = crate::output::advice::about(transaction, advised, true)?;
        let mut screen = Screen::new();
        if args.json {
            let advice = advice.iter().map(crate::output::advice::View::of).collect();
            json::line(&mut screen, &WholeView { entry: view, advice })?;
            return super::done(screen, 0);
        }
        let title = screen.paint(Style::Strong, &format!("Entry {}: {}", entry.id, view.purpose));
        screen.line(title)?;
        let held = match entry.delivery {
            Delivery::Waiting => format!("{}: {}", view.hold, why(entry.hold)),
            ended => format!("{} {}", ended.word(), view.ended.clone().unwrap_or_default()),
        };
        let log = match view.log {
            "" => "-".to_owned(),
            word => format!("{word}{}", if word == Gate::Sealed.word() { "" } else { ": 'sluis log show' says how the log is" }),
        };
        let contacts = match view.contacts.as_slice() {
            [] if entry.party.is_some() => "none known: 'sluis party show' says where it comes from".to_owned(),
            contacts => contacts.join(", "),
        };
        let mut facts = vec![
            ("identifier", view.id),
            ("to", view.to),
            ("reached at", contacts),
            ("severity", view.severity.to_owned()),
            ("held", held),
            ("log", log),
            ("ready", view.ready),
            ("since", view.created),
        ];
        for (name, text) in
            [("about", view.about), ("person", clean(&view.person).into_owned()), ("reason", clean(&view.reason).into_owned())]
        {
            if !text.is_empty() {
                facts.push((name, text));
            }
        }
        screen.facts(&facts)?;
        screen.heading(&counted(entry.cases.unsigned_abs(), "case"))?;
        let mut table = Table::new(&screen, &[">case", "kind", "about", ">reports"]);
        for filed in &cases {
            table.row([
                (Style::Strong, filed.case.id.to_string()),
                (Style::Plain, filed.case.kind.type_name().to_owned()),
                (Style::Plain, crate::output::safe::short(&crate::output::report::about(&filed.case), 100)),
                (Style::Plain, count(filed.case.reports)),
            ]);
        }
        table.write(&mut screen)?;
        if !advice.is_empty() {
            screen.heading("What the letter advises")?;
            crate::output::advice::draw(&mut screen, &advice)?;
        }
        super::done(screen, 0)
    })
}

/// What is asked of the outbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case", deny_unknown_fields)]
pub(crate) enum Asked {
    /// Let go of an entry.
    Release {
        /// Row number.
        entry: i64,
        /// Why.
        reason: String,
        /// Who says so.
        by: String,
    },
    /// Throw an entry away.
    Discard {
        /// Row number.
        entry: i64,
        /// Why.
        reason: String,
        /// Who says so.
        by: String,
    },
    /// Stop.
    BrakeOn,
    /// Go on.
    BrakeOff {
        /// Whether what the brake held is thrown away.
        discard: bool,
        /// Why.
        reason: String,
        /// Who says so.
        by: String,
    },
}

impl Asked {
    /// Has the desk do it.
    ///
    /// # Errors
    /// [`desk::Error`].
    pub(crate) fn perform(&self, desk: &desk::Desk) -> Result<Value, desk::Error> {
        match self {
            Asked::Release { entry, reason, by } => Ok(Value::Bool(desk.release(*entry, reason, by)? == Released::Free)),
            Asked::Discard { entry, reason, by } => desk.discard(*entry, reason, by).map(|()| Value::Null),
            Asked::BrakeOn => desk.brake_on().map(|()| Value::Null),
            Asked::BrakeOff { discard, reason, by } => desk.brake_off(*discard, reason, by).map(Value::from),
        }
    }
}

fn on_entry(args: &OnEntry, globals: &Globals, release: bool) -> Result<u8> {
    let entry = globals.reader()?.read(|transaction| find(transaction, args.entry))?;
    let (reason, by) = (args.why.reason.clone(), args.why.by.name()?);
    let (number, id) = (entry.id, entry.id);
    let asked = if release { Asked::Release { entry: id, reason, by } } else { Asked::Discard { entry: id, reason, by } };
    let outcome = acts::ask(globals, &Act::Outbox(Box::new(asked)))?;
    let mut screen = Screen::new();
    screen.line(match (release, outcome.as_bool()) {
        (false, _) => format!("entry {number} is thrown away"),
        (true, Some(false)) => format!("entry {number}: another person has to say so too"),
        (true, _) => format!("entry {number} is free to go; this release sends nothing to parties yet"),
    })?;
    super::done(screen, 0)
}

fn brake(args: &BrakeArgs, globals: &Globals) -> Result<u8> {
    let mut screen = Screen::new();
    let Some(set) = args.set else {
        let (on, held) = globals.reader()?.read(|transaction| {
            let held =
                transaction.waiting_entries()?.into_iter().find(|(hold, _)| *hold == Hold::Brake).map_or(0, |(_, held)| held);
            Ok::<_, store::Error>((transaction.counter("brake")?, held))
        })?;
        screen.line(match on {
            0 => format!("the brake is off; it holds {}", counted(held.unsigned_abs(), "entry").replace("entrys", "entries")),
            on => format!("the brake is on since {}; it holds {} entries", moment(Time(on)), count(held)),
        })?;
        return super::done(screen, 0);
    };
    let asked = match set {
        Set::On => Asked::BrakeOn,
        Set::Off => {
            Asked::BrakeOff { discard: args.discard, reason: args.reason.clone().unwrap_or_default(), by: args.by.name()? }
        }
    };
    let outcome = acts::ask(globals, &Act::Outbox(Box::new(asked)))?;
    screen.line(match set {
        Set::On => "the brake is on: what would be free to go waits".to_owned(),
        Set::Off if args.discard => format!("the brake is off; thrown away: {outcome}"),
        Set::Off => format!("the brake is off; let go: {outcome}"),
    })?;
    super::done(screen, 0)
}
