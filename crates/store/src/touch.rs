//! Touching cases: the reports of a batch join open cases, open closed ones again, or open new ones.

use std::collections::{HashMap, HashSet};

use model::address::Address;
use model::category::Kind;
use model::chain::PartyId;
use model::policy::{Closure, Decided};
use model::severity::Severity;
use model::step::What;
use model::submission::PublicId;
use model::time::{DAY, Time};

use crate::Error;
use crate::apply::sets;
use crate::cases::{Randomness, marks, step};
use crate::db::{self, Failure, OptionalExtension, Row, Transaction, numbered};
use crate::sealed::{Unsealed, what};

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
    /// Bits of [`marks`] that a case has which opens.
    pub marks: i64,
    /// Runs of their feed after which a case is closed that it names no more; 0 for none.
    pub absent_runs: u16,
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
#[derive(Clone)]
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
    /// What they rest on: its place in [`Arrival::openings`].
    pub opening: u32,
}

/// What there is of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// Nothing, or something that is not to be opened again.
    No(Option<EndedCase>),
    /// A case that was closed not long ago.
    Ended(EndedCase),
    /// An open case.
    Open(OpenCase),
}

impl Known {
    /// Whether a case has to be opened.
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Known::No(_))
    }
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

pub(crate) const ENDED_CASE: &str = "c.id, c.tail, c.closure, c.closed, c.opened";

pub(crate) fn ended_case(row: &Row<'_>) -> db::Result<EndedCase> {
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

pub(crate) const OPEN_CASE: &str = "c.id, c.tail, c.severity, c.confidence, c.marks, c.reporter, c.history, c.feed, c.opened";

pub(crate) fn open_case(row: &Row<'_>) -> db::Result<OpenCase> {
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

/// When what is applied came, by which feed, and what it rests on.
#[derive(Clone, Copy)]
pub(crate) struct Arrival<'a> {
    pub now: Time,
    pub received: Time,
    /// Number of the feed and of its run; 0 for none.
    pub feed: (i64, i64),
    /// Usual time between its runs; 0 when unknown.
    pub every: i64,
    pub terms: Terms,
    pub openings: &'a [Opening],
}

impl Arrival<'_> {
    /// When a case is to be looked at that its feed might name no more by then.
    pub(crate) fn absent(&self, opening: &Opening) -> Option<Time> {
        let every = if self.every > 0 { self.every } else { DAY };
        let runs = i64::from(opening.absent_runs);
        (self.feed.0 != 0 && runs > 0).then(|| self.received.plus(every.saturating_mul(runs).saturating_add(every / 4)))
    }

    pub(crate) fn opening(&self, place: &Place<'_>) -> Result<&Opening, Error> {
        let opening = self.openings.get(place.opening as usize);
        opening.ok_or_else(|| Error::Damaged("a group of reports rests on nothing".to_owned()))
    }
}

/// What reports do to the case that they join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Join {
    pub case: i64,
    pub reports: i64,
    pub tail: i64,
    pub first_seen: Time,
    pub last_seen: Time,
    pub first_notice: Option<Time>,
    pub history: bool,
    pub last_received: Time,
    pub confidence: u8,
    /// To be added.
    pub marks: i64,
    pub run: i64,
    /// Whether they are of another day than the one on which the case was opened (see [`Transaction::case_days`]).
    pub another_day: bool,
}

/// What few reports do to the case that they join.
#[derive(Clone, Copy)]
enum Change<'a> {
    /// Something was passed that decisions look at.
    Wake,
    /// Another rule holds.
    Rule(&'a Opening),
    /// They are the first whose reporter proved to be the one.
    Reporter(i64),
    /// They are the first that are no history: clocks count from their arrival.
    Received,
}

impl Transaction<'_> {
    /// Finds what there is of each place. The places are sorted by key, so the index is walked, not jumped about in.
    pub(crate) fn mark_known(&self, places: &mut [Place<'_>], arrival: &Arrival<'_>) -> Result<(), Error> {
        // Mostly there is nothing closed that a look would find.
        let newest: Option<i64> = self
            .prepare("-- touch::newest_end\nSELECT max(closed) FROM cases WHERE closed IS NOT NULL")?
            .query_row((), |row| row.get(0))?;
        let since = arrival.now.plus(-arrival.terms.reopen);
        let any_ended = newest.is_some_and(|newest| newest >= since.0);
        if let Some(open) = self.open_postgres() {
            sets::mark_known(open, places)?;
            if any_ended {
                sets::mark_ended(open, places, since)?;
            }
        } else {
            let mut open =
                self.prepare(&format!("-- touch::open_case\nSELECT {OPEN_CASE} FROM cases c WHERE c.key = $1 AND c.state = 0"))?;
            let mut ended = self.prepare(&format!(
                "-- touch::ended
                 SELECT {ENDED_CASE} FROM cases c WHERE c.key = $1 AND c.state = 1 AND c.closed >= $2
                 ORDER BY c.closed DESC, c.id DESC LIMIT 1"
            ))?;
            for place in places.iter_mut() {
                if let Some(case) = open.query_row([place.key], open_case).optional()? {
                    place.known = Known::Open(case);
                } else if any_ended {
                    place.known = Known::No(ended.query_row((place.key, since.0), ended_case).optional()?);
                }
            }
        }
        if !any_ended {
            return Ok(());
        }
        // Several problems may be part of one case by now.
        let mut tails: HashMap<i64, i64> = HashMap::new();
        for place in places {
            if let Known::No(Some(found)) = place.known {
                // What was old when it came opens nothing again.
                place.known = if place.history { Known::No(None) } else { self.meaning_of(found)? };
            }
            let (case, tail) = match &mut place.known {
                Known::Open(case) => (case.case, &mut case.tail),
                Known::Ended(ended) => (ended.case, &mut ended.tail),
                Known::No(_) => continue,
            };
            if let Some(before) = tails.insert(case, place.tail) {
                *tail = before;
            }
        }
        Ok(())
    }

    /// What a closed case means for a new report of the same.
    fn meaning_of(&self, mut ended: EndedCase) -> Result<Known, Error> {
        for _ in 0..MERGES {
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
            let text = format!("-- touch::target\nSELECT {OPEN_CASE} FROM cases c WHERE c.id = $1 AND c.state = 0");
            if let Some(open) = self.prepare(&text)?.query_row([into], open_case).optional()? {
                return Ok(Known::Open(open));
            }
            let text =
                format!("-- touch::target_ended\nSELECT {ENDED_CASE} FROM cases c WHERE c.id = $1 AND c.closed IS NOT NULL");
            match self.prepare(&text)?.query_row([into], ended_case).optional()? {
                Some(found) => ended = found,
                None => break,
            }
        }
        Ok(Known::No(None))
    }

    /// Lets reports join their open cases, opens closed ones again, and opens cases for those that have none.
    pub(crate) fn touch_cases(&self, places: &[Place<'_>], arrival: &Arrival<'_>) -> Result<Vec<Touched>, Error> {
        let mut touched = Vec::with_capacity(places.len());
        let (mut joins, mut changes, mut new) = (Vec::with_capacity(places.len()), Vec::new(), Vec::new());
        let mut reopened: HashSet<i64> = HashSet::new();
        for (at, place) in places.iter().enumerate() {
            let opening = arrival.opening(place)?;
            let (case, how, tail) = match &place.known {
                Known::Open(case) => {
                    joins.push(join(place, case, opening, arrival, &mut changes));
                    (case.case, How::Joined, Some(case.tail))
                }
                Known::Ended(ended) => {
                    if reopened.insert(ended.case) {
                        self.reopen(opening, ended, arrival)?;
                    }
                    joins.push(join_reopened(place, ended, opening, arrival));
                    (ended.case, How::Reopened, Some(ended.tail))
                }
                Known::No(_) => {
                    new.push(at);
                    (0, How::Opened, None)
                }
            };
            touched.push(Touched { case, how, prev: tail, public: PublicId(0) });
        }
        self.join_cases(joins, &changes, arrival)?;
        self.open_cases(places, &new, arrival, &mut touched)?;
        Ok(touched)
    }

    /// Opens cases for places, and says in `touched` which.
    fn open_cases(
        &self,
        places: &[Place<'_>],
        new: &[usize],
        arrival: &Arrival<'_>,
        touched: &mut [Touched],
    ) -> Result<(), Error> {
        if new.is_empty() {
            return Ok(());
        }
        let first = self.numbers("cases", new.len() as i64)?;
        let mut randomness = Randomness::default();
        let mut opened: Vec<NewCase<'_, '_>> = Vec::with_capacity(new.len());
        for (case, at) in (first..).zip(new) {
            opened.push(NewCase { case, public: randomness.public_id(arrival.now)?, place: &places[*at], at: *at });
        }
        let mut traits: Vec<Option<i64>> = vec![None; arrival.openings.len()];
        for place in opened.iter().map(|new| new.place) {
            if let (Some(number @ None), opening) = (traits.get_mut(place.opening as usize), arrival.opening(place)?) {
                *number = Some(self.traits_number(&opening.traits)?);
            }
        }
        let mut overtaken = Vec::new();
        if let Some(open) = self.open_postgres() {
            let written: HashSet<i64> = sets::open_cases(open, &opened, arrival, &traits)?.into_iter().collect();
            opened.retain(|new| {
                let is_written = written.contains(&new.case);
                if !is_written {
                    overtaken.push(new.at);
                }
                is_written
            });
        } else {
            self.insert_many("cases", sets::CASE, |cases| {
                opened.iter().try_for_each(|new| Ok(cases.add(sets::case_row(new, arrival, &traits)?)?))
            })?;
        }
        for new in &opened {
            (touched[new.at].case, touched[new.at].public) = (new.case, new.public);
        }
        self.insert_many("steps", "case_id, ordinal, what, at, text, rule, due", |steps| {
            for NewCase { case, place, .. } in &opened {
                let text = match &place.known {
                    Known::No(Some(before)) => {
                        format!("like case {}, which was closed {} ({})", before.case, before.closed, before.closure.word())
                    }
                    _ => String::new(),
                };
                steps.add((case, 1, What::Opened as u8, arrival.now.0, text, "", None::<i64>))?;
                let decided = arrival.opening(place)?.decided.as_ref();
                for (ordinal, step) in (2i64..).zip(decided.map_or(&[][..], |decided| &decided.steps)) {
                    let due = step.due.map(|due| due.0);
                    steps.add((case, ordinal, step.what as u8, step.at.0, &step.text, &step.rule, due))?;
                }
            }
            Ok(())
        })?;
        self.queue_opened(opened.iter().map(|new| {
            let opening = arrival.openings.get(new.place.opening as usize);
            let decided = opening.and_then(|opening| opening.decided.as_ref());
            let severity = decided.map(|decided| decided.progress.severity).or(opening.map(|opening| opening.severity));
            Unsealed {
                what: what::CASE,
                target: new.case,
                ordinal: 1 + decided.map_or(0, |decided| decided.steps.len() as i64),
                party: new.place.holder.unwrap_or(0),
                chain: new.place.chain.unwrap_or(0),
                severity: severity.map_or(-1, |severity| severity as i64),
                urgent: severity.is_some_and(Severity::is_urgent),
            }
        }))?;
        if overtaken.is_empty() {
            return Ok(());
        }
        // Another worker opened the same cases since they were looked for.
        let mut again: Vec<Place<'_>> = overtaken.iter().map(|at| places[*at].clone()).collect();
        self.mark_known(&mut again, arrival)?;
        let (mut joins, mut changes) = (Vec::new(), Vec::new());
        for (place, at) in again.iter().zip(overtaken) {
            let Known::Open(case) = &place.known else { return Err(Failure::Overtaken.into()) };
            joins.push(join(place, case, arrival.opening(place)?, arrival, &mut changes));
            touched[at] = Touched { case: case.case, how: How::Joined, prev: Some(case.tail), public: PublicId(0) };
        }
        self.join_cases(joins, &changes, arrival)
    }

    fn join_cases(&self, mut joins: Vec<Join>, changes: &[(i64, Change<'_>)], arrival: &Arrival<'_>) -> Result<(), Error> {
        // Several problems that are one case by now join it together.
        if self.open_postgres().is_some() {
            joins.sort_by_key(|join| join.case);
            joins.dedup_by(|next, kept| {
                let same = next.case == kept.case;
                if same {
                    *kept = both(kept, next);
                }
                same
            });
        }
        let day = arrival.received.day();
        if let Some(open) = self.open_postgres() {
            sets::join(open, &joins)?;
            sets::count_days(open, &joins, day)?;
        } else {
            let mut update = self.prepare(
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
            )?;
            let mut count = self.prepare(
                "-- touch::day
                 INSERT INTO case_days (case_id, day, reports) VALUES ($1, $2, $3)
                 ON CONFLICT (case_id, day) DO UPDATE SET reports = case_days.reports + excluded.reports",
            )?;
            for join in &joins {
                update.execute((
                    join.case,
                    join.reports,
                    join.tail,
                    join.first_seen.0,
                    join.last_seen.0,
                    join.first_notice.map(|time| time.0),
                    join.history,
                    join.last_received.0,
                    join.confidence,
                    join.marks,
                    join.run,
                ))?;
                if join.another_day {
                    count.execute((join.case, day, join.reports))?;
                }
            }
        }
        for (case, change) in changes {
            match change {
                Change::Wake => self.wake_case(*case, arrival.now)?,
                Change::Rule(Opening { rule, traits, .. }) => {
                    let traits = self.traits_number(traits)?;
                    self.execute("-- touch::rule\nUPDATE cases SET rule = $2, traits = $3 WHERE id = $1", (case, rule, traits))?;
                }
                Change::Reporter(reporter) => {
                    self.execute("-- touch::reporter\nUPDATE cases SET reporter = $2 WHERE id = $1", (case, reporter))?;
                }
                Change::Received => {
                    self.execute("-- touch::received\nUPDATE cases SET received = $2 WHERE id = $1", (case, arrival.received.0))?;
                }
            }
        }
        Ok(())
    }

    /// Opens a case again: it has the history it has, and its clocks begin anew.
    fn reopen(&self, opening: &Opening, ended: &EndedCase, arrival: &Arrival<'_>) -> Result<(), Error> {
        self.execute(
            "-- touch::reopen
             UPDATE cases SET severity = $2, rule = $3, traits = $4, confidence = $5, reporter = $6, marks = $7, feed = $8,
                 feed_run = 0, snoozed = NULL, disputed = NULL, ordered = NULL
             WHERE id = $1",
            (
                ended.case,
                opening.severity as u8,
                &opening.rule,
                self.traits_number(&opening.traits)?,
                opening.confidence,
                opening.reporter,
                opening.marks,
                arrival.feed.0,
            ),
        )?;
        self.restart_case(ended.case, arrival.received, arrival.now)?;
        let text = format!("reported again; it was closed {} ({})", ended.closed, ended.closure.word());
        self.add_step(ended.case, &step(What::Reopened, arrival.now, text))
    }
}

/// A case that opens.
pub(crate) struct NewCase<'a, 'p> {
    pub case: i64,
    pub public: PublicId,
    pub place: &'a Place<'p>,
    /// Which of the places it is.
    pub at: usize,
}

/// What reports do to an open case. The desk looks at it at once only when something it looks at was passed.
fn join<'a>(
    place: &Place<'_>,
    case: &OpenCase,
    opening: &'a Opening,
    arrival: &Arrival<'a>,
    changes: &mut Vec<(i64, Change<'a>)>,
) -> Join {
    let is_sure = |marks: i64| marks & marks::AUTHENTICATED != 0;
    // Anyone can write any name: only who proved to be another says the same.
    let is_other = is_sure(opening.marks) && is_sure(case.marks) && opening.reporter != case.reporter;
    let mut added = opening.marks & (marks::AUTHENTICATED | marks::SIGNED | marks::SPOOFABLE);
    if is_other {
        added |= marks::CORROBORATED;
    }
    if case.feed != arrival.feed.0 {
        added |= marks::NOT_ONE_FEED;
    }
    if !place.history {
        let first_current = case.history;
        let is_worse = opening.severity < case.severity;
        let is_believed = |confidence: u8| confidence >= arrival.terms.watch_below;
        let corroborates = is_other && case.marks & marks::CORROBORATED == 0;
        if is_sure(opening.marks) && !is_sure(case.marks) {
            changes.push((case.case, Change::Reporter(opening.reporter)));
        }
        if is_worse || first_current {
            changes.push((case.case, Change::Rule(opening)));
        }
        if first_current {
            changes.push((case.case, Change::Received));
        }
        if is_worse || first_current || corroborates || (is_believed(opening.confidence) && !is_believed(case.confidence)) {
            changes.push((case.case, Change::Wake));
        }
    }
    Join {
        case: case.case,
        reports: place.reports,
        tail: place.tail,
        first_seen: place.first_seen,
        last_seen: place.last_seen,
        first_notice: place.first_notice,
        history: place.history,
        // What was old when it came says nothing about now, unless all of it was.
        last_received: if place.history && !case.history { Time(0) } else { arrival.received },
        confidence: opening.confidence,
        marks: added,
        run: if case.feed == arrival.feed.0 { arrival.feed.1 } else { 0 },
        another_day: arrival.received.day() != case.opened.day(),
    }
}

/// What reports do to a case that they open again.
fn join_reopened(place: &Place<'_>, ended: &EndedCase, opening: &Opening, arrival: &Arrival<'_>) -> Join {
    Join {
        case: ended.case,
        reports: place.reports,
        tail: place.tail,
        first_seen: place.first_seen,
        last_seen: place.last_seen,
        first_notice: place.first_notice,
        history: place.history,
        last_received: arrival.received,
        confidence: opening.confidence,
        marks: 0,
        run: arrival.feed.1,
        another_day: arrival.received.day() != ended.opened.day(),
    }
}

/// What two sets of reports do to the case that both join, one after the other.
fn both(one: &Join, next: &Join) -> Join {
    Join {
        case: one.case,
        reports: one.reports + next.reports,
        tail: next.tail,
        first_seen: one.first_seen.min(next.first_seen),
        last_seen: one.last_seen.max(next.last_seen),
        first_notice: one.first_notice.or(next.first_notice),
        history: one.history && next.history,
        last_received: one.last_received.max(next.last_received),
        confidence: one.confidence.max(next.confidence),
        marks: one.marks | next.marks,
        run: one.run.max(next.run),
        another_day: one.another_day,
    }
}
