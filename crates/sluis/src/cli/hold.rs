//! `sluis hold`: what nothing may be erased of, for the law.

use anyhow::{Context, Result};
use model::time::Time;
use serde::Serialize;
use store::holds::What;

use super::{Globals, Id};
use crate::acts::{self, Act, By};
use crate::output::words::moment;
use crate::output::{Screen, Style, Table, clean, json};

/// Hold a case or a party for the law: nothing of it is erased until that ends
#[derive(clap::Subcommand)]
#[command(after_help = "Examples:
  sluis hold case 17 --reason 'order of 12 November, seized'     its reports and their raw submissions stay too
  sluis hold party C-100 --reason 'claim announced'              and all its cases
  sluis hold list                                                what is held, why and since when
  sluis hold case 17 --end                                       it may go when its time has come")]
pub(crate) enum Command {
    Case(OfCase),
    Party(OfParty),
    List(List),
}

/// Hold a case
#[derive(clap::Args)]
pub(crate) struct OfCase {
    /// Its identifier, or its number in the list
    #[arg(value_name = "CASE", value_parser = super::id)]
    case: Id,
    #[command(flatten)]
    how: How,
}

/// Hold a party and all its cases
#[derive(clap::Args)]
pub(crate) struct OfParty {
    /// Its reference, name or identifier
    #[arg(value_name = "PARTY")]
    party: String,
    #[command(flatten)]
    how: How,
}

#[derive(clap::Args)]
struct How {
    /// Why
    #[arg(long, value_name = "TEXT", required_unless_present = "end")]
    reason: Option<String>,
    /// End it
    #[arg(long, conflicts_with = "reason")]
    end: bool,
    #[command(flatten)]
    by: By,
}

/// List what is held
#[derive(clap::Args)]
pub(crate) struct List {
    /// Also what was held once
    #[arg(long)]
    all: bool,
    /// One JSON object a line
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct View {
    what: &'static str,
    number: i64,
    since: String,
    reason: String,
    by: String,
    ended: Option<String>,
    ended_by: String,
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    let (what, target, how) = match command {
        Command::Case(args) => {
            let found = globals.reader()?.read(|transaction| match args.case {
                Id::Row(row) => transaction.case(row),
                Id::Public(public) => transaction.case_by_public(public),
            })?;
            (What::Case, found.context("there is no such case; 'sluis case list' shows those there are")?.case.id, &args.how)
        }
        Command::Party(args) => {
            let found = globals.reader()?.read(|transaction| super::find_party(transaction, &args.party))?;
            (What::Party, found.id, &args.how)
        }
        Command::List(args) => return list(args, globals),
    };
    let act = Act::Hold { what: what.word().to_owned(), target, reason: how.reason.clone(), by: how.by.name()? };
    acts::ask(globals, &act)?;
    let mut screen = Screen::new();
    screen.line(if how.end { "it is held no more" } else { "it is held: nothing of it is erased until that ends" })?;
    super::done(screen, 0)
}

fn list(args: &List, globals: &Globals) -> Result<u8> {
    let holds = globals.reader()?.read(|transaction| transaction.holds(args.all))?;
    let mut screen = Screen::new();
    if args.json {
        for one in holds {
            let view = View {
                what: one.what.word(),
                number: one.target,
                since: one.since.to_string(),
                reason: one.reason,
                by: one.person,
                ended: one.ended.as_ref().map(Time::to_string),
                ended_by: one.ended_by,
            };
            json::line(&mut screen, &view)?;
        }
        return super::done(screen, 0);
    }
    if holds.is_empty() {
        screen.line("nothing is held")?;
        return super::done(screen, 0);
    }
    let mut table = Table::new(&screen, &["=what", ">number", "=since", "=until", "reason", "by"]);
    for one in holds {
        table.row([
            (Style::Strong, one.what.word().to_owned()),
            (Style::Plain, one.target.to_string()),
            (Style::Plain, moment(one.since)),
            (Style::Plain, one.ended.map_or_else(String::new, moment)),
            (Style::Plain, clean(&one.reason).into_owned()),
            (Style::Plain, clean(&one.person).into_owned()),
        ]);
    }
    table.write(&mut screen)?;
    super::done(screen, 0)
}
