//! Clocks: where each case stands with the desk, and when it is to be looked at again.

use std::collections::{HashMap, HashSet};

use model::address::Address;
use model::advisory::{Cve, Exploited, cves_of};
use model::chain::PartyId;
use model::party::Role;
use model::policy::{Clocks, Closure, Progress, Rung};
use model::severity::Severity;
use model::time::Time;

use crate::Error;
use crate::cases::{self, Filed, marks};
use crate::db::{self, OptionalExtension, Row, Transaction, numbered};

/// What was decided about a case, and what that rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// Name of the rule that holds; empty before any did.
    pub rule: String,
    /// Version of the policy that it was last decided by; 0 before any.
    pub policy: i64,
    /// What rules may ask for, one to a line.
    pub traits: String,
    /// Best confidence in a reporter, 0 to 100.
    pub confidence: u8,
    /// Hash of the first reporter, of the first that proved to be the one when one did.
    pub reporter: i64,
    /// Bits of [`marks`].
    pub marks: i64,
    /// Where it is on its way. Means nothing before it was decided about: see [`Standing::decided`].
    pub progress: Progress,
    /// The colleague who has it; empty for nobody.
    pub handler: String,
    /// Until when a person put it off.
    pub snoozed: Option<Time>,
    /// Since when it is disputed.
    pub disputed: Option<Time>,
    /// The end of the shortest term that an order or notice sets.
    pub ordered: Option<Time>,
    /// Arrival of the first report that is no history.
    pub received: Time,
    /// Arrival of the last report.
    pub last_received: Time,
    /// The feed that reports it; 0 for none.
    pub feed: i64,
    /// Run of the feed that named it last.
    pub feed_run: i64,
    /// When it was closed.
    pub closed: Option<Time>,
    /// Why.
    pub closure: Option<Closure>,
    /// When it is to be looked at again.
    pub next_due: Option<Time>,
}

impl Standing {
    /// Whether all of these marks are set.
    pub fn has(&self, marks: i64) -> bool {
        self.marks & marks == marks
    }

    /// Where it is on its way; `None` when nothing was decided yet.
    pub fn decided(&self) -> Option<Progress> {
        self.has(marks::DECIDED).then_some(self.progress)
    }
}

pub(crate) const COLUMNS: &str =
    "severity, policy, rule, coalesce((SELECT t.text FROM traits t WHERE t.id = cases.traits), ''), confidence, reporter, marks, acknowledge_due, customer_due, fix_due, force_due, told, rung,
    handler, snoozed, disputed, ordered, received, last_received, feed, feed_run, closed, closure, next_due";

/// Reads [`COLUMNS`], which begin at `first`.
pub(crate) fn from_row(row: &Row<'_>, first: usize) -> db::Result<Standing> {
    let time = |at: usize| -> db::Result<Option<Time>> { Ok(row.get::<Option<i64>>(first + at)?.map(Time)) };
    let marks: i64 = row.get(first + 6)?;
    let closure = match row.get::<Option<i64>>(first + 22)? {
        Some(_) => Some(numbered(row, first + 22, Closure::ALL)?),
        None => None,
    };
    Ok(Standing {
        policy: row.get(first + 1)?,
        rule: row.get(first + 2)?,
        traits: row.get(first + 3)?,
        confidence: row.get(first + 4)?,
        reporter: row.get(first + 5)?,
        marks,
        progress: Progress {
            severity: numbered(row, first, &Severity::ALL)?,
            observed: marks & marks::OBSERVED != 0,
            clocks: Clocks { acknowledge: time(7)?, customer: time(8)?, fix: time(9)?, force: time(10)? },
            told: time(11)?,
            rung: numbered(row, first + 12, Rung::ALL)?,
        },
        handler: row.get(first + 13)?,
        snoozed: time(14)?,
        disputed: time(15)?,
        ordered: time(16)?,
        received: Time(row.get(first + 17)?),
        last_received: Time(row.get(first + 18)?),
        feed: row.get(first + 19)?,
        feed_run: row.get(first + 20)?,
        closed: time(21)?,
        closure,
        next_due: time(23)?,
    })
}

/// What decisions look at beside a case and its chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Around {
    /// Parties that are the operator itself, or its own provider: nobody to write to.
    pub operators: HashSet<PartyId>,
    /// When each source was imported last, and how old it may be in milliseconds (0 for ever), in the order of an index.
    pub sources: Vec<(Time, i64)>,
    /// Weak points that are known to be exploited, and whether by ransomware.
    pub exploited: HashMap<Cve, bool>,
}

impl Around {
    /// The weak point among traits that is known to be exploited; first of all one that ransomware uses.
    pub fn exploited_of(&self, traits: &str) -> Option<Exploited> {
        let known = |cve: Cve| self.exploited.get(&cve).map(|ransomware| Exploited { cve, ransomware: *ransomware });
        cves_of(traits).filter_map(known).max_by_key(|exploited| exploited.ransomware)
    }

    /// Which sources are older than they may be, in the order of an index.
    pub fn stale(&self, now: Time) -> Vec<bool> {
        self.sources.iter().map(|(checked, fresh)| *fresh > 0 && now.0.saturating_sub(checked.0) > *fresh).collect()
    }
}

impl Transaction<'_> {
    /// What decisions look at beside cases.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn around(&self) -> Result<Around, Error> {
        let mut select = self.prepare("-- clocks::operators\nSELECT id FROM parties WHERE (roles & $1) <> 0")?;
        let provider = 1i64 << Role::Provider as u8;
        let operators = select.query_map([provider], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut select = self.prepare("-- clocks::sources\nSELECT checked, fresh FROM sources ORDER BY id")?;
        let sources = select.query_map((), |row| Ok((Time(row.get(0)?), row.get(1)?)))?.collect::<Result<_, _>>()?;
        Ok(Around { operators, sources, exploited: self.exploited()? })
    }

    /// Where a case stands with the desk.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn standing(&self, case: i64) -> Result<Option<Standing>, Error> {
        let text = format!("-- clocks::standing\nSELECT {COLUMNS} FROM cases WHERE id = $1");
        Ok(self.prepare(&text)?.query_row([case], |row| from_row(row, 0)).optional()?)
    }

    /// Cases that are to be looked at by `now`, in the order in which they became due, at most `most`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn due_cases(&self, now: Time, most: u32) -> Result<Vec<(Filed, Standing)>, Error> {
        let text = format!(
            "-- clocks::due
             SELECT {}, {COLUMNS} FROM cases WHERE next_due IS NOT NULL AND next_due <= $1 ORDER BY next_due, id LIMIT $2",
            cases::COLUMNS
        );
        let mut select = self.prepare(&text)?;
        let rows = select.query_map((now.0, most), |row| Ok((cases::from_row(row)?, from_row(row, cases::WIDTH)?)))?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// When the next case is to be looked at.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn next_due(&self) -> Result<Option<Time>, Error> {
        let mut select = self.prepare("-- clocks::next\nSELECT min(next_due) FROM cases WHERE next_due IS NOT NULL")?;
        Ok(select.query_row((), |row| row.get::<Option<i64>>(0))?.map(Time))
    }

    /// Lets the desk look at the open cases of a severity whose marks say otherwise than the policy does: whether what is
    /// decided about them is only shown.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn wake_observed(&self, severity: Severity, observes: bool, now: Time) -> Result<(), Error> {
        self.execute(
            "-- clocks::wake_observed
             UPDATE cases SET next_due = $2
             WHERE state = 0 AND history = 0 AND severity = $1 AND (marks & $3) <> $4 AND (next_due IS NULL OR next_due > $2)",
            (severity as u8, now.0, marks::OBSERVED, if observes { marks::OBSERVED } else { 0 }),
        )?;
        Ok(())
    }

    /// Lets the desk look at an open case at `at`, or sooner when it is to anyway.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn wake_case(&self, case: i64, at: Time) -> Result<(), Error> {
        self.execute(
            "-- clocks::wake
             UPDATE cases SET next_due = $2 WHERE id = $1 AND state = 0 AND (next_due IS NULL OR next_due > $2)",
            (case, at.0),
        )?;
        Ok(())
    }

    /// Lets the desk look at a case not before `at`.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn look_later(&self, case: i64, at: Time) -> Result<(), Error> {
        self.execute("-- clocks::later\nUPDATE cases SET next_due = $2 WHERE id = $1 AND state = 0", (case, at.0))?;
        Ok(())
    }

    /// Whether others than `holder` had a case about the same address that is open or was reported since.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn others_on(&self, address: Address, holder: PartyId, since: Time) -> Result<bool, Error> {
        if address == Address::NONE {
            return Ok(false);
        }
        let mut select = self.prepare(
            "-- clocks::others
             SELECT EXISTS (SELECT 1 FROM cases WHERE address = $1 AND holder <> $2 AND holder <> 0 AND (state = 0 OR last_received >= $3))",
        )?;
        Ok(select.query_row((address.bytes(), holder, since.0), |row| row.get(0))?)
    }

    /// Sets and clears marks of a case (bits of [`marks`]).
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn mark_case(&self, case: i64, set: i64, clear: i64) -> Result<(), Error> {
        self.execute("-- clocks::mark\nUPDATE cases SET marks = (marks | $2) & $3 WHERE id = $1", (case, set, !clear))?;
        Ok(())
    }

    /// Notes that an order or notice asks for it by `until`. A later term than the one that is known changes nothing.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_ordered(&self, case: i64, until: Time, now: Time) -> Result<(), Error> {
        let changed = self.execute(
            "-- clocks::order
             UPDATE cases SET ordered = $2 WHERE id = $1 AND state = 0 AND (ordered IS NULL OR ordered > $2)",
            (case, until.0),
        )?;
        if changed > 0 { self.wake_case(case, now) } else { Ok(()) }
    }

    /// Begins a case's clocks and ladder anew with the next look, counted from `received`: it was opened again, or is
    /// another party's now.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn restart_case(&self, case: i64, received: Time, now: Time) -> Result<(), Error> {
        self.execute(
            "-- clocks::restart
             UPDATE cases SET state = 0, closed = NULL, closure = NULL, marks = marks & $2, rung = 0, told = NULL,
                 acknowledge_due = NULL, customer_due = NULL, fix_due = NULL, force_due = NULL, received = $3, next_due = $4
             WHERE id = $1",
            (case, !(marks::DECIDED | marks::OBSERVED), received.0, now.0),
        )?;
        Ok(())
    }

    /// The number under which traits are kept, which are written once however many cases have them; 0 for none.
    pub(crate) fn traits_number(&self, traits: &str) -> Result<i64, Error> {
        if traits.is_empty() {
            return Ok(0);
        }
        let known = self
            .prepare("-- clocks::traits\nSELECT id FROM traits WHERE text = $1")?
            .query_row([traits], |row| row.get(0))
            .optional()?;
        if let Some(number) = known {
            return Ok(number);
        }
        // Another worker may have written them meanwhile.
        let mut insert = self.prepare(
            "-- clocks::add_traits
             INSERT INTO traits (id, text) VALUES ($1, $2) ON CONFLICT (text) DO UPDATE SET text = excluded.text RETURNING id",
        )?;
        Ok(insert.query_row((self.numbers("traits", 1)?, traits), |row| row.get(0))?)
    }

    /// Writes what is known of a case's first report, when nothing was: cases of before the desk decided.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_basis(&self, case: i64, standing: &Standing) -> Result<(), Error> {
        let traits = self.traits_number(&standing.traits)?;
        self.execute(
            "-- clocks::basis
             UPDATE cases SET rule = $2, traits = $3, confidence = $4, reporter = $5, marks = $6 WHERE id = $1",
            (case, &standing.rule, traits, standing.confidence, standing.reporter, standing.marks),
        )?;
        Ok(())
    }

    /// Writes what was decided about a case, by which version of the policy, and when it is to be looked at again. A case
    /// whose reports are all history has not been decided about, so that its clocks begin with the first that is not.
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn set_progress(
        &self,
        filed: &Filed,
        progress: &Progress,
        (rule, policy): (&str, i64),
        next: Option<Time>,
    ) -> Result<(), Error> {
        let decided = if filed.case.history { 0 } else { marks::DECIDED };
        let observed = if progress.observed { marks::OBSERVED } else { 0 };
        let clocks = progress.clocks;
        let number = |time: Option<Time>| time.map(|time| time.0);
        self.execute(
            "-- clocks::progress
             UPDATE cases SET severity = $2, policy = $3, rule = $4, marks = (marks & $5) | $6, acknowledge_due = $7,
                 customer_due = $8, fix_due = $9, force_due = $10, told = $11, rung = $12, next_due = $13
             WHERE id = $1",
            (
                filed.case.id,
                progress.severity as u8,
                policy,
                rule,
                !marks::OBSERVED,
                decided | observed,
                number(clocks.acknowledge),
                number(clocks.customer),
                number(clocks.fix),
                number(clocks.force),
                number(progress.told),
                progress.rung as u8,
                number(next),
            ),
        )?;
        Ok(())
    }

    /// Closes a case. What is still in the outbox for it is withdrawn by [`Transaction::withdraw_errands`].
    ///
    /// # Errors
    /// [`Error::Database`].
    pub fn close_case(&self, case: i64, closure: Closure, now: Time) -> Result<(), Error> {
        self.execute(
            "-- clocks::close\nUPDATE cases SET state = 1, closed = $2, closure = $3, next_due = NULL WHERE id = $1 AND state = 0",
            (case, now.0, closure as u8),
        )?;
        Ok(())
    }
}
