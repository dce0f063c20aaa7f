//! `sluis case list`: which cases there are, the newest or the most urgent first.

use anyhow::Result;
use model::address::Address;
use model::case::{Case, State};
use model::category::Kind;
use model::severity::Severity;
use model::time::Time;
use store::Transaction;
use store::cases::Filed;
use store::clocks::Standing;
use store::listing::Listing;

use super::{find, is_overdue, view};
use crate::cli::{Id, done, find_party, id};
use crate::output::chain::Kept;
use crate::output::report;
use crate::output::safe::short;
use crate::output::words::{age, count, moment};
use crate::output::{Screen, Style, Table, json};

/// List cases, newest first, or with --due the clock that runs out first
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis case list --due                           what is to be mended first
  sluis case list --overdue --severity P1         what was to be mended by now
  sluis case list --open --holder none            those whose holder nobody knows
  sluis case list --handler anna                  what anna has
  sluis case list --address 192.0.2.7 --json | jq -r .id")]
pub(crate) struct Args {
    #[command(flatten)]
    which: Which,
    /// Open ones with a clock, the one that runs out first before all others
    #[arg(long)]
    due: bool,
    /// Only those after this one in the list: the next page
    #[arg(long, value_name = "ID", value_parser = id)]
    before: Option<Id>,
    /// How many
    #[arg(short = 'n', value_name = "N", default_value_t = 25)]
    most: u32,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

/// Which cases; every option narrows it.
#[derive(clap::Args)]
pub(crate) struct Which {
    /// Only open ones
    #[arg(long, conflicts_with = "closed")]
    open: bool,
    /// Only closed ones
    #[arg(long)]
    closed: bool,
    /// Only this kind: XARF's category/type, such as content/phishing
    #[arg(long, value_name = "CATEGORY/TYPE", value_parser = super::kind)]
    kind: Option<Kind>,
    /// Only those of this party; 'none' for those without a holder
    #[arg(long, value_name = "PARTY")]
    holder: Option<String>,
    /// Only those about this address
    #[arg(long, value_name = "ADDRESS", value_parser = super::address)]
    address: Option<Address>,
    /// Only of this severity: P0 to P4
    #[arg(long, value_name = "P", value_parser = super::severity)]
    severity: Option<Severity>,
    /// Only those by this rule of the policy
    #[arg(long, value_name = "RULE")]
    rule: Option<String>,
    /// Only those that this colleague has; 'none' for those that nobody has
    #[arg(long, value_name = "NAME")]
    handler: Option<String>,
    /// Only open ones that were to be mended by now
    #[arg(long, conflicts_with = "closed")]
    overdue: bool,
}

impl Which {
    /// Whether nothing narrows it.
    pub(super) fn is_everything(&self, now: Time, transaction: &Transaction<'_>) -> Result<bool> {
        let listing = self.listing(transaction, now)?;
        Ok(Listing { state: None, ..listing } == Listing::default())
    }

    /// As the store takes it.
    pub(super) fn listing(&self, transaction: &Transaction<'_>, now: Time) -> Result<Listing> {
        let state = match (self.open || self.overdue, self.closed) {
            (true, _) => Some(State::Open),
            (_, true) => Some(State::Closed),
            _ => None,
        };
        let holder = match self.holder.as_deref() {
            None => None,
            Some("none") => Some(0),
            Some(text) => Some(find_party(transaction, text)?.id),
        };
        let handler = self.handler.as_deref().map(|name| if name == "none" { String::new() } else { name.to_owned() });
        Ok(Listing {
            state,
            kind: self.kind,
            holder,
            address: self.address,
            severity: self.severity,
            rule: self.rule.clone(),
            handler,
            mended_by: self.overdue.then_some(now),
            by_clock: false,
            before: None,
        })
    }
}

pub(super) fn run(args: &Args, transaction: &Transaction<'_>, now: Time) -> Result<u8> {
    let before = match args.before {
        None => None,
        Some(Id::Row(row)) => Some(row),
        Some(id) => Some(find(transaction, id)?.case.id),
    };
    let listing = Listing { by_clock: args.due, before, ..args.which.listing(transaction, now)? };
    let cases = transaction.list_cases(&listing, args.most)?;
    let mut names = Kept::new(transaction)?;
    let mut screen = Screen::new();
    if args.json {
        for (filed, standing) in &cases {
            json::line(&mut screen, &view(&filed.case, standing, &mut names, now)?)?;
        }
        return done(screen, 0);
    }
    if cases.is_empty() {
        screen.line("no such cases")?;
        return done(screen, 0);
    }
    table(&mut screen, &cases, &mut names, now)?;
    if let Some((last, _)) = cases.last().filter(|_| cases.len() == args.most as usize) {
        let text = screen.paint(Style::Dim, &format!("more: --before {}", last.case.id));
        screen.line(text)?;
    }
    done(screen, 0)
}

/// Cases in a table.
pub(in crate::cli) fn table(screen: &mut Screen, cases: &[(Filed, Standing)], names: &mut Kept<'_>, now: Time) -> Result<()> {
    let columns = &[">case", "=P", "=state", "kind", "about", "holder", ">reports", "=last seen", "=mend by"];
    let mut table = Table::new(screen, columns);
    for (Filed { case, .. }, standing) in cases {
        let holder = match case.holder {
            Some(id) => (Style::Plain, names.title(id)?),
            None => (Style::Alarm, "nobody known".to_owned()),
        };
        let severity = standing.progress.severity;
        table.row([
            (Style::Strong, case.id.to_string()),
            (if severity.is_urgent() { Style::Alarm } else { Style::Plain }, severity.word().to_owned()),
            state(case, standing),
            (Style::Plain, case.kind.type_name().to_owned()),
            (Style::Plain, short(&report::about(case), 100)),
            holder,
            (Style::Plain, count(case.reports)),
            (Style::Plain, moment(case.last_seen)),
            clock(case, standing, now),
        ]);
    }
    table.write(screen)?;
    Ok(())
}

fn state(case: &Case, standing: &Standing) -> (Style, String) {
    match (case.state, case.history) {
        (State::Closed, _) => (Style::Dim, standing.closure.map_or("closed", |closure| closure.word()).to_owned()),
        (State::Open, true) => (Style::Dim, "history".to_owned()),
        (State::Open, false) if standing.has(store::cases::marks::HOLDER_CHANGED) => (Style::Remark, "holder changed".to_owned()),
        (State::Open, false) if standing.disputed.is_some() => (Style::Remark, "disputed".to_owned()),
        (State::Open, false) if !standing.handler.is_empty() => (Style::Plain, short(&standing.handler, 20)),
        (State::Open, false) => (Style::Plain, "open".to_owned()),
    }
}

/// By when it is to be mended, and how much of that is left.
fn clock(case: &Case, standing: &Standing, now: Time) -> (Style, String) {
    match standing.progress.clocks.fix {
        Some(fix) if is_overdue(case, standing, now) => (Style::Alarm, format!("{} ago", age(fix, now))),
        Some(fix) if case.state == State::Open => (Style::Plain, format!("in {}", age(now, fix))),
        _ => (Style::Dim, String::new()),
    }
}
