//! Acts: what people do to cases. Each loads, decides and commits in one transaction, and writes who did it and why.
//!
//! Whatever is done can be done to one case or to many: to many only after a look at how many ([`preview`]), for one
//! reason, and never to a case of P0. How each case was before is kept, so that an act can be undone ([`undo`]) as long as
//! nothing else has changed it since.

mod before;
pub mod split;
pub mod undo;

use std::collections::BTreeMap;

use model::case::State;
use model::category::Kind;
use model::chain::PartyId;
use model::outbox::{Delivery, Purpose};
use model::policy::{Alarm, Closure, Progress, Rung};
use model::severity::Severity;
use model::step::{Step, What};
use model::submission::PublicId;
use model::time::{DAY, Time};
use store::Transaction;
use store::acts::Cause;
use store::alerts::Raise;
use store::cases::{Filed, marks};
use store::clocks::Standing;
use store::listing::Listing;

use crate::{Desk, Error};
use before::Before;

/// Cases that one act may touch.
pub const MOST: u32 = 20_000;
/// Bytes of what a person may write at once.
const TEXT: usize = 16 << 10;
/// How long a case may be put off.
const SNOOZE: i64 = 366 * DAY;
/// What is in the outbox to make a party mend it.
pub(crate) const LETTERS: [Purpose; 4] = [Purpose::ToCustomer, Purpose::Reminder, Purpose::LastWarning, Purpose::Restriction];

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// The reason is written down, and nothing else. It never leaves the house.
    Note,
    /// A colleague has it from now on; empty for nobody.
    Handle {
        /// Whose it is.
        handler: String,
    },
    /// It is put off until then; `None` to go on at once.
    Snooze {
        /// Until when.
        until: Option<Time>,
    },
    /// It is closed: it was mended.
    Resolve {
        /// Whether the operator mended it itself.
        by_operator: bool,
        /// Whether it is certain that it was so: then it counts against the party, at P0 and P1.
        confirmed: bool,
    },
    /// It is closed for another reason.
    Close {
        /// Which.
        closure: Closure,
    },
    /// The party says that it is not so.
    Dispute,
    /// Somebody who has not handled it decides about that.
    Decide {
        /// Whether the party is right.
        upheld: bool,
    },
    /// It is opened again.
    Reopen,
    /// It becomes part of another case.
    Merge {
        /// Row number of that.
        into: i64,
    },
}

/// To which cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// These, by their row numbers.
    These(Vec<i64>),
    /// All that a list shows.
    Listed(Listing),
}

/// An act that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doing {
    /// What.
    pub verb: Verb,
    /// To which cases.
    pub which: Which,
    /// How many cases were looked at in a preview. Needed for more than one.
    pub expected: Option<u64>,
    /// Who.
    pub by: String,
    /// Why; of a note, the note.
    pub reason: String,
}

/// What an act would touch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preview {
    /// How many cases.
    pub cases: u64,
    /// By kind.
    pub kinds: Vec<(Kind, u64)>,
    /// By holder.
    pub holders: Vec<(Option<PartyId>, u64)>,
    /// By severity.
    pub severities: Vec<(Severity, u64)>,
    /// Cases of P0 that are left out: each of those is decided about by itself.
    pub urgent: u64,
    /// Cases to which it cannot be done, and why.
    pub others: Vec<(String, u64)>,
}

/// What an act came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acted {
    /// Its row number.
    pub act: i64,
    /// The identifier that others see.
    pub public: PublicId,
    /// Cases it was done to.
    pub cases: u64,
    /// Cases of P0 that were left out.
    pub urgent: u64,
    /// Cases to which it could not be done, and why.
    pub others: Vec<(String, u64)>,
}

/// Cases that an act touches, as they are now.
struct Chosen {
    take: Vec<(Filed, Standing)>,
    urgent: u64,
    others: BTreeMap<String, u64>,
}

impl Verb {
    /// The word under which it is kept.
    pub fn word(&self) -> String {
        match self {
            Verb::Note => "note".to_owned(),
            Verb::Handle { handler } if handler.is_empty() => "handle: nobody".to_owned(),
            Verb::Handle { handler } => format!("handle: {handler}"),
            Verb::Snooze { until: Some(until) } => format!("snooze until {until}"),
            Verb::Snooze { until: None } => "snooze no more".to_owned(),
            Verb::Resolve { by_operator, confirmed } => {
                let by = if *by_operator { "operator" } else { "party" };
                format!("resolve: mended by {by}{}", if *confirmed { ", confirmed" } else { "" })
            }
            Verb::Close { closure } => format!("close: {}", closure.word()),
            Verb::Dispute => "dispute".to_owned(),
            Verb::Decide { upheld: true } => "decide: dispute upheld".to_owned(),
            Verb::Decide { upheld: false } => "decide: dispute refused".to_owned(),
            Verb::Reopen => "reopen".to_owned(),
            Verb::Merge { into } => format!("merge into case {into}"),
        }
    }
}

impl Desk {
    /// Does it, to every case that is meant, or to none.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is not well-formed, [`Error::NotFound`] for a case that is not there, [`Error::Conflict`] when
    /// it cannot be done, or not to as many cases as were looked at; [`Error::Unavailable`]. Nothing has changed then.
    pub fn act(&self, doing: &Doing) -> Result<Acted, Error> {
        check(doing, self.now())?;
        let now = self.now();
        self.store.write("act", |transaction| {
            lock(transaction, &doing.which)?;
            let chosen = choose(transaction, doing, now)?;
            agree(is_one(&doing.which), doing.expected, chosen.take.len() as u64)?;
            self.act_on(transaction, doing, chosen, now)
        })
    }

    fn act_on(&self, transaction: &Transaction<'_>, doing: &Doing, chosen: Chosen, now: Time) -> Result<Acted, Error> {
        let cases = chosen.take.len() as u64;
        let (act, public) = transaction.add_act(&doing.verb.word(), &doing.by, &doing.reason, cases, now)?;
        let mut work = Work { desk: self, transaction, doing, act, now };
        if let Verb::Merge { into } = doing.verb {
            work.merge(into, chosen.take)?;
        } else {
            for (filed, standing) in chosen.take {
                work.one(filed, standing)?;
            }
        }
        Ok(Acted { act, public, cases, urgent: chosen.urgent, others: chosen.others.into_iter().collect() })
    }
}

/// What an act would touch, without doing it.
///
/// # Errors
/// As [`Desk::act`].
pub fn preview(transaction: &Transaction<'_>, doing: &Doing, now: Time) -> Result<Preview, Error> {
    check(doing, now)?;
    let chosen = choose(transaction, doing, now)?;
    let others = chosen.others.into_iter().collect();
    Ok(Preview { urgent: chosen.urgent, others, ..tally(&chosen.take) })
}

/// Cases by kind, holder and severity.
pub(crate) fn tally(cases: &[(Filed, Standing)]) -> Preview {
    let (mut kinds, mut holders, mut severities) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for (filed, standing) in cases {
        kinds.entry(filed.case.kind as u8).or_insert((filed.case.kind, 0)).1 += 1;
        *holders.entry(filed.case.holder).or_insert(0) += 1;
        *severities.entry(standing.progress.severity).or_insert(0) += 1;
    }
    let mut preview = Preview {
        cases: cases.len() as u64,
        kinds: kinds.into_values().collect(),
        holders: holders.into_iter().collect(),
        severities: severities.into_iter().collect(),
        ..Preview::default()
    };
    preview.kinds.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    preview.holders.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    preview
}

/// Whether it is well-formed.
fn check(doing: &Doing, now: Time) -> Result<(), Error> {
    let invalid = |text: String| Err(Error::Invalid(text));
    if doing.by.trim().is_empty() {
        return invalid("say who does it".to_owned());
    }
    if doing.verb == Verb::Note && doing.reason.trim().is_empty() {
        return invalid("say what is to be written down".to_owned());
    }
    let needs_reason = !matches!(doing.verb, Verb::Handle { .. });
    if needs_reason && doing.reason.trim().is_empty() {
        return invalid("say why: it is kept with the case".to_owned());
    }
    if doing.reason.len() > TEXT {
        return invalid(format!("a reason or note has at most {TEXT} bytes"));
    }
    match &doing.verb {
        Verb::Snooze { until: Some(until) } if *until <= now || *until > now.plus(SNOOZE) => {
            invalid(format!("{until} is no time to put it off to: it lies between now and a year from now"))
        }
        Verb::Close { closure: Closure::Merged } => invalid("name the case that it is part of: merge".to_owned()),
        _ => Ok(()),
    }
}

/// Whether as many cases are touched as were looked at.
pub(crate) fn agree(is_one: bool, expected: Option<u64>, found: u64) -> Result<(), Error> {
    match expected {
        _ if found == 0 => Err(Error::Conflict("there is no case to which this can be done".to_owned())),
        None if is_one => Ok(()),
        None => Err(Error::Invalid(format!("this touches {found} cases: look at them first, and say how many there are"))),
        Some(expected) if expected == found => Ok(()),
        Some(expected) => Err(Error::Conflict(format!(
            "this touches {found} cases now, and {expected} were looked at: nothing was done, look again"
        ))),
    }
}

fn is_one(which: &Which) -> bool {
    matches!(which, Which::These(ids) if ids.len() <= 1)
}

/// Keeps the cases that are meant from being changed by others meanwhile.
fn lock(transaction: &Transaction<'_>, which: &Which) -> Result<(), Error> {
    let cases = match which {
        Which::These(ids) => ids.clone(),
        Which::Listed(listing) => {
            transaction.list_cases(listing, MOST + 1)?.into_iter().map(|(filed, _)| filed.case.id).collect()
        }
    };
    Ok(transaction.lock_cases(&cases)?)
}

/// The cases that an act touches.
fn choose(transaction: &Transaction<'_>, doing: &Doing, now: Time) -> Result<Chosen, Error> {
    let found = match &doing.which {
        Which::These(ids) => {
            if ids.len() > MOST as usize {
                return Err(Error::Invalid(format!("one act touches at most {MOST} cases")));
            }
            let mut ids = ids.clone();
            ids.sort_unstable();
            ids.dedup();
            let mut found = Vec::with_capacity(ids.len());
            for id in ids {
                let case = transaction.case_standing(id)?;
                found.push(case.ok_or_else(|| Error::NotFound(format!("there is no case {id}")))?);
            }
            found
        }
        Which::Listed(listing) => {
            let found = transaction.list_cases(listing, MOST + 1)?;
            if found.len() > MOST as usize {
                return Err(Error::Invalid(format!("these are more than {MOST} cases: name them more narrowly")));
            }
            found
        }
    };
    let target = match doing.verb {
        Verb::Merge { into } => {
            let target = transaction.case_standing(into)?.ok_or_else(|| Error::NotFound(format!("there is no case {into}")))?;
            if target.0.case.state == State::Closed {
                return Err(Error::Conflict(format!("case {into} is closed: open it again first")));
            }
            Some(target)
        }
        _ => None,
    };
    let is_bulk = !is_one(&doing.which);
    let mut chosen = Chosen { take: Vec::with_capacity(found.len()), urgent: 0, others: BTreeMap::new() };
    for (filed, standing) in found {
        if is_bulk && standing.progress.severity == Severity::P0 {
            chosen.urgent += 1;
        } else if let Err(why) = may(transaction, doing, target.as_ref().map(|(filed, _)| filed), &filed, &standing, now)? {
            if !is_bulk {
                return Err(Error::Conflict(format!("case {}: {why}", filed.case.id)));
            }
            *chosen.others.entry(why).or_insert(0) += 1;
        } else {
            chosen.take.push((filed, standing));
        }
    }
    Ok(chosen)
}

/// Whether it can be done to a case, and why not.
fn may(
    transaction: &Transaction<'_>,
    doing: &Doing,
    target: Option<&Filed>,
    filed: &Filed,
    standing: &Standing,
    now: Time,
) -> Result<Result<(), String>, Error> {
    let case = &filed.case;
    let is_open = case.state == State::Open;
    let no = |why: &str| Ok(Err(why.to_owned()));
    match &doing.verb {
        Verb::Note => Ok(Ok(())),
        Verb::Reopen if is_open => no("it is open"),
        Verb::Reopen if standing.closure == Some(Closure::Merged) => no("it is part of another case: undo the merge"),
        Verb::Reopen => Ok(match transaction.open_case_of(&case.key)? {
            Some(other) => Err(format!("case {other} is open about the same")),
            None => Ok(()),
        }),
        _ if !is_open => no("it is closed"),
        Verb::Resolve { confirmed: true, .. } if standing.has(marks::HOLDER_CHANGED) => {
            no("whose it is has to be said first: sluis case correct")
        }
        Verb::Handle { handler } if *handler == standing.handler => no("it is theirs already"),
        Verb::Snooze { until: None } if standing.snoozed.is_none_or(|until| until <= now) => no("it is not put off"),
        Verb::Dispute if standing.disputed.is_some() => no("it is disputed already"),
        Verb::Decide { .. } if standing.disputed.is_none() => no("it is not disputed"),
        Verb::Decide { .. } => Ok(match has_handled(transaction, case.id, standing, &doing.by)? {
            true => Err(format!("{} handled it: somebody else decides a dispute", doing.by.trim())),
            false => Ok(()),
        }),
        Verb::Merge { into } if *into == case.id => no("it is the case itself"),
        Verb::Merge { .. } => Ok(match (case.holder, target.and_then(|target| target.case.holder)) {
            (Some(one), other) if Some(one) != other => Err("it is another party's problem".to_owned()),
            _ => Ok(()),
        }),
        _ => Ok(Ok(())),
    }
}

/// Whether a person had a hand in a case: it is or was theirs, or they decided something in it.
fn has_handled(transaction: &Transaction<'_>, case: i64, standing: &Standing, by: &str) -> Result<bool, Error> {
    let same = |name: &str| name.trim().to_lowercase() == by.trim().to_lowercase();
    if same(&standing.handler) {
        return Ok(true);
    }
    let handled = |step: &Step| match step.what {
        What::Handled => same(&step.text) || same(&step.person),
        // Whoever writes something down, or takes in that it is disputed, has decided nothing.
        What::Noted | What::Disputed => false,
        _ => same(&step.person),
    };
    Ok(transaction.steps(case)?.iter().any(handled))
}

/// An act under way.
struct Work<'a> {
    desk: &'a Desk,
    transaction: &'a Transaction<'a>,
    doing: &'a Doing,
    act: i64,
    now: Time,
}

impl Work<'_> {
    /// Does it to one case.
    fn one(&mut self, mut filed: Filed, mut standing: Standing) -> Result<(), Error> {
        let mut before = Before::of(&filed, &standing);
        let (case, reason) = (filed.case.id, self.doing.reason.trim());
        match &self.doing.verb {
            Verb::Note => {
                self.step(case, What::Noted, reason)?;
                return Ok(self.transaction.add_act_case(self.act, case, "")?);
            }
            Verb::Handle { handler } => {
                standing.handler.clone_from(handler);
                self.step(case, What::Handled, handler)?;
            }
            Verb::Snooze { until } => {
                standing.snoozed = *until;
                standing.next_due = Some(self.now);
                let until = until.map_or_else(|| "no more".to_owned(), |until| format!("until {until}"));
                self.step(case, What::Snoozed, &format!("{until}: {reason}"))?;
            }
            Verb::Resolve { by_operator, confirmed } => {
                if *confirmed {
                    self.confirm(&filed, &standing, &mut before)?;
                }
                self.close(&mut filed, &mut standing, if *by_operator { Closure::FixedByOperator } else { Closure::Fixed })?;
            }
            Verb::Close { closure } => self.close(&mut filed, &mut standing, *closure)?,
            Verb::Dispute => {
                standing.disputed = Some(self.now);
                standing.next_due = Some(self.now);
                withdraw(self.transaction, case, &mut standing.progress, "the party disputes it", self.now)?;
                self.step(case, What::Disputed, reason)?;
            }
            Verb::Decide { upheld } => {
                standing.disputed = None;
                let word = if *upheld { "upheld" } else { "refused" };
                self.step(case, What::DisputeDecided, &format!("{word}: {reason}"))?;
                if *upheld {
                    self.transaction.withdraw_strikes(case, "its dispute was upheld", self.now)?;
                    self.close(&mut filed, &mut standing, Closure::FalseReport)?;
                }
                standing.next_due = (!upheld).then_some(self.now);
            }
            Verb::Reopen => {
                reopen(&mut filed, &mut standing, self.now);
                self.step(case, What::Reopened, reason)?;
            }
            // Merged by `merge`.
            Verb::Merge { .. } => {}
        }
        self.transaction.save_case(&filed, &standing)?;
        Ok(self.transaction.add_act_case(self.act, case, &before.text(&filed, &standing))?)
    }

    /// Lets cases become part of another. It stands as the worst of them, with the clock that runs out first.
    fn merge(&mut self, into: i64, cases: Vec<(Filed, Standing)>) -> Result<(), Error> {
        self.transaction.lock_cases(&[into])?;
        let Some((mut whole, mut of_whole)) = self.transaction.case_standing(into)? else {
            return Err(Error::NotFound(format!("there is no case {into}")));
        };
        let before_whole = Before::of(&whole, &of_whole);
        for (mut part, mut standing) in cases {
            let mut before = Before::of(&part, &standing);
            let case = part.case.id;
            join(&mut whole, &mut of_whole, &part, &standing);
            // What tells the party about it stays; the whole reminds and warns for both.
            let later = [Purpose::Reminder, Purpose::LastWarning, Purpose::Restriction];
            self.transaction.withdraw_errands(case, &later, &format!("it is part of case {into}"), self.now)?;
            part.case.state = State::Closed;
            (standing.closed, standing.closure, standing.next_due) = (Some(self.now), Some(Closure::Merged), None);
            self.transaction.save_case(&part, &standing)?;
            self.transaction.add_merge(case, into, self.now)?;
            before.add("merged", into);
            let reason = self.doing.reason.trim();
            self.step(case, What::Closed, &format!("merged into case {}: {reason}", whole.case.public))?;
            self.step(into, What::Merged, &format!("case {}: {reason}", part.case.public))?;
            self.transaction.add_act_case(self.act, case, &before.text(&part, &standing))?;
        }
        of_whole.next_due = Some(self.now);
        self.transaction.save_case(&whole, &of_whole)?;
        Ok(self.transaction.add_act_case(self.act, into, &before_whole.text(&whole, &of_whole))?)
    }

    fn close(&self, filed: &mut Filed, standing: &mut Standing, closure: Closure) -> Result<(), Error> {
        let case = filed.case.id;
        withdraw(self.transaction, case, &mut standing.progress, &format!("closed: {}", closure.word()), self.now)?;
        filed.case.state = State::Closed;
        (standing.closed, standing.closure) = (Some(self.now), Some(closure));
        (standing.next_due, standing.snoozed, standing.disputed) = (None, None, None);
        self.step(case, What::Closed, &format!("{}: {}", closure.word(), self.doing.reason.trim()))
    }

    /// Counts a case against its holder, and lets a person look at the whole of it when there are many.
    fn confirm(&self, filed: &Filed, standing: &Standing, before: &mut Before) -> Result<(), Error> {
        let (case, severity) = (filed.case.id, standing.progress.severity);
        self.step(case, What::Confirmed, self.doing.reason.trim())?;
        let Some(holder) = filed.case.holder.filter(|_| severity.is_urgent()) else { return Ok(()) };
        self.transaction.add_strike(holder, case, Cause::Confirmed, severity, self.now)?;
        before.add("strike", holder);
        let repeat = self.desk.policy().policy.repeat;
        let count = self.transaction.strikes(holder, Cause::Confirmed, Severity::P1, self.now.plus(-repeat.within))?;
        if count >= repeat.confirmed {
            let party = self.transaction.party(holder)?;
            let text = format!(
                "party {}: {count} confirmed cases of P0 or P1 within {} days. Look at its whole conduct: 'sluis party show' with its reference.",
                party.map_or_else(|| holder.to_string(), |kept| kept.party.reference),
                repeat.within / DAY
            );
            let key = format!("party/{holder}/review");
            let raise = Raise { kind: Alarm::Review, key: &key, severity: Severity::P1, text: &text, due: None };
            self.transaction.raise_alert(&raise, self.now)?;
        }
        Ok(())
    }

    fn step(&self, case: i64, what: What, text: &str) -> Result<(), Error> {
        Ok(self.transaction.add_step(case, &step(what, self.now, text, &self.doing.by))?)
    }
}

/// A step that a person made.
pub(crate) fn step(what: What, at: Time, text: &str, by: &str) -> Step {
    Step { ordinal: 0, what, at, text: text.to_owned(), person: by.trim().to_owned(), rule: String::new(), due: None }
}

/// Withdraws what still waits in the outbox to make a party mend a case. The case stands as if that had never been
/// decided: what is wanted again is decided anew.
pub(crate) fn withdraw(
    transaction: &Transaction<'_>,
    case: i64,
    progress: &mut Progress,
    reason: &str,
    now: Time,
) -> Result<(), Error> {
    for entry in transaction.entries_of_case(case, 1_000)? {
        if entry.delivery != Delivery::Waiting {
            continue;
        }
        let rung = match entry.purpose {
            Purpose::ToCustomer => Rung::Start,
            Purpose::Reminder => Rung::Told,
            Purpose::LastWarning => Rung::Reminded,
            Purpose::Restriction => Rung::Due,
            Purpose::Receipt | Purpose::Correction | Purpose::Release => continue,
        };
        progress.rung = progress.rung.min(rung);
    }
    if progress.rung == Rung::Start {
        progress.told = None;
    }
    transaction.withdraw_errands(case, &LETTERS, reason, now)?;
    Ok(())
}

/// Opens a case again: its clocks and its ladder begin anew, now.
pub(crate) fn reopen(filed: &mut Filed, standing: &mut Standing, now: Time) {
    filed.case.state = State::Open;
    (standing.closed, standing.closure, standing.disputed, standing.snoozed) = (None, None, None, None);
    begin_anew(standing, now);
}

/// Lets clocks and ladder of a case begin anew with the next look.
pub(crate) fn begin_anew(standing: &mut Standing, now: Time) {
    standing.marks &= !(marks::DECIDED | marks::OBSERVED);
    standing.progress = Progress { observed: false, ..Progress::new(standing.progress.severity) };
    standing.received = now;
    standing.next_due = Some(now);
}

/// Lets a case stand as the worse of itself and another.
pub(crate) fn join(whole: &mut Filed, of_whole: &mut Standing, part: &Filed, standing: &Standing) {
    let sooner = |one: Option<Time>, other: Option<Time>| match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let (clocks, other) = (&mut of_whole.progress.clocks, standing.progress.clocks);
    clocks.acknowledge = sooner(clocks.acknowledge, other.acknowledge);
    clocks.customer = sooner(clocks.customer, other.customer);
    clocks.fix = sooner(clocks.fix, other.fix);
    clocks.force = sooner(clocks.force, other.force);
    of_whole.ordered = sooner(of_whole.ordered, standing.ordered);
    of_whole.received = of_whole.received.min(standing.received);
    of_whole.last_received = of_whole.last_received.max(standing.last_received);
    of_whole.confidence = of_whole.confidence.max(standing.confidence);
    of_whole.progress.severity = of_whole.progress.severity.min(standing.progress.severity);
    whole.case.first_seen = whole.case.first_seen.min(part.case.first_seen);
    whole.case.last_seen = whole.case.last_seen.max(part.case.last_seen);
    whole.case.first_valid_notice = sooner(whole.case.first_valid_notice, part.case.first_valid_notice);
    whole.case.history &= part.case.history;
}
