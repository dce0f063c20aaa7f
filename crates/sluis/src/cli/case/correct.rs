//! `sluis case correct`: what becomes of a case whose holder turned out to be another.

use anyhow::{Result, bail};

use super::act::{Why, agreed, draw, remarks};
use super::find;
use crate::acts::cases::{CorrectOutcome, Correcting};
use crate::acts::{self, Act};
use crate::cli::{Globals, Id, done, id};
use crate::output::words::counted;
use crate::output::{Screen, json};

/// Decide about cases in the queue 'holder-changed': their reports move to the right holder, or everything stays
///
/// Moved, the case is the right holder's, or part of the case that it has about the same; some of its reports get a case of
/// their own. Clocks begin anew, and the correction to whom we told by mistake is free to go.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sluis queue holder-changed
  sluis case correct 12 --move --reason 'the export was three days late'
  sluis case correct --all --leave --reason 'a test import'")]
pub(crate) struct Args {
    /// Cases: identifiers, or numbers in the list
    #[arg(value_name = "ID", value_parser = id, required_unless_present = "all", conflicts_with = "all")]
    ids: Vec<Id>,
    /// All that wait
    #[arg(long)]
    all: bool,
    /// The reports go to whom they are traced to now
    #[arg(long = "move", conflicts_with = "leave", required_unless_present = "leave")]
    moved: bool,
    /// Everything stays as it is
    #[arg(long)]
    leave: bool,
    /// Do it to several without asking, if they are exactly so many: the number that a look at them gave
    #[arg(long, value_name = "N")]
    yes: Option<u64>,
    /// One JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    why: Why,
}

pub(super) fn run(args: &Args, globals: &Globals) -> Result<u8> {
    let mut reader = globals.reader()?;
    let find = |id: &Id| reader.read(|transaction| Ok::<_, anyhow::Error>(find(transaction, *id)?.case.id));
    let mut cases: Vec<i64> = args.ids.iter().map(find).collect::<Result<_>>()?;
    cases.sort_unstable();
    cases.dedup();
    if cases.is_empty() && !args.all {
        bail!("name cases, or say --all");
    }
    let (by, reason) = (args.why.by.name()?, args.why.reason.clone());
    let mut asked = Correcting { cases, moved: args.moved, expected: args.yes, by, reason };
    if asked.cases.len() != 1 && args.yes.is_none() {
        let preview = reader.read(|transaction| desk::correct::decide::preview(transaction, &asked.correcting()))?;
        let verb = if args.moved { "correct: move" } else { "correct: leave" };
        reader.read(|transaction| draw(&preview, verb, transaction))?;
        asked.expected = Some(agreed(preview.cases)?);
    }
    let outcome: CorrectOutcome = serde_json::from_value(acts::ask(globals, &Act::Correct(Box::new(asked)))?)?;
    let mut screen = Screen::new();
    if args.json {
        json::line(&mut screen, &outcome)?;
    } else {
        screen.line(format_args!("done: {}", counted(outcome.cases, "case")))?;
        if outcome.opened + outcome.merged > 0 {
            let opened = counted(outcome.opened, "case");
            screen.line(format_args!("{opened} opened for reports of other holders, {} merged into theirs", outcome.merged))?;
        }
        remarks(&mut screen, outcome.left_out_p0, &[])?;
    }
    done(screen, 0)
}
