//! `sluis submission order` and `sluis queue orders`: what is perhaps the order of an authority, and what a person says it is.

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use desk::alert::Ends;
use model::calendar::Term;
use model::submission::PublicId;
use model::time::Time;
use serde::Serialize;
use store::Transaction;

use super::{Globals, Id};
use crate::acts::{self, Act, By};
use crate::output::words::{age, moment};
use crate::output::{Screen, Style, Table, clean, json};

/// Say whether a submission is the order of an authority, and what term it sets
#[derive(Args)]
#[command(
    after_help = "The clocks of its open cases become as short as its term; those that are shorter already stay, and nothing else is done.

Examples:
  sluis submission order 12 --is order --term '24 hours' --reason 'removal order, called back'
  sluis submission order 12 --is order --term 2026-11-22T12:00:00Z --reason 'order of the court'
  sluis submission order 12 --is not --reason 'a debt collector'"
)]
pub(crate) struct Order {
    /// Its identifier, or its number in the list
    #[arg(value_name = "ID", value_parser = super::id)]
    id: Id,
    /// What it is
    #[arg(long, value_enum)]
    is: Is,
    /// How long it gives from when it came ('1 hour', '24 hours', '2 business days'), or the moment at which that ends
    #[arg(long, value_name = "TIME", value_parser = term)]
    term: Option<Typed>,
    /// Why you say so: whom you called back, by which number
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    by: By,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Is {
    /// The order of an authority
    Order,
    /// Something else
    Not,
}

/// A term as it was typed, which can be understood.
#[derive(Clone, Debug)]
struct Typed(String);

fn term(text: &str) -> Result<Typed, String> {
    ends(text).map(|_| Typed(text.to_owned()))
}

fn ends(text: &str) -> Result<Ends, String> {
    let wrong = || format!("'{text}' is no term: write '24 hours', '2 business days' or 2026-11-22T12:00:00Z");
    Term::parse(text).map(Ends::Within).or_else(|| Time::parse(text.as_bytes()).map(Ends::At)).ok_or_else(wrong)
}

/// Runs it; the exit code.
pub(super) fn run(args: &Order, globals: &Globals) -> Result<u8> {
    if args.is == Is::Not && args.term.is_some() {
        bail!("what is no order sets no term: leave --term out");
    }
    let public = match args.id {
        Id::Public(public) => public,
        Id::Row(row) => match globals.reader()?.read(|transaction| transaction.submission(row))? {
            Some(submission) => submission.public,
            None => bail!("there is no submission {row}"),
        },
    };
    let outcome = acts::ask(
        globals,
        &Act::Order {
            submission: public.to_string(),
            is_order: args.is == Is::Order,
            term: args.term.as_ref().map(|term| term.0.clone()),
            by: args.by.name()?,
            reason: args.reason.clone(),
        },
    )?;
    let mut screen = Screen::new();
    match (args.is, &args.term) {
        (Is::Not, _) => screen.line(format_args!("submission {public} is no order"))?,
        (Is::Order, None) => screen.line(format_args!("submission {public} is an order that sets no term"))?,
        (Is::Order, Some(_)) => {
            screen.line(format_args!("submission {public} is an order; open cases that have to keep its term: {outcome}"))?
        }
    }
    super::done(screen, 0)
}

/// Has the desk do it; how many cases have to keep the term.
///
/// # Errors
/// [`desk::Error`].
pub(crate) fn perform(
    desk: &desk::Desk,
    submission: &str,
    is_order: bool,
    term: Option<&str>,
    by: &str,
    reason: &str,
) -> Result<serde_json::Value, desk::Error> {
    let id = PublicId::parse(submission).ok_or_else(|| desk::Error::Invalid(format!("'{submission}' is no identifier")))?;
    let term = term.map(ends).transpose().map_err(desk::Error::Invalid)?;
    desk.decide_order(id, is_order, term, by, reason).map(Into::into)
}

#[derive(Serialize)]
struct View {
    submission: String,
    number: i64,
    received: String,
    due: String,
    why: String,
}

/// What waits for a person to say what it is.
pub(super) fn queue(most: u32, as_json: bool, transaction: &Transaction<'_>, now: Time) -> Result<u8> {
    let waiting = transaction.orders_waiting(most)?;
    let mut screen = Screen::new();
    if as_json {
        for order in waiting {
            let view = View {
                submission: order.public.to_string(),
                number: order.submission,
                received: order.received.to_string(),
                due: order.due.to_string(),
                why: order.why,
            };
            json::line(&mut screen, &view)?;
        }
        return super::done(screen, 0);
    }
    if waiting.is_empty() {
        screen.line("nothing waits here")?;
        return super::done(screen, 0);
    }
    let mut table = Table::new(&screen, &[">submission", "=received", "=look before", "why"]);
    for order in waiting {
        let style = if order.due <= now { Style::Alarm } else { Style::Plain };
        table.row([
            (Style::Strong, order.submission.to_string()),
            (Style::Plain, format!("{} ago", age(order.received, now))),
            (style, moment(order.due)),
            (Style::Plain, clean(&order.why).into_owned()),
        ]);
    }
    table.write(&mut screen)?;
    screen.line("Look at it: sluis submission show NUMBER. Then: sluis submission order NUMBER --is order|not --reason TEXT")?;
    super::done(screen, 0)
}
