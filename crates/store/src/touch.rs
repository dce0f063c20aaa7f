//! Touching cases: the reports of a batch join open cases, open closed ones again, or open new ones.

use std::collections::{HashMap, HashSet};

use model::address::Address;
use model::category::Kind;
use model::chain::PartyId;
use model::policy::{Clocks, Closure, Decided, Rung};
use model::severity::Severity;
use model::step::{Step, What};
use model::submission::PublicId;
use model::time::Time;

use crate::Error;
use crate::cases::{Randomness, marks, step};
use crate::db::{OptionalExtension, Statement, Transaction, numbered};

/// The party of an errand that goes to whoever rents from the operator itself, until a case is known.
pub const DIRECT: PartyId = -1;
/// The party of an errand that goes to the last party of the chain, until a case is known.
pub const DEEPEST: PartyId = -2;
/// Cases that may have become part of one another before a person has to look.
const MERGES: u32 = 8;

/// What the reports of a case rest on and what follows from it when they open one; many cases have the same.
#[derive(Clone, Debug, PartialEq)]
pub struct Opening {
    /// Name of the rule that is about them.
    pub rule: String,
    /// How bad that says it is.
    pub severity: Severity,
    /// What rules may ask for ([`model::policy::traits_of`]).
    pub traits: String,
    /// Confidence in the reporter, 0 to 100.
    pub confidence: u8,
    /// Hash of the reporter; 0 when there is none.
    pub reporter: i64,
    /// Bits of [`marks`].
    pub marks: i64,
    /// What follows for a case that opens, its errands to [`DIRECT`] and [`DEEPEST`]; `None` when the desk has to look at
    /// the case first.
    pub decided: Option<Decided>,
}

/// Terms of the policy that applying needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Version of the policy.
    pub policy: i64,
    /// Below this confidence a case is only watched.
    pub watch_below: u8,
    /// When the outbox stops and asks.
    pub brake: model::policy::Brake,
    /// How long after it was closed a case is opened again by a new report, in milliseconds.
    pub reopen: i64,
}

impl Default for Terms {
    /// Nothing may go.
    fn default() -> Terms {
        let brake = model::policy::Brake { factor: 0, letters: 0, restrictions: 0 };
        Terms { policy: 0, watch_below: 0, brake, reopen: 0 }
    }
}

/// Reports of one batch that belong to one case.
pub(crate) struct Place<'a> {
    pub key: &'a [u8],
    pub kind: Kind,
    pub holder: Option<PartyId>,
    pub address: Address,
    pub first_seen: Time,
    pub last_seen: Time,
    pub first_notice: Option<Time>,
    pub history: bool,
    pub reports: i64,
    /// Number of the first of these reports.
    pub tail: i64,
    /// Number of the chain, for a case that opens.
    pub chain: Option<i64>,
    /// What there is of it already.
    pub known: Known,
    /// Place in the batch of the first of these reports.
    pub of_first: usize,
    pub opening: &'a Opening,
}

/// What there is of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing, or something that is not to be opened again.
    No(Option<EndedCase>),
    /// A case that was closed not long ago: its number and its last run of reports.
    Ended(EndedCase),
    /// An open case.
    Open(OpenCase),
}

/// A case that was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct EndedCase {
    pub case: i64,
    /// Its last run of reports.
    pub tail: i64,
    pub closure: Closure,
    pub closed: Time,
    pub opened: Time,
}

fn ended_case(row: &crate::db::Row<'_>) -> crate::db::Result<EndedCase> {
    Ok(EndedCase {
        case: row.get(0)?,
        tail: row.get(1)?,
        closure: numbered(row, 2, Closure::ALL)?,
        closed: Time(row.get(3)?),
        opened: Time(row.get(4)?),
    })
}

/// What joining needs to know of an open case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct OpenCase {
    pub case: i64,
    /// Its last run of reports.
    pub tail: i64,
    pub severity: Severity,
    pub confidence: u8,
    pub marks: i64,
    pub reporter: i64,
    pub history: bool,
    pub feed: i64,
    pub opened: Time,
}

const OPEN_CASE: &str = "id, tail, severity, confidence, marks, reporter, history, feed, opened";

fn open_case(row: &crate::db::Row<'_>) -> crate::db::Result<OpenCase> {
    Ok(OpenCase {
        case: row.get(0)?,
        tail: row.get(1)?,
        severity: numbered(row, 2, &Severity::ALL)?,
        confidence: row.get(3)?,
        marks: row.get(4)?,
        reporter: row.get(5)?,
        history: row.get(6)?,
        feed: row.get(7)?,
        opened: Time(row.get(8)?),
    })
}

/// The case that a [`Place`] came into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Touched {
    pub case: i64,
    pub how: How,
    /// The run of reports the case had before.
    pub prev: Option<i64>,
    /// The identifier of a case that is new.
    pub public: PublicId,
}

/// How reports came into a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Opened,
    Joined,
    Reopened,
}

/// When what is applied came, and by which feed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arrival {
    pub now: Time,
    pub received: Time,
    /// Number of the feed and of its run; 0 for none.
    pub feed: (i64, i64),
    pub terms: Terms,
}

impl Transaction<'_> {
    /// Finds what there is of each place. The places are sorted by key, so the index is walked, not jumped about in.
    pub(crate) fn mark_known(&self, places: &mut [Place<'_>], arrival: &Arrival) -> Result<(), Error> {
        let mut open =
            self.prepare(&format!("-- touch::open_case\nSELECT {OPEN_CASE} FROM cases WHERE key = $1 AND state = 0"))?;
        // Mostly there is nothing closed that a look would find.
        let newest: Option<i64> =
            self.prepare("-- touch::newest_end\nSELECT max(closed) FROM cases WHERE closed IS NOT NULL")?.query_row((), |row| row.get(0))?;
        let since = arrival.now.plus(-arrival.terms.reopen);
        let any_ended = newest.is_some_and(|newest| newest >= since.0);
        let mut ended = self.prepare(
            "-- touch::ended
             SELECT id, tail, closure, closed, opened FROM cases WHERE key = $1 AND state = 1 AND closed >= $2 ORDER BY closed DESC, id DESC LIMIT 1",
        )?;
        // Several problems may be part of one case by now.
        let mut tails: HashMap<i64, i64> = HashMap::new();
        for place in places {
            place.known = match open.query_row([place.key], open_case).optional()? {
                Some(case) => Known::Open(case),
                None if any_ended && !place.history => {
                    let found = ended.query_row((place.key, since.0), ended_case).optional()?;
                    self.ended(found)?
                }
                None => Known::No(None),
            };
            let (case, tail) = match &mut place.known {
                Known::Open(case) => (case.case, &mut case.tail),
                Known::Ended(ended) => (ended.case, &mut ended.tail),
                Known::No(_) => continue,
            };
            if any_ended && let Some(before) = tails.insert(case, place.tail) {
                *tail = before;
            }
        }
        Ok(())
    }

    /// What a closed case means for a new report of the same.
    fn ended(&self, mut found: Option<EndedCase>) -> Result<Known, Error> {
        for _ in 0..MERGES {
            let Some(ended) = found else { return Ok(Known::No(None)) };
            match ended.closure {
                // What a person found to be none is no reason to open it again; the new case says that it was so.
                Closure::FalseReport | Closure::NotOurs | Closure::Lawful => return Ok(Known::No(Some(ended))),
                Closure::Merged => {}
                _ => return Ok(Known::Ended(ended)),
            }
            let into: Option<i64> = self
                .prepare("-- touch::merged\nSELECT into_case FROM merges WHERE case_id = $1")?
                .query_row([ended.case], |row| row.get(0))
                .optional()?;
            let Some(into) = into else { return Ok(Known::No(Some(ended))) };
            let text = format!("-- touch::target\nSELECT {OPEN_CASE} FROM cases WHERE id = $1 AND state = 0");
            if let Some(open) = self.prepare(&text)?.query_row([into], open_case).optional()? {
                return Ok(Known::Open(open));
            }
            found = self
                .prepare("-- touch::target_ended\nSELECT id, tail, closure, closed, opened FROM cases WHERE id = $1 AND closed IS NOT NULL")?
                .query_row([into], ended_case)
                .optional()?;
        }
        Ok(Known::No(None))
    }

    /// Lets reports join their open cases, opens closed ones again, and opens cases for those that have none.
    pub(crate) fn touch_cases(&self, places: &[Place<'_>], arrival: &Arrival) -> Result<Vec<Touched>, Error> {
        let new = places.iter().filter(|place| matches!(place.known, Known::No(_))).count();
        let mut touch = Touch::new(self, new as i64, arrival)?;
        let mut touched = Vec::with_capacity(places.len());
        // Of several places that open one case again, only the first does.
        let mut reopened: HashSet<i64> = HashSet::new();
        for place in places {
            touched.push(match place.known {
                Known::Open(case) => touch.join(place, &case)?,
                Known::Ended(ended) => {
                    if reopened.insert(ended.case) {
                        self.reopen(place, &ended, arrival)?;
                    }
                    touch.count(place, ended.case, ended.opened)?;
                    Touched { case: ended.case, how: How::Reopened, prev: Some(ended.tail), public: PublicId(0) }
                }
                Known::No(before) => touch.open(place, before)?,
            });
        }
        Ok(touched)
    }

    /// Opens a case again: it has the history it has, and its clocks begin anew.
    fn reopen(&self, place: &Place<'_>, ended: &EndedCase, arrival: &Arrival) -> Result<(), Error> {
        let (opening, case) = (place.opening, ended.case);
        self.execute(
            "-- touch::reopen
             UPDATE cases SET severity = $2, rule = $3, traits = $4, confidence = $5, reporter = $6, marks = $7, feed = $8, snoozed = NULL,
                 disputed = NULL, ordered = NULL
             WHERE id = $1",
            (
                case,
                opening.severity as u8,
                &opening.rule,
                &opening.traits,
                opening.confidence,
                opening.reporter,
                opening.marks,
                arrival.feed.0,
            ),
        )?;
        self.restart_case(case, arrival.received, arrival.now)?;
        let text = format!("reported again; it was closed {} ({})", ended.closed, ended.closure.word());
        self.add_step(case, &step(What::Reopened, arrival.now, text))
    }
}

/// Statements of [`Transaction::touch_cases`], prepared once.
struct Touch<'t> {
    arrival: Arrival,
    next: i64,
    randomness: Randomness,
    join: Statement<'t>,
    wake: Statement<'t>,
    rule: Statement<'t>,
    reporter: Statement<'t>,
    received: Statement<'t>,
    open: Statement<'t>,
    step: Statement<'t>,
    day: Statement<'t>,
}

impl<'t> Touch<'t> {
    fn new(transaction: &'t Transaction<'_>, new: i64, arrival: &Arrival) -> Result<Touch<'t>, Error> {
        Ok(Touch {
            arrival: *arrival,
            next: transaction.numbers("cases", new)?,
            randomness: Randomness::default(),
            join: transaction.prepare(
                "-- touch::join
                 UPDATE cases SET reports = reports + $2, tail = $3,
                     first_seen = CASE WHEN first_seen < $4 THEN first_seen ELSE $4 END,
                     last_seen = CASE WHEN last_seen > $5 THEN last_seen ELSE $5 END,
                     first_notice = coalesce(first_notice, $6),
                     history = CASE WHEN $7 = 0 THEN 0 ELSE history END,
                     last_received = CASE WHEN last_received < $8 THEN $8 ELSE last_received END,
                     confidence = CASE WHEN confidence < $9 THEN $9 ELSE confidence END,
                     marks = marks | $10,
                     feed_run = CASE WHEN $11 > feed_run THEN $11 ELSE feed_run END
                 WHERE id = $1",
            )?,
            wake: transaction.prepare("-- touch::wake\nUPDATE cases SET next_due = $2 WHERE id = $1")?,
            rule: transaction.prepare("-- touch::rule\nUPDATE cases SET rule = $2, traits = $3 WHERE id = $1")?,
            reporter: transaction.prepare("-- touch::reporter\nUPDATE cases SET reporter = $2 WHERE id = $1")?,
            received: transaction.prepare("-- touch::received\nUPDATE cases SET received = $2 WHERE id = $1")?,
            open: transaction.prepare(
                "-- touch::open
                 INSERT INTO cases (id, public, key, kind, state, holder, chain, address, opened, first_seen, last_seen, first_notice,
                     reports, tail, history, severity, policy, rule, traits, confidence, reporter, marks, acknowledge_due,
                     customer_due, fix_due, force_due, told, rung, received, last_received, feed, feed_run, next_due)
                 VALUES ($1, $2, $3, $4, 0, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
                     $24, $25, $26, $27, $28, $28, $29, $30, $31)",
            )?,
            step: transaction.prepare(
                "-- touch::step
                 INSERT INTO steps (case_id, ordinal, what, at, text, rule, due) VALUES ($1, $2, $3, $4, $5, $6, $7)",
            )?,
            day: transaction.prepare(
                "-- touch::day
                 INSERT INTO case_days (case_id, day, reports) VALUES ($1, $2, $3)
                 ON CONFLICT (case_id, day) DO UPDATE SET reports = case_days.reports + excluded.reports",
            )?,
        })
    }

    /// Lets reports join an open case. The desk looks at it at once only when something it looks at was passed.
    fn join(&mut self, place: &Place<'_>, case: &OpenCase) -> Result<Touched, Error> {
        let (arrival, opening) = (self.arrival, place.opening);
        let mut new_marks = opening.marks & (marks::AUTHENTICATED | marks::SPOOFABLE);
        let sure = |marks: i64| marks & marks::AUTHENTICATED != 0;
        // Anyone can write any name: only who proved to be another says the same.
        let other = sure(opening.marks) && sure(case.marks) && opening.reporter != case.reporter;
        let corroborates = other && case.marks & marks::CORROBORATED == 0;
        if other {
            new_marks |= marks::CORROBORATED;
        }
        if case.feed != arrival.feed.0 {
            new_marks |= marks::NOT_ONE_FEED;
        }
        let run = if case.feed == arrival.feed.0 { arrival.feed.1 } else { 0 };
        // What was old when it came says nothing about now, unless all of it was.
        let last_received = if place.history && !case.history { Time(0) } else { arrival.received };
        self.join.execute((
            case.case,
            place.reports,
            place.tail,
            place.first_seen.0,
            place.last_seen.0,
            place.first_notice.map(|time| time.0),
            place.history,
            last_received.0,
            opening.confidence,
            new_marks,
            run,
        ))?;
        self.count_day(place, case.case, case.opened)?;
        if place.history {
            return Ok(Touched { case: case.case, how: How::Joined, prev: Some(case.tail), public: PublicId(0) });
        }
        let first_current = case.history;
        let worse = opening.severity < case.severity;
        let believed = |confidence: u8| confidence >= arrival.terms.watch_below;
        if sure(opening.marks) && !sure(case.marks) {
            self.reporter.execute((case.case, opening.reporter))?;
        }
        if worse || first_current {
            self.rule.execute((case.case, &opening.rule, &opening.traits))?;
        }
        if first_current {
            self.received.execute((case.case, arrival.received.0))?;
        }
        if worse || first_current || corroborates || (believed(opening.confidence) && !believed(case.confidence)) {
            self.wake.execute((case.case, arrival.now.0))?;
        }
        Ok(Touched { case: case.case, how: How::Joined, prev: Some(case.tail), public: PublicId(0) })
    }

    /// Counts reports into a case that has just been opened again.
    fn count(&mut self, place: &Place<'_>, case: i64, opened: Time) -> Result<(), Error> {
        let arrival = self.arrival;
        self.join.execute((
            case,
            place.reports,
            place.tail,
            place.first_seen.0,
            place.last_seen.0,
            place.first_notice.map(|time| time.0),
            place.history,
            arrival.received.0,
            place.opening.confidence,
            place.opening.marks,
            arrival.feed.1,
        ))?;
        self.count_day(place, case, opened)
    }

    /// Counts reports of another day than the one on which the case was opened (see [`Transaction::case_days`]).
    fn count_day(&mut self, place: &Place<'_>, case: i64, opened: Time) -> Result<(), Error> {
        let day = self.arrival.received.day();
        if day != opened.day() {
            self.day.execute((case, day, place.reports))?;
        }
        Ok(())
    }

    /// Opens a case, with what follows from its reports.
    fn open(&mut self, place: &Place<'_>, before: Option<EndedCase>) -> Result<Touched, Error> {
        let (arrival, opening) = (self.arrival, place.opening);
        let case = self.next;
        self.next += 1;
        let public = self.randomness.public_id(arrival.now)?;
        let decided = opening.decided.as_ref();
        let progress = decided.map(|decided| decided.progress);
        let clocks = progress.map_or_else(Clocks::default, |progress| progress.clocks);
        // History is never decided about: its clocks begin with the first report that is none.
        let mut bits = opening.marks;
        if let Some(progress) = progress {
            bits |= if place.history { 0 } else { marks::DECIDED };
            bits |= if progress.observed { marks::OBSERVED } else { 0 };
        }
        let number = |time: Option<Time>| time.map(|time| time.0);
        self.open.execute((
            case,
            public.0.to_be_bytes(),
            place.key,
            place.kind as u8,
            place.holder.unwrap_or(0),
            place.chain,
            (place.address != Address::NONE).then(|| place.address.bytes()),
            arrival.now.0,
            place.first_seen.0,
            place.last_seen.0,
            number(place.first_notice),
            place.reports,
            place.tail,
            place.history,
            progress.map_or(opening.severity, |progress| progress.severity) as u8,
            arrival.terms.policy,
            &opening.rule,
            &opening.traits,
            opening.confidence,
            opening.reporter,
            bits,
            number(clocks.acknowledge),
            number(clocks.customer),
            number(clocks.fix),
            number(clocks.force),
            number(progress.and_then(|progress| progress.told)),
            progress.map_or(Rung::Start, |progress| progress.rung) as u8,
            arrival.received.0,
            arrival.feed.0,
            arrival.feed.1,
            decided.map_or(Some(arrival.now.0), |decided| number(decided.next)),
        ))?;
        let text = match before {
            Some(before) => format!("like case {}, which was closed {} ({})", before.case, before.closed, before.closure.word()),
            None => String::new(),
        };
        self.step.execute((case, 1, What::Opened as u8, arrival.now.0, text, "", None::<i64>))?;
        for (place, step) in decided.map_or(&[][..], |decided| &decided.steps).iter().enumerate() {
            let Step { what, at, text, rule, due, .. } = step;
            self.step.execute((case, place as i64 + 2, *what as u8, at.0, text, rule, number(*due)))?;
        }
        Ok(Touched { case, how: How::Opened, prev: None, public })
    }
}

