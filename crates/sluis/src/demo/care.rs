//! What followed from the demo's reports: clocks, letters, corrections, and cases that were closed.

use std::collections::BTreeMap;

use anyhow::Result;
use model::case::State;
use model::outbox::{Hold, Purpose};
use model::time::{DAY, Time};
use serde::Serialize;
use store::Transaction;
use store::corrections::Outcome;
use store::listing::Listing;
use store::outbox::Filter;

use super::world::ROUND;
use super::{OBSERVED_ROUNDS, OUTAGE, Play};

/// Rows that are read from the database at a time.
const PAGE: u32 = 500;
/// Clocks that are shown.
const CLOCKS: usize = 5;

/// What followed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Care {
    /// When the operator let the node act.
    pub(crate) acts_since: String,
    /// Days on which the export of customers failed: the first, and the one on which it was there again.
    pub(crate) outage: (String, String),
    /// Entries of the outbox since then by what they are to do; those that were only shown before stand under `shown`.
    pub(crate) outbox: BTreeMap<String, u64>,
    /// What holds entries that wait, and how many.
    pub(crate) held: BTreeMap<String, u64>,
    /// Cases that turned out to be another's, and how many of their reports moved to the right one.
    pub(crate) corrected: u64,
    pub(crate) moved: u64,
    /// Cases reported within minutes of a change of holder, of which a person said that they stay.
    pub(crate) left: u64,
    /// Receipts for reporters, which wait: nobody has proved to be the sender.
    pub(crate) receipts: u64,
    /// Closed cases by why.
    pub(crate) closed: BTreeMap<String, u64>,
    /// Open cases, and those among them whose time to be mended has passed.
    pub(crate) open: u64,
    pub(crate) overdue: u64,
    /// The clocks that run out first.
    pub(crate) clocks: Vec<Clock>,
}

/// A clock that runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Clock {
    pub(crate) case: i64,
    pub(crate) kind: String,
    pub(crate) severity: &'static str,
    pub(crate) rule: String,
    /// When it began, and by when it is to be mended.
    pub(crate) begun: String,
    pub(crate) due: String,
    /// How much of its time is gone, of a hundred.
    pub(crate) gone: u64,
}

/// Looks at the node's data.
///
/// # Errors
/// When the database cannot be read.
pub(crate) fn care(play: &Play, transaction: &Transaction<'_>) -> Result<Care> {
    let acts_since = play.world.start.plus(OBSERVED_ROUNDS * ROUND);
    let day = |day: i64| acts_since.plus(day * DAY).to_string();
    let mut care = Care {
        acts_since: acts_since.to_string(),
        outage: (day(OUTAGE.0), day(OUTAGE.1)),
        outbox: BTreeMap::new(),
        held: BTreeMap::new(),
        corrected: 0,
        moved: 0,
        left: 0,
        receipts: 0,
        closed: BTreeMap::new(),
        open: 0,
        overdue: 0,
        clocks: Vec::new(),
    };
    outbox(transaction, &mut care)?;
    cases(transaction, (acts_since, play.world.end), &mut care)?;
    Ok(care)
}

fn outbox(transaction: &Transaction<'_>, care: &mut Care) -> Result<()> {
    let mut before = None;
    loop {
        let page = transaction.entries(&Filter { before, ..Filter::default() }, PAGE)?;
        let Some(last) = page.last() else { break };
        before = Some(last.id);
        for entry in &page {
            let what = if entry.hold == Hold::Observing { "shown" } else { entry.purpose.word() };
            *care.outbox.entry(what.to_owned()).or_default() += 1;
        }
    }
    for (hold, entries) in transaction.waiting_entries()? {
        if hold == Hold::Unauthenticated {
            care.receipts = entries.unsigned_abs();
        } else if hold != Hold::Free && hold != Hold::Observing {
            *care.held.entry(hold.word().to_owned()).or_default() += entries.unsigned_abs();
        }
    }
    Ok(())
}

fn cases(transaction: &Transaction<'_>, (since, now): (Time, Time), care: &mut Care) -> Result<()> {
    let mut before = None;
    let mut clocks = Vec::new();
    loop {
        let page = transaction.list_cases(&Listing { before, ..Listing::default() }, PAGE)?;
        let Some((last, _)) = page.last() else { break };
        before = Some(last.case.id);
        for (filed, standing) in &page {
            for change in transaction.holder_changes_of(filed.case.id)?.iter().filter(|change| change.found >= since) {
                match change.outcome {
                    Outcome::Moved => {
                        care.corrected += 1;
                        care.moved += change.reports;
                    }
                    Outcome::Left => care.left += 1,
                    Outcome::Waiting => {}
                }
            }
            if filed.case.state == State::Closed {
                let why = standing.closure.map_or("closed", |closure| closure.word());
                *care.closed.entry(why.to_owned()).or_default() += 1;
                continue;
            }
            care.open += 1;
            let Some(due) = standing.progress.clocks.fix.filter(|_| !standing.progress.observed) else { continue };
            if due <= now {
                care.overdue += 1;
                continue;
            }
            let begun = standing.received;
            let gone = (now.0 - begun.0).max(0) * 100 / (due.0 - begun.0).max(1);
            clocks.push((
                due,
                Clock {
                    case: filed.case.id,
                    kind: filed.case.kind.to_string(),
                    severity: standing.progress.severity.word(),
                    rule: standing.rule.clone(),
                    begun: begun.to_string(),
                    due: due.to_string(),
                    gone: gone.unsigned_abs().min(100),
                },
            ));
        }
    }
    clocks.sort_by_key(|(due, clock)| (*due, clock.case));
    care.clocks = clocks.into_iter().take(CLOCKS).map(|(_, clock)| clock).collect();
    Ok(())
}

impl Care {
    /// How many entries of a purpose there are.
    pub(crate) fn of(&self, purpose: Purpose) -> u64 {
        self.outbox.get(purpose.word()).copied().unwrap_or(0)
    }
}
