//! `sluis case`: what somebody has to act on, and everything that is known of one case.

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use model::address::Address;
use model::case::{Case, State};
use model::category::Kind;
use model::time::Time;
use serde::Serialize;
use store::Transaction;
use store::cases::{Filed, Filter};

use super::{Globals, Id};
use crate::acts::{self, Act, By};
use crate::output::chain::{self, Kept, LinkView, Names};
use crate::output::report::{self, ReportView};
use crate::output::words::{age, count, counted, moment};
use crate::output::{Screen, Style, Table, json};

/// List and show cases
#[derive(Subcommand)]
pub(crate) enum Command {
    List(List),
    Show(Show),
    Note(Note),
}

/// Write something down in the journal of a case; it never leaves the house
#[derive(Args)]
pub(crate) struct Note {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = super::id)]
    id: Id,
    /// What
    text: String,
    #[command(flatten)]
    by: By,
}

/// List cases, newest first
#[derive(Args)]
#[command(after_help = "Examples:
  sluis case list --open --holder none            those whose holder nobody knows
  sluis case list --kind content/phishing -n 100
  sluis case list --address 192.0.2.7 --json | jq -r .id")]
pub(crate) struct List {
    /// Only open ones
    #[arg(long, conflicts_with = "closed")]
    open: bool,
    /// Only closed ones
    #[arg(long)]
    closed: bool,
    /// Only this kind: XARF's category/type, such as content/phishing
    #[arg(long, value_name = "CATEGORY/TYPE", value_parser = kind)]
    kind: Option<Kind>,
    /// Only those of this party; 'none' for those without a holder
    #[arg(long, value_name = "PARTY")]
    holder: Option<String>,
    /// Only those about this address
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    address: Option<Address>,
    /// Only those before this one: the next page
    #[arg(long, value_name = "ID", value_parser = super::id)]
    before: Option<Id>,
    /// How many
    #[arg(short = 'n', value_name = "N", default_value_t = 25)]
    most: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Show everything that is known of a case
#[derive(Args)]
pub(crate) struct Show {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = super::id)]
    id: Id,
    /// How many of its reports
    #[arg(short = 'n', value_name = "REPORTS", default_value_t = 3)]
    most: u32,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// A case, written out.
#[derive(Serialize)]
pub(super) struct CaseView {
    id: String,
    number: i64,
    kind: String,
    about: String,
    state: &'static str,
    history: bool,
    holder: Option<HolderView>,
    opened: String,
    first_seen: String,
    last_seen: String,
    first_valid_notice: Option<String>,
    reports: u64,
}

#[derive(Serialize)]
struct HolderView {
    id: Option<String>,
    party: String,
    name: String,
}

#[derive(Serialize)]
struct StepView {
    ordinal: u32,
    what: &'static str,
    at: String,
    text: String,
}

#[derive(Serialize)]
struct WholeView {
    #[serde(flatten)]
    case: CaseView,
    chain: Vec<LinkView>,
    steps: Vec<StepView>,
    latest_reports: Vec<ReportView>,
}

/// Writes out a case.
pub(super) fn view(case: &Case, names: &mut Kept<'_>) -> Result<CaseView> {
    let holder = match case.holder {
        Some(id) => {
            let (id, party, name) = names.party(id)?;
            Some(HolderView { id, party, name })
        }
        None => None,
    };
    Ok(CaseView {
        id: case.public.to_string(),
        number: case.id,
        kind: case.kind.to_string(),
        about: report::about(case),
        state: case.state.word(),
        history: case.history,
        holder,
        opened: case.opened.to_string(),
        first_seen: case.first_seen.to_string(),
        last_seen: case.last_seen.to_string(),
        first_valid_notice: case.first_valid_notice.map(|time| time.to_string()),
        reports: case.reports,
    })
}

fn kind(text: &str) -> Result<Kind, String> {
    let found = text.split_once('/').and_then(|(category, kind)| Kind::from_words(category, kind));
    found.ok_or_else(|| {
        let same = |kind: &&Kind| text.split('/').any(|word| kind.category() == word || kind.type_name() == word);
        let near: Vec<String> = Kind::ALL.iter().filter(same).map(Kind::to_string).collect();
        match near.as_slice() {
            [] => "not a category and type of XARF: write content/phishing".to_owned(),
            near => format!("not a category and type of XARF; there is {}", near.join(", ")),
        }
    })
}

fn address(text: &str) -> Result<Address, String> {
    Address::parse(text.as_bytes()).ok_or_else(|| "not an IPv4 or IPv6 address".to_owned())
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now();
    match command {
        Command::List(args) => globals.reader()?.read(|transaction| list(args, transaction)),
        Command::Show(args) => globals.reader()?.read(|transaction| show(args, transaction, now)),
        Command::Note(args) => note(args, globals),
    }
}

fn note(args: &Note, globals: &Globals) -> Result<u8> {
    let case = globals.reader()?.read(|transaction| find(transaction, args.id))?.case.id;
    acts::ask(globals, &Act::Note { case, text: args.text.clone(), by: args.by.name()? })?;
    Ok(0)
}

/// The case of an identifier.
fn find(transaction: &Transaction<'_>, id: Id) -> Result<Filed> {
    let found = match id {
        Id::Row(row) => transaction.case(row)?,
        Id::Public(public) => transaction.case_by_public(public)?,
    };
    found.context("there is no such case; 'sluis case list' shows those there are")
}

fn list(args: &List, transaction: &Transaction<'_>) -> Result<u8> {
    let state = match (args.open, args.closed) {
        (true, _) => Some(State::Open),
        (_, true) => Some(State::Closed),
        _ => None,
    };
    let holder = match args.holder.as_deref() {
        None => None,
        Some("none") => Some(0),
        Some(text) => Some(super::find_party(transaction, text)?.id),
    };
    let before = match args.before {
        None => None,
        Some(Id::Row(row)) => Some(row),
        Some(id) => Some(find(transaction, id)?.case.id),
    };
    let filter = Filter { state, kind: args.kind, holder, address: args.address, before };
    let cases = transaction.cases(&filter, args.most)?;
    let mut names = Kept::new(transaction)?;
    let mut screen = Screen::new();
    if args.json {
        for filed in &cases {
            json::line(&mut screen, &view(&filed.case, &mut names)?)?;
        }
        return super::done(screen, 0);
    }
    if cases.is_empty() {
        screen.line("no such cases")?;
        return super::done(screen, 0);
    }
    table(&mut screen, &cases, &mut names)?;
    if let Some(last) = cases.last().filter(|_| cases.len() == args.most as usize) {
        let text = screen.paint(Style::Dim, &format!("more: --before {}", last.case.id));
        screen.line(text)?;
    }
    super::done(screen, 0)
}

/// Cases in a table.
pub(super) fn table(screen: &mut Screen, cases: &[Filed], names: &mut Kept<'_>) -> Result<()> {
    let mut table = Table::new(screen, &[">case", "=state", "kind", "about", "holder", ">reports", "=last seen"]);
    for Filed { case, .. } in cases {
        let state = match (case.state, case.history) {
            (State::Open, true) => (Style::Dim, "history".to_owned()),
            (State::Open, false) => (Style::Plain, "open".to_owned()),
            (State::Closed, _) => (Style::Dim, "closed".to_owned()),
        };
        let holder = match case.holder {
            Some(id) => (Style::Plain, names.title(id)?),
            None => (Style::Alarm, "nobody known".to_owned()),
        };
        table.row([
            (Style::Strong, case.id.to_string()),
            state,
            (Style::Plain, case.kind.type_name().to_owned()),
            (Style::Plain, crate::output::safe::short(&report::about(case), 100)),
            holder,
            (Style::Plain, count(case.reports)),
            (Style::Plain, moment(case.last_seen)),
        ]);
    }
    table.write(screen)?;
    Ok(())
}

fn show(args: &Show, transaction: &Transaction<'_>, now: Time) -> Result<u8> {
    let filed = find(transaction, args.id)?;
    let case = &filed.case;
    let mut names = Kept::new(transaction)?;
    let links = chain::view(&transaction.chain(filed.chain)?, &mut names)?;
    let steps = transaction.steps(case.id)?;
    let (batch, kept) = transaction.reports_of(case, filed.tail, args.most as usize)?;
    if batch.len() != kept.len() {
        bail!("the reports of case {} do not fit their rows; run 'sluis db check'", case.id);
    }
    let mut screen = Screen::new();
    if args.json {
        let steps = steps.into_iter();
        let steps = steps.map(|step| StepView {
            ordinal: step.ordinal,
            what: step.what.word(),
            at: step.at.to_string(),
            text: step.text,
        });
        let latest_reports = batch.reports().zip(&kept).map(|(one, kept)| report::view(&one, kept)).collect();
        let view = WholeView { case: view(case, &mut names)?, chain: links, steps: steps.collect(), latest_reports };
        json::line(&mut screen, &view)?;
        return super::done(screen, 0);
    }
    let title = format!("Case {}: {} on {}", case.id, case.kind, report::about(case));
    let title = screen.paint(Style::Strong, &title);
    screen.line(title)?;
    let state = match (case.state, case.history) {
        (State::Open, true) => "open, history: every report was old when it came, so no clock runs".to_owned(),
        (state, _) => state.word().to_owned(),
    };
    let notice = match case.first_valid_notice {
        Some(time) => format!("{time}, {} ago", age(time, now)),
        None => "none yet: no report names a source, a time and a reporter".to_owned(),
    };
    screen.facts(&[
        ("identifier", case.public.to_string()),
        ("state", state),
        ("reports", count(case.reports)),
        ("first seen", case.first_seen.to_string()),
        ("last seen", format!("{}, {} ago", case.last_seen, age(case.last_seen, now))),
        ("opened", case.opened.to_string()),
        ("first valid notice", notice),
    ])?;
    screen.heading("Who held it when the abuse was first seen")?;
    chain::draw(&mut screen, &links, now)?;
    screen.heading("What happened")?;
    for step in &steps {
        let text =
            if step.text.is_empty() { step.what.word().to_owned() } else { format!("{}: {}", step.what.word(), step.text) };
        let at = screen.paint(Style::Dim, &moment(step.at));
        let text = crate::output::clean(&text);
        screen.line(format_args!("{at}  {text}"))?;
    }
    screen.heading(&match case.reports > kept.len() as u64 {
        true => format!("Latest {} of {}", kept.len(), counted(case.reports, "report")),
        false => counted(case.reports, "report"),
    })?;
    for (number, (one, kept)) in batch.reports().zip(&kept).enumerate() {
        if number > 0 {
            screen.line("")?;
        }
        report::draw(&mut screen, &one, kept)?;
    }
    super::done(screen, 0)
}
