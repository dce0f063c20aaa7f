//! `sluis case`: what somebody has to act on, everything that is known of one case, and what is done about it.

pub(super) mod act;
pub(in crate::cli) mod bundle;
mod correct;
pub(crate) mod evidence;
mod export;
mod list;
mod show;

use anyhow::{Context, Result};
use clap::Subcommand;
use model::address::Address;
use model::case::Case;
use model::category::Kind;
use model::severity::Severity;
use model::time::Time;
use serde::Serialize;
use store::Transaction;
use store::cases::Filed;
use store::clocks::Standing;

use super::{Globals, Id};
use crate::output::chain::{Kept, Names};
use crate::output::report;

pub(super) use list::table;

/// List cases, show them, and act on them
#[derive(Subcommand)]
pub(crate) enum Command {
    List(list::Args),
    Show(show::Args),
    Bundle(bundle::Args),
    Export(export::Args),
    Evidence(evidence::Args),
    Note(act::Note),
    Handle(act::Handle),
    Snooze(act::Snooze),
    NotOurs(act::NotOurs),
    Resolve(act::Resolve),
    Dispute(act::Dispute),
    Decide(act::Decide),
    Close(act::Close),
    Reopen(act::Reopen),
    Merge(act::Merge),
    Split(act::Split),
    Correct(correct::Args),
    Acts(act::Acts),
    Undo(act::Undo),
}

/// A case, written out.
#[derive(Serialize)]
pub(super) struct CaseView {
    id: String,
    number: i64,
    severity: &'static str,
    kind: String,
    about: String,
    state: &'static str,
    closed: Option<String>,
    closure: Option<&'static str>,
    history: bool,
    holder: Option<HolderView>,
    handler: String,
    rule: String,
    /// By when it is to be mended.
    mend_by: Option<String>,
    overdue: bool,
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

/// Writes out a case.
pub(super) fn view(case: &Case, standing: &Standing, names: &mut Kept<'_>, now: Time) -> Result<CaseView> {
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
        severity: standing.progress.severity.word(),
        kind: case.kind.to_string(),
        about: report::about(case),
        state: case.state.word(),
        closed: standing.closed.map(|time| time.to_string()),
        closure: standing.closure.map(|closure| closure.word()),
        history: case.history,
        holder,
        handler: standing.handler.clone(),
        rule: standing.rule.clone(),
        mend_by: standing.progress.clocks.fix.map(|time| time.to_string()),
        overdue: is_overdue(case, standing, now),
        opened: case.opened.to_string(),
        first_seen: case.first_seen.to_string(),
        last_seen: case.last_seen.to_string(),
        first_valid_notice: case.first_valid_notice.map(|time| time.to_string()),
        reports: case.reports,
    })
}

/// Whether it was to be mended by now.
fn is_overdue(case: &Case, standing: &Standing, now: Time) -> bool {
    case.state == model::case::State::Open && standing.progress.clocks.fix.is_some_and(|fix| fix <= now)
}

pub(super) fn kind(text: &str) -> Result<Kind, String> {
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

fn severity(text: &str) -> Result<Severity, String> {
    Severity::parse(text).ok_or_else(|| "not a severity: there are P0, P1, P2, P3 and P4".to_owned())
}

pub(super) fn run(command: &Command, globals: &Globals) -> Result<u8> {
    let now = globals.clock().now();
    match command {
        Command::List(args) => globals.reader()?.read(|transaction| list::run(args, transaction, now)),
        Command::Show(args) => globals.reader()?.read(|transaction| show::run(args, transaction, now)),
        Command::Bundle(args) => bundle::run(args, globals),
        Command::Export(args) => export::run(args, globals),
        Command::Evidence(args) => evidence::run(args, globals),
        Command::Acts(args) => globals.reader()?.read(|transaction| act::list(args, transaction)),
        Command::Correct(args) => correct::run(args, globals),
        command => act::run(command, globals, now),
    }
}

/// The case of an identifier.
fn find(transaction: &Transaction<'_>, id: Id) -> Result<Filed> {
    let found = match id {
        Id::Row(row) => transaction.case(row)?,
        Id::Public(public) => transaction.case_by_public(public)?,
    };
    found.context("there is no such case; 'sluis case list' shows those there are")
}
